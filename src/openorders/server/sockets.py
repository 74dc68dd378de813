"""Sockets to listen on: one per process, all on one port.

With one queue each, a slow process delays nobody but those it has accepted. The port is taken
exclusively first, since the kernel would let a second server of the same user share it silently.
"""

import errno
import socket
import time
from typing import Final

BACKLOG: Final = 2048
_PATIENCE_SECONDS: Final = 2.0
_STEP_SECONDS: Final = 0.05


class PortTaken(Exception):
    """Something else listens there already, or nothing may."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        super().__init__(f"Cannot listen on {host}, port {port}: {problem}.")
        self.host = host
        self.port = port


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` listening sockets on one address; port 0 takes a free one. Raises `PortTaken`.

    Waits a moment for processes of a killed server to go.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            family, address = _resolve(host, port)
            _try_alone(family, address)
            return _shared(family, address, count)
        except OSError as error:
            if port == 0 or time.monotonic() >= deadline or not _is_passing(error):
                raise PortTaken(host, port, _problem(error)) from None
            time.sleep(_STEP_SECONDS)


def _is_passing(error: OSError) -> bool:
    return error.errno == errno.EADDRINUSE


def _problem(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "the system does not allow it"
    if isinstance(error, socket.gaierror):
        return "there is no such address"
    return (error.strerror or str(error)).lower()


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return family, (str(address[0]), int(address[1]))


def _try_alone(family: socket.AddressFamily, address: tuple[str, int]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as alone:
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        alone.bind(address)


def _shared(
    family: socket.AddressFamily, address: tuple[str, int], count: int
) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for _ in range(count):
            one = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if count > 1:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(address)
            address = (address[0], one.getsockname()[1])
            one.listen(BACKLOG)
    except OSError:
        for one in sockets:
            one.close()
        raise
    return sockets


def port_of(listening: socket.socket) -> int:
    """The port that a socket was given."""
    return int(listening.getsockname()[1])
