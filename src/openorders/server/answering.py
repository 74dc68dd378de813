"""Writing an answer onto its connection: its head leaves with the first of its body.

uvicorn writes the two apart, which costs every answer a packet and a system call; and it sends
chunks to clients of HTTP/1.0, which know none. Knows nothing of what is answered.
"""

from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from openorders.asgi import Message

_BODILESS: Final = (204, 304)


class Answering:
    """How one request is answered; its `send` takes the place of the cycle's own."""

    __slots__ = ("_cycle", "_head")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._head = b""

    async def send(self, message: Message) -> None:
        """Take the next part of the answer, as ASGI has it; nothing once the client has gone."""
        cycle = self._cycle
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        if message["type"] == "http.response.start":
            self._head = self._begin(message["status"], message["headers"])
        else:
            self._go_on(message.get("body", b""), more=message.get("more_body", False))

    def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
        """The head, which waits for what follows it."""
        cycle = self._cycle
        if cycle.response_started:
            raise RuntimeError("the answer has begun already")
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        lines = [STATUS_LINE[status][:-2]]
        length = None
        says_close = False
        for name, value in (*cycle.default_headers, *headers):
            lines.append(b"%b: %b" % (name, value))
            if name == b"content-length":
                length = int(value)
            elif name == b"connection":
                says_close = value.lower() == b"close"
        cycle.keep_alive = cycle.keep_alive and not says_close
        cycle.expected_content_length = length or 0
        if length is None and status not in _BODILESS and cycle.scope["method"] != "HEAD":
            # Of unknown length: the end of the connection ends it for those who know no chunks.
            cycle.chunked_encoding = cycle.scope["http_version"] != "1.0"
            if cycle.chunked_encoding:
                lines.append(b"transfer-encoding: chunked")
        if not cycle.keep_alive and not says_close:
            lines.append(b"connection: close")
        return _head_of(lines)

    def _go_on(self, body: bytes, *, more: bool) -> None:
        cycle = self._cycle
        if not cycle.response_started or cycle.response_complete:
            raise RuntimeError("a body is sent after its head, and before its end")
        if cycle.scope["method"] == "HEAD":
            body = b""
            cycle.expected_content_length = 0
        elif cycle.chunked_encoding:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (
                b"" if more else b"0\r\n\r\n"
            )
        elif cycle.chunked_encoding is None:
            cycle.expected_content_length -= len(body)
            if cycle.expected_content_length < 0 or (cycle.expected_content_length and not more):
                raise RuntimeError("the body is not as long as its head says")
        if self._head or body:
            cycle.transport.write(self._head + body)
            self._head = b""
        if not more:
            self._end()

    def _end(self) -> None:
        cycle = self._cycle
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


def _head_of(lines: list[bytes]) -> bytes:
    head = b"\r\n".join((*lines, b"", b""))
    breaks = len(lines) + 1
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
        raise RuntimeError("a header's value would end its line")
    return head
