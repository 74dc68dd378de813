"""A proxy between the code under test and PostgreSQL that loses connections on demand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit


class Proxy:
    """Passes bytes both ways until told otherwise; every fault lasts until `heal`."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._links: set[asyncio.StreamWriter] = set()
        self._flows: set[asyncio.Task[None]] = set()
        self.port = 0
        self.accepted = 0
        """Connections so far."""
        self.answers_lost = False
        """Requests arrive, answers do not."""
        self.silent = False
        """New connections are accepted and then nothing happens."""

    @property
    def url(self) -> str:
        place = f"{self._url.username}:{self._url.password}@127.0.0.1:{self.port}"
        return f"postgresql://{place}{self._url.path}"

    def cut(self) -> None:
        """End all connections at once."""
        for link in self._links:
            link.transport.abort()

    def heal(self) -> None:
        self.answers_lost = self.silent = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._links.add(writer)
        if self.silent:
            return
        options = parse_qs(self._url.query)
        if "host" in options:
            path = f"{options['host'][0]}/.s.PGSQL.{options.get('port', ['5432'])[0]}"
            far_reader, far_writer = await asyncio.open_unix_connection(path)
        else:
            far_reader, far_writer = await asyncio.open_connection(
                self._url.hostname, self._url.port or 5432
            )
        self._links.add(far_writer)
        for work in (
            self._pass(reader, far_writer, answers=False),
            self._pass(far_reader, writer, answers=True),
        ):
            task = asyncio.create_task(work)
            self._flows.add(task)
            task.add_done_callback(self._flows.discard)

    async def close(self) -> None:
        self.cut()
        await asyncio.gather(*self._flows, return_exceptions=True)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                if answers and self.answers_lost:
                    self.cut()
                    return
                writer.write(chunk)
        writer.close()


@asynccontextmanager
async def faulty(url: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the database of a URL."""
    proxy = Proxy(url)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
