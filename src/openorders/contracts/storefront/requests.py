"""What `storefront` is asked: bodies and query strings, with every limit that they have."""

from typing import Annotated

from msgspec import Meta, Struct

from openorders.contracts.storefront import ids
from openorders.contracts.storefront.schemas import Status

LIMIT_MAX = 50
PAGE_MAX = 1_000_000_000_000

Name = Annotated[str, Meta(max_length=200)]
Line = Annotated[str, Meta(max_length=200)]
Place = Annotated[str, Meta(max_length=100)]
PostalCode = Annotated[str, Meta(max_length=20)]
Phone = Annotated[str, Meta(max_length=50)]
Code = Annotated[str, Meta(max_length=50)]
Prose = Annotated[str, Meta(max_length=2000)]
Reason = Annotated[str, Meta(max_length=500)]
Token = Annotated[str, Meta(min_length=1, max_length=255)]
Reference = Annotated[str, Meta(max_length=100)]
Url = Annotated[str, Meta(max_length=2000)]
ProductId = Annotated[str, Meta(max_length=40, extra_json_schema={"pattern": ids.PRODUCT.pattern})]
VariantId = Annotated[str, Meta(max_length=40, extra_json_schema={"pattern": ids.VARIANT.pattern})]
CustomerId = Annotated[
    str, Meta(max_length=40, extra_json_schema={"pattern": ids.CUSTOMER.pattern})
]


class ItemIn(Struct, rename="camel"):
    """A product, one of its variants, and how many of it."""

    product_id: Annotated[
        ProductId, Meta(description="The product's id.", examples=["prod_123456"])
    ]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000, description="How many of it.")]
    variant_id: Annotated[
        VariantId | None,
        Meta(
            description="A variant of that product; its default one without it.",
            examples=["var_789013"],
        ),
    ] = None


class AddressIn(Struct, rename="camel"):
    """A postal address. No two countries agree on what is needed, so nothing is."""

    name: Annotated[Name | None, Meta(description="Who receives it.")] = None
    line1: Annotated[Line | None, Meta(description="Street and number.")] = None
    line2: Annotated[Line | None, Meta(description="What else finds the door.")] = None
    city: Annotated[Place | None, Meta(description="The town.")] = None
    state: Annotated[Place | None, Meta(description="The state or region.")] = None
    postal_code: Annotated[PostalCode | None, Meta(description="The postal code.")] = None
    country: Annotated[Place | None, Meta(description="The country.")] = None
    phone: Annotated[Phone | None, Meta(description="A number for the carrier.")] = None


class BillingIn(AddressIn, rename="camel"):
    """A postal address, or the wish to use the shipping address again."""

    same_as_shipping: Annotated[
        bool, Meta(description="True: bill to the shipping address; other fields are ignored.")
    ] = False


class PaymentIn(Struct, rename="camel"):
    """What to charge at once."""

    token: Annotated[
        Token,
        Meta(description="What the payment gateway gave for the card.", examples=["tok_visa"]),
    ]
    method: Annotated[
        Code | None, Meta(description="The way of paying.", examples=["credit_card"])
    ] = None


class OrderIn(Struct, rename="camel"):
    """A new order. Amounts, status and dates are ours: what is sent of them is ignored."""

    items: Annotated[
        list[ItemIn],
        Meta(min_length=1, max_length=500, description="What is ordered, 1 to 500 lines."),
    ]
    shipping_address: Annotated[AddressIn | None, Meta(description="Where it goes.")] = None
    billing_address: Annotated[BillingIn | None, Meta(description="Whom it is billed to.")] = None
    shipping_method: Annotated[
        Code | None, Meta(description="One of the store's methods.", examples=["express"])
    ] = None
    payment_details: Annotated[
        PaymentIn | None,
        Meta(description="Charged at once. Without it the order awaits its payment."),
    ] = None
    discount_code: Annotated[
        Code | None, Meta(description="One of the store's codes.", examples=["SPRING20"])
    ] = None
    notes: Annotated[Prose | None, Meta(description="Anything else, up to 2000 letters.")] = None
    customer_id: Annotated[
        CustomerId | None,
        Meta(
            description="For whom staff place the order; they must name somebody. A customer"
            " orders for itself and need not.",
            examples=["user_123456"],
        ),
    ] = None


class StatusIn(Struct, rename="camel"):
    """The status that an order is to have, and how it travels."""

    status: Annotated[Status, Meta(description="The status that the order is to have.")]
    tracking_number: Annotated[
        Reference | None, Meta(description="The carrier's parcel number.")
    ] = None
    tracking_url: Annotated[Url | None, Meta(description="Where the parcel can be followed.")] = (
        None
    )
    carrier: Annotated[Reference | None, Meta(description="Who carries the parcel.")] = None
    notify_customer: Annotated[
        bool | None, Meta(description="Whether the customer is told by mail.")
    ] = None


class CancelIn(Struct, rename="camel"):
    """Why the order is cancelled."""

    reason: Annotated[Reason | None, Meta(description="The reason, up to 500 letters.")] = None
    comments: Annotated[Prose | None, Meta(description="More about it, up to 2000.")] = None


class ListQuery(Struct, rename="camel"):
    """Which orders, and which page of them."""

    page: Annotated[int, Meta(ge=1, le=PAGE_MAX, description="Which page, counted from 1.")] = 1
    limit: Annotated[
        int, Meta(ge=1, le=LIMIT_MAX, description="How many orders a page has, at most 50.")
    ] = 10
    status: Annotated[Status | None, Meta(description="Only orders with this status.")] = None
    from_date: Annotated[
        str | None,
        Meta(
            description="Only orders placed on this day (UTC) or at this time, or later.",
            examples=["2023-03-01", "2023-03-01T12:00:00Z"],
        ),
    ] = None
    to_date: Annotated[
        str | None,
        Meta(
            description="Only orders placed on this day (UTC) or at this time, or earlier.",
            examples=["2023-03-31", "2023-03-31T12:00:00Z"],
        ),
    ] = None
