"""The event feed: page by page, one by one, and live.

A cursor is a position in the store's feed, the same for every filter. In the stream it is each
event's `id`, so that a client that comes back with `Last-Event-ID` misses nothing.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final

import msgspec

from openorders.contracts import kit
from openorders.contracts.kit import Answer, Call, NoSuch, Unreadable
from openorders.contracts.manage import cursors
from openorders.contracts.manage.access import STAFF
from openorders.contracts.manage.event_schemas import (
    EventOut,
    EventQuery,
    EventsOut,
    EventsQuery,
    StreamQuery,
)
from openorders.contracts.manage.ids import EVENT, ORDER
from openorders.domain.events import Event, EventType
from openorders.domain.ids import EventId, OrderId
from openorders.domain.refusals import EventNotFound, EventsForgotten, Overloaded, Refused
from openorders.usecases.event_bodies import body_of
from openorders.usecases.read_events import follow_events, read_event, read_events

EVENTS: Final = "Events"
MEDIA_TYPE: Final = "text/event-stream"

_LAST_SEEN: Final = "Last-Event-ID"
_HEARTBEAT: Final = b": still here\n\n"
_RETRY: Final = b"retry: 2000\n\n"
"""What the stream begins with: how many milliseconds to wait before coming back."""

_EVENT: Final = EventOut(
    id="evt_108",
    type=EventType.ORDER_PAID,
    timestamp=datetime(2026, 11, 21, 15, 28, 24, 125000, tzinfo=UTC),
    contract="partner",
    order_version=2,
    data={"order_id": "OR00042", "status": "paid"},
)
_PAGE: Final = EventsOut(events=[_EVENT], next=kit.write_cursor(cursors.EVENTS, 108), more=False)


@kit.get(
    "/v1/events",
    answers={200: EventsOut},
    summary="What happened",
    answer_example=_PAGE,
    only=STAFF,
    tag=EVENTS,
    refuses=(
        cursors.NO_CURSOR,
        Unreadable("types", "must be event types, separated by commas", "query"),
        EventsForgotten(100),
    ),
)
async def get_events(call: Call, query: EventsQuery) -> Answer:
    """The store's events in order, from the oldest that is kept or after a cursor. Whoever goes
    on from each page's `next` skips nothing and reads nothing twice, however many orders change
    meanwhile; per order, the events follow its versions.

    At the end, `next` is where to ask again; `/v1/events/stream` tells without being asked.
    """
    page = await read_events(
        call.context,
        cursors.after(cursors.EVENTS, query.after),
        query.limit,
        _types(query.types),
        _order(query.order),
    )
    cursor = kit.write_cursor(cursors.EVENTS, page.next)
    body = {
        "events": [msgspec.Raw(_body(call, event, query.contract)) for event in page.events],
        "next": cursor,
        "more": page.more,
    }
    return kit.answer(200, body, headers=(cursors.links(call, cursor if page.more else None),))


@kit.get(
    "/v1/events/stream",
    answers={200: kit.File((MEDIA_TYPE,))},
    summary="What happens, live",
    only=STAFF,
    tag=EVENTS,
    reads={_LAST_SEEN: "The `id` of the last event that was seen: the stream goes on after it."},
    refuses=(
        cursors.NO_CURSOR,
        Unreadable(_LAST_SEEN, "is not a cursor of this list", "header"),
        EventsForgotten(100),
        Overloaded(5),
    ),
)
async def stream_events(call: Call, query: StreamQuery) -> kit.Stream:
    """The same events as they come, as Server-Sent Events: `id` is the cursor, `event` the type,
    `data` what `/v1/events` would hold. A comment every 15 seconds shows that the line is open. A
    client that was cut off comes back with `Last-Event-ID` (browsers do so by themselves) and
    misses nothing.
    """
    after = _begin_after(call, query.after)
    types = _types(query.types)
    return kit.Stream(MEDIA_TYPE, None, _told(call, after, types, query.contract), live=True)


@kit.get(
    "/v1/events/{event_id}",
    answers={200: EventOut},
    summary="One event",
    answer_example=_EVENT,
    path_examples={"event_id": "evt_108"},
    only=STAFF,
    tag=EVENTS,
    refuses=(EventNotFound(EventId(999)), NoSuch("event", "evt_07")),
)
async def get_event(call: Call, event_id: str, query: EventQuery) -> Answer:
    """One event, as long as events are kept."""
    event = await read_event(call.context, EventId(EVENT.parse(event_id)))
    return Answer(status=200, body=_body(call, event, query.contract))


def _body(call: Call, event: Event, contract: str) -> bytes:
    return body_of(call.services, call.context.store, event, contract)


def _types(text: str | None) -> frozenset[EventType] | None:
    if text is None:
        return None
    try:
        return frozenset(EventType(one) for one in text.split(","))
    except ValueError:
        raise Unreadable("types", "must be event types, separated by commas", "query") from None


def _order(text: str | None) -> OrderId | None:
    if text is None:
        return None
    try:
        return OrderId(ORDER.parse(text))
    except NoSuch:
        raise Unreadable("order", "must be an order like order_42", "query") from None


def _begin_after(call: Call, after: str | None) -> int | None:
    seen = call.header(_LAST_SEEN)
    if seen:
        return kit.read_cursor(cursors.EVENTS, seen, _LAST_SEEN, "header")
    return cursors.after(cursors.EVENTS, after)


async def _still_may(call: Call) -> bool:
    """A key that was revoked meanwhile hears no more."""
    try:
        await call.admit_again()
    except Refused:
        return False
    return True


async def _told(
    call: Call, after: int | None, types: frozenset[EventType] | None, contract: str
) -> AsyncIterator[bytes]:
    silence = _RETRY
    async with aclosing(follow_events(call.context, after, types)) as following:
        async for event in following:
            if not await _still_may(call):
                return
            if event is None:
                yield silence
                silence = _HEARTBEAT
                continue
            cursor = kit.write_cursor(cursors.EVENTS, event.position)
            head = f"id: {cursor}\nevent: {event.type}\ndata: ".encode()
            yield head + _body(call, event, contract) + b"\n\n"
