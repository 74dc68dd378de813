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
from openorders.worker.loops import LOOPS, Loop, Pipeline, run_loops
from tests.world import World, a_world, told

PATIENCE_S = 30
"""Only so that a test ends that would hang; half of the longest rest in these tests."""


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await a_world(database, tmp_path / "mail", policy=StorePolicy(unpaid_expiry_minutes=30))


async def eventually(holds, *, within_s: float = PATIENCE_S) -> None:
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
    await asyncio.wait_for(running, PATIENCE_S)


async def test_gentle_work_leaves_as_much_time_as_it_takes(world: World) -> None:
    clock = asyncio.get_running_loop().time
    begun: list[float] = []
    ended: list[float] = []
    stop = asyncio.Event()

    async def always_full(_services: Services) -> int:
        begun.append(clock())
        await asyncio.sleep(0.05)
        ended.append(clock())
        if len(ended) == 4:
            stop.set()
        return 1

    gentle = Loop(name="gentle", pause_s=60, step=always_full, full=1, gently=True)
    async with asyncio.timeout(PATIENCE_S):
        await run_loops(world.services, stop, loops=(gentle,))
    rests = [after - before for before, after in zip(ended, begun[1:], strict=False)]
    assert len(rests) == 3
    assert all(rest >= 0.045 for rest in rests)


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
    await asyncio.wait_for(running, PATIENCE_S)


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
    await asyncio.wait_for(running, PATIENCE_S)


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
    await asyncio.wait_for(running, PATIENCE_S)
    assert finished == [True]


async def test_a_notification_ends_a_rest_at_once_also_one_that_comes_during_the_step(
    world: World,
) -> None:
    runs: list[int] = []
    in_step, go_on = asyncio.Event(), asyncio.Event()

    async def step(_services: Services) -> int:
        runs.append(1)
        if len(runs) == 2:
            in_step.set()
            await go_on.wait()
        return 0

    async def tell() -> None:
        async with world.database.connection() as connection:
            await connection.execute("select pg_notify('news', '')")

    async def ran(times: int) -> bool:
        return len(runs) >= times

    stop = asyncio.Event()
    loop = Loop(name="told", pause_s=60, step=step, full=1, channel="news")
    running = asyncio.create_task(run_loops(world.services, stop, loops=(loop,)))
    async with asyncio.timeout(PATIENCE_S):
        await in_step.wait()  # the second run: whoever begins to listen may have missed something
        await tell()
        await asyncio.sleep(0.1)
        go_on.set()
        await eventually(lambda: ran(3))
        await tell()
        await eventually(lambda: ran(4))
    stop.set()
    await asyncio.wait_for(running, PATIENCE_S)


async def test_a_pipeline_that_fails_is_run_again_and_ends_when_told(world: World) -> None:
    runs: list[str] = []
    told: list[tuple[str, str]] = []

    class Seen:
        def ran(self, name: str, done: int) -> None:  # noqa: ARG002 - as it is called
            told.append((name, "ran"))

        def failed(self, name: str) -> None:
            told.append((name, "failed"))

    async def flow(_services: Services, stop: asyncio.Event, woken: asyncio.Event) -> None:
        runs.append("begun")
        if len(runs) == 1:
            raise ValueError("broken")
        while not stop.is_set():
            woken.clear()
            await woken.wait()
        runs.append("ended")

    async def again() -> bool:
        return len(runs) >= 2

    stop = asyncio.Event()
    pipeline = Pipeline(name="flow", run=flow, channel="news")
    running = asyncio.create_task(run_loops(world.services, stop, loops=(pipeline,), watch=Seen()))
    await eventually(again)
    stop.set()
    await asyncio.wait_for(running, PATIENCE_S)
    assert runs == ["begun", "begun", "ended"]
    assert told == [("flow", "failed")]


async def test_a_step_that_does_not_end_is_broken_off_by_who_cannot_wait(world: World) -> None:
    begun, broken_off = asyncio.Event(), []

    async def step(_services: Services) -> int:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            broken_off.append(True)
            raise
        return 0

    stop = asyncio.Event()
    loop = Loop(name="endless", pause_s=60, step=step, full=1)
    running = asyncio.create_task(run_loops(world.services, stop, loops=(loop,)))
    await begun.wait()
    stop.set()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert broken_off == [True]


def test_every_loop_is_bounded() -> None:
    steps = [loop for loop in LOOPS if isinstance(loop, Loop)]
    assert all(loop.full > 0 and 0 < loop.pause_s <= 600 for loop in steps)
    assert len({loop.name for loop in LOOPS}) == len(LOOPS)
