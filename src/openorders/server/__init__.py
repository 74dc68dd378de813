"""Serving: processes, sockets, connections, and how all of them end without losing a request.

Knows what an application is, not what is in it: the composition root hands over the parts.
"""

import asyncio
import ipaddress
import resource
import signal
import socket
from collections.abc import Callable
from typing import Final

import uvloop

from openorders.server.assembly import Assembly, CannotStart, Report, Running
from openorders.server.sockets import PortTaken, listen, port_of
from openorders.server.supervisor import Supervisor
from openorders.server.worker import Stopping, answer_requests
from openorders.settings import Settings
from openorders.telemetry import Metrics

__all__ = ["Assembly", "CannotStart", "PortTaken", "Report", "Running", "run"]

_DESCRIPTORS: Final = 65_536


def run(
    settings: Settings,
    assembly: Assembly,
    *,
    report: Report,
    on_ready: Callable[[Running], None],
) -> None:
    """Serve until SIGTERM or Ctrl-C; a second Ctrl-C ends at once.

    `on_ready` is called once everything answers. Raises `PortTaken`, and `CannotStart` with a
    sentence for the operator.
    """
    _allow_many_connections()
    sockets = listen(settings.host, settings.port, settings.workers)
    port = port_of(sockets[0])
    running = Running(origin=f"http://{_reachable(settings.host)}:{port}", port=port)

    def ready() -> None:
        on_ready(running)

    if settings.workers > 1:
        Supervisor(settings, assembly, sockets, report=report, on_ready=ready).run()
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_alone(settings, assembly, sockets[0], report=report, on_ready=ready))


async def _alone(
    settings: Settings,
    assembly: Assembly,
    listening: socket.socket,
    *,
    report: Report,
    on_ready: Callable[[], None],
) -> None:
    """The whole server in this one process."""
    stopping = Stopping()
    stopping.listen_to(signal.SIGTERM, signal.SIGINT)
    try:
        preparing = asyncio.create_task(asyncio.to_thread(assembly.prepare))
        metrics = Metrics()
        async with (
            assembly.database(settings, report) as url,
            assembly.background(settings, url, metrics),
        ):
            await preparing
            await answer_requests(
                settings,
                assembly,
                url,
                listening=listening,
                metrics=metrics,
                stopping=stopping,
                on_ready=on_ready,
            )
    except assembly.expected as error:
        raise CannotStart(str(error)) from error
    except asyncio.CancelledError:
        if not stopping.asked.is_set():
            raise


def _allow_many_connections() -> None:
    """Take all the file descriptors that the system allows: every connection needs one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _reachable(host: str) -> str:
    """The host part of a URL by which this machine reaches what listens on `host`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"  # noqa: PLR2004
    return host if address.version == 4 else f"[{host}]"  # noqa: PLR2004
