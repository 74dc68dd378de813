"""A listener on a free port, and a client that says exactly what a test wants said."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from openorders.server.lifecycle import Lifecycle
from openorders.server.listener import Listener
from openorders.server.protocol import Limits
from openorders.server.sockets import listen, port_of

LIMITS = Limits(
    line_bytes=65536, header_bytes=32768, header_seconds=0.4, body_seconds=0.4, connections=1000
)


@dataclass
class Served:
    """A listener, its port, and what its application was asked for."""

    listener: Listener
    lifecycle: Lifecycle
    port: int
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, raw: bytes, *, then_wait: bool = True) -> bytes:
        """Send bytes on a connection of their own and read until the server closes it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        if not then_wait:
            writer.write_eof()
        try:
            async with asyncio.timeout(60):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


Serve = Callable[[], Awaitable[Served]]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(LIMITS) as served:
        yield served


@asynccontextmanager
async def serving(limits: Limits) -> AsyncIterator[Served]:
    lifecycle = Lifecycle()
    asked: list[str] = []
    gate = asyncio.Event()

    async def application(scope, receive, send):
        asked.append(scope["path"])
        if scope["path"] == "/slow":
            await gate.wait()
        size = 0
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                break
        if scope["path"] == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for part in (b"one ", b"two"):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        if scope["path"] == "/large":
            body = b"x" * 30_000_000
        else:
            body = f"{scope['method']} {size}".encode()
        headers = [(b"content-length", b"%d" % (len(body) + (scope["path"] == "/short")))]
        if scope["path"] == "/injected":
            headers.append((b"x-said", b"a\r\nx-injected: b"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    listener = Listener(application, limits, lifecycle, idle_seconds=0.4)
    listening = listen("127.0.0.1", 0, 1)[0]
    port = port_of(listening)
    await listener.start(listening)
    yield Served(listener, lifecycle, port, asked, gate)
    gate.set()
    await listener.close(2, asyncio.Event())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
