"""The sequencer with everything at once: writers that are slow, fail and are cut off, several
sequencers that are cut off as well, a reader that never stops, and PostgreSQL itself killed.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from openorders.store import embedded, embedded_process, events, migrate
from openorders.store.database import Connection, DatabaseUnavailableError, connected
from openorders.store.embedded_folder import open_folder
from tests.store.outbox_writers import Reader, Told, gaps, prepare, settle, step, tell

ORDERS = 4
WRITERS = 8
LOST = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    DatabaseUnavailableError,
    OSError,
)


class Storm:
    """Everything that happens at once, until it is told to end."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.chance = random.Random(seed)  # noqa: S311 - the same storm again
        self.ending = asyncio.Event()
        self.committed: list[Told] = []
        self.unsure: list[Told] = []
        self.reader = Reader()
        self.killed = 0

    async def rage(self, seconds: float, *, until: Callable[[], bool]) -> None:
        """Let it all happen for a while, and until enough has happened."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WRITERS):
                group.create_task(self.again(self.write))
            for _ in range(2):
                group.create_task(self.again(self.sequence))
            group.create_task(self.again(self.read))
            await asyncio.sleep(seconds)
            async with asyncio.timeout(120):
                while not until():
                    await asyncio.sleep(0.1)
            self.ending.set()

    async def again(self, act: Callable[[Connection], Awaitable[None]]) -> None:
        """Do something over and over on a connection, on another one when that was lost."""
        while not self.ending.is_set():
            with suppress(*LOST):
                async with connected(self.url) as connection:
                    while not self.ending.is_set():
                        await act(connection)
            await asyncio.sleep(0.01)

    async def write(self, connection: Connection) -> None:
        """One transaction that tells of one or two orders, at its leisure."""
        told: list[Told] = []
        chance = self.chance
        wanted = sorted(chance.sample(range(1, ORDERS + 1), k=chance.choice((1, 1, 2))))
        await connection.execute("begin")
        for order_id in wanted:
            told.append(await tell(connection, order_id))
            await asyncio.sleep(chance.choice((0, 0, 0.001, 0.02)))
        if chance.random() < 0.02:
            await asyncio.sleep(0.3)
        if chance.random() < 0.25:
            await connection.execute("rollback")
            return
        try:
            await connection.execute("commit")
        except LOST:
            self.unsure += told
            raise
        self.committed += told

    async def sequence(self, connection: Connection) -> None:
        """A step, or a step that is cut off before its commit."""
        if self.chance.random() < 0.1:
            await connection.execute("begin")
            await events.give_positions(connection, limit=5)
            self.killed += 1
            connection.terminate()
            return
        await step(connection, limit=self.chance.choice((3, 20, 1_000)))
        await asyncio.sleep(self.chance.choice((0, 0.002, 0.01)))

    async def read(self, connection: Connection) -> None:
        """What is new."""
        await self.reader.read(connection)
        await asyncio.sleep(0.002)

    async def check(self) -> None:
        """After it all: everything that was committed was read, once and in order."""
        async with connected(self.url) as connection:
            await settle(connection)
            await self.reader.read(connection)
            assert await gaps(connection) == "{}"
            rows = await connection.fetch("select order_id, version from outbox")
        written = [(row["order_id"], row["version"]) for row in rows]
        assert set(self.committed) <= set(written) <= {*self.committed, *self.unsure}
        self.reader.check(written)


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_skipped_or_doubled_in_a_storm(database_url: str, seed: int) -> None:
    async with connected(database_url) as connection:
        await prepare(connection, orders=ORDERS)
    storm = Storm(database_url, seed)
    await storm.rage(4, until=lambda: len(storm.committed) > 200 and storm.killed > 5)
    await storm.check()
    assert len(storm.committed) > 200
    assert storm.killed > 5


@pytest.fixture
async def own_server(temporary_folder: Path, tmp_path: Path) -> AsyncIterator[Path]:
    """A server of the test's own, which syncs, since it is to be killed."""
    path = temporary_folder / f"feed-{tmp_path.name}"
    yield path
    embedded_process.stop(open_folder(path))


async def test_nothing_is_skipped_or_doubled_when_postgresql_is_killed(own_server: Path) -> None:
    """Its sequences jump ahead, its transactions end in the middle, its clients are cut off."""
    folder = open_folder(own_server)

    def start() -> str:
        bindir = os.environ.get("OPENORDERS_PG_BINDIR")
        postmaster = embedded_process.start(
            folder, bindir=Path(bindir) if bindir else None, settings={}, report=lambda _: None
        )
        return embedded.facts(folder, postmaster).url_as(embedded_process.SUPERUSER, "postgres")

    url = await asyncio.to_thread(start)
    await migrate.migrate(url)
    async with connected(url) as connection:
        await prepare(connection, orders=ORDERS)
    storm, over = Storm(url, seed=3), False
    async with asyncio.TaskGroup() as group:
        group.create_task(storm.rage(6, until=lambda: over and len(storm.committed) > 100))
        for _ in range(2):
            await asyncio.sleep(1.5)
            running = embedded_process.running(folder)
            assert running is not None
            os.kill(running.pid, signal.SIGKILL)
            await asyncio.to_thread(start)
        over = True
    await storm.check()
    assert len(storm.committed) > 100
    highest = max(event.id for event in storm.reader.seen)
    assert highest > len(storm.reader.seen)
