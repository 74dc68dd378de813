"""What the store sells: the snapshot of a variant that an order line keeps for ever."""

from msgspec import Struct

from openorders.domain.ids import ProductId, VariantId


class Offer(Struct, frozen=True, kw_only=True):
    """A variant as it can be bought now. `price` is in minor units of the store's currency."""

    product_id: ProductId
    variant_id: VariantId
    product_name: str
    variant_name: str | None
    sku: str | None
    image: str | None
    price: int
    available: bool


class Wanted(Struct, frozen=True, kw_only=True):
    """One line of a new order as it was asked for.

    A product without a variant means its default variant; a variant without a product is an
    offer. `price` is what the client believes it costs, checked and never taken over.
    """

    product_id: ProductId | None = None
    variant_id: VariantId | None = None
    quantity: int
    price: int | None = None
