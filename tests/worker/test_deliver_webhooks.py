"""Delivery as it runs for good: woken at once, shared by workers, stopped without losing."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from openorders.domain.order import Word
from openorders.gateways.outgoing import Outgoing
from openorders.store.database import Database, opened
from openorders.usecases import deliver_webhooks as delivery
from openorders.usecases.deliver_webhooks import DELIVERIES_QUEUED, keep_delivering
from openorders.usecases.sequence_events import sequence
from tests.receiver import Got, Receiver, answers, hangs, listening
from tests.usecases.subscribers import LOCAL, Shop, a_shop
from tests.world import a_world

PATIENCE_S = 60
"""Only so that a test ends that would hang."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as one:
        yield one


@pytest.fixture
async def shop(database: Database, tmp_path: Path, receiver: Receiver) -> Shop:
    world = await a_world(database, tmp_path / "mail")
    await world.sells()
    return a_shop(world, receiver)


@asynccontextmanager
async def delivering(shop: Shop, *, workers: int = 1) -> AsyncIterator[list[asyncio.Task[None]]]:
    """So many workers, each woken by notifications; stopped politely at the end."""
    stop = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []
    wakes = [asyncio.Event() for _ in range(workers)]

    def heard(_payload: str) -> None:
        for wake in wakes:
            wake.set()

    async with shop.services.database.listening(DELIVERIES_QUEUED, heard):
        tasks += [asyncio.create_task(keep_delivering(shop.services, stop, one)) for one in wakes]
        try:
            yield tasks
        finally:
            stop.set()
            heard("")
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_an_event_is_delivered_as_soon_as_it_is_queued(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "POLL_S", 600)  # nobody looks without being woken
    await shop.endpoint()
    async with delivering(shop):
        for n in range(1, 12):
            await shop.world.placed()
            await sequence(shop.services)
            await receiver.until(lambda n=n: len(receiver.got) == n, PATIENCE_S)
            await asyncio.sleep(0.1)
    assert await shop.lanes() == []


async def test_a_slow_endpoint_delays_no_other(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FINISH_S", 0)
    shop = shop.with_rules(replace(LOCAL, timeout_s=600))
    await shop.endpoint("/slow")
    await shop.endpoint("/quick")
    receiver.by_path["/slow"] = hangs(600)
    async with delivering(shop):
        for _ in range(30):
            await shop.order()
        await receiver.until(lambda: len(receiver.events("/quick")) == 30, PATIENCE_S)
        assert len(receiver.events("/slow")) <= 8


async def test_a_stop_finishes_what_is_under_way(shop: Shop, receiver: Receiver) -> None:
    await shop.endpoint()
    receiver.behave = hangs(0.3)
    async with delivering(shop):
        await shop.order()
        await receiver.until(lambda: receiver.under_way == 1)
    assert await shop.lanes() == []


async def test_being_cancelled_gives_back_what_was_taken(shop: Shop, receiver: Receiver) -> None:
    endpoint_id = await shop.endpoint()
    receiver.behave = hangs()
    async with delivering(shop) as [worker]:
        order = await shop.order()
        await receiver.until(lambda: receiver.under_way == 1)
        worker.cancel()
        await asyncio.wait([worker], timeout=PATIENCE_S)
    assert await shop.lanes() == [(endpoint_id, order.id, 1)]
    receiver.behave = answers(200)
    assert await shop.deliver() == 1
    shown = await shop.tries(endpoint_id, receiver.events()[0])
    assert [one.failure for one in shown.attempts] == ["broken off by a stop of ours", None]


async def test_results_wait_for_a_database_that_is_away(shop: Shop, receiver: Receiver) -> None:
    await shop.endpoint()
    receiver.behave = hangs(0.3)
    async with delivering(shop):
        await shop.order()
        await receiver.until(lambda: receiver.under_way == 1)
        # Whoever holds the lane's row keeps results from being written, for a while.
        async with shop.world.database.transaction() as tx:
            await tx.execute("lock table webhook_lanes in access exclusive mode")
            await asyncio.sleep(0.6)
        async with asyncio.timeout(PATIENCE_S):
            while await shop.lanes():
                await asyncio.sleep(0.05)
    assert len(receiver.got) == 1


_CANCEL_THE_CLAIM = """
    select pg_cancel_backend(pid) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'
        and query like 'with recursive busy as%'
"""


async def test_a_claim_that_fails_breaks_nothing_off(shop: Shop, receiver: Receiver) -> None:
    endpoint_id = await shop.endpoint()
    receiver.behave = hangs(0.8)
    async with delivering(shop) as [worker]:
        await shop.order()
        await receiver.until(lambda: receiver.under_way == 1)
        database = shop.world.database
        async with database.transaction() as tx, asyncio.timeout(PATIENCE_S):
            await tx.execute("lock table webhook_lanes in access exclusive mode")
            async with database.connection() as watching:
                while not await watching.fetch(_CANCEL_THE_CLAIM):
                    await asyncio.sleep(0.01)
        async with asyncio.timeout(PATIENCE_S):
            while await shop.lanes():
                await asyncio.sleep(0.05)
        receiver.behave = answers(200)
        await shop.order()
        await receiver.until(lambda: len(receiver.got) == 2)
        assert not worker.done()
    shown = await shop.tries(endpoint_id, receiver.events()[0])
    assert [(one.status, one.failure) for one in shown.attempts] == [(200, None)]


async def test_workers_killed_at_random_lose_nothing_and_keep_the_order_of_each_order(
    database_url: str, shop: Shop, receiver: Receiver
) -> None:
    """Workers are cut off in the middle of anything, their connections with them."""
    dice = random.Random(7)  # noqa: S311 - the same dice each time
    await shop.endpoint()

    async def behave(got: Got, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(dice.random() * 0.02)
        await answers(500 if dice.random() < 0.05 else 200)(got, writer)

    receiver.behave = behave

    async def a_short_life() -> None:
        async with opened(database_url, connections=4) as own:
            services = replace(shop.services, database=own, outgoing=Outgoing(LOCAL))
            work = asyncio.create_task(keep_delivering(services, asyncio.Event(), asyncio.Event()))
            await asyncio.sleep(0.1 + dice.random() * 0.4)
            own._pool._size, own._pool._patience_s = 0, 0.0
            for session in list(own._pool._taken):
                session.terminate()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def lives(count: int) -> None:
        for _ in range(count):
            await a_short_life()
            await shop.later(seconds=60)

    async def orders() -> None:
        for _ in range(40):
            await shop.order(Word.PROCESSING, Word.COMPLETED)

    await asyncio.gather(orders(), lives(4), lives(4))
    receiver.behave = answers(200)
    for _ in range(5):
        await shop.later(hours=1)
        await shop.deliver()
    assert await shop.lanes() == []
    told: dict[str, list[int]] = defaultdict(list)
    for got in receiver.got:
        said = got.json
        if said["orderVersion"] not in told[said["data"]["orderId"]]:
            told[said["data"]["orderId"]].append(said["orderVersion"])
    assert len(told) == 40
    assert all(versions == sorted(versions) for versions in told.values())
    events = await shop.world.rows("select id from outbox where store_id = $1")
    assert {got.event for got in receiver.got} == {f"evt_{row['id']}" for row in events}
