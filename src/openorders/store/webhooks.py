"""What endpoints are to be told: queueing, replaying, reading and forgetting it.

Who tells it is in `store/webhook_lanes.py`, the endpoints are in `store/webhook_endpoints.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from asyncpg import Record
from msgspec import Struct

from openorders.domain.events import EventType
from openorders.domain.ids import EndpointId, EventId, OrderId, StoreId
from openorders.domain.webhooks import Attempt, Delivery, DeliveryState
from openorders.store import queries
from openorders.store.database import Connection

DELIVERIES_QUEUED: Final = "openorders_deliveries"
"""The channel on which whoever delivers is woken."""

FORGET_LIMIT: Final = 5_000
"""How many rows of each kind one call forgets."""

_LAST_POSITION: Final = 2**63 - 1

_Q = queries.load("webhooks")
_Q_ENDPOINTS = queries.load("webhook_endpoints")


class Replayed(Struct, frozen=True, kw_only=True):
    """How many events were queued, how many were looked at, and the last position looked at."""

    queued: int
    looked: int
    last: int | None


async def fan_out(connection: Connection, first_position: int, last_position: int) -> int:
    """Queue events for the endpoints that want them, in the transaction that gave the events
    their positions. Returns how many lanes have something new.
    """
    return await _Q.fan_out.fetchval(
        connection, first_position=first_position, last_position=last_position
    )


async def hold_events(connection: Connection, store_id: StoreId) -> None:
    """None of the store's events is forgotten until the transaction ends: a replay that did not
    hold them before it looks for them could queue some that are gone when it commits.
    """
    if await _Q.share_horizon.fetchval(connection, store_id=store_id) is None:
        await _Q.hold_horizons.execute(connection, store_ids=[store_id])


async def replay(
    connection: Connection,
    store_id: StoreId,
    endpoint_id: EndpointId,
    *,
    after: int,
    until: int | None,
    limit: int,
    any_type: bool = False,
    missed_only: bool = False,
) -> Replayed:
    """Queue the events of a part of the feed again, also those that were never queued, after
    `hold_events`.
    """
    row = await _Q.replay.fetchrow(
        connection,
        store_id=store_id,
        endpoint_id=endpoint_id,
        after=after,
        until=_LAST_POSITION if until is None else until,
        limit=limit,
        any_type=any_type,
        missed_only=missed_only,
    )
    assert row is not None, "a count is always answered"
    if row["queued"]:
        await _Q_ENDPOINTS.wake.execute(connection)
    return Replayed(queued=row["queued"], looked=row["looked"], last=row["last"])


async def place_of(
    connection: Connection, store_id: StoreId, event_id: EventId
) -> tuple[int, OrderId] | None:
    """An event's position in the feed and its order, while it is kept."""
    row = await _Q.position_of.fetchrow(connection, store_id=store_id, event_id=event_id)
    return None if row is None else (row["position"], OrderId(row["order_id"]))


async def page(
    connection: Connection,
    store_id: StoreId,
    endpoint_id: EndpointId,
    *,
    below: int | None,
    limit: int,
    state: DeliveryState | None,
) -> tuple[Delivery, ...]:
    """What an endpoint was to be told, the newest first."""
    rows = await _Q.list_deliveries.fetch(
        connection,
        store_id=store_id,
        endpoint_id=endpoint_id,
        first=0,
        below=_LAST_POSITION if below is None else below,
        state=None if state is None else state.value,
        limit=limit,
    )
    return tuple(_delivery_of(row) for row in rows)


async def read(
    connection: Connection, store_id: StoreId, endpoint_id: EndpointId, position: int
) -> Delivery | None:
    """What became of one event at one endpoint."""
    row = await _Q.list_deliveries.fetchrow(
        connection,
        store_id=store_id,
        endpoint_id=endpoint_id,
        first=position,
        below=position + 1,
        state=None,
        limit=1,
    )
    return None if row is None else _delivery_of(row)


async def attempts(
    connection: Connection,
    store_id: StoreId,
    endpoint_id: EndpointId,
    position: int,
    limit: int,
) -> tuple[Attempt, ...]:
    """The last tries, oldest of them first."""
    rows = await _Q.list_attempts.fetch(
        connection, store_id=store_id, endpoint_id=endpoint_id, position=position, limit=limit
    )
    return tuple(Attempt(**dict(row)) for row in reversed(rows))


async def forget(
    connection: Connection, store_ids: Sequence[StoreId], event_ids: Sequence[EventId]
) -> int:
    """Forget what was told of events (parallel lists), in the transaction that forgets them and
    before their positions are gone. Returns how many deliveries that were.
    """
    await _Q.hold_horizons.execute(connection, store_ids=sorted(set(store_ids)))
    which = {"store_ids": list(store_ids), "event_ids": list(event_ids)}
    forgotten = await _Q.forget_events.fetchval(connection, **which)
    await _Q.forget_attempts.execute(connection, **which)
    return forgotten


async def forget_removed(connection: Connection, before: datetime) -> int:
    """Forget some of what is left of endpoints removed before a time. How much that was: call
    again until it is nothing.
    """
    forgotten = await _Q.forget_removed.fetchval(connection, before=before, limit=FORGET_LIMIT)
    if not forgotten:
        await _Q.forget_endpoints.execute(connection, before=before)
    return forgotten


def _delivery_of(row: Record) -> Delivery:
    return Delivery(
        event_id=EventId(row["event_id"]),
        type=EventType(row["type"]),
        order_id=OrderId(row["order_id"]),
        position=row["position"],
        at=row["at"],
        state=DeliveryState(row["state"]),
        tries=row["tries"],
        ended_at=row["ended_at"],
        next_try_at=row["next_try_at"],
    )
