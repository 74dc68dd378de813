"""The feed of events: complete, in order, in pages and live."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openorders.domain.access import Role
from openorders.domain.events import Event, EventType
from openorders.domain.ids import CustomerId, EventId
from openorders.domain.order import Order, Word
from openorders.domain.refusals import (
    EventNotFound,
    EventsForgotten,
    NotPermitted,
    Overloaded,
    Refused,
)
from openorders.store.bell import EVENTS_SEQUENCED
from openorders.store.database import Database
from openorders.usecases import read_events as reading
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.context import Context
from openorders.usecases.event_bodies import body_of
from openorders.usecases.forget_events import forget_events
from openorders.usecases.read_events import follow_events, read_event, read_events
from openorders.usecases.sequence_events import sequence
from tests.world import World, a_world, told, wanted


@pytest.fixture
async def ctx(world: World) -> Context:
    await world.sells()
    return world.context(world.caller(Role.ADMIN))


async def moved(world: World, order: Order, target: Word) -> None:
    reply = told(lambda done: str(done.order.version))
    await advance_order(world.context(), Advance(order_id=order.id, target=target), reply)


async def sequenced(world: World, *, orders: int) -> list[Order]:
    """So many orders, each placed and then begun, with positions for their events."""
    placed = [await world.placed() for _ in range(orders)]
    for order in placed:
        await moved(world, order, Word.PROCESSING)
    await sequence(world.services)
    return placed


async def test_an_event_is_in_the_feed_once_it_has_a_position(world: World, ctx: Context) -> None:
    empty = await read_events(ctx, None, 10)
    assert (empty.events, empty.next, empty.more) == ((), 0, False)
    order = await world.placed()
    assert (await read_events(ctx, empty.next, 10)).events == ()

    assert await sequence(world.services) == 1
    assert await sequence(world.services) == 0

    page = await read_events(ctx, empty.next, 10)
    [event] = page.events
    assert (event.type, event.order_id, event.version) == (EventType.ORDER_CREATED, order.id, 1)
    assert (event.position, page.next, page.more) == (1, 1, False)
    assert event.order.lines == order.lines
    assert await read_event(ctx, event.id) == event


async def test_an_event_shows_the_order_as_it_was_then(world: World, ctx: Context) -> None:
    [order] = await sequenced(world, orders=1)
    first, second = (await read_events(ctx, None, 10)).events
    assert (first.order.word, second.order.word) == (Word.CREATED, Word.PROCESSING)
    assert (first.order.version, second.order.version) == (1, 2)
    assert second.order.history == (await world.order(order.id)).history


async def test_pages_follow_each_other_without_a_gap(world: World, ctx: Context) -> None:
    await sequenced(world, orders=5)
    positions: list[int] = []
    cursor, more = None, True
    while more:
        page = await read_events(ctx, cursor, 3)
        positions += [event.position for event in page.events]
        cursor, more = page.next, page.more
    assert positions == list(range(1, 11))
    assert await read_events(ctx, cursor, 3) == reading.EventPage(events=(), next=10, more=False)


async def test_a_page_has_only_the_types_and_the_order_that_were_asked_for(
    world: World, ctx: Context
) -> None:
    orders = await sequenced(world, orders=4)
    begun = await read_events(ctx, None, 3, frozenset({EventType.ORDER_PROCESSING}))
    assert [event.position for event in begun.events] == [5, 6, 7]
    assert (begun.next, begun.more) == (7, True)
    rest = await read_events(ctx, begun.next, 3, frozenset({EventType.ORDER_PROCESSING}))
    assert ([event.position for event in rest.events], rest.next, rest.more) == ([8], 8, False)
    of_one = await read_events(ctx, None, 10, order_id=orders[2].id)
    assert [event.position for event in of_one.events] == [3, 7]
    first = await read_events(ctx, None, 1, order_id=orders[2].id)
    assert ([event.position for event in first.events], first.next, first.more) == ([3], 3, True)
    then = await read_events(
        ctx, 3, 10, frozenset({EventType.ORDER_PROCESSING}), order_id=orders[2].id
    )
    assert ([event.position for event in then.events], then.next, then.more) == ([7], 7, False)
    none = await read_events(ctx, None, 10, frozenset({EventType.ORDER_REFUNDED}))
    assert (none.events, none.next, none.more) == ((), 8, False)


async def test_a_filter_that_little_passes_reads_on_in_bounded_steps(
    world: World, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sequenced(world, orders=4)
    monkeypatch.setattr(reading, "SCAN", 3)
    seen: list[tuple[int, int, bool]] = []
    cursor, more = 0, True
    while more:
        page = await read_events(ctx, cursor, 10, frozenset({EventType.ORDER_PROCESSING}))
        seen.append((len(page.events), page.next, page.more))
        cursor, more = page.next, page.more
    assert seen == [(0, 3, True), (2, 6, True), (2, 8, False)]


async def test_a_store_reads_only_its_own_events(
    world: World, ctx: Context, database: Database, tmp_path: Path
) -> None:
    other = await a_world(database, tmp_path / "other", name="other")
    await other.sells(2)
    await sequenced(world, orders=1)
    page = await read_events(ctx, None, 10)
    theirs = other.context(other.caller(Role.ADMIN))
    assert len(page.events) == 2
    assert (await read_events(theirs, None, 10)).events == ()
    with pytest.raises(Refused) as refused:
        await read_event(theirs, page.events[0].id)
    assert refused.value.reason == EventNotFound(page.events[0].id)


@pytest.mark.parametrize(
    ("role", "tie"),
    [(Role.PARTNER, {"partner_name": "p"}), (Role.CUSTOMER, {"customer_id": CustomerId(5)})],
)
async def test_only_the_store_itself_reads_its_feed(
    world: World, role: Role, tie: dict[str, Any]
) -> None:
    ctx = world.context(world.caller(role, **tie))
    for asking in (read_events(ctx, None, 1), read_event(ctx, EventId(1)), anext(follow(ctx))):
        with pytest.raises(Refused) as refused:
            await asking
        assert isinstance(refused.value.reason, NotPermitted)


async def test_old_events_are_forgotten_from_the_beginning_on(world: World, ctx: Context) -> None:
    await sequenced(world, orders=2)
    [first, *_] = (await read_events(ctx, None, 10)).events
    world.clock.move(days=29)
    await sequenced(world, orders=1)
    assert await forget_events(world.services) == 0
    world.clock.move(days=2)

    assert await forget_events(world.services) == 4

    assert await forget_events(world.services) == 0
    kept = await read_events(ctx, None, 10)
    assert [event.position for event in kept.events] == [5, 6]
    assert (await read_events(ctx, 4, 10)).events == kept.events
    for asking in (read_events(ctx, 3, 10), anext(follow(ctx, 3))):
        with pytest.raises(Refused) as refused:
            await asking
        assert refused.value.reason == EventsForgotten(5)
    with pytest.raises(Refused) as refused:
        await read_event(ctx, first.id)
    assert refused.value.reason == EventNotFound(first.id)
    assert await world.row("select count(*) from outbox where store_id = $1") == (2,)


async def test_a_quiet_store_loses_no_cursor_to_a_busy_one(
    world: World, ctx: Context, database: Database, tmp_path: Path
) -> None:
    busy = await a_world(database, tmp_path / "busy", name="busy")
    await busy.sells(2)
    await sequenced(world, orders=1)
    cursor = (await read_events(ctx, None, 10)).next
    for _ in range(3):
        await busy.placed(wanted(2))
    await sequence(world.services)
    world.clock.move(days=31)
    assert await forget_events(world.services) == 5
    assert (await read_events(ctx, cursor, 10)).next == cursor
    await world.placed()
    await sequence(world.services)
    [event] = (await read_events(ctx, cursor, 10)).events
    assert event.position == 6


async def test_events_of_an_older_release_are_read(world: World, ctx: Context) -> None:
    await sequenced(world, orders=1)
    event = (await read_events(ctx, None, 1)).events[0]
    payload = msgspec.to_builtins(event.order)
    newer = [one.name for one in msgspec.structs.fields(Order) if not one.required]
    for name in newer:
        del payload[name]
    await world.rows(
        "update outbox set payload = $2 where store_id = $1 returning id",
        msgspec.json.encode(payload),
    )
    older = await read_event(ctx, event.id)
    assert older.order.lines == event.order.lines
    assert older.order.word is Word.CREATED
    assert body_of(world.services, world.store, older, "storefront")


def follow(ctx: Context, after: int | None = None) -> AsyncIterator[Event | None]:
    return follow_events(ctx, after)


@pytest.fixture
async def listening(world: World) -> AsyncIterator[None]:
    """As in a process that serves: what is sequenced anywhere is heard here."""
    heard = asyncio.Event()

    def hear(payload: str) -> None:
        heard.set()
        world.services.news.heard(payload)

    async with world.database.listening(EVENTS_SEQUENCED, hear):
        await heard.wait()
        yield


@pytest.fixture
def only_when_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Followers do not look by themselves, nor have to say that they are there."""
    monkeypatch.setattr(reading, "_LOOK_S", 600)
    monkeypatch.setattr(reading, "HEARTBEAT_S", 600)


