"""Listening to an answer that has no end, over ASGI as a server would call it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from openorders.asgi import Application, Message
from tests.contracts.asking import read_json
from tests.contracts.manage.desk import Desk


@dataclass(frozen=True, slots=True)
class Heard:
    """One event of a stream."""

    id: str
    event: str
    data: Any


@dataclass
class Listener:
    """One client of a stream. `gone` hangs up."""

    gone: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])
    ended: bool = False
    _text: str = ""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        async with self._news:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                self._text += message.get("body", b"").decode()
                self.ended = not message.get("more_body", False)
            self._news.notify_all()

    async def until(self, text: str) -> str:
        """Everything so far, as soon as this is in it."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: text in self._text)
            return self._text

    async def events(self, count: int) -> list[Heard]:
        """The first so many events, as soon as they are there."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: len(self.heard()) >= count)
            return self.heard()[:count]

    async def ending(self) -> None:
        """Until the answer is complete."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: self.ended)

    def heard(self) -> list[Heard]:
        """The events so far."""
        found = []
        for block in self._text.split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in block.split("\n") if line[0] != ":")
            if "data" in lines:
                found.append(Heard(lines["id"], lines["event"], read_json(lines["data"])))
        return found


@asynccontextmanager
async def listening(
    desk: Desk, query: str = "", *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> AsyncIterator[Listener]:
    """The stream of the desk's store, from when its answer has begun."""
    listener = Listener()
    application: Application = desk.shop.served.application
    sent = {"Authorization": f"Bearer {desk.shop.admin}", "Host": "shop.example"}
    sent |= dict(headers or {})
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/manage/v1/events/stream",
        "raw_path": b"/manage/v1/events/stream",
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    answering = asyncio.ensure_future(application(scope, listener.receive, listener.send))
    try:
        async with asyncio.timeout(60), listener._news:
            await listener._news.wait_for(lambda: listener.status or answering.done())
        yield listener
    finally:
        listener.gone.set()
        async with asyncio.timeout(60):
            await answering
