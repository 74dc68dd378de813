"""The operations on webhook endpoints and on what was delivered to them."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from openorders.contracts import kit
from openorders.contracts.kit import Answer, Call, NoSuch, Unreadable
from openorders.contracts.manage import cursors
from openorders.contracts.manage import webhook_translate as translate
from openorders.contracts.manage.access import ADMIN
from openorders.contracts.manage.ids import ENDPOINT, EVENT
from openorders.contracts.manage.schemas import PageQuery
from openorders.contracts.manage.webhook_schemas import (
    AttemptOut,
    DeliveriesOut,
    DeliveriesQuery,
    DeliveryOut,
    EndpointChange,
    EndpointIn,
    EndpointOut,
    EndpointsOut,
    FullDeliveryOut,
    NewEndpointOut,
    ReplayedOut,
    ReplayIn,
    RotateIn,
)
from openorders.domain.events import EventType
from openorders.domain.ids import EndpointId, EventId
from openorders.domain.refusals import (
    DeliveryNotFound,
    EndpointIsOff,
    EndpointNotFound,
    EndpointUrlRefused,
    EventNotFound,
    TooManyEndpoints,
    UnknownContract,
)
from openorders.domain.webhooks import DeliveryState
from openorders.usecases.answers import repeatable
from openorders.usecases.webhook_deliveries import (
    list_deliveries,
    read_delivery,
    replay_one,
    replay_range,
)
from openorders.usecases.webhook_endpoints import (
    ENDPOINTS_MAX,
    Created,
    change_endpoint,
    create_endpoint,
    list_endpoints,
    read_endpoint,
    remove_endpoint,
    rotate_secret,
)

_TAG: Final = "Webhooks"
_ENDPOINT_ID: Final = {"endpoint_id": "we_3"}
_DELIVERY_ID: Final = {"endpoint_id": "we_3", "event_id": "evt_108"}
_NO_ENDPOINT: Final = (EndpointNotFound(EndpointId(999)), NoSuch("webhook endpoint", "we_07"))
_NO_EVENT: Final = NoSuch("event", "evt_07")
_BAD_URL: Final = EndpointUrlRefused("localhost leads to 127.0.0.1, which is not public.")
_OFF: Final = EndpointIsOff(EndpointId(3))


def _at(minute: int) -> datetime:
    return datetime(2026, 11, 21, 15, minute, tzinfo=UTC)


_ENDPOINT: Final = EndpointOut(
    id="we_3",
    url="https://warehouse.example/hooks",
    contract="partner",
    types=[EventType.ORDER_PAID, EventType.ORDER_CANCELLED],
    label="warehouse",
    state="active",
    off_reason=None,
    off_at=None,
    missed_after=None,
    failures=0,
    failing_since=None,
    paused_until=None,
    created_at=_at(20),
    updated_at=_at(20),
)
_NEW: Final = NewEndpointOut(
    **msgspec.structs.asdict(_ENDPOINT),
    secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",  # noqa: S106 - an example
)
_DELIVERY: Final = DeliveryOut(
    event_id="evt_108",
    type=EventType.ORDER_PAID,
    order_id="order_42",
    at=_at(28),
    state="delivered",
    tries=1,
    next_try_at=None,
    ended_at=_at(28),
)
_FULL_DELIVERY: Final = FullDeliveryOut(
    **msgspec.structs.asdict(_DELIVERY),
    attempts=[AttemptOut(at=_at(28), status=204, took_ms=31, answer="", failure=None)],
)


@kit.get(
    "/v1/webhook-endpoints",
    answers={200: EndpointsOut},
    summary="List endpoints",
    answer_example=EndpointsOut(webhook_endpoints=[_ENDPOINT], next=None),
    only=ADMIN,
    tag=_TAG,
    refuses=(cursors.NO_CURSOR,),
)
async def get_endpoints(call: Call, query: PageQuery) -> Answer:
    """The store's webhook endpoints, oldest first."""
    after = cursors.after("endpoints", query.after)
    found = await list_endpoints(
        call.context, None if after is None else EndpointId(after), query.limit + 1
    )
    page = cursors.page_of(call, "endpoints", found, query.limit, lambda one: one.id)
    shown = [translate.endpoint_out(one) for one in page.entries]
    body = EndpointsOut(webhook_endpoints=shown, next=page.next)
    return kit.answer(200, body, headers=page.headers)


