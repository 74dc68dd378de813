"""A webhook receiver as others might run it: a real HTTP server on loopback that can fail, hang,
redirect, drip, break off, and remember what it was sent.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Got:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def event(self) -> str:
        return self.headers["webhook-id"]


Behaviour = Callable[[Got, asyncio.StreamWriter], Awaitable[None]]


def answers(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer like this."""

    async def behave(_: Got, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    return behave


def hangs(seconds: float = 60.0) -> Behaviour:
    """Say nothing for so long."""

    async def behave(got: Got, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await answers(200)(got, writer)

    return behave


def writes(*pieces: bytes, pause_s: float = 0.0, ends: bool = True) -> Behaviour:
    """Write these bytes, resting before each, and hang up."""

    async def behave(_: Got, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            await asyncio.sleep(pause_s)
            writer.write(piece)
            await writer.drain()
        if ends:
            writer.close()

    return behave


@dataclass
class Receiver:
    """`behave` decides what a request gets, by its path when there is one for it."""

    port: int = 0
    got: list[Got] = field(default_factory=list[Got])
    behave: Behaviour = field(default_factory=lambda: answers(200, b"thanks"))
    by_path: dict[str, Behaviour] = field(default_factory=dict[str, Behaviour])
    under_way: int = 0
    most_under_way: int = 0
    connections: int = 0

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def events(self, path: str = "/hook") -> list[str]:
        """The ids of the events that came to a path, in the order in which they came."""
        return [got.event for got in self.got if got.path == path]

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                got = await _request(reader)
                self.got.append(got)
                self.under_way += 1
                self.most_under_way = max(self.most_under_way, self.under_way)
                try:
                    await self.by_path.get(got.path, self.behave)(got, writer)
                finally:
                    self.under_way -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Got:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    _, path, _ = head[0].split(" ")
    headers = {
        name.lower(): value
        for name, _, value in (line.partition(": ") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Got(path, headers, body)


@asynccontextmanager
async def listening() -> AsyncIterator[Receiver]:
    """A receiver on a free port of loopback."""
    receiver = Receiver()
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await receiver.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
