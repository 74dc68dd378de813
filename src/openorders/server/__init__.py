"""Serving: processes, sockets, connections, and how all of them end without losing a request.

Knows what an application is, not what is in it: the composition root hands over the parts.
"""

import ipaddress
import resource
from collections.abc import Callable
from typing import Final

from openorders.server.assembly import Assembly, CannotStart, Report, Running
from openorders.server.sockets import PortTaken, listen, port_of
from openorders.server.supervisor import Supervisor
from openorders.settings import Settings

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
    # Here, since a supervisor has no use for it.
    from openorders.server import alone

    alone.serve(settings, assembly, sockets[0], report=report, on_ready=ready)


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