async def test_a_follower_gets_what_was_there_and_then_what_comes(
    world: World, ctx: Context, listening: None, only_when_woken: None
) -> None:
    await sequenced(world, orders=60)
    async with aclosing(follow_events(ctx, 2)) as following, asyncio.timeout(60):
        assert await anext(following) is None
        there = [await anext(following) for _ in range(118)]
        assert [event.position for event in there if event] == list(range(3, 121))
        coming = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.05)
        assert not coming.done()
        await sequenced(world, orders=1)
        event = await coming
    assert event is not None
    assert (event.position, event.type) == (121, EventType.ORDER_CREATED)


async def test_a_follower_without_a_cursor_begins_with_now(
    world: World, ctx: Context, listening: None, only_when_woken: None
) -> None:
    await sequenced(world, orders=1)
    types = frozenset({EventType.ORDER_PROCESSING})
    async with aclosing(follow_events(ctx, None, types)) as following, asyncio.timeout(60):
        assert await anext(following) is None
        coming = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.05)
        await sequenced(world, orders=1)
        event = await coming
    assert event is not None
    assert (event.position, event.type) == (4, EventType.ORDER_PROCESSING)


async def test_a_follower_of_silence_hears_a_heartbeat(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "HEARTBEAT_S", 0.1)
    async with aclosing(follow_events(ctx, None)) as following, asyncio.timeout(60):
        for _ in range(3):
            assert await anext(following) is None