@kit.post(
    "/v1/webhook-endpoints",
    answers={201: NewEndpointOut},
    summary="Make an endpoint",
    example={
        "url": "https://warehouse.example/hooks",
        "contract": "partner",
        "types": ["order.paid", "order.cancelled"],
        "label": "warehouse",
    },
    answer_example=_NEW,
    only=ADMIN,
    tag=_TAG,
    refuses=(
        Unreadable("types[0]", "is not one of the values that are allowed"),
        _BAD_URL,
        UnknownContract("wholesale"),
        TooManyEndpoints(ENDPOINTS_MAX),
    ),
)
async def post_endpoint(call: Call, data: EndpointIn) -> Answer:
    """Have events sent to a URL from now on, signed as Standard Webhooks are. The secret is in
    this answer only.
    """
    return await create_endpoint(call.context, translate.to_endpoint(data), call.reply(_created))


@kit.get(
    "/v1/webhook-endpoints/{endpoint_id}",
    answers={200: EndpointOut},
    summary="One endpoint",
    answer_example=_ENDPOINT,
    path_examples=_ENDPOINT_ID,
    only=ADMIN,
    tag=_TAG,
    refuses=_NO_ENDPOINT,
)
async def get_endpoint(call: Call, endpoint_id: str) -> Answer:
    """An endpoint and how it fares; never its secret."""
    found = await read_endpoint(call.context, EndpointId(ENDPOINT.parse(endpoint_id)))
    return kit.answer(200, translate.endpoint_out(found))


@kit.patch(
    "/v1/webhook-endpoints/{endpoint_id}",
    answers={200: EndpointOut},
    summary="Change an endpoint",
    examples={
        "other types": {"types": ["order.shipped"]},
        "switch off": {"enabled": False},
        "switch on": {"enabled": True},
    },
    answer_example=_ENDPOINT,
    path_examples=_ENDPOINT_ID,
    only=ADMIN,
    tag=_TAG,
    refuses=(*_NO_ENDPOINT, Unreadable("body", "must have something to change"), _BAD_URL),
)
async def patch_endpoint(call: Call, endpoint_id: str, data: EndpointChange) -> Answer:
    """Change what is sent and where, or switch the endpoint on or off. One that is switched on
    starts afresh, with what waited for it; what happened while it was off is replayed from
    `missedAfter` on request.
    """
    number, changes = EndpointId(ENDPOINT.parse(endpoint_id)), translate.to_changes(data)
    return await repeatable(
        call.context,
        call.reply(lambda changed: kit.answer(200, translate.endpoint_out(changed))),
        lambda: change_endpoint(call.context, number, changes),
    )


@kit.delete(
    "/v1/webhook-endpoints/{endpoint_id}",
    answers={204: None},
    summary="Remove an endpoint",
    path_examples=_ENDPOINT_ID,
    only=ADMIN,
    tag=_TAG,
    refuses=_NO_ENDPOINT,
)
async def delete_endpoint(call: Call, endpoint_id: str) -> Answer:
    """Nothing more is sent to it, and what waits for it is dropped."""
    number = EndpointId(ENDPOINT.parse(endpoint_id))
    return await repeatable(
        call.context,
        call.reply(lambda _: kit.no_content()),
        lambda: remove_endpoint(call.context, number),
    )


@kit.post(
    "/v1/webhook-endpoints/{endpoint_id}/rotate-secret",
    answers={200: NewEndpointOut},
    summary="Make a new secret",
    example={"keepOldHours": 24},
    answer_example=_NEW,
    path_examples=_ENDPOINT_ID,
    only=ADMIN,
    tag=_TAG,
    refuses=_NO_ENDPOINT,
)
async def rotate(call: Call, endpoint_id: str, data: RotateIn | None) -> Answer:
    """Sign with a new secret from now on; for a while with the old one too, so that receivers can
    change over without losing a message.
    """
    keep = timedelta(hours=(data or RotateIn()).keep_old_hours)
    number = EndpointId(ENDPOINT.parse(endpoint_id))
    return await rotate_secret(
        call.context,
        number,
        keep,
        call.reply(lambda created: kit.answer(200, translate.new_endpoint_out(created))),
    )


