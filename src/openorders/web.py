"""What answers HTTP, put together: the contracts, the pages for people, the probes for operators.

Apart from `app.py`, so that the database can come up while all of this is loaded.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Final, cast

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap
from msgspec import Struct

from openorders import __version__, logs
from openorders.asgi import Application, Receive, Scope, Send, exchange_of
from openorders.contracts import ALL, MANAGE, kit
from openorders.contracts.kit.answers import Outgoing
from openorders.contracts.manage import problems
from openorders.domain.access import Caller
from openorders.pages import addressed
from openorders.pages.site import (
    Explained,
    Shown,
    problems_route,
    reference_page,
    site_routes,
)
from openorders.server.lifecycle import Lifecycle
from openorders.server.operations import operation_routes
from openorders.server.shell import Shell, Site
from openorders.services import WEATHER, is_weather
from openorders.settings import Settings
from openorders.store import migrate
from openorders.telemetry import Metrics
from openorders.usecases.admit_callers import admit
from openorders.usecases.context import Services

_SERVED: Final = (*ALL, MANAGE)

CONTRACT_NAMES: Final = tuple(one.name for one in _SERVED)
"""What is served, in the order in which it is listed: the contracts, and then management."""

DOCUMENTED_NAMES: Final = tuple(one.name for one in ALL)
"""The contracts that orders are placed through; no other can be opened to everybody."""

_EVERYWHERE: Final = ("/assets/", *addressed.PREFIXES, "/favicon.ico", problems.PAGE)

_log = logs.Logger(__name__)


class Front:
    """Everything that answers, built without a database or an event loop: once, for all the
    processes that are copies of the one that built it. `open` makes it a process's own.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process = process = _Process()
        ground = kit.Ground(
            services=process.services,
            admit=process.admit,
            is_weather=is_weather,
            report=process.report,
            most_body=settings.body_bytes,
            body_seconds=settings.body_seconds,
            version=__version__,
            quota=kit.Quota(settings.manage_rate),
            is_stopping=process.is_stopping,
        )
        hosts = dict(settings.hosts) | {f"{name}.localhost": name for name in CONTRACT_NAMES}
        self._site = Site(
            contracts={one.name: kit.build(one, ground) for one in _SERVED},
            documentation={one.name: _documentation(one) for one in _SERVED},
            hosts=hosts,
            pages=_pages(process, hosts),
            everywhere=_EVERYWHERE,
            beside=frozenset((MANAGE.name,)),
            public_url=settings.public_url,
        )

    def open(self, services: Services, lifecycle: Lifecycle, metrics: Metrics) -> Shell:
        """The application of this process, which has come by all that requests need."""
        self._process.opened = _Opened(services=services, lifecycle=lifecycle, metrics=metrics)
        return Shell(
            site=self._site,
            metrics=metrics,
            lifecycle=lifecycle,
            log_requests=self._settings.log_requests,
            report=self._process.report,
        )


def shell(settings: Settings, services: Services, lifecycle: Lifecycle, metrics: Metrics) -> Shell:
    """The application that answers: contracts, pages and what operators ask."""
    return Front(settings).open(services, lifecycle, metrics)


class _Opened(Struct, frozen=True, kw_only=True):
    services: Services
    lifecycle: Lifecycle
    metrics: Metrics


class _Process:
    """What is a process's own; there before its first request, and after everything is built."""

    opened: _Opened

    def services(self) -> Services:
        return self.opened.services

    def lifecycle(self) -> Lifecycle:
        return self.opened.lifecycle

    def metrics(self) -> Metrics:
        return self.opened.metrics

    def is_stopping(self) -> bool:
        return self.opened.lifecycle.is_draining

    def admit(self, credential: str | None, contract: str) -> Awaitable[Caller]:
        return admit(self.opened.services, credential, contract)

    def report(self, error: Exception, exchange: kit.Exchange) -> None:
        """Take note of a fault of ours."""
        self.opened.metrics.fault(exchange.contract)
        _log.error(
            "fault",
            exc_info=error,
            contract=exchange.contract or None,
            route=exchange.route or None,
            request_id=exchange.request_id,
        )


def _documentation(contract: kit.Contract) -> Application:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        home = "/" if exchange_of(scope).base.endswith(f"/{contract.name}") else ""
        body, headers = reference_page(contract.title, home)
        sent = [(name.lower().encode(), value.encode()) for name, value in headers]
        sent.append((b"content-length", b"%d" % len(body)))
        await Outgoing(200, sent, body)(scope, receive, send)

    return page


def _pages(process: _Process, hosts: dict[str, str]) -> Application:
    shown = [
        Shown(
            name=one.name,
            title=one.title,
            lead=one.description.partition("\n\n")[0].replace("`", ""),
            hosts=tuple(host for host, name in hosts.items() if name == one.name),
            places_orders=one is not MANAGE,
        )
        for one in _SERVED
    ]
    explained = [
        Explained(slug=one.slug, status=one.status, title=one.title, means=one.means)
        for one in problems.ALL
    ]
    checks = _Checks(process.services)

    def failed(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
        if isinstance(error, HTTPException):
            return Response(
                {"error": error.detail}, status_code=error.status_code, headers=error.headers
            )
        if is_weather(error):
            return Response({"error": "Try again in a moment."}, status_code=503)
        process.report(error, exchange_of(cast("Scope", request.scope)))
        return Response({"error": "Internal server error."}, status_code=500)

    pages = Litestar(
        route_handlers=[
            *site_routes(shown, __version__),
            problems_route(problems.PAGE, explained),
            *operation_routes(
                process.lifecycle,
                process.metrics,
                {"database": checks.answers, "migrations": checks.is_migrated},
                {"durability": checks.is_durable},
            ),
        ],
        exception_handlers=cast("ExceptionHandlersMap", {Exception: failed}),
        openapi_config=None,
        logging_config=None,
    )

    @cache
    def by_address() -> Application:
        return addressed.addressed_application(process.services(), is_weather)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_addressed = scope["path"].startswith(addressed.PREFIXES)
        responsible: Any = by_address() if is_addressed else pages
        await responsible(scope, receive, send)

    return answer


class _Checks:
    """What `/readyz` asks of the database."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services
        self._is_migrated = False

    async def answers(self) -> bool:
        return await self._services().database.ping()

    async def is_migrated(self) -> bool:
        """Whether it has every migration of this version. Once it has, it stays so."""
        if not self._is_migrated:
            try:
                async with self._services().database.connection() as connection:
                    self._is_migrated = not await migrate.pending(connection)
            except (migrate.MigrationError, *WEATHER, OSError):
                return False
        return self._is_migrated

    async def is_durable(self) -> bool:
        return not await self._services().database.weak_settings()
