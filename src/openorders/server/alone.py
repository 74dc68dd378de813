"""The whole server in one process: the database, the work beside requests, and the answers."""

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

import uvloop

from openorders.server.assembly import Assembly, CannotStart, Report
from openorders.server.starting import starting
from openorders.server.stopping import Stopping
from openorders.settings import Settings


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
                loading = asyncio.create_task(asyncio.to_thread(_load, settings, assembly))
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
                beside=assembly.background(settings, url, metrics),
            )
    except assembly.expected as error:
        raise CannotStart(str(error)) from error
    except asyncio.CancelledError:
        if not stopping.asked.is_set():
            raise


def _load(settings: Settings, assembly: Assembly) -> None:
    """All in one thread: two that load modules wait for each other."""
    assembly.prepare_background()
    assembly.prepare(settings)
