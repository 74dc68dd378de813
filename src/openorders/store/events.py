"""The feed of events: the outbox in the order of positions, which the sequencer gives."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from openorders.domain.events import Event, EventType
from openorders.domain.ids import EventId, OrderId, StoreId
from openorders.domain.order import Order
from openorders.store import queries
from openorders.store.database import Connection

NAMED_STORES_MAX: Final = 200
"""Of more stores than this, a notification names none: it has little room."""

_Q = queries.load("events")
_orders = msgspec.json.Decoder(Order)


class Given(Struct, frozen=True, kw_only=True):
    """What one step of the sequencer gave: positions from `first` to `last`, without a hole."""

    count: int
    first: int
    last: int


class Aged(Struct, frozen=True):
    """An event that is no longer to be kept."""

    store_id: StoreId
    position: int
    event_id: EventId


class Looked(Struct, frozen=True, kw_only=True):
    """Events after a position. `looked` positions up to `to` were looked at for them; those up to
    `forgotten` are no longer kept.
    """

    events: tuple[Event, ...]
    looked: int
    to: int
    forgotten: int


async def has_news(connection: Connection) -> bool:
    """Whether a step of the sequencer would do anything. Costs a few looks into an index."""
    return bool(await _Q.has_news.fetchval(connection))


async def give_positions(tx: Connection, *, limit: int) -> Given | None:
    """Give positions to what was committed and has none, at most `limit`.

    In the transaction that is given, which must not have read the cursor before. Whoever waits
    for events is woken when it commits. None: somebody else is at it.
    """
    if await _Q.take_cursor.fetchval(tx) is None:
        return None
    row = await _Q.give_positions.fetchrow(tx, limit=limit, named=NAMED_STORES_MAX)
    assert row is not None, "the cursor is never deleted"
    return Given(
        count=row["events"],
        first=row["first"],
        last=row["last"],
    )


async def await_step(connection: Connection) -> None:
    """Wait for the step that is under way, if one is: later ones see what is committed now. On a
    connection without a transaction, which would keep the sequencers from their steps.
    """
    await _Q.await_step.execute(connection)


async def read(
    connection: Connection,
    store_id: StoreId,
    *,
    after: int,
    limit: int,
    scan: int,
    types: frozenset[EventType] | None = None,
    order_id: OrderId | None = None,
) -> Looked:
    """A store's next events after a position, oldest first, of at most `scan` looked at."""
    *rows, end = await _Q.read_events.fetch(
        connection,
        store_id=store_id,
        after=after,
        limit=limit,
        scan=scan,
        types=None if types is None else [one.value for one in types],
        order_id=order_id,
    )
    return Looked(
        events=tuple(event_of(row) for row in rows),
        looked=end["looked"],
        to=end["position"],
        forgotten=end["forgotten"] or 0,
    )


async def read_one(connection: Connection, store_id: StoreId, event_id: EventId) -> Event | None:
    """The event of that id; None also while it has no position."""
    row = await _Q.read_event.fetchrow(connection, store_id=store_id, event_id=event_id)
    return None if row is None else event_of(row)


async def ends(connection: Connection, store_id: StoreId) -> tuple[int, int]:
    """Up to which position a store's events are no longer kept, and its last position; 0: none."""
    row = await _Q.ends.fetchrow(connection, store_id=store_id)
    assert row is not None, "a row of one always comes"
    return row["first"], row["last"]


async def find_aged(tx: Connection, before: datetime, *, limit: int) -> tuple[Aged, ...]:
    """The oldest events of all stores that happened before a time: in each store's feed, those
    ahead of the first that did not.
    """
    rows = await _Q.find_aged.fetch(tx, before=before, limit=limit)
    return tuple(
        Aged(StoreId(row["store_id"]), row["position"], EventId(row["event_id"])) for row in rows
    )


async def forget(tx: Connection, aged: Sequence[Aged]) -> None:
    """Delete events with their positions, and remember up to where each store's are gone."""
    await _Q.forget.execute(
        tx,
        store_ids=[one.store_id for one in aged],
        positions=[one.position for one in aged],
        event_ids=[one.event_id for one in aged],
    )


def order_as_told(payload: bytes) -> Order:
    """The order that an event was written with, also by an older release."""
    return _orders.decode(payload)


def event_of(row: Any) -> Event:  # noqa: ANN401 - a row of the driver
    """The event of a row with `position`, and `id`, `type`, `at`, `order_id`, `version` and
    `payload` of the outbox.
    """
    at: datetime = row["at"]
    return Event(
        id=EventId(row["id"]),
        type=EventType(row["type"]),
        at=at,
        order_id=OrderId(row["order_id"]),
        version=row["version"],
        position=row["position"],
        order=order_as_told(row["payload"]),
    )
