"""The composition root: how the parts become one product. The only module that knows everybody."""

import asyncio
import importlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from openorders import demo, logs, server
from openorders.asgi import Application
from openorders.background import background
from openorders.logs import configure_logging
from openorders.server.lifecycle import Lifecycle
from openorders.services import (
    EXPECTED,
    database_url,
    open_contracts,
    services_of,
    unguessable,
)
from openorders.settings import Settings
from openorders.store import migrate, stores
from openorders.store.database import Database, opened
from openorders.telemetry import Metrics

_GAUGE_SECONDS: Final = 2.0

_log = logs.Logger(__name__)


def serve(
    settings: Settings,
    *,
    report: server.Report,
    on_ready: Callable[[server.Running], None],
) -> None:
    """Serve until told to stop. Raises `server.PortTaken` and `server.CannotStart`."""
    configure_logging(settings.log_format, settings.log_level)
    server.run(settings, Product(), report=report, on_ready=on_ready)


def contract_names() -> tuple[str, ...]:
    """The APIs that are served, in the order in which they are listed."""
    from openorders.web import CONTRACT_NAMES

    return CONTRACT_NAMES


def documented_names() -> tuple[str, ...]:
    """Those of them that can be opened to everybody: the contracts that orders come through."""
    from openorders.web import DOCUMENTED_NAMES

    return DOCUMENTED_NAMES


class Product:
    """How the server's processes get what they need; see `server.Assembly`."""

    expected = EXPECTED

    def prepare(self) -> None:
        """Load what answers: it takes longer than the database does, and needs nothing of it."""
        importlib.import_module("openorders.web")

    @asynccontextmanager
    async def database(
        self, settings: Settings, report: server.Report
    ) -> AsyncGenerator[str, None]:
        """The database, up and migrated, and filled when the demo was asked for."""
        async with database_url(settings, report) as url:
            await migrate.migrate(url, report=report)
            if settings.database_url is not None:
                await _warn_of_weak_settings(url)
            if settings.demo:
                async with opened(url, connections=1) as database:
                    filled = await demo.fill(database, unguessable)
                    if filled.now:
                        report("The demo's stores are filled in.")
                    elif not filled.here:
                        report("There are other stores already, so the demo is left out.")
            if opened_ones := open_contracts(settings):
                await _warn_of_open_contracts(url, opened_ones)
            yield url

    @asynccontextmanager
    async def background(
        self, settings: Settings, url: str, metrics: Metrics
    ) -> AsyncGenerator[None, None]:
        """The loops, and what they say of themselves."""
        async with background(settings, url, metrics):
            yield

    @asynccontextmanager
    async def application(
        self, settings: Settings, url: str, lifecycle: Lifecycle, metrics: Metrics
    ) -> AsyncGenerator[Application, None]:
        """Everything that answers."""
        from openorders.web import shell

        async with services_of(settings, url) as services:
            gauging = asyncio.create_task(_gauge(services.database, metrics), name="gauges")
            try:
                yield shell(settings, services, lifecycle, metrics)
            finally:
                gauging.cancel()


async def _warn_of_weak_settings(url: str) -> None:
    """An operator's own PostgreSQL is theirs to set, but not without being told what it costs."""
    async with opened(url, connections=1) as database:
        weak = await database.weak_settings()
    if weak:
        _log.warning(
            "database_can_lose_orders",
            off=weak,
            why="With these off, a power cut can lose or damage orders that were acknowledged.",
        )


async def _warn_of_open_contracts(url: str, opened_ones: Mapping[str, str | None]) -> None:
    """A contract that is open to no store goes on asking for a credential, whatever was meant."""
    async with opened(url, connections=1) as database, database.connection() as connection:
        names = [store.name for store in await stores.all_stores(connection)]
    for contract, store in opened_ones.items():
        if store is None and len(names) != 1:
            why = f"There are {len(names)} stores, so one has to be named: --open {contract}=STORE."
        elif store is not None and store not in names:
            why = "There is no store of that name; until there is, the contract is not open."
        else:
            continue
        _log.warning("open_contract_without_store", contract=contract, store=store, why=why)


async def _gauge(database: Database, metrics: Metrics) -> None:
    """Each process tells its own connections: another one may be asked for the sum."""
    while True:
        metrics.connections(*database.connections())
        await asyncio.sleep(_GAUGE_SECONDS)
