"""The loops keep going through failures, share the work, and stop cleanly when asked."""

import asyncio
from pathlib import Path

import pytest

from openorders.domain.order import Word
from openorders.domain.refusals import Refused
from openorders.domain.store_settings import StorePolicy
from openorders.store.database import Database
from openorders.usecases.context import Services
from openorders.usecases.pay_order import Pay, pay_order
from openorders.worker.loops import LOOPS, Loop, run_loops
from tests.world import World, a_world, told


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await a_world(database, tmp_path / "mail", policy=StorePolicy(unpaid_expiry_minutes=30))


async def eventually(holds, *, within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():
            await asyncio.sleep(0.02)


async def test_the_loops_finish_what_a_crash_left_and_expire_what_is_unpaid(
    world: World,
) -> None:
    await world.sells(price=2500)
    open_one = await world.placed(payment_asked=True)
    unpaid = await world.placed(payment_asked=True)
    with pytest.raises(Refused):
        await pay_order(
            world.context(),
            Pay(order_id=open_one.id, token="tok_timeoutAfterCharge"),
            told(str),
        )
    world.clock.move(minutes=31)
    stop = asyncio.Event()
    running = asyncio.create_task(run_loops(world.services, stop))

    async def done() -> bool:
        words = {(await world.order(order.id)).word for order in (open_one, unpaid)}
        return words == {Word.PAID, Word.CANCELLED}

    await eventually(done)
    stop.set()
    await asyncio.wait_for(running, 2)


async def test_a_failing_step_is_tried_again_and_holds_up_no_other(world: World) -> None:
    tries = {"bad": 0, "good": 0}

    async def bad(_services: Services) -> int:
        tries["bad"] += 1
        raise ValueError("broken")

    async def good(_services: Services) -> int:
        tries["good"] += 1
        return 0

    stop = asyncio.Event()
    loops = (
        Loop(name="bad", pause_s=0.01, step=bad, full=1),
        Loop(name="good", pause_s=0.01, step=good, full=1),
    )
    running = asyncio.create_task(run_loops(world.services, stop, loops=loops))

    async def enough() -> bool:
        return tries["bad"] >= 3 and tries["good"] >= 5

    await eventually(enough)
    assert tries["good"] > tries["bad"]
    stop.set()
    await asyncio.wait_for(running, 2)


async def test_a_step_that_did_all_it_may_goes_on_at_once(world: World) -> None:
    left = [3]

    async def step(_services: Services) -> int:
        left[0] -= 1
        return 1 if left[0] > 0 else 0

    stop = asyncio.Event()
    loop = Loop(name="long", pause_s=60, step=step, full=1)
    running = asyncio.create_task(run_loops(world.services, stop, loops=(loop,)))

    async def all_done() -> bool:
        return left[0] == 0

    await eventually(all_done)
    stop.set()
    await asyncio.wait_for(running, 2)


async def test_stopping_finishes_the_step_that_is_under_way(world: World) -> None:
    begun, finished = asyncio.Event(), []

    async def step(_services: Services) -> int:
        begun.set()
        await asyncio.sleep(0.1)
        finished.append(True)
        return 0

    stop = asyncio.Event()
    loop = Loop(name="slow", pause_s=60, step=step, full=1)
    running = asyncio.create_task(run_loops(world.services, stop, loops=(loop,)))
    await begun.wait()
    stop.set()
    await asyncio.wait_for(running, 2)
    assert finished == [True]


def test_every_loop_is_bounded() -> None:
    steps = [loop for loop in LOOPS if isinstance(loop, Loop)]
    assert all(loop.full > 0 and 0 < loop.pause_s <= 600 for loop in steps)
    assert len({loop.name for loop in LOOPS}) == len(LOOPS)
