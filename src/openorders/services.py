"""What use cases need, put together: for the processes of a server and for commands.

Apart from `app.py`, so that a command does not load everything that answers HTTP.
"""

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from openorders.dialects import Dialects
from openorders.gateways.mail import FolderMailer, Mailer
from openorders.gateways.manual import ManualGateway
from openorders.gateways.outgoing import Outgoing, Rules
from openorders.gateways.payments import Gateways
from openorders.gateways.sandbox import SandboxGateway
from openorders.gateways.stripe import stripe_gateways
from openorders.gateways.stripe_line import StripeLine
from openorders.gateways.tokens import TokenVerifier
from openorders.installation import Report, data_folder
from openorders.settings import Settings
from openorders.store import embedded, migrate
from openorders.store.bell import EVENTS_SEQUENCED, Bell, News
from openorders.store.database import (
    STATEMENT_S,
    Database,
    DatabaseUnavailableError,
    DatabaseUnsuitableError,
    DatabaseUrlError,
    is_connection_loss,
    opened,
)
from openorders.store.known import KnownCallers
from openorders.store.sandbox_ledger import SandboxLedger
from openorders.store.stores import ACCESS_CHANGED
from openorders.usecases.context import Services

EXPECTED: Final[tuple[type[Exception], ...]] = (
    embedded.EmbeddedDatabaseError,
    DatabaseUrlError,
    DatabaseUnavailableError,
    DatabaseUnsuitableError,
    migrate.MigrationError,
)
"""Failures at the start whose message is for the operator."""

_DEMO_OPEN: Final = "basic"

WEATHER: Final = (
    DatabaseUnavailableError,
    DatabaseUnsuitableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
    TimeoutError,
)
"""Failures that pass by themselves: the client is told to come back."""


def now() -> datetime:
    """The one clock of the product."""
    return datetime.now(UTC)


def unguessable() -> str:
    """URL-safe text that nobody can guess: 192 random bits."""
    return secrets.token_urlsafe(24)


@asynccontextmanager
async def services_of(
    settings: Settings, url: str, *, statement_s: float = STATEMENT_S
) -> AsyncGenerator[Services, None]:
    """What use cases need, on this database. No statement runs for longer than `statement_s`."""
    known, bell, news = KnownCallers(), Bell(), News()
    async with (
        opened(url, connections=settings.pool_size, statement_s=statement_s) as database,
        database.listening(ACCESS_CHANGED, known.forget),
        database.listening(EVENTS_SEQUENCED, news.heard),
        bell.ringing(database),
        _mailer(settings) as mailer,
        aclosing(StripeLine(settings.stripe_url)) as stripe_line,
    ):
        yield Services(
            database=database,
            gateways=_gateways(database, stripe_line),
            mailer=mailer,
            verifier=TokenVerifier(),
            known=known,
            clock=now,
            token=unguessable,
            public_url=settings.public_url,
            open_contracts=open_contracts(settings),
            bell=bell,
            news=news,
            dialects=Dialects(),
            events_kept_for=timedelta(days=settings.events_kept_days),
            mails_kept_for=timedelta(days=settings.mails_kept_days),
            outgoing=Outgoing(
                Rules(
                    allow_private=settings.webhook_allow_private,
                    allow_http=settings.webhook_allow_http,
                    allow_redirects=settings.webhook_allow_redirects,
                    timeout_s=settings.webhook_timeout_seconds,
                )
            ),
        )


@asynccontextmanager
async def _mailer(settings: Settings) -> AsyncGenerator[Mailer, None]:
    """The operator's mail server, or a folder where there is none."""
    if settings.smtp_host is None:
        folder = settings.mail_dir or data_folder(settings) / "mail"
        yield FolderMailer(folder, settings.mail_from)
        return
    # Here, since few commands have a letter to send.
    from openorders.gateways.mail_smtp import MailServer, Security, opened_mailer

    security = Security(settings.smtp_security)
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port or security.usual_port,
        security=security,
        username=settings.smtp_username,
        password=settings.smtp_password,
        timeout_s=settings.smtp_timeout_seconds,
    )
    async with opened_mailer(server, settings.mail_from) as mailer:
        yield mailer


def _gateways(database: Database, stripe_line: StripeLine) -> Gateways:
    ledger = SandboxLedger(database, now)
    return Gateways(
        {
            "sandbox": lambda store, account: SandboxGateway(ledger, store.id, account.name),
            "manual": lambda _store, _account: ManualGateway(),
            "stripe": stripe_gateways(stripe_line),
        }
    )


def open_contracts(settings: Settings) -> dict[str, str | None]:
    """Contracts that ask for no credential, with the store that they are open to."""
    opened_ones = dict(settings.open)
    if settings.demo and settings.listens_on_loopback:
        opened_ones.setdefault(_DEMO_OPEN, _DEMO_OPEN)
    return opened_ones


def is_weather(error: Exception) -> bool:
    """Whether a failure passes by itself."""
    return isinstance(error, WEATHER) or is_connection_loss(error)


async def migrated(url: str, report: Report) -> int:
    """Bring a database's tables up to date; answers how many migrations that took."""
    return len(await migrate.migrate(url, report=report))


async def unmigrated(url: str) -> tuple[str, ...]:
    """The migrations that are still to be applied, for people."""
    async with opened(url, connections=1) as database, database.connection() as connection:
        return tuple(str(one) for one in await migrate.pending(connection))
