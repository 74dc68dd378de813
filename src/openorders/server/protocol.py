"""HTTP/1.1 on one connection, with the limits that uvicorn's own protocol does not have.

How long a request line and headers may be and how long they may take; how long a body may take;
how long a client may refuse to read; how many connections there may be. What breaks a limit is
refused in plain text and closed.
"""

import asyncio
import re
from asyncio import TimerHandle
from typing import Any, Final, cast

import httptools
from msgspec import Struct
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from openorders.server.answering import Answering

_FIRST_REQUEST_SECONDS: Final = 1.0
_REASONS: Final = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable\r\nretry-after: 1",
}
_UPGRADE: Final = re.compile(rb"(?<=\r\n)upgrade(?=:)", re.IGNORECASE)
_NO_UPGRADE: Final = b"x-upgrade-offered"


class Limits(Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds; `connections` at a time, of one process."""

    line_bytes: int
    header_bytes: int
    header_seconds: float
    body_seconds: float
    connections: int


class LimitedProtocol(HttpToolsProtocol):
    """One connection. Made by `Listener` for each client."""

    def __init__(
        self, config: Config, state: ServerState, limits: Limits, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(config=config, server_state=state, app_state={}, _loop=loop)
        self._limits = limits
        self._in_head = False
        self._in_body = False
        self._head_bytes = 0
        self._header_bytes = 0
        self._reading: TimerHandle | None = None
        self._stalled: TimerHandle | None = None
        self._leaving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # pyright: ignore[reportArgumentType] - a Transport
        if len(self.connections) > self._limits.connections:
            self._refuse(503, "There are too many connections. Try again in a moment.")
            return
        self._await(self._limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._await(None)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head = self._in_head
        if was_in_head:
            self._head_bytes += len(data)
        if not self._in_body:
            data = _without_upgrade(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head:
            if not was_in_head:
                self._head_bytes = len(data)
                self._await(self._limits.header_seconds)
            if self._head_bytes > self._limits.header_bytes + self._limits.line_bytes:
                self._refuse(431, "Request header fields are too large.")
        elif self._in_body:
            if was_in_head or self._reading is None:
                # The application gives up first and answers in its own words; this is the net.
                self._await(self._limits.body_seconds + 5)
        elif self._reading is not None:
            self._await(None)

    def on_message_begin(self) -> None:
        self._in_head = True
        self._header_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._limits.line_bytes:
            raise ValueError("the request line is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self._limits.header_bytes:
            raise _HeadersTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._in_body = True
        super().on_headers_complete()
        if self._leaving:
            self.cycle.keep_alive = False
        self.cycle.send = cast("Any", Answering(self.cycle).send)

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._header_bytes > self._limits.header_bytes:
            self._refuse(431, "Request header fields are too large.")
        else:
            self._refuse(400, msg)

    def shutdown(self) -> None:
        """Close after the request that is being read or answered; at once when there is none.

        Who has only just connected is given a moment: their first request is on its way.
        """
        self._leaving = True
        asked: Any = self.cycle
        if asked is None and not self._in_head:
            self._await(_FIRST_REQUEST_SECONDS)
        elif not self._in_head:
            super().shutdown()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            patience = self._limits.body_seconds
            self._stalled = self.loop.call_later(patience, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _await(self, seconds: float | None) -> None:
        """Expect the client to finish what it sends within `seconds`; None: it has."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if seconds is not None:
            self._reading = self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        self._reading = None
        if self._in_head:
            self._refuse(408, "The request was not sent in time.")
        else:
            self.transport.close()

    def _refuse(self, status: int, says: str) -> None:
        """Answer in plain text, unless an answer is under way already, and close."""
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(
                b"HTTP/1.1 %d %s\r\ncontent-type: text/plain; charset=utf-8\r\n"
                b"content-length: %d\r\nconnection: close\r\n\r\n%s"
                % (status, _REASONS[status], len(says), says.encode("ascii"))
            )
        self.transport.close()


def _without_upgrade(data: bytes) -> bytes:
    """The head with an offer of another protocol renamed, as a server may ignore it.

    The parser would take what follows for that protocol and drop the body; clients that speak
    HTTP/2 as well make such offers with ordinary requests.
    """
    if b"pgrade:" not in data and b"PGRADE:" not in data:
        return data
    head, blank, body = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(_NO_UPGRADE, head) + blank + body


class _HeadersTooLarge(httptools.HttpParserError):
    """Raised to stop the parser; the answer is made by `send_400_response`."""
