"""Answers without an end: they end with their client, with the server, and with what makes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from openorders.contracts.kit.answers import (
    ClientLeft,
    OutgoingLive,
    Outside,
    Stream,
    outgoing_file,
    while_here,
)
from tests.waiting_time import time_of_waiting

SCOPE: dict[str, Any] = {"type": "http", "method": "GET"}


@pytest.fixture(autouse=True)
async def _time() -> AsyncIterator[None]:
    """However slow the machine is, only what waits takes time."""
    with time_of_waiting():
        yield


@dataclass
class Line:
    """Makes a chunk whenever it is told to, and remembers that it was closed."""

    chunks: asyncio.Queue[bytes | Exception] = field(default_factory=asyncio.Queue)
    closed: bool = False

    async def __call__(self) -> AsyncIterator[bytes]:
        try:
            yield b"first"
            while True:
                chunk = await self.chunks.get()
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
        finally:
            self.closed = True


@dataclass
class Client:
    """Takes an answer, until it hangs up."""

    gone: asyncio.Event = field(default_factory=asyncio.Event)
    took: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.took.append(message)

    @property
    def text(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.took)


@dataclass
class Telling:
    line: Line
    client: Client
    stopping: list[bool]
    task: asyncio.Future[None]


def outside(stopping: list[bool]) -> Outside:
    return Outside(
        is_stopping=lambda: stopping[0], is_weather=lambda error: isinstance(error, OSError)
    )


async def telling() -> Telling:
    line, client, stopping = Line(), Client(), [False]
    stream = Stream("text/event-stream", None, line(), live=True)
    answer = await outgoing_file(stream, outside(stopping))
    assert isinstance(answer, OutgoingLive)
    task = asyncio.ensure_future(answer(SCOPE, client.receive, client.send))
    line.chunks.put_nowait(b"second")
    async with asyncio.timeout(5):
        while client.text != b"firstsecond":
            await asyncio.sleep(0.01)
    return Telling(line, client, stopping, task)


async def test_it_ends_at_once_when_its_client_hangs_up() -> None:
    told = await telling()
    told.client.gone.set()
    async with asyncio.timeout(0.4):
        await told.task
    assert told.line.closed
    assert told.client.took[-1]["more_body"] is True


async def test_it_is_complete_when_the_server_stops() -> None:
    told = await telling()
    told.stopping[0] = True
    async with asyncio.timeout(5):
        await told.task
    assert told.line.closed
    assert told.client.took[-1] == {"type": "http.response.body", "body": b""}


async def test_what_breaks_it_is_a_fault() -> None:
    told = await telling()
    told.line.chunks.put_nowait(RuntimeError("broken"))
    async with asyncio.timeout(5):
        with pytest.raises(RuntimeError, match="broken"):
            await told.task
    assert told.line.closed


async def test_weather_ends_it_like_any_other_end() -> None:
    told = await telling()
    told.line.chunks.put_nowait(ConnectionResetError())
    async with asyncio.timeout(5):
        await told.task
    assert told.line.closed
    assert told.client.took[-1] == {"type": "http.response.body", "body": b""}


async def test_who_is_cancelled_leaves_nothing_behind() -> None:
    told = await telling()
    told.task.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await told.task
    assert told.line.closed


async def test_a_head_is_told_nothing() -> None:
    line, client = Line(), Client()
    answer = await outgoing_file(Stream("text/x", None, line(), live=True), outside([False]))
    async with asyncio.timeout(5):
        await answer(SCOPE | {"method": "HEAD"}, client.receive, client.send)
    assert client.text == b""
    assert line.closed


async def test_work_for_a_client_who_leaves_is_broken_off() -> None:
    client, ended = Client(), asyncio.Event()

    async def long_work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    waiting = asyncio.ensure_future(while_here(client.receive, long_work()))
    await asyncio.sleep(0)
    client.gone.set()
    with pytest.raises(ClientLeft):
        await waiting
    assert ended.is_set()


async def test_work_for_a_client_who_stays_comes_to_its_end_or_its_failure() -> None:
    async def well() -> int:
        await asyncio.sleep(0)
        return 7

    async def badly() -> int:
        await asyncio.sleep(0)
        raise KeyError("no such thing")

    assert await while_here(Client().receive, well()) == 7
    with pytest.raises(KeyError):
        await while_here(Client().receive, badly())


async def test_work_is_broken_off_with_whoever_waits_for_it() -> None:
    ended = asyncio.Event()

    async def long_work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    waiting = asyncio.ensure_future(while_here(Client().receive, long_work()))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()
