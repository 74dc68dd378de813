"""The composition root: how the parts become one product. The only module that knows everybody."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any, Final, cast

import structlog
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from openorders import demo, server
from openorders.asgi import Application, Receive, Scope, Send, exchange_of
from openorders.contracts import ALL, kit
from openorders.contracts.kit.answers import Outgoing
from openorders.pages.pay import pay_application
from openorders.pages.site import Shown, reference_page, site_routes
from openorders.server.lifecycle import Lifecycle
from openorders.server.operations import operation_routes
from openorders.server.shell import Shell, Site
from openorders.services import (
    EXPECTED,
    WEATHER,
    database_url,
    is_weather,
    open_contracts,
    services_of,
    unguessable,
)
from openorders.settings import Settings
from openorders.store import migrate, stores
from openorders.store.database import Database, opened
from openorders.telemetry import Metrics, configure_logging
from openorders.usecases.admit_callers import admit
from openorders.usecases.context import Services
from openorders.worker.loops import run_loops

VERSION: Final = version("openorders")

_EVERYWHERE: Final = ("/assets/", "/pay/", "/favicon.ico")
_LOOPS_STOP_SECONDS: Final = 25.0
_GAUGE_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


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
    """The contracts that are served, in the order in which they are listed."""
    return tuple(one.name for one in ALL)


class Product:
    """How the server's processes get what they need; see `server.Assembly`."""

    expected = EXPECTED

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
    async def background(self, settings: Settings, url: str) -> AsyncGenerator[None, None]:
        """The loops, stopped between two steps if that is soon."""
        async with services_of(settings, url) as services:
            stop = asyncio.Event()
            loops = asyncio.create_task(run_loops(services, stop), name="loops")
            try:
                yield
            finally:
                stop.set()
                await asyncio.wait([loops], timeout=_LOOPS_STOP_SECONDS)
                loops.cancel()
                await asyncio.gather(loops, return_exceptions=True)

    @asynccontextmanager
    async def application(
        self, settings: Settings, url: str, lifecycle: Lifecycle, metrics: Metrics
    ) -> AsyncGenerator[Application, None]:
        """Everything that answers."""
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


def shell(settings: Settings, services: Services, lifecycle: Lifecycle, metrics: Metrics) -> Shell:
    """The application that answers: contracts, pages and what operators ask."""

    def report(error: Exception, exchange: kit.Exchange) -> None:
        metrics.fault(exchange.contract)
        _log.error(
            "fault",
            exc_info=error,
            contract=exchange.contract or None,
            route=exchange.route or None,
            request_id=exchange.request_id,
        )

    ground = kit.Ground(
        services=services,
        admit=partial(admit, services),
        is_weather=is_weather,
        report=report,
        most_body=settings.body_bytes,
        body_seconds=settings.body_seconds,
        version=VERSION,
    )
    hosts = dict(settings.hosts) | {f"{one.name}.localhost": one.name for one in ALL}
    site = Site(
        contracts={one.name: kit.build(one, ground) for one in ALL},
        documentation={one.name: _documentation(one) for one in ALL},
        hosts=hosts,
        pages=_pages(services, lifecycle, metrics, hosts, report),
        everywhere=_EVERYWHERE,
        public_url=settings.public_url,
    )
    return Shell(
        site=site,
        metrics=metrics,
        lifecycle=lifecycle,
        log_requests=settings.log_requests,
        report=report,
    )


def _documentation(contract: kit.Contract) -> Application:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        home = "/" if exchange_of(scope).base.endswith(f"/{contract.name}") else ""
        body, headers = reference_page(contract.title, home)
        sent = [(name.lower().encode(), value.encode()) for name, value in headers]
        sent.append((b"content-length", b"%d" % len(body)))
        await Outgoing(200, sent, body)(scope, receive, send)

    return page


def _pages(
    services: Services,
    lifecycle: Lifecycle,
    metrics: Metrics,
    hosts: dict[str, str],
    report: Callable[[Exception, kit.Exchange], None],
) -> Application:
    shown = [
        Shown(
            name=one.name,
            title=one.title,
            lead=one.description.partition("\n\n")[0].replace("`", ""),
            hosts=tuple(host for host, name in hosts.items() if name == one.name),
        )
        for one in ALL
    ]
    migrated = _Migrated(services.database)
    checks = {"database": services.database.ping, "migrations": migrated.check}
    concerns = {"durability": partial(_is_durable, services.database)}

    def failed(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
        if isinstance(error, HTTPException):
            return Response(
                {"error": error.detail}, status_code=error.status_code, headers=error.headers
            )
        if is_weather(error):
            return Response({"error": "Try again in a moment."}, status_code=503)
        report(error, exchange_of(cast("Scope", request.scope)))
        return Response({"error": "Internal server error."}, status_code=500)

    pages = Litestar(
        route_handlers=[
            *site_routes(shown, VERSION),
            *operation_routes(lifecycle, metrics, checks, concerns),
        ],
        exception_handlers=cast("ExceptionHandlersMap", {Exception: failed}),
        openapi_config=None,
        logging_config=None,
    )
    paying = pay_application(services, is_weather)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        responsible: Any = paying if scope["path"].startswith("/pay/") else pages
        await responsible(scope, receive, send)

    return answer


async def _is_durable(database: Database) -> bool:
    return not await database.weak_settings()


class _Migrated:
    """Whether the database has every migration of this version. Once it has, it stays so."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = False

    async def check(self) -> bool:
        if not self._known:
            try:
                async with self._database.connection() as connection:
                    self._known = not await migrate.pending(connection)
            except (migrate.MigrationError, *WEATHER, OSError):
                return False
        return self._known
