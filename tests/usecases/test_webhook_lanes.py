"""Lanes hold whatever workers do at the same time: one owner each, nothing lost, nothing early."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from openorders.domain.order import Word
from openorders.domain.webhooks import OffReason
from openorders.store import events, queries, webhook_lanes, webhooks
from openorders.store.webhook_lanes import Claimed, Try
from openorders.usecases import deliver_webhooks
from openorders.usecases.deliver_webhooks import deliver, keep_delivering
from openorders.usecases.sequence_events import sequence
from tests.receiver import Receiver, listening
from tests.usecases.subscribers import Shop, a_shop
from tests.world import NOON, World, waits_for_a_lock

LEASE = timedelta(hours=1)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as one:
        yield one


@pytest.fixture
async def shop(world: World, receiver: Receiver) -> Shop:
    await world.sells()
    return a_shop(world, receiver)


async def claimed(shop: Shop, **more: Any) -> list[Claimed]:
    given = {"places": 100, "failing": 5, "limit": 100, "lease": LEASE, **more}
    async with shop.world.database.connection() as connection:
        return await webhook_lanes.claim(connection, {}, **given)


async def position_of(shop: Shop, lane: Claimed) -> int:
    async with shop.world.database.connection() as connection:
        return (await webhook_lanes.heads(connection, [lane]))[lane.key].position


def a_try(lane: Claimed, position: int, **more: Any) -> Try:
    return Try(
        lane=lane,
        position=position,
        **{
            "outcome": "delivered",
            "at": NOON,
            "status": 200,
            "took_ms": 1,
            "answer": None,
            "failure": None,
            **more,
        },
    )


async def record(shop: Shop, lane: Claimed, position: int, **more: Any) -> int:
    async with shop.world.database.connection() as connection:
        return await webhook_lanes.record(connection, [a_try(lane, position, **more)])


async def test_a_lane_has_one_owner_until_its_lease_ends(shop: Shop) -> None:
    await shop.endpoint()
    await shop.order()
    [lane] = await claimed(shop)
    assert await claimed(shop) == []
    await shop.later(minutes=30)
    assert await claimed(shop) == []
    await shop.later(minutes=31)
    [again] = await claimed(shop)
    assert again.key == lane.key
    assert again.claim != lane.claim


async def test_workers_at_once_never_share_a_lane(shop: Shop) -> None:
    for path in ("/a", "/b", "/c"):
        await shop.endpoint(path)
    for _ in range(20):
        await shop.order()
    taken = await asyncio.gather(*(claimed(shop, limit=7) for _ in range(8)))
    rest = [await claimed(shop, limit=7) for _ in range(10)]
    keys = [lane.key for lanes in [*taken, *rest] for lane in lanes]
    assert len(keys) == len(set(keys)) == 60


async def test_what_is_queued_while_the_last_event_is_recorded_is_not_lost(shop: Shop) -> None:
    endpoint_id = await shop.endpoint()
    for _ in range(20):
        order = await shop.order()
        [lane] = await claimed(shop)
        await shop.moved(order, Word.PROCESSING)
        await asyncio.gather(
            record(shop, lane, await position_of(shop, lane)), sequence(shop.services)
        )
        assert await shop.lanes() == [(endpoint_id, order.id, 1)]
        assert await shop.deliver() == 1


async def test_a_try_that_waits_for_the_lane_counts_what_was_queued_meanwhile(shop: Shop) -> None:
    endpoint_id = await shop.endpoint()
    order = await shop.order()
    [lane] = await claimed(shop)
    position = await position_of(shop, lane)
    await shop.moved(order, Word.PROCESSING)
    async with shop.world.database.transaction() as tx:
        given = await events.give_positions(tx, limit=10)
        assert given is not None
        assert await webhooks.fan_out(tx, given.first, given.last) == 1
        recording = asyncio.create_task(record(shop, lane, position))
        await waits_for_a_lock(shop.world)
    assert await recording == 1
    assert await shop.lanes() == [(endpoint_id, order.id, 1)]


async def test_an_event_is_not_lost_that_commits_between_claim_and_record(shop: Shop) -> None:
    endpoint_id = await shop.endpoint()
    order = await shop.order()
    [lane] = await claimed(shop)
    await shop.moved(order, Word.PROCESSING)
    await sequence(shop.services)
    assert await shop.lanes() == [(endpoint_id, order.id, 2)]
    assert await record(shop, lane, await position_of(shop, lane)) == 1
    assert await shop.lanes() == [(endpoint_id, order.id, 1)]


async def test_who_has_lost_a_claim_records_what_arrived_and_leaves_the_lane(shop: Shop) -> None:
    endpoint_id = await shop.endpoint()
    order = await shop.order(Word.PROCESSING)
    [slow] = await claimed(shop)
    first = await position_of(shop, slow)
    await shop.later(minutes=61)
    [quick] = await claimed(shop)

    assert await record(shop, slow, first) == 0
    assert await claimed(shop) == []
    assert await shop.lanes() == [(endpoint_id, order.id, 1)]
    assert await record(shop, quick, first) == 1
    assert await shop.lanes() == [(endpoint_id, order.id, 1)]
    [last] = await claimed(shop)
    assert await position_of(shop, last) == first + 1
    assert await record(shop, last, first + 1) == 0
    assert await shop.lanes() == []
    assert await record(shop, slow, first) == 0


async def test_a_failure_recorded_too_late_does_not_put_off_who_has_the_lane_now(
    shop: Shop,
) -> None:
    await shop.endpoint()
    await shop.order()
    [slow] = await claimed(shop)
    position = await position_of(shop, slow)
    await shop.later(minutes=61)
    [quick] = await claimed(shop)
    await record(shop, slow, position, outcome="again", wait_s=3600.0)
    assert await record(shop, quick, position) == 0
    assert await shop.lanes() == []


async def test_lanes_given_back_can_be_taken_at_once_unless_they_are_somebody_elses(
    shop: Shop,
) -> None:
    await shop.endpoint()
    await shop.order()
    [lane] = await claimed(shop)
    async with shop.world.database.connection() as connection:
        await webhook_lanes.give_back(connection, [lane])
    [other] = await claimed(shop)
    async with shop.world.database.connection() as connection:
        await webhook_lanes.give_back(connection, [lane])
    assert await claimed(shop) == []
    assert other.key == lane.key


async def test_an_endpoint_gets_no_more_places_than_it_has(shop: Shop) -> None:
    await shop.endpoint("/a")
    await shop.endpoint("/b")
    for _ in range(10):
        await shop.order()
    lanes = await claimed(shop, places=3)
    assert len(lanes) == 6
    assert len({lane.key.endpoint for lane in lanes}) == 2


async def test_an_endpoint_that_fails_has_one_place(shop: Shop) -> None:
    endpoint_id = await shop.endpoint()
    for _ in range(5):
        await shop.order()
    await shop.world.rows(
        """
        update webhook_endpoints set failures = 5, failing_since = now()
        where store_id = $1 returning 1
        """
    )
    assert len(await claimed(shop)) == 1
    assert (await shop.read(endpoint_id)).failures == 5


async def test_results_of_an_older_version_of_an_endpoint_do_not_count(shop: Shop) -> None:
    endpoint_id = await shop.endpoint()
    await shop.order()
    [lane] = await claimed(shop)
    await shop.change(endpoint_id, url=shop.receiver.url("/new"))
    before = await shop.read(endpoint_id)
    async with shop.world.database.connection() as connection:
        key = lane.key.endpoint
        await webhook_lanes.note_failures(connection, key, 1, failures=1, pause=None)
        off = await webhook_lanes.switch_off(connection, key, 1, OffReason.GONE)
    assert off is False
    assert await shop.read(endpoint_id) == before


async def test_an_endpoint_removed_after_a_claim_is_sent_nothing(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint_id = await shop.endpoint()
    await shop.order()
    look_up = webhook_lanes.targets

    async def too_late(connection: Any, keys: Any) -> Any:
        await shop.change(endpoint_id, enabled=False)
        return await look_up(connection, keys)

    with monkeypatch.context() as patch:
        patch.setattr(webhook_lanes, "targets", too_late)
        await deliver(shop.services)
    assert receiver.events() == []
    await shop.change(endpoint_id, enabled=True)
    assert await shop.deliver() == 1


async def test_what_found_no_place_is_taken_as_soon_as_there_is_one(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver_webhooks, "LANES_MAX", 2)
    monkeypatch.setattr(deliver_webhooks, "POLL_S", 60.0)
    paths = [f"/hook/{number}" for number in range(6)]
    for path in paths:
        await shop.endpoint(path)
    await shop.order()
    stop, woken = asyncio.Event(), asyncio.Event()
    delivering = asyncio.create_task(keep_delivering(shop.services, stop, woken))
    async with asyncio.timeout(10):
        while not all(receiver.events(path) for path in paths):
            await asyncio.sleep(0.02)
    stop.set()
    woken.set()
    await delivering
    assert await shop.lanes() == []


async def test_queueing_reads_the_new_events_alone(shop: Shop) -> None:
    for number in range(20):
        await shop.endpoint(f"/hook/{number}")
    statement = queries.load("webhooks").fan_out
    async with shop.world.database.connection() as connection:
        await connection.execute(
            "insert into event_positions select $1 - g % 1000, g, g, g, 'order.paid'"
            " from generate_series(1, 20000) g",
            shop.world.store.id,
        )
        await connection.execute("analyze event_positions, webhook_endpoints")
        await connection.execute(f"prepare queueing as {statement.sql}")
        plan = "explain (analyze, buffers, format json) execute queueing (19901, 20000)"
        [found] = json.loads(await connection.fetchval(plan))
        await connection.execute("deallocate queueing")

    def reads(node: dict[str, Any]) -> int:
        here = node.get("Relation Name") == "event_positions"
        own = node["Shared Hit Blocks"] + node["Shared Read Blocks"] if here else 0
        return own + sum(reads(inner) for inner in node.get("Plans", ()))

    assert 1 <= reads(found["Plan"]) <= 10
