"""What happens to webhooks at the same moment: nothing is lost, and nothing is stuck for ever."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Literal

import pytest
from msgspec.structs import replace

from openorders.domain.access import Role
from openorders.domain.events import EventType
from openorders.domain.ids import EventId
from openorders.domain.order import Order, Word
from openorders.domain.refusals import EventNotFound, NotPermitted, Refused, TooManyEndpoints
from openorders.domain.webhooks import ALL_TYPES
from openorders.store import events, webhook_endpoints, webhook_lanes, webhooks
from openorders.store.database import Connection
from openorders.store.events import Aged
from openorders.store.webhook_lanes import Try
from openorders.usecases import webhook_endpoints as endpoint_cases
from openorders.usecases.forget_events import forget_events
from openorders.usecases.sequence_events import sequence
from openorders.usecases.webhook_deliveries import replay_one, replay_range
from tests.receiver import Receiver, listening
from tests.usecases.subscribers import Shop, a_shop
from tests.usecases.test_webhook_lanes import a_try, claimed, position_of
from tests.world import World, waits_for_a_lock


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as one:
        yield one


@pytest.fixture
async def shop(world: World, receiver: Receiver) -> Shop:
    await world.sells()
    return a_shop(world, receiver)


async def forgotten_but_for_the_events(shop: Shop, tx: Connection) -> tuple[Aged, ...]:
    """All there is, forgotten as far as that what was told of it is gone."""
    before = shop.world.clock() + timedelta(days=1)
    aged = await events.find_aged(tx, before, limit=10)
    await webhooks.forget(tx, [one.store_id for one in aged], [one.event_id for one in aged])
    return aged


async def goes_on(shop: Shop, order: Order) -> None:
    """The order's next event is told, and nothing is left to tell."""
    await shop.moved(order, Word.PROCESSING)
    await sequence(shop.services)
    for _ in range(2):
        await shop.deliver()
        await shop.later(hours=1)
    assert await shop.lanes() == []
    assert [got.json["type"] for got in shop.receiver.got] == ["order.processing"]


@pytest.mark.parametrize("forgot_before", [False, True])
async def test_events_replayed_for_a_new_endpoint_while_they_are_forgotten_leave_no_stuck_lane(
    shop: Shop, forgot_before: bool
) -> None:
    if forgot_before:
        await shop.order()
        async with shop.world.database.transaction() as tx:
            await events.forget(tx, await forgotten_but_for_the_events(shop, tx))
    order = await shop.order()
    async with shop.world.database.transaction() as tx:
        aged = await forgotten_but_for_the_events(shop, tx)
        endpoint_id = await shop.endpoint()
        replaying = asyncio.create_task(replay_range(shop.ctx, endpoint_id, 0))
        await waits_for_a_lock(shop.world, unless=replaying)
        await events.forget(tx, aged)
    replayed = await replaying
    await goes_on(shop, order)
    assert replayed.queued == 0


async def test_an_event_replayed_while_it_is_forgotten_is_not_found(shop: Shop) -> None:
    order = await shop.order()
    async with shop.world.database.transaction() as tx:
        [aged] = await forgotten_but_for_the_events(shop, tx)
        endpoint_id = await shop.endpoint()
        replaying = asyncio.create_task(replay_one(shop.ctx, endpoint_id, aged.event_id))
        await waits_for_a_lock(shop.world, unless=replaying)
        await events.forget(tx, [aged])
    with pytest.raises(Refused) as refused:
        await replaying
    assert refused.value.reason == EventNotFound(EventId(aged.event_id))
    await goes_on(shop, order)


@pytest.mark.parametrize("change", ["switched on", "made", "widened"])
async def test_what_is_queued_for_others_while_an_endpoint_is_changed_is_there_to_be_replayed(
    shop: Shop, change: str
) -> None:
    types = frozenset({EventType.ORDER_PAID}) if change == "widened" else None
    endpoint_id = await shop.endpoint("/early", types=types)
    after = 0
    if change == "switched on":
        await shop.change(endpoint_id, enabled=False)
    await shop.world.placed()
    async with shop.world.database.transaction() as tx:
        given = await events.give_positions(tx, limit=10)
        assert given is not None
        await webhooks.fan_out(tx, given.first, given.last)
        match change:
            case "switched on":
                after = (await shop.change(endpoint_id, enabled=True)).off_position or 0
            case "made":
                endpoint_id = await shop.endpoint("/late")
            case _:
                await shop.change(endpoint_id, types=ALL_TYPES)
        replaying = asyncio.create_task(
            replay_range(shop.ctx, endpoint_id, after, missed_only=True)
        )
        await waits_for_a_lock(shop.world, unless=replaying)
    await replaying
    await shop.deliver()
    assert [one.position for one in await shop.deliveries(endpoint_id)] == [given.first]