@kit.get(
    "/v1/webhook-endpoints/{endpoint_id}/deliveries",
    answers={200: DeliveriesOut},
    summary="What an endpoint was told",
    answer_example=DeliveriesOut(deliveries=[_DELIVERY], next=None),
    path_examples=_ENDPOINT_ID,
    only=ADMIN,
    tag=_TAG,
    refuses=(*_NO_ENDPOINT, cursors.NO_CURSOR),
)
async def get_deliveries(call: Call, endpoint_id: str, query: DeliveriesQuery) -> Answer:
    """What the endpoint was, or is to be, told of: newest first."""
    number = EndpointId(ENDPOINT.parse(endpoint_id))
    place = cursors.of("deliveries", number, query.state)
    found = await list_deliveries(
        call.context,
        number,
        cursors.after(place, query.after),
        query.limit + 1,
        None if query.state is None else DeliveryState(query.state),
    )
    page = cursors.page_of(call, place, found, query.limit, lambda one: one.position)
    shown = [translate.delivery_out(one) for one in page.entries]
    return kit.answer(200, DeliveriesOut(deliveries=shown, next=page.next), headers=page.headers)


@kit.get(
    "/v1/webhook-endpoints/{endpoint_id}/deliveries/{event_id}",
    answers={200: FullDeliveryOut},
    summary="One delivery with its tries",
    answer_example=_FULL_DELIVERY,
    path_examples=_DELIVERY_ID,
    only=ADMIN,
    tag=_TAG,
    refuses=(*_NO_ENDPOINT, _NO_EVENT, DeliveryNotFound(EndpointId(3), EventId(999))),
)
async def get_delivery(call: Call, endpoint_id: str, event_id: str) -> Answer:
    """What became of one event at the endpoint: every try, with the beginning of its answer."""
    endpoint, event = EndpointId(ENDPOINT.parse(endpoint_id)), EventId(EVENT.parse(event_id))
    found = await read_delivery(call.context, endpoint, event)
    return kit.answer(200, translate.full_delivery_out(found))


@kit.post(
    "/v1/webhook-endpoints/{endpoint_id}/deliveries/{event_id}/replay",
    answers={202: DeliveryOut},
    summary="Tell an endpoint of an event again",
    answer_example=msgspec.structs.replace(_DELIVERY, state="waiting", ended_at=None),
    path_examples=_DELIVERY_ID,
    only=ADMIN,
    tag=_TAG,
    refuses=(*_NO_ENDPOINT, _NO_EVENT, EventNotFound(EventId(999)), _OFF),
)
async def replay_delivery(call: Call, endpoint_id: str, event_id: str) -> Answer:
    """Send an event again, or now if it is still waiting; also one that was never meant for the
    endpoint.
    """
    endpoint, event = EndpointId(ENDPOINT.parse(endpoint_id)), EventId(EVENT.parse(event_id))
    return await repeatable(
        call.context,
        call.reply(lambda delivery: kit.answer(202, translate.delivery_out(delivery))),
        lambda: replay_one(call.context, endpoint, event),
    )


@kit.post(
    "/v1/webhook-endpoints/{endpoint_id}/replay",
    answers={202: ReplayedOut},
    summary="Tell an endpoint a part of the feed again",
    example={"missedOnly": True},
    answer_example=ReplayedOut(queued=12, next=kit.write_cursor(cursors.EVENTS, 108), more=False),
    path_examples=_ENDPOINT_ID,
    only=ADMIN,
    tag=_TAG,
    refuses=(
        *_NO_ENDPOINT,
        Unreadable("after", "is not a cursor of this list with these filters"),
        _OFF,
    ),
)
async def replay(call: Call, endpoint_id: str, data: ReplayIn) -> Answer:
    """Send what the feed holds after one cursor and up to another, of the types that the endpoint
    wants, in the feed's order. While there is `more`, go on after `next`.
    """
    number = EndpointId(ENDPOINT.parse(endpoint_id))
    after = 0 if data.after is None else _position(data.after, "after")
    until = None if data.until is None else _position(data.until, "until")
    return await repeatable(
        call.context,
        call.reply(lambda replayed: kit.answer(202, translate.replayed_out(replayed))),
        lambda: replay_range(call.context, number, after, until, missed_only=data.missed_only),
    )


def _position(cursor: str, field: str) -> int:
    return kit.read_cursor(cursors.EVENTS, cursor, field, "body")


def _created(created: Created) -> Answer:
    return kit.answer(201, translate.new_endpoint_out(created))
