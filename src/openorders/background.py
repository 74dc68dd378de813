"""The loops with what they need, put together: inside a server, and as a process of their own.

Apart from `app.py`, so that a worker does not load what answers HTTP.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import uvloop

from openorders import logs
from openorders import services as composition
from openorders.installation import Report, command_url
from openorders.logs import configure_logging
from openorders.settings import Settings
from openorders.telemetry import METRICS_TYPE, BackgroundMetrics, Metrics
from openorders.usecases.context import Services
from openorders.usecases.measure_backlog import measure_backlog
from openorders.worker.loops import run_loops
from openorders.worker.probes import Page, Probes

STOP_SECONDS: Final = 25.0
"""How long what is under way may take to finish after a signal; then it falls due again."""

MEASURE_SECONDS: Final = 10.0
"""How often the backlog is looked at."""

_log = logs.Logger(__name__)


class CannotWork(Exception):
    """The worker did not start; the message is for the operator."""


@asynccontextmanager
async def background(settings: Settings, url: str, metrics: Metrics) -> AsyncGenerator[None, None]:
    """What a server does beside its requests: the backlog's figures, and the loops unless the
    operator wants them elsewhere only.
    """
    async with composition.services_of(settings, url) as services:
        figures = metrics.background()
        async with _measuring(services, figures):
            if not settings.background:
                yield
                return
            async with _looping(services, figures):
                yield


def work(
    settings: Settings,
    *,
    probes: tuple[str, int] | None,
    report: Report,
    on_ready: Callable[[str | None], None],
) -> None:
    """Run the loops until SIGTERM or Ctrl-C; a second one ends at once.

    `probes` is where `/livez`, `/readyz` and `/metrics` are served; port 0 takes a free one.
    `on_ready` is told their origin. Raises `CannotWork`.
    """
    configure_logging(settings.log_format, settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_work(settings, probes, report, on_ready))
        except composition.EXPECTED as error:
            raise CannotWork(str(error)) from error


async def _work(
    settings: Settings,
    probes: tuple[str, int] | None,
    report: Report,
    on_ready: Callable[[str | None], None],
) -> None:
    stop = _Stop()
    try:
        async with (
            command_url(settings, report) as url,
            _ready(settings, url, report) as services,
        ):
            metrics = Metrics()
            figures = metrics.background()
            async with (
                _probing(probes, services, url, metrics, figures) as origin,
                _looping(services, figures, stop.asked) as loops,
            ):
                stop.started()
                on_ready(origin)
                await stop.wait(loops)
    except asyncio.CancelledError:
        if not stop.asked.is_set():
            raise


class _Stop:
    """SIGTERM and Ctrl-C: the first asks, the second, or one during the start, cancels."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._to_cancel = asyncio.current_task()
        self._working = False
        loop = asyncio.get_running_loop()
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, self._signalled)

    def started(self) -> None:
        """From now on the first signal only asks."""
        self._working = True

    async def wait(self, loops: asyncio.Task[None]) -> None:
        """Until asked; loops that end before that have failed, and their fault is raised."""
        asked = asyncio.create_task(self.asked.wait())
        await asyncio.wait([asked, loops], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if loops.done():
            loops.result()

    def _signalled(self) -> None:
        if (not self._working or self.asked.is_set()) and self._to_cancel is not None:
            self._to_cancel.cancel()
        self.asked.set()


@asynccontextmanager
async def _ready(settings: Settings, url: str, report: Report) -> AsyncGenerator[Services, None]:
    """Services on a database whose tables are those of this version."""
    if settings.database_url is None:
        await composition.migrated(url, report)
    elif await composition.unmigrated(url):
        raise CannotWork(
            "The database is not migrated. Start the server of this version first, or run "
            "`openorders db migrate`."
        )
    async with composition.services_of(settings, url) as services:
        yield services


@asynccontextmanager
async def _looping(
    services: Services, figures: BackgroundMetrics, stop: asyncio.Event | None = None
) -> AsyncGenerator[asyncio.Task[None], None]:
    """The loops, stopped between two steps if that is soon."""
    stop = stop or asyncio.Event()
    services.outgoing.watch = figures.attempted
    running = run_loops(services, stop, watch=figures)
    loops = asyncio.create_task(running, name="loops")
    try:
        yield loops
    finally:
        stop.set()
        try:
            await asyncio.wait([loops], timeout=STOP_SECONDS)
        finally:
            loops.cancel()
            [ended] = await asyncio.gather(loops, return_exceptions=True)
            if isinstance(ended, Exception):
                _log.error("the loops ended by a fault", exc_info=ended)


@asynccontextmanager
async def _measuring(services: Services, figures: BackgroundMetrics) -> AsyncGenerator[None, None]:
    async def measure() -> None:
        while True:
            try:
                figures.backlog(await measure_backlog(services))
            except Exception:  # noqa: BLE001 - figures that are missing are alerted on
                _log.exception("backlog_not_measured")
            await asyncio.sleep(MEASURE_SECONDS)

    measuring = asyncio.create_task(measure(), name="backlog")
    try:
        yield
    finally:
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)


@asynccontextmanager
async def _probing(
    where: tuple[str, int] | None,
    services: Services,
    url: str,
    metrics: Metrics,
    figures: BackgroundMetrics,
) -> AsyncGenerator[str | None, None]:
    """Answer operators' machines, and measure for them, if that was asked for."""
    if where is None:
        yield None
        return
    up_to_date = False

    async def readyz() -> Page:
        nonlocal up_to_date
        answers = await services.database.ping()
        if answers and not up_to_date:
            up_to_date = not await composition.unmigrated(url)
        ready = answers and up_to_date
        checks = {"database": answers, "migrations": up_to_date}
        told = {name: "pass" if passed else "fail" for name, passed in checks.items()}
        body = msgspec.json.encode({"status": "pass" if ready else "fail", "checks": told})
        return Page(200 if ready else 503, "application/health+json", body)

    async def livez() -> Page:
        return Page(200, "text/plain; charset=utf-8", b"ok\n")

    async def counted() -> Page:
        metrics.connections(*services.database.connections())
        return Page(200, METRICS_TYPE, metrics.exposition())

    pages = {"/livez": livez, "/readyz": readyz, "/metrics": counted}
    try:
        serving = await Probes(pages).start(*where)
    except OSError as error:
        host, port = where
        why = (error.strerror or str(error)).lower()
        raise CannotWork(f"Cannot listen on {host}, port {port}: {why}.") from error
    async with serving as port, _measuring(services, figures):
        yield f"http://{where[0]}:{port}"