async def test_who_may_not_replay_does_not_get_to_wait_for_the_sequencer(shop: Shop) -> None:
    endpoint_id = await shop.endpoint()
    ctx = replace(shop.ctx, caller=shop.world.caller(Role.SERVICE))
    await shop.world.placed()
    async with shop.world.database.transaction() as tx:
        assert await events.give_positions(tx, limit=10) is not None
        with pytest.raises(Refused) as refused:
            await replay_range(ctx, endpoint_id, 0)
    assert isinstance(refused.value.reason, NotPermitted)


async def test_a_replay_that_takes_its_time_holds_up_no_sequencer(shop: Shop) -> None:
    endpoint_id = await shop.endpoint()
    await shop.world.placed()
    async with shop.world.database.transaction() as tx:
        assert await webhook_endpoints.lock(tx, shop.world.store.id, endpoint_id) is not None
        replaying = asyncio.create_task(replay_range(shop.ctx, endpoint_id, 0))
        await waits_for_a_lock(shop.world)
        assert await sequence(shop.services) == 1
    assert (await replaying).queued == 0
    assert await shop.deliver() == 1


@pytest.mark.parametrize("outcome", ["delivered", "failed", "again"])
async def test_what_is_tried_while_it_is_forgotten_goes_with_its_event(
    shop: Shop, outcome: Literal["delivered", "failed", "again"]
) -> None:
    endpoint_id = await shop.endpoint()
    order = await shop.order()
    [lane] = await claimed(shop)
    tried = a_try(lane, await position_of(shop, lane), outcome=outcome)
    shop.world.clock.now += shop.services.events_kept_for * 2
    await shop.moved(order, Word.PROCESSING)
    await sequence(shop.services)
    async with shop.world.database.transaction() as tx:
        await webhook_lanes.record(tx, [tried])
        forgetting = asyncio.create_task(forget_events(shop.services))
        await waits_for_a_lock(shop.world, unless=forgetting)
    assert await forgetting == 1
    for table, left in (("webhook_deliveries", [tried.position + 1]), ("webhook_attempts", [])):
        rows = await shop.world.rows(f"select position from {table} where store_id = $1")
        assert [row["position"] for row in rows] == left
    assert await shop.lanes() == [(endpoint_id, order.id, 1)]


async def test_a_try_that_comes_back_after_its_event_was_forgotten_leaves_nothing(
    shop: Shop,
) -> None:
    await shop.endpoint()
    await shop.order()
    [lane] = await claimed(shop)
    tried = a_try(lane, await position_of(shop, lane), outcome="delivered")
    shop.world.clock.now += shop.services.events_kept_for * 2
    assert await forget_events(shop.services) == 1
    assert await recorded(shop, tried) == 0
    assert await shop.world.rows("select from webhook_attempts where store_id = $1") == []
    assert await shop.lanes() == []


@pytest.mark.parametrize("outcome", ["delivered", "failed", "again"])
async def test_a_try_that_waits_for_its_event_to_be_forgotten_leaves_nothing(
    shop: Shop, outcome: Literal["delivered", "failed", "again"]
) -> None:
    await shop.endpoint()
    await shop.order()
    [lane] = await claimed(shop)
    tried = a_try(lane, await position_of(shop, lane), outcome=outcome)
    async with shop.world.database.transaction() as tx:
        aged = await forgotten_but_for_the_events(shop, tx)
        recording = asyncio.create_task(recorded(shop, tried))
        await waits_for_a_lock(shop.world, unless=recording)
        await events.forget(tx, aged)
    assert await recording == 0
    assert await shop.world.rows("select from webhook_attempts where store_id = $1") == []
    assert await shop.lanes() == []


async def recorded(shop: Shop, tried: Try) -> int:
    async with shop.world.database.connection() as connection:
        return await webhook_lanes.record(connection, [tried])


async def test_endpoints_made_at_once_are_no_more_than_a_store_may_have(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_cases, "ENDPOINTS_MAX", 2)
    await shop.endpoint()
    last = {"url": "https://example.com/", "contract": "basic", "types": None, "label": None}
    async with shop.world.database.transaction() as tx:
        assert await webhook_endpoints.create(
            tx, shop.world.store.id, **last, secret=bytes(32), most=2, now=shop.world.clock()
        )
        making = asyncio.create_task(shop.endpoint())
        await waits_for_a_lock(shop.world, unless=making)
    with pytest.raises(Refused) as refused:
        await making
    assert refused.value.reason == TooManyEndpoints(2)
    assert len(await endpoint_cases.list_endpoints(shop.ctx, None, 10)) == 2


async def test_replays_of_a_store_do_not_wait_for_each_other(shop: Shop) -> None:
    order = await shop.order()
    async with shop.world.database.transaction() as tx:
        await events.forget(tx, await forgotten_but_for_the_events(shop, tx))
    await shop.moved(order, Word.PROCESSING)
    await sequence(shop.services)
    first, second = await shop.endpoint("/a"), await shop.endpoint("/b")
    async with shop.world.database.transaction() as tx:
        await webhooks.hold_events(tx, shop.world.store.id)
        await webhooks.replay(tx, shop.world.store.id, first, after=0, until=None, limit=10)
        assert (await replay_range(shop.ctx, second, 0)).queued == 1
    assert await shop.deliver() == 2
