"""One connection to the database: the first of its hosts that takes it, as a session of ours.

Tries the hosts itself, each with a patience of its own, and begins with the one that was good
last time. Says what a lost connection looks like. Knows nothing of pools or transactions.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from openorders.store.database_url import DatabaseUrl, Host

if TYPE_CHECKING:
    DriverConnection = asyncpg.Connection[asyncpg.Record]
else:
    DriverConnection = asyncpg.Connection

OLDEST_VERSION = 15

SESSION_SETTINGS: Mapping[str, str] = {
    "application_name": "openorders",
    # With array parameters PostgreSQL otherwise plans the large statements anew each time.
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    # Three rows by their keys beat a scan of a thousand: what is sold most is in memory.
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",
}

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
    OSError,  # TimeoutError included
)
_NEXT_HOST = (*_LOST, asyncpg.TooManyConnectionsError, asyncpg.InterfaceError)
_RETRY_PAUSE_S = 0.1
_KEEPALIVE_OPTIONS = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


class DatabaseUnavailableError(Exception):
    """No connection could be had, so nothing was done; the message says what each host said."""


class DatabaseUnsuitableError(Exception):
    """The database answers but cannot serve: another version, no access; says so in a sentence."""


class OutcomeUnknownError(Exception):
    """The database did not confirm: what was asked for may or may not have been kept."""


def is_connection_loss(error: BaseException) -> bool:
    """Whether an error says that the connection, not the statement, is to blame.

    Unless it is a DatabaseUnavailableError, the outcome of the last statement is then unknown:
    only a replay under the same idempotency key may settle it.
    """
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error)
    return isinstance(error, (*_LOST, DatabaseUnavailableError, OutcomeUnknownError))


def ran_out_of_time(error: BaseException) -> bool:
    """Whether the database broke a statement off that took, or waited, too long: it did nothing."""
    return isinstance(error, (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError))


class Session(DriverConnection):
    """A connection that keeps quiet when it goes back to its pool, and notices unsafe commits."""

    __slots__ = ("commit_unsure",)

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the driver's own
        super().__init__(*arguments, **options)
        self.commit_unsure = False

    def get_reset_query(self) -> str:
        """Nothing: our sessions set nothing that would have to be undone (saves a round trip)."""
        return ""

    def _process_log_message(self, fields: dict[str, str], _last_query: str) -> None:
        # A commit that stops waiting for its standby is answered as done, with a mere warning.
        if fields.get("R") == "SyncRepWaitForLSN":
            self.commit_unsure = True


class Connector:
    """Makes connections to whichever host of a URL is good."""

    def __init__(
        self, url: DatabaseUrl, *, settings: Mapping[str, str], give_up_s: float | None = None
    ) -> None:
        self._url = url
        self._give_up_s = give_up_s
        self._settings = {**SESSION_SETTINGS, **settings, **dict(url.settings)}
        self._last_good: Host | None = None

    async def connect(self) -> Session:
        """A new session; tries all hosts again until the patience of one is spent.

        DatabaseUnavailableError when none answers, DatabaseUnsuitableError when one refuses us.
        """
        until = time.monotonic() + self._url.connect_s
        while True:
            complaints: list[str] = []
            for host in self._in_order():
                try:
                    session = await self._connect_to(host)
                except _NEXT_HOST as error:
                    complaints.append(f"{host}: {error or 'no answer'}")
                else:
                    self._last_good = host
                    return session
            if time.monotonic() >= until:
                raise DatabaseUnavailableError(
                    f"The database cannot be reached ({'; '.join(complaints)})."
                )
            await asyncio.sleep(_RETRY_PAUSE_S)

    def _in_order(self) -> list[Host]:
        hosts = list(self._url.hosts)
        if self._url.any_order:
            random.shuffle(hosts)
        elif self._last_good is not None:
            hosts.sort(key=lambda host: host != self._last_good)
        return hosts

    async def _connect_to(self, host: Host) -> Session:
        url = self._url
        try:
            async with asyncio.timeout(url.connect_s):
                session = await asyncpg.connect(
                    dsn=url.passed_on,
                    host=host.name,
                    port=host.port,
                    user=url.user,
                    password=url.password,
                    database=url.database,
                    timeout=url.connect_s,
                    command_timeout=self._give_up_s,
                    server_settings=self._settings,
                    target_session_attrs=SessionAttribute(url.session_attributes),
                    # Statements are few and some are long: keep them all prepared.
                    statement_cache_size=1000,
                    max_cached_statement_lifetime=0,
                    max_cacheable_statement_size=0,
                    connection_class=Session,
                )
        except _LOST:
            raise
        except asyncpg.PostgresError as error:
            raise DatabaseUnsuitableError(f"The database at {host} refuses: {error}.") from error
        if session.get_server_version().major < OLDEST_VERSION:
            version = session.get_server_version().major
            await session.close()
            raise DatabaseUnsuitableError(
                f"The database at {host} is PostgreSQL {version}; openorders needs "
                f"{OLDEST_VERSION} or later."
            )
        self._set_socket_options(session)
        return session

    def _set_socket_options(self, session: Session) -> None:
        """Let the kernel notice a host that vanished, where the system knows these options."""
        transport: asyncio.Transport | None = getattr(session, "_transport", None)
        link = transport.get_extra_info("socket") if transport else None
        if link is None or link.family == socket.AF_UNIX:
            return
        with suppress(OSError):
            link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in (*_KEEPALIVE_OPTIONS, *self._url.socket_options):
                if hasattr(socket, name):
                    link.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
