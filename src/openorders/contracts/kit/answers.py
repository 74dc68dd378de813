"""What a route can answer with, and how it goes out over ASGI."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Final, TypeVar, cast

from msgspec import Struct

from openorders.asgi import Receive, Scope, Send
from openorders.contracts.kit.headers import etag as format_etag
from openorders.contracts.kit.values import encode
from openorders.usecases.answers import Answer

_T = TypeVar("_T")

_JSON: Final = (b"content-type", b"application/json")
_DOWNLOAD_PART: Final = 256 * 1024
_LOOK_S: Final = 0.5
"""How often a live answer looks whether the server stops."""

_NO_CONTENT: Final = 204
_NOT_MODIFIED: Final = 304


def answer(
    status: int,
    body: object,
    *,
    etag: int | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> Answer:
    """An answer whose body is JSON. `etag` is the version of the order that it shows."""
    sent = tuple(headers)
    if etag is not None:
        sent = (*sent, ("ETag", format_etag(etag)))
    return Answer(status=status, body=encode(body), headers=sent)


def no_content(headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """204: done, and nothing to say."""
    return Answer(status=_NO_CONTENT, body=b"", headers=tuple(headers))


class Stream(Struct, frozen=True):
    """A body that is made while it is sent.

    With a `filename` (plain ASCII of our own choosing) it is a file to be saved. One that is `live`
    has no end of its own: it ends at once when its client goes away or the server stops.
    """

    content_type: str
    filename: str | None
    chunks: AsyncIterator[bytes]
    live: bool = False


class Download(Struct, frozen=True):
    """A complete file, removed once it was sent or could not be."""

    content_type: str
    filename: str
    path: Path


class Outgoing:
    """An ASGI response made of finished parts; nothing is encoded or converted any more."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.body", "body": body})


class OutgoingStream(Outgoing):
    """An ASGI response that goes out in parts, the first of which is there already.

    It ends when the client goes away: nothing more is made for nobody.
    """

    __slots__ = ("chunks",)

    def __init__(
        self, headers: list[tuple[bytes, bytes]], first: bytes, chunks: AsyncIterator[bytes]
    ) -> None:
        super().__init__(200, headers, first)
        self.chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            await close(self.chunks)
            return
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            async for chunk in self.chunks:
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            await close(self.chunks)


class Outside(Struct, frozen=True, kw_only=True):
    """What ends a live answer: the server stops, or a failure that passes by itself."""

    is_stopping: Callable[[], bool]
    is_weather: Callable[[Exception], bool]


class OutgoingLive(OutgoingStream):
    """The same for what has no end. Who makes it is stopped in the middle of waiting, as soon as
    the client has gone or the server stops; then it is as complete as it ever is. So it is when
    weather stops it: the client comes back.
    """

    __slots__ = ("outside",)

    def __init__(
        self,
        headers: list[tuple[bytes, bytes]],
        first: bytes,
        chunks: AsyncIterator[bytes],
        outside: Outside,
    ) -> None:
        super().__init__(headers, first, chunks)
        self.outside = outside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        is_wanted = scope["method"] != "HEAD"
        gone = asyncio.ensure_future(_until_gone(receive))
        telling = asyncio.ensure_future(self._tell(send))
        try:
            while is_wanted and not (gone.done() or telling.done() or self.outside.is_stopping()):
                await asyncio.wait(
                    (gone, telling), timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            is_gone = gone.done()
            gone.cancel()
            telling.cancel()
            await asyncio.wait((telling,))
            await close(self.chunks)
        broken = None if telling.cancelled() else telling.exception()
        if isinstance(broken, Exception) and not self.outside.is_weather(broken):
            raise broken
        if not is_gone:
            await send({"type": "http.response.body", "body": b""})

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        async for chunk in self.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class ClientLeft(Exception):
    """Nobody waits for the answer any more."""


async def while_here(receive: Receive, work: Coroutine[object, object, _T]) -> _T:
    """What comes of work whose body was read; it is broken off when its client goes away, with
    `ClientLeft`.
    """
    working, gone = asyncio.ensure_future(work), asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientLeft
        return working.result()
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def close(chunks: AsyncIterator[bytes]) -> None:
    """Let the source of a stream give back what it holds (files, cursors, connections)."""
    if isinstance(chunks, AsyncGenerator):
        await cast("AsyncGenerator[bytes, None]", chunks).aclose()


def outgoing(answered: Answer) -> Outgoing:
    """The answer, ready to be sent as it is."""
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answered.headers]
    if answered.status not in (_NO_CONTENT, _NOT_MODIFIED):
        if answered.body and not any(name == b"content-type" for name, _ in headers):
            headers.append(_JSON)
        headers.append((b"content-length", b"%d" % len(answered.body)))
    if answered.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    return Outgoing(answered.status, headers, answered.body)


async def outgoing_file(file: Stream | Download, outside: Outside) -> Outgoing:
    """The file, ready to be sent. What the first chunk raises is raised here, before any byte."""
    headers = [
        (b"content-type", file.content_type.encode("latin-1")),
        (b"cache-control", b"no-store"),
    ]
    if file.filename is not None:
        disposition = f'attachment; filename="{file.filename}"'
        headers.append((b"content-disposition", disposition.encode("latin-1")))
    if isinstance(file, Download):
        headers.append((b"content-length", b"%d" % file.path.stat().st_size))
        chunks = _parts_of(file.path)
    else:
        chunks = file.chunks
    first = await anext(chunks, b"")
    if isinstance(file, Stream) and file.live:
        return OutgoingLive(headers, first, chunks, outside)
    return OutgoingStream(headers, first, chunks)


async def _parts_of(path: Path) -> AsyncIterator[bytes]:
    try:
        with await asyncio.to_thread(path.open, "rb") as opened:
            while part := await asyncio.to_thread(opened.read, _DOWNLOAD_PART):
                yield part
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
