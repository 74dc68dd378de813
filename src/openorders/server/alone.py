"""The whole server in one process: the database, the work beside requests, and the answers."""

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import uvloop

from openorders.server.assembly import Assembly, CannotStart, Report
from openorders.server.starting import starting
from openorders.server.stopping import Stopping
from openorders.settings import Settings

if TYPE_CHECKING:
    from openorders.telemetry import Metrics


def serve(
    settings: Settings,
    assembly: Assembly,
    listening: socket.socket,
    *,
    report: Report,
    on_ready: Callable[[], None],
) -> None:
    """Serve until told to stop; raises `CannotStart`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, assembly, listening, report, on_ready))


async def _serve(
    settings: Settings,
    assembly: Assembly,
    listening: socket.socket,
    report: Report,
    on_ready: Callable[[], None],
) -> None:
    stopping = Stopping()
    stopping.listen_to(signal.SIGTERM, signal.SIGINT)
    try:
        async with AsyncExitStack() as kept:
            with starting():
                loading = asyncio.create_task(asyncio.to_thread(assembly.prepare, settings))
                url = await kept.enter_async_context(assembly.database(settings, report))
                await loading
                # Loaded by now.
                from openorders.server import worker
                from openorders.telemetry import Metrics

            metrics = Metrics()
            await worker.answer_requests(
                settings,
                assembly,
                url,
                listening=listening,
                metrics=metrics,
                stopping=stopping,
                on_ready=on_ready,
                beside=_beside(settings, assembly, url, metrics),
            )
    except assembly.expected as error:
        raise CannotStart(str(error)) from error
    except asyncio.CancelledError:
        if not stopping.asked.is_set():
            raise


@asynccontextmanager
async def _beside(
    settings: Settings, assembly: Assembly, url: str, metrics: "Metrics"
) -> AsyncGenerator[None, None]:
    """The work beside requests, loaded after what answers: two threads that load wait for each
    other.
    """
    await asyncio.to_thread(assembly.prepare_background)
    async with assembly.background(settings, url, metrics):
        yield
