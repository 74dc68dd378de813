"""The demo's stores as they are written down, one JSON file each."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from openorders.domain.access import Role
from openorders.domain.address import Address
from openorders.domain.order import Shipment

STORES: Final = ("commerce", "basic", "marketplace", "partner", "storefront")
"""A store for each contract, since the documents' numbers collide; in the order of filling."""

_FOLDER: Final = Path(__file__).parent / "stores"


class KeyFile(msgspec.Struct, forbid_unknown_fields=True):
    """A key that everybody knows, since it is in a document."""

    key: str
    role: Role
    label: str
    customer_id: int | None = None


class CustomerFile(msgspec.Struct, forbid_unknown_fields=True):
    """A customer, by a number or by somebody else's name for them."""

    name: str
    id: int | None = None
    email: str | None = None
    issuer: str | None = None
    subject: str | None = None


class VariantFile(msgspec.Struct, forbid_unknown_fields=True):
    """A variant; `price` in major units."""

    id: int
    sku: str
    price: Decimal
    name: str | None = None
    image: str | None = None
    available: bool = True
    on_hand: int = 10_000


class ProductFile(msgspec.Struct, forbid_unknown_fields=True):
    """A product; its first variant is the default."""

    id: int
    name: str
    variants: tuple[VariantFile, ...]


class LineFile(msgspec.Struct, forbid_unknown_fields=True):
    """A line; without an id it gets the next one of its store."""

    variant: int
    quantity: int
    id: int | None = None


class StepFile(msgspec.Struct, forbid_unknown_fields=True):
    """Something that happened to an order: the word it came to, or `charged` for money that was
    taken without a word of its own.
    """

    to: Literal["charged", "paid", "processing", "shipped", "delivered", "completed", "cancelled"]
    at: datetime
    card: Literal["visa", "mastercard", "amex"] | None = None
    tracking: Shipment | None = None
    reason: str | None = None
    comments: str | None = None


class OrderFile(msgspec.Struct, forbid_unknown_fields=True):
    """An order as it was placed, and what happened to it since."""

    id: int
    number: int
    at: datetime
    lines: tuple[LineFile, ...]
    steps: tuple[StepFile, ...]
    customer: int | None = None
    contract: str | None = None
    payment_asked: bool = False
    payment_method: str | None = None
    partner_name: str | None = None
    customer_reference: str | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    shipping_method: str | None = None
    discount_code: str | None = None
    notes: str | None = None


class StoreFile(msgspec.Struct, forbid_unknown_fields=True):
    """A whole store. `store` is what `openorders store apply` reads."""

    contract: str
    store: dict[str, Any]
    keys: tuple[KeyFile, ...]
    customers: tuple[CustomerFile, ...]
    products: tuple[ProductFile, ...]
    orders: tuple[OrderFile, ...]


_decoder: Final = msgspec.json.Decoder(StoreFile, float_hook=Decimal)


def load(name: str) -> StoreFile:
    """The file of one of `STORES`."""
    return _decoder.decode((_FOLDER / f"{name}.json").read_bytes())


def known_keys() -> dict[str, tuple[KeyFile, ...]]:
    """The keys of each store, which are no secret."""
    return {name: load(name).keys for name in STORES}
