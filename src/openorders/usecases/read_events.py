"""Read the feed of a store's events: page by page, one by its id, or live.

A cursor is the position of the last event that was read. Positions are given once and in order,
so who goes on from the cursor of each page skips nothing and reads nothing twice.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

from msgspec import Struct

from openorders.domain.access import Role
from openorders.domain.events import Event, EventType
from openorders.domain.ids import EventId, OrderId
from openorders.domain.refusals import (
    EventNotFound,
    EventsForgotten,
    NotPermitted,
    Overloaded,
    Refused,
)
from openorders.store import events
from openorders.usecases.context import Context

EVENTS_LIMIT_MAX: Final = 500

SCAN: Final = 5_000
"""How many positions one page looks at for events of the wanted types."""

FOLLOWERS_MAX: Final = 50
"""How many may follow in one process at the same time."""

HEARTBEAT_S: Final = 15.0
"""How long a live stream may be silent."""

_LOOK_S: Final = 5.0
"""How often a stream looks without being woken, as a net."""

_STREAM_PAGE: Final = 100


class EventPage(Struct, frozen=True, kw_only=True):
    """Events, oldest first, and the cursor to go on from.

    With types a page may be short or empty and there may yet be more: `SCAN` positions are looked
    at per page, and `next` is behind them.
    """

    events: tuple[Event, ...]
    next: int
    more: bool


async def read_events(
    ctx: Context,
    after: int | None,
    limit: int,
    types: frozenset[EventType] | None = None,
    order_id: OrderId | None = None,
) -> EventPage:
    """The store's events after a cursor; None begins with the oldest that is kept.

    Refuses with `EventsForgotten` when events right after the cursor are no longer kept.
    """
    _require_reader(ctx)
    limit = min(limit, EVENTS_LIMIT_MAX)
    scan = limit if types is None else SCAN
    async with ctx.services.database.connection() as connection:
        looked = await events.read(
            connection,
            ctx.store_id,
            after=after or 0,
            limit=limit,
            scan=scan,
            types=types,
            order_id=order_id,
        )
    if after is not None and after < looked.forgotten:
        raise Refused(EventsForgotten(looked.forgotten + 1))
    if len(looked.events) == limit:
        return EventPage(events=looked.events, next=looked.events[-1].position, more=True)
    return EventPage(events=looked.events, next=looked.to, more=looked.looked == scan)


async def read_event(ctx: Context, event_id: EventId) -> Event:
    """One event. Refuses with `EventNotFound`."""
    _require_reader(ctx)
    async with ctx.services.database.connection() as connection:
        event = await events.read_one(connection, ctx.store_id, event_id)
    if event is None:
        raise Refused(EventNotFound(event_id))
    return event


async def follow_events(
    ctx: Context, after: int | None, types: frozenset[EventType] | None = None
) -> AsyncGenerator[Event | None, None]:
    """The store's events after a cursor, and on and on as they come; None begins with now.

    Gives None at once, from when on nothing is missed, and after `HEARTBEAT_S` without an event.
    Refuses before that: with `EventsForgotten`, and with `Overloaded` when too many follow already.
    """
    _require_reader(ctx)
    news = ctx.services.news
    if news.followers >= FOLLOWERS_MAX:
        raise Refused(Overloaded(5))
    with news.following(ctx.store_id) as woken:
        cursor = await _now(ctx) if after is None else after
        clock = asyncio.get_running_loop().time
        page = await read_events(ctx, cursor, _STREAM_PAGE, types)
        yield None
        spoke = clock()
        while True:
            for event in page.events:
                yield event
                spoke = clock()
            if not page.more:
                if clock() - spoke >= HEARTBEAT_S:
                    yield None
                    spoke = clock()
                await _rest(woken, min(_LOOK_S, HEARTBEAT_S - (clock() - spoke)))
            woken.clear()
            page = await read_events(ctx, page.next, _STREAM_PAGE, types)


async def _now(ctx: Context) -> int:
    async with ctx.services.database.connection() as connection:
        forgotten, last = await events.ends(connection, ctx.store_id)
    return max(forgotten, last)


async def _rest(woken: asyncio.Event, longest_s: float) -> None:
    """Wait for news. Under load the sequencer gives them in batches already."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(longest_s, 0)):
            await woken.wait()


def _require_reader(ctx: Context) -> None:
    if ctx.caller.role not in (Role.ADMIN, Role.SERVICE):
        raise Refused(NotPermitted("read the events of the store"))
