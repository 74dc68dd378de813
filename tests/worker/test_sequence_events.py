"""The sequencer as a loop: woken by the bell, several at once, in batches when much happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from openorders.domain.access import Role
from openorders.store.database import Database, opened
from openorders.usecases.context import Services
from openorders.usecases.read_events import read_events
from openorders.usecases.sequence_events import EVENTS_TOLD
from openorders.worker.loops import LOOPS, Loop, run_loops
from tests.world import World, a_world

PATIENCE_S = 30
"""Only so that a test ends that would hang."""

SEQUENCE = next(loop for loop in LOOPS if loop.name == "sequence_events")


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = await a_world(database, tmp_path / "mail")
    await world.sells()
    return world


@asynccontextmanager
async def looping(services: Services, *loops: Loop) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(run_loops(services, stop, loops=loops))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait([running], timeout=PATIENCE_S)
        running.result()


async def until_there_are(world: World, events: int, *, within_s: float) -> list[int]:
    """The positions in the feed, once there are so many."""
    ctx = world.context(world.caller(Role.ADMIN))
    async with asyncio.timeout(within_s):
        while len((page := await read_events(ctx, None, 500)).events) < events:
            await asyncio.sleep(0.005)
    return [event.position for event in page.events]


async def test_what_is_told_is_in_the_feed_before_anybody_looks_by_itself(world: World) -> None:
    assert isinstance(SEQUENCE, Loop)
    patient = replace(SEQUENCE, pause_s=60)
    async with looping(world.services, patient), world.services.bell.ringing(world.database):
        await asyncio.sleep(0.2)
        for placed in range(1, 4):
            await world.placed()
            await until_there_are(world, placed, within_s=PATIENCE_S)


async def test_what_nobody_rang_for_is_found_by_looking(world: World) -> None:
    assert isinstance(SEQUENCE, Loop)
    async with looping(world.services, SEQUENCE):
        await asyncio.sleep(0.2)
        await world.placed()
        await until_there_are(world, 1, within_s=PATIENCE_S)


async def test_several_processes_sequence_together(world: World, database_url: str) -> None:
    assert isinstance(SEQUENCE, Loop)
    eager = replace(SEQUENCE, pause_s=0.001, apart_s=0)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            database = await stack.enter_async_context(opened(database_url, connections=2))
            services = replace(world.services, database=database)
            await stack.enter_async_context(looping(services, eager))
        await asyncio.gather(*(world.placed() for _ in range(60)))
        positions = await until_there_are(world, 60, within_s=60)
    assert positions == list(range(1, 61))


async def test_a_loop_that_is_woken_all_the_time_works_in_batches(world: World) -> None:
    began: list[float] = []

    async def step(_services: Services) -> int:
        began.append(asyncio.get_running_loop().time())
        return 1 if len(began) < 4 else 50

    loop = Loop(name="busy", pause_s=60, step=step, full=100, channel=EVENTS_TOLD, apart_s=0.5)
    async with looping(world.services, loop):
        async with asyncio.timeout(PATIENCE_S):
            while len(began) < 8:
                async with world.database.connection() as connection:
                    await connection.execute(f"notify {EVENTS_TOLD}")
                await asyncio.sleep(0.01)
    pauses = [later - earlier for earlier, later in pairwise(began)]
    assert all(pause >= 0.04 for pause in pauses)
    assert all(pause >= 0.49 for pause in pauses[4:])