async def test_a_follower_who_was_never_woken_looks_by_itself(
    world: World, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_LOOK_S", 0.1)
    async with aclosing(follow_events(ctx, 0)) as following, asyncio.timeout(60):
        assert await anext(following) is None
        coming = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.05)
        await sequenced(world, orders=1)
        event = await coming
    assert event is not None
    assert event.position == 1


async def test_only_so_many_follow_in_one_process(
    world: World, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FOLLOWERS_MAX", 1)
    monkeypatch.setattr(reading, "HEARTBEAT_S", 0.01)
    async with aclosing(follow_events(ctx, None)) as following:
        await anext(following)
        with pytest.raises(Refused) as refused:
            await anext(follow_events(ctx, None))
        assert isinstance(refused.value.reason, Overloaded)
    assert world.services.news.followers == 0
    async with aclosing(follow_events(ctx, None)) as following:
        await anext(following)


async def test_a_body_is_the_event_with_the_order_in_a_contracts_words(
    world: World, ctx: Context
) -> None:
    [order] = await sequenced(world, orders=1)
    event = (await read_events(ctx, None, 1)).events[0]
    body = body_of(world.services, world.store, event, "commerce")
    read = msgspec.json.decode(body)
    assert list(read) == ["id", "type", "timestamp", "contract", "orderVersion", "data"]
    assert read["id"] == f"evt_{event.id}"
    assert (read["type"], read["contract"]) == ("order.created", "commerce")
    assert read["timestamp"] == event.at.isoformat().replace("+00:00", "Z")
    assert read["data"]["orderId"] == f"ORD{order.id:09}"
    assert b'"totalAmount":10.00,' in body


@pytest.mark.parametrize("contract", ["basic", "commerce", "marketplace", "partner", "storefront"])
async def test_every_contract_has_words_for_an_order_as_it_was_told(
    world: World, ctx: Context, contract: str
) -> None:
    await sequenced(world, orders=1)
    for event in (await read_events(ctx, None, 10)).events:
        data = msgspec.json.decode(body_of(world.services, world.store, event, contract))["data"]
        assert data["items"]
    assert set(world.services.dialects) == {
        "basic",
        "commerce",
        "marketplace",
        "partner",
        "storefront",
    }
