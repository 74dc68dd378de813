"""What `commerce` reads and writes, field for field as its document prints it."""

from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, UnsetType

from openorders.contracts.kit import INT64_MAX, Money

LIMIT_MAX: Final = 100
LINES_MAX: Final = 500
QUANTITY_MAX: Final = 1_000_000
ID_LENGTH_MAX: Final = 40

Status = Literal["pending", "processing", "shipped", "delivered", "cancelled"]
SortBy = Literal["createdAt", "updatedAt", "totalAmount"]

_Part = Annotated[str, Meta(max_length=200)]


class ListQuery(Struct, rename="camel"):
    """Which orders, in which order, and which page of them."""

    status: Annotated[Status | None, Meta(description="Only orders with this status.")] = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="How many orders to a page.")] = 20
    offset: Annotated[
        int, Meta(ge=0, le=INT64_MAX, description="Leave out this many orders first.")
    ] = 0
    sort_by: Annotated[SortBy, Meta(description="What the orders are sorted by.")] = "createdAt"
    sort_order: Annotated[Literal["asc", "desc"], Meta(description="Upwards or downwards.")] = (
        "desc"
    )


class ItemIn(Struct, rename="camel"):
    """A product and how many of it. The store sets the price."""

    product_id: Annotated[
        str, Meta(max_length=ID_LENGTH_MAX, description="The product's ID, like PROD001.")
    ]
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX, description="How many units.")]


class AddressIn(Struct, rename="camel"):
    """A postal address: what is known of it."""

    street: Annotated[_Part | None, Meta(description="Street and number.")] = None
    city: Annotated[_Part | None, Meta(description="City or town.")] = None
    state: Annotated[_Part | None, Meta(description="State, province or region.")] = None
    zip_code: Annotated[_Part | None, Meta(description="Postal code.")] = None
    country: Annotated[_Part | None, Meta(description="Country.")] = None


class OrderIn(Struct, rename="camel"):
    """A new order."""

    customer_id: Annotated[
        str,
        Meta(
            max_length=ID_LENGTH_MAX,
            description="Who orders, like CUST98765; the first order registers the customer.",
        ),
    ]
    items: Annotated[
        list[ItemIn],
        Meta(min_length=1, max_length=LINES_MAX, description="What is ordered, line by line."),
    ]
    shipping_address: Annotated[AddressIn | None, Meta(description="Where the order is to go.")] = (
        None
    )
    payment_method_id: Annotated[
        Annotated[str, Meta(min_length=1, max_length=255)] | None,
        Meta(
            description="The customer's saved payment method. It is charged at once; an order"
            " whose charge is declined is not placed. Without it the order can be paid later."
        ),
    ] = None


class OrderChange(Struct, rename="camel"):
    """What is to become of an order: at least one of the two."""

    status: Annotated[Status | None, Meta(description="The status to move the order on to.")] = None
    shipping_address: Annotated[
        AddressIn | None,
        Meta(description="The new address, whole. It is fixed once anything was shipped."),
    ] = None


class AddressOut(Struct, rename="camel"):
    """A postal address. A part that was not given is null."""

    street: Annotated[str | None, Meta(description="Street and number.")]
    city: Annotated[str | None, Meta(description="City or town.")]
    state: Annotated[str | None, Meta(description="State, province or region.")]
    zip_code: Annotated[str | None, Meta(description="Postal code.")]
    country: Annotated[str | None, Meta(description="Country.")]


class ItemOut(Struct, rename="camel"):
    """One line of an order."""

    product_id: Annotated[str, Meta(description="The product's ID.")]
    quantity: Annotated[int, Meta(description="How many units.")]
    price: Annotated[Money, Meta(description="The price of one unit when the order was placed.")]


class OrderOut(Struct, rename="camel"):
    """An order. The address is there when one order is read or changed, and it has one."""

    order_id: Annotated[str, Meta(description="The order's ID.")]
    customer_id: Annotated[str, Meta(description="The ID of the customer who ordered.")]
    status: Annotated[Status, Meta(description="Where the order is.")]
    total_amount: Annotated[
        Money, Meta(description="What the order costs, with the digits of the currency.")
    ]
    currency: Annotated[str, Meta(description="The currency's ISO 4217 code.")]
    created_at: Annotated[datetime, Meta(description="When the order was placed, in UTC.")]
    updated_at: Annotated[datetime, Meta(description="When the order last changed, in UTC.")]
    shipping_address: Annotated[
        AddressOut | UnsetType, Meta(description="Where the order is to go.")
    ]
    items: Annotated[list[ItemOut], Meta(description="The lines, in the order they were sent.")]


class Pagination(Struct, rename="camel"):
    """Where a page stands in the whole list."""

    total: Annotated[int, Meta(description="How many orders there are in all.")]
    limit: Annotated[int, Meta(description="How many orders to a page.")]
    offset: Annotated[int, Meta(description="How many orders come before this page.")]
    next_offset: Annotated[
        int | None, Meta(description="The offset of the next page; null on the last one.")
    ]
    prev_offset: Annotated[
        int | None, Meta(description="The offset of the page before; null on the first one.")
    ]


class OrdersOut(Struct, rename="camel"):
    """A page of orders."""

    data: Annotated[list[OrderOut], Meta(description="The orders, without their addresses.")]
    pagination: Annotated[Pagination, Meta(description="Where this page stands.")]


class Fault(Struct):
    """Why a request was not done."""

    code: Annotated[str, Meta(description="A word for programs.")]
    message: Annotated[str, Meta(description="A sentence for people.")]


class ErrorOut(Struct):
    """The answer to a request that was not done."""

    error: Annotated[Fault, Meta(description="What was wrong.")]
