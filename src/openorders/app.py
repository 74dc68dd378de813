"""The composition root: how the parts become one product. The only module that knows everybody.

It loads them when they are needed: a start begins with the database, and reads the rest of the
program while that comes up.
"""

import asyncio
import importlib
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from openorders import logs, server
from openorders.settings import Settings

if TYPE_CHECKING:
    from openorders.asgi import Application
    from openorders.server.lifecycle import Lifecycle
    from openorders.store.database import Database
    from openorders.telemetry import Metrics
    from openorders.web import Front

_GAUGE_SECONDS: Final = 2.0
_HEAD_START_S: Final = 0.2

_log = logs.Logger(__name__)


def serve(
    settings: Settings,
    *,
    report: server.Report,
    on_ready: Callable[[server.Running], None],
) -> None:
    """Serve until told to stop. Raises `server.PortTaken` and `server.CannotStart`."""
    logs.configure_logging(settings.log_format, settings.log_level)
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

    def __init__(self) -> None:
        self._front: Front | None = None
        self._database_is_underway = threading.Event()

    @property
    def expected(self) -> tuple[type[Exception], ...]:
        """Failures at the start whose message is for the operator."""
        from openorders.services import EXPECTED

        return EXPECTED

    def prepare(self, settings: Settings) -> None:
        """Load and build what answers: it takes longer than the database does, and needs nothing
        of it.
        """
        from openorders.web import Front

        self._front = Front(settings)

    @asynccontextmanager
    async def database(
        self, settings: Settings, report: server.Report
    ) -> AsyncGenerator[str, None]:
        """The database, up and migrated, and filled when the demo was asked for."""
        from openorders.installation import database_url
        from openorders.store import migrate

        underway = self._database_is_underway.set
        async with database_url(settings, report, underway=underway) as url:
            underway()
            await migrate.migrate(url, report=report)
            await _look_over(settings, url, report)
            yield url

    def prepare_background(self) -> None:
        """Load what works beside the requests, while the database comes up."""
        # A thread that loads modules holds up the one that starts the database.
        self._database_is_underway.wait(_HEAD_START_S)
        importlib.import_module("openorders.background")

    @asynccontextmanager
    async def background(
        self, settings: Settings, url: str, metrics: "Metrics"
    ) -> AsyncGenerator[None, None]:
        """The loops, and what they say of themselves."""
        from openorders.background import background

        async with background(settings, url, metrics):
            yield

    @asynccontextmanager
    async def application(
        self, settings: Settings, url: str, lifecycle: "Lifecycle", metrics: "Metrics"
    ) -> "AsyncGenerator[Application, None]":
        """Everything that answers."""
        from openorders.services import services_of

        if self._front is None:
            self.prepare(settings)
        assert self._front is not None
        async with services_of(settings, url) as services:
            gauging = asyncio.create_task(_gauge(services.database, metrics), name="gauges")
            try:
                yield self._front.open(services, lifecycle, metrics)
            finally:
                gauging.cancel()


async def _look_over(settings: Settings, url: str, report: server.Report) -> None:
    """Fill the demo in if it was asked for, and warn of what an operator cannot have meant."""
    from openorders.services import open_contracts
    from openorders.store import stores
    from openorders.store.database import opened

    opened_ones = open_contracts(settings)
    if settings.database_url is None and not (settings.demo or opened_ones):
        return
    async with opened(url, connections=1) as database:
        if settings.database_url is not None:
            await _warn_of_weak_settings(database)
        if settings.demo:
            await _fill_demo(database, report)
        async with database.connection() as connection:
            names = [store.name for store in await stores.all_stores(connection)]
    _warn_of_open_contracts(opened_ones, names)


async def _fill_demo(database: "Database", report: server.Report) -> None:
    from openorders import demo
    from openorders.services import unguessable

    filled = await demo.fill(database, unguessable)
    if filled.now:
        report("The demo's stores are filled in.")
    elif not filled.here:
        report("There are other stores already, so the demo is left out.")


async def _warn_of_weak_settings(database: "Database") -> None:
    """An operator's own PostgreSQL is theirs to set, but not without being told what it costs."""
    if weak := await database.weak_settings():
        _log.warning(
            "database_can_lose_orders",
            off=weak,
            why="With these off, a power cut can lose or damage orders that were acknowledged.",
        )


def _warn_of_open_contracts(opened_ones: Mapping[str, str | None], names: Sequence[str]) -> None:
    """A contract that is open to no store goes on asking for a credential, whatever was meant."""
    for contract, store in opened_ones.items():
        if store is None and len(names) != 1:
            why = f"There are {len(names)} stores, so one has to be named: --open {contract}=STORE."
        elif store is not None and store not in names:
            why = "There is no store of that name; until there is, the contract is not open."
        else:
            continue
        _log.warning("open_contract_without_store", contract=contract, store=store, why=why)


async def _gauge(database: "Database", metrics: "Metrics") -> None:
    """Each process tells its own connections: another one may be asked for the sum."""
    while True:
        metrics.connections(*database.connections())
        await asyncio.sleep(_GAUGE_SECONDS)
