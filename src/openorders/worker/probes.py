"""A few pages for operators' machines, over HTTP: all that a process without a web server needs.

One request a connection, of a bounded size and in a bounded time. Knows none of the pages.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final, NamedTuple

from openorders import logs

_SECONDS: Final = 5.0
"""How long one request may take from its first byte to the last of its answer."""

_MOST_CONNECTIONS: Final = 32
_HEAD_BYTES: Final = 8192

_log = logs.Logger(__name__)


class Page(NamedTuple):
    """An answer."""

    status: int
    content_type: str
    body: bytes


class Probes:
    """Serves pages that are made when they are asked for, by their paths."""

    def __init__(self, pages: Mapping[str, Callable[[], Awaitable[Page]]]) -> None:
        self._pages = pages
        self._open = 0

    async def start(self, host: str, port: int) -> AbstractAsyncContextManager[int]:
        """Listen; gives the port, and stops at the end. OSError when it cannot."""
        server = await asyncio.start_server(self._converse, host, port, limit=_HEAD_BYTES)
        return self._running(server)

    @asynccontextmanager
    async def _running(self, server: asyncio.Server) -> AsyncGenerator[int, None]:
        async with server:
            yield int(server.sockets[0].getsockname()[1])

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. Beyond what is bearable, it is closed unheard."""
        self._open += 1
        try:
            if self._open <= _MOST_CONNECTIONS:
                async with asyncio.timeout(_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(await self._answer(head))
                    await writer.drain()
        except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError):
            _log.debug("probe_abandoned")
        finally:
            self._open -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        page = await self._page(method, rest.partition(" ")[0].partition("?")[0])
        lines = (
            f"HTTP/1.1 {page.status} {HTTPStatus(page.status).phrase}",
            f"content-type: {page.content_type}",
            f"content-length: {len(page.body)}",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "connection: close",
        )
        body = b"" if method == "HEAD" else page.body
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    async def _page(self, method: str, path: str) -> Page:
        make = self._pages.get(path)
        if make is None:
            return _plain(HTTPStatus.NOT_FOUND)
        if method not in ("GET", "HEAD"):
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED)
        try:
            return await make()
        except Exception:  # noqa: BLE001 - a probe that cannot be answered says so
            _log.exception("probe_failed", page=path)
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE)


def _plain(status: HTTPStatus) -> Page:
    return Page(status, "text/plain; charset=utf-8", f"{status.phrase}\n".encode())
