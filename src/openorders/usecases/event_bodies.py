"""An event as the outside gets it: the same bytes in the feed, in a stream and in a webhook."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from openorders.domain.events import Event
from openorders.domain.ids import EventId
from openorders.domain.store_settings import Store
from openorders.usecases.context import Services

EVENT_PREFIX: Final = "evt_"


class _Body(msgspec.Struct, rename="camel"):
    id: str
    type: str
    timestamp: datetime
    contract: str
    order_version: int
    data: msgspec.Raw


def event_name(event_id: EventId) -> str:
    """The event's id as the outside knows it."""
    return f"{EVENT_PREFIX}{event_id}"


def body_of(services: Services, store: Store, event: Event, contract: str) -> bytes:
    """The event as JSON, its order in a contract's words: a key of `Services.dialects`."""
    words = services.dialects[contract]
    return msgspec.json.encode(
        _Body(
            id=event_name(event.id),
            type=event.type.value,
            timestamp=event.at.astimezone(UTC),
            contract=contract,
            order_version=event.version,
            data=msgspec.Raw(words(store, event.order)),
        )
    )
