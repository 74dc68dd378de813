"""A card that a customer left at a gateway to pay with later."""

from dataclasses import dataclass
from datetime import datetime

from openorders.domain.ids import CustomerId, MethodId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMethod:
    """What may be shown of a saved card. `expires` is year and month, `2030-04`."""

    id: MethodId
    customer_id: CustomerId
    gateway: str
    card_brand: str | None
    card_last_four: str | None
    expires: str | None
    created_at: datetime
