"""Webhook endpoints and what was delivered to them, as the management API shows them."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from openorders.contracts.manage.event_schemas import ContractWord
from openorders.contracts.manage.schemas import After, Limit, Next, Sent, Shown
from openorders.domain.events import EventType

DeliveryWord = Literal["waiting", "delivered", "failed"]

_Url = Annotated[str, Meta(min_length=1, max_length=2000, description="Where events are sent.")]
_Contract = Annotated[
    ContractWord, Meta(description="In whose words the events' orders are written.")
]
_Types = Annotated[
    Annotated[list[EventType], Meta(min_length=1, max_length=100)] | None,
    Meta(description="Only events of these types."),
]
_Label = Annotated[
    Annotated[str, Meta(min_length=1, max_length=200)] | None,
    Meta(description="A note for people."),
]


class EndpointIn(Sent):
    """An endpoint to be made; it is told what happens from then on."""

    url: _Url
    contract: _Contract
    types: _Types = None
    label: _Label = None


class EndpointChange(Sent):
    """What is to be different; a field that is left out, or null, stays as it is."""

    url: Annotated[
        Annotated[str, Meta(min_length=1, max_length=2000)] | None,
        Meta(description="Where events are sent."),
    ] = None
    contract: Annotated[
        ContractWord | None, Meta(description="In whose words the events' orders are written.")
    ] = None
    types: _Types = None
    all_types: Annotated[
        bool, Meta(description="Every type, also those that are still to come.")
    ] = False
    label: _Label = None
    enabled: Annotated[
        bool | None, Meta(description="Whether anything is sent; what waits is kept.")
    ] = None


class EndpointOut(Shown):
    """A subscriber's URL, and how it fares."""

    id: Annotated[str, Meta(description="The endpoint's identifier.")]
    url: Annotated[str, Meta(description="Where events are sent.")]
    contract: Annotated[str, Meta(description="In whose words the events' orders are written.")]
    types: Annotated[
        list[EventType] | None,
        Meta(description="The types it wants; null: all, also those that are still to come."),
    ]
    label: Annotated[str | None, Meta(description="A note for people.")]
    state: Annotated[Literal["active", "off"], Meta(description="Whether anything is sent.")]
    off_reason: Annotated[
        Literal["operator", "gone", "failing"] | None,
        Meta(
            description="Why it is off: somebody said so, it answered 410, or it failed for days."
        ),
    ]
    off_at: Annotated[datetime | None, Meta(description="Since when it is off.")]
    missed_after: Annotated[
        str | None,
        Meta(description="The feed's cursor when it was switched off: to be replayed from."),
    ]
    failures: Annotated[int, Meta(description="How many tries failed since the last success.")]
    failing_since: Annotated[datetime | None, Meta(description="When the first of them failed.")]
    paused_until: Annotated[
        datetime | None, Meta(description="Until when it is left alone, as it asked for.")
    ]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    updated_at: Annotated[datetime, Meta(description="When it was last changed.")]


class NewEndpointOut(EndpointOut):
    """An endpoint with a secret that was just made."""

    secret: Annotated[
        str, Meta(description="What its messages are signed with, shown this once: `whsec_…`.")
    ]


class EndpointsOut(Shown):
    """Webhook endpoints, oldest first."""

    webhook_endpoints: Annotated[list[EndpointOut], Meta(description="The endpoints.")]
    next: Next


class RotateIn(Sent):
    """For how long the old secrets go on signing beside the new one."""

    keep_old_hours: Annotated[
        int, Meta(ge=0, le=168, description="Hours from now; 0 ends them at once.")
    ] = 24


class DeliveriesQuery(Sent):
    """Which deliveries, and which page of them."""

    state: Annotated[DeliveryWord, Meta(description="Only deliveries in this state.")] | None = None
    after: After | None = None
    limit: Limit = 50


class DeliveryOut(Shown):
    """One event on its way to one endpoint."""

    event_id: Annotated[str, Meta(description="The event.")]
    type: Annotated[EventType, Meta(description="What happened.")]
    order_id: Annotated[str, Meta(description="The order it happened to.")]
    at: Annotated[datetime, Meta(description="When it happened.")]
    state: Annotated[DeliveryWord, Meta(description="`failed`: given up after the last try.")]
    tries: Annotated[int, Meta(description="How often it was sent.")]
    next_try_at: Annotated[
        datetime | None,
        Meta(description="When it is tried again; null also while it waits behind an older one."),
    ]
    ended_at: Annotated[datetime | None, Meta(description="When it was delivered or given up.")]


class AttemptOut(Shown):
    """One try."""

    at: Annotated[datetime, Meta(description="When it was sent.")]
    status: Annotated[int | None, Meta(description="The answer's status; null without one.")]
    took_ms: Annotated[int, Meta(description="How many milliseconds it took.")]
    answer: Annotated[str | None, Meta(description="The first part of the answer.")]
    failure: Annotated[str | None, Meta(description="What went wrong.")]


class FullDeliveryOut(DeliveryOut):
    """A delivery with its tries."""

    attempts: Annotated[list[AttemptOut], Meta(description="The last 100 tries, newest last.")]


class DeliveriesOut(Shown):
    """Deliveries to an endpoint, newest first."""

    deliveries: Annotated[list[DeliveryOut], Meta(description="The deliveries of this page.")]
    next: Next


class ReplayIn(Sent):
    """Which part of the feed an endpoint is to be told again."""

    after: Annotated[
        Annotated[str, Meta(max_length=100)] | None,
        Meta(description="A cursor; without: from the oldest on."),
    ] = None
    until: Annotated[
        Annotated[str, Meta(max_length=100)] | None,
        Meta(description="The cursor of the last; without: up to now."),
    ] = None
    missed_only: Annotated[
        bool, Meta(description="Leave out what the endpoint has taken already.")
    ] = False


class ReplayedOut(Shown):
    """What was queued."""

    queued: Annotated[int, Meta(description="How many events will be sent.")]
    next: Annotated[str, Meta(description="The cursor to go on after, while there is more.")]
    more: Annotated[bool, Meta(description="Whether a further request has to go on.")]
