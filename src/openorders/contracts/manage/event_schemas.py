"""Events as the feed tells of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from openorders.contracts.manage.schemas import After, Sent, Shown
from openorders.domain.events import EventType

ContractWord = Literal["basic", "commerce", "marketplace", "partner", "storefront"]

_Contract = Annotated[
    ContractWord, Meta(description="In whose words the events' orders are written.")
]
_Types = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1000,
        description="Only events of these types, separated by commas: "
        + ", ".join(f"`{one}`" for one in EventType)
        + ".",
    ),
]


class EventQuery(Sent):
    """How one event is told."""

    contract: _Contract = "commerce"


class EventsQuery(Sent):
    """Which events, how they are told, and which page of them."""

    after: After | None = None
    limit: Annotated[int, Meta(ge=1, le=500, description="How many events at most.")] = 100
    types: _Types | None = None
    order: Annotated[str, Meta(max_length=40, description="Only events of this order.")] | None = (
        None
    )
    contract: _Contract = "commerce"


class StreamQuery(Sent):
    """Which events, how they are told, and where to begin."""

    after: (
        Annotated[
            str,
            Meta(
                max_length=100,
                description="The cursor to begin after; `Last-Event-ID` counts more. Without "
                "both, with what happens from now on.",
            ),
        ]
        | None
    ) = None
    types: _Types | None = None
    contract: _Contract = "commerce"


class EventOut(Shown):
    """Something that happened to an order, in the same bytes as webhooks have it."""

    id: Annotated[
        str, Meta(description="The event's identifier; a webhook's `webhook-id` is the same.")
    ]
    type: Annotated[EventType, Meta(description="What happened.")]
    timestamp: Annotated[datetime, Meta(description="When it happened.")]
    contract: Annotated[ContractWord, Meta(description="In whose words `data` is written.")]
    order_version: Annotated[
        int, Meta(description="The order's version after it: per order, it only ever grows.")
    ]
    data: Annotated[
        dict[str, Any], Meta(description="The order as it was then, as that contract shows it.")
    ]


class EventsOut(Shown):
    """A part of the feed, oldest first."""

    events: Annotated[list[EventOut], Meta(description="The events.")]
    next: Annotated[
        str, Meta(description="The cursor to go on after, also at the end: ask again later.")
    ]
    more: Annotated[
        bool,
        Meta(
            description="Whether there is more already. With a filter, also a page without any "
            "event can have more after it."
        ),
    ]
