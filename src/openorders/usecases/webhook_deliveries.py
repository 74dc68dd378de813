"""Read what endpoints were told, and tell them again: one event, or a part of the feed."""

from typing import Final

from msgspec import Struct

from openorders.domain.access import Role
from openorders.domain.ids import EndpointId, EventId, OrderId
from openorders.domain.refusals import (
    DeliveryNotFound,
    EndpointIsOff,
    EndpointNotFound,
    EventNotFound,
    Refused,
)
from openorders.domain.webhooks import Attempt, Delivery, DeliveryState, Endpoint, EndpointState
from openorders.store import events, webhook_endpoints, webhooks
from openorders.store.database import Connection
from openorders.usecases.context import Context

DELIVERIES_PAGE_MAX: Final = 200
ATTEMPTS_SHOWN: Final = 100
REPLAY_MAX: Final = 10_000
"""How many positions of the feed one replay looks at; the answer says where to go on."""


class DeliveryWithAttempts(Struct, frozen=True, kw_only=True):
    """A delivery and its last tries, the newest last."""

    delivery: Delivery
    attempts: tuple[Attempt, ...]


class Replayed(Struct, frozen=True, kw_only=True):
    """How many events were queued. While there is `more`, go on after `next`."""

    queued: int
    next: int
    more: bool


async def list_deliveries(
    ctx: Context,
    endpoint_id: EndpointId,
    after: int | None,
    limit: int,
    state: DeliveryState | None = None,
) -> tuple[Delivery, ...]:
    """What an endpoint was to be told, newest first; `after` is the position of the last one of
    the page before. Refuses with `EndpointNotFound`.
    """
    async with ctx.services.database.connection() as connection:
        await _endpoint(connection, ctx, endpoint_id)
        return await webhooks.page(
            connection,
            ctx.store_id,
            endpoint_id,
            below=after,
            limit=min(limit, DELIVERIES_PAGE_MAX),
            state=state,
        )


async def read_delivery(
    ctx: Context, endpoint_id: EndpointId, event_id: EventId
) -> DeliveryWithAttempts:
    """What became of one event. Refuses with `EndpointNotFound` and `DeliveryNotFound`."""
    async with ctx.services.database.connection() as connection:
        await _endpoint(connection, ctx, endpoint_id)
        place = await webhooks.place_of(connection, ctx.store_id, event_id)
        if place is None:
            raise Refused(DeliveryNotFound(endpoint_id, event_id))
        position, _ = place
        delivery = await webhooks.read(connection, ctx.store_id, endpoint_id, position)
        if delivery is None:
            raise Refused(DeliveryNotFound(endpoint_id, event_id))
        attempts = await webhooks.attempts(
            connection, ctx.store_id, endpoint_id, position, ATTEMPTS_SHOWN
        )
    return DeliveryWithAttempts(delivery=delivery, attempts=attempts)


async def replay_one(ctx: Context, endpoint_id: EndpointId, event_id: EventId) -> Delivery:
    """Tell an endpoint of one event again, or now if it is still waiting; also of one that was
    never meant for it. Refuses with `EndpointNotFound`, `EndpointIsOff` and `EventNotFound`.
    """

    async def work(tx: Connection) -> Delivery:
        await _endpoint_that_is_on(tx, ctx, endpoint_id)
        place = await webhooks.place_of(tx, ctx.store_id, event_id)
        if place is None:
            raise Refused(EventNotFound(event_id))
        return await _replay(tx, ctx, endpoint_id, *place)

    return await ctx.services.database.run(work)


async def replay_range(
    ctx: Context,
    endpoint_id: EndpointId,
    after_position: int,
    until_position: int | None = None,
    limit: int = REPLAY_MAX,
    *,
    missed_only: bool = False,
) -> Replayed:
    """Tell an endpoint again what the feed holds after one position and up to another, of the
    types it wants, in the feed's order. `missed_only` leaves out what it has taken already.

    What waits already goes on waiting. Refuses with `EndpointNotFound` and `EndpointIsOff`.
    """
    ctx.caller.require(Role.ADMIN, to="manage webhooks")
    limit = max(1, min(limit, REPLAY_MAX))
    await _await_step(ctx)

    async def work(tx: Connection) -> Replayed:
        await _endpoint_that_is_on(tx, ctx, endpoint_id)
        found = await webhooks.replay(
            tx,
            ctx.store_id,
            endpoint_id,
            after=after_position,
            until=until_position,
            limit=limit,
            missed_only=missed_only,
        )
        last = after_position if found.last is None else found.last
        return Replayed(queued=found.queued, next=last, more=found.looked == limit)

    return await ctx.services.database.run(work)


async def _await_step(ctx: Context) -> None:
    """A step that began before the endpoint became what it is queues nothing for it, and what it
    gives positions to is not in the feed yet: a replay would miss that for good.
    """
    async with ctx.services.database.connection() as connection:
        await events.await_step(connection)
    ctx.services.bell.ring()  # a sequencer that came at that very moment has skipped its turn


async def _replay(
    tx: Connection, ctx: Context, endpoint_id: EndpointId, position: int, order_id: OrderId
) -> Delivery:
    await webhooks.replay(
        tx,
        ctx.store_id,
        endpoint_id,
        after=position - 1,
        until=position,
        limit=1,
        any_type=True,
    )
    await webhook_endpoints.hurry(tx, ctx.store_id, endpoint_id, order_id)
    delivery = await webhooks.read(tx, ctx.store_id, endpoint_id, position)
    assert delivery is not None, "it was queued just now"
    return delivery


async def _endpoint(connection: Connection, ctx: Context, endpoint_id: EndpointId) -> Endpoint:
    ctx.caller.require(Role.ADMIN, to="manage webhooks")
    found = await webhook_endpoints.read(connection, ctx.store_id, endpoint_id)
    if found is None:
        raise Refused(EndpointNotFound(endpoint_id))
    return found


async def _endpoint_that_is_on(tx: Connection, ctx: Context, endpoint_id: EndpointId) -> None:
    """The endpoint is held, so that it is not switched off or removed in between, and so are the
    events that it is to be told.
    """
    ctx.caller.require(Role.ADMIN, to="manage webhooks")
    found = await webhook_endpoints.lock(tx, ctx.store_id, endpoint_id)
    if found is None:
        raise Refused(EndpointNotFound(endpoint_id))
    if found.state is not EndpointState.ACTIVE:
        raise Refused(EndpointIsOff(endpoint_id))
    await webhooks.hold_events(tx, ctx.store_id)
