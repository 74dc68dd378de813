"""One process that answers requests, from its start to its last answer."""

import asyncio
import contextlib
import resource
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from openorders.asgi import Application
from openorders.server.assembly import Assembly
from openorders.server.lifecycle import Lifecycle
from openorders.server.listener import Listener
from openorders.server.protocol import Limits
from openorders.server.stopping import Stopping
from openorders.settings import Settings
from openorders.telemetry import Metrics

_OTHER_FILES: Final = 256
"""Open files that are left to what is no client: the database, webhooks, exports."""


async def answer_requests(
    settings: Settings,
    assembly: Assembly,
    url: str,
    *,
    listening: socket.socket,
    metrics: Metrics,
    stopping: Stopping,
    on_ready: Callable[[], None],
    beside: AbstractAsyncContextManager[None] | None = None,
) -> None:
    """Serve until asked to stop, then drain and finish. `beside` is entered once requests are
    answered, and left when they are done.
    """
    lifecycle = Lifecycle()
    async with assembly.application(settings, url, lifecycle, metrics) as application:
        listener = listener_for(settings, application, lifecycle)
        await listener.start(listening)
        stopping.started()
        async with beside or contextlib.nullcontext():
            on_ready()
            await stopping.asked.wait()
            listener.drain()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.at_once.wait(), settings.drain_seconds)
            await listener.close(settings.stop_seconds, stopping.at_once)


def _descriptors() -> int:
    """How many files the system lets this process have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def listener_for(settings: Settings, application: Application, lifecycle: Lifecycle) -> Listener:
    """A listener with the limits that the operator set."""
    limits = Limits(
        line_bytes=settings.line_bytes,
        header_bytes=settings.header_bytes,
        header_seconds=settings.header_seconds,
        body_seconds=settings.body_seconds,
        connections=min(settings.connections, max(16, _descriptors() - _OTHER_FILES)),
    )
    return Listener(application, limits, lifecycle, idle_seconds=settings.idle_seconds)
