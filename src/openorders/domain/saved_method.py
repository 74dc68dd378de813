"""A card that a customer left at a gateway to pay with later."""

from datetime import datetime

from msgspec import Struct

from openorders.domain.ids import CustomerId, MethodId


class StoredMethod(Struct, frozen=True, kw_only=True):
    """What may be shown of a saved card. `expires` is year and month, `2030-04`."""

    id: MethodId
    customer_id: CustomerId
    gateway: str
    card_brand: str | None
    card_last_four: str | None
    expires: str | None
    created_at: datetime
