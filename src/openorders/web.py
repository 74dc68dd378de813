"""What answers HTTP, put together: the contracts, the pages for people, the probes for operators.

Apart from `app.py`, so that the database can come up while all of this is loaded.
"""

from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any, Final, cast

import structlog
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from openorders.asgi import Application, Receive, Scope, Send, exchange_of
from openorders.contracts import ALL, MANAGE, kit
from openorders.contracts.kit.answers import Outgoing
from openorders.contracts.manage import problems
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
from openorders.store.database import Database
from openorders.telemetry import Metrics
from openorders.usecases.admit_callers import admit
from openorders.usecases.context import Services

VERSION: Final = version("openorders")

_SERVED: Final = (*ALL, MANAGE)

CONTRACT_NAMES: Final = tuple(one.name for one in _SERVED)
"""What is served, in the order in which it is listed: the contracts, and then management."""

DOCUMENTED_NAMES: Final = tuple(one.name for one in ALL)
"""The contracts that orders are placed through; no other can be opened to everybody."""

_EVERYWHERE: Final = ("/assets/", *addressed.PREFIXES, "/favicon.ico", problems.PAGE)

_log = structlog.get_logger(__name__)


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
        quota=kit.Quota(settings.manage_rate),
        is_stopping=lambda: lifecycle.is_draining,
    )
    hosts = dict(settings.hosts) | {f"{name}.localhost": name for name in CONTRACT_NAMES}
    site = Site(
        contracts={one.name: kit.build(one, ground) for one in _SERVED},
        documentation={one.name: _documentation(one) for one in _SERVED},
        hosts=hosts,
        pages=_pages(services, lifecycle, metrics, hosts, report),
        everywhere=_EVERYWHERE,
        beside=frozenset((MANAGE.name,)),
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
            places_orders=one is not MANAGE,
        )
        for one in _SERVED
    ]
    explained = [
        Explained(slug=one.slug, status=one.status, title=one.title, means=one.means)
        for one in problems.ALL
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
            problems_route(problems.PAGE, explained),
            *operation_routes(lifecycle, metrics, checks, concerns),
        ],
        exception_handlers=cast("ExceptionHandlersMap", {Exception: failed}),
        openapi_config=None,
        logging_config=None,
    )
    by_address = addressed.addressed_application(services, is_weather)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_addressed = scope["path"].startswith(addressed.PREFIXES)
        responsible: Any = by_address if is_addressed else pages
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
