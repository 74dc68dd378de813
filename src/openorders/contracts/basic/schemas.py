"""What `basic` reads and writes, field for field as its document prints it."""

from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from openorders.contracts.kit import INT64_MAX, Money
from openorders.domain.ids import CLIENT_CUSTOMER_ID_MAX, ID_MAX

LIMIT_MAX: Final = 100
LINES_MAX: Final = 500
QUANTITY_MAX: Final = 1_000_000

Status = Literal["pending", "processing", "shipped", "delivered", "cancelled"]


class ListQuery(Struct, rename="camel"):
    """Which orders, and which page of them."""

    status: Annotated[Status | None, Meta(description="Only orders with this status.")] = None
    user_id: Annotated[
        Annotated[int, Meta(ge=1, le=ID_MAX)] | None, Meta(description="Only this user's orders.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="At most this many orders.")] = 20
    offset: Annotated[
        int, Meta(ge=0, le=INT64_MAX, description="Leave out this many orders first.")
    ] = 0


class ItemIn(Struct, rename="camel"):
    """A product and how many of it. The store sets the price."""

    product_id: Annotated[int, Meta(ge=0, description="The product's ID.")]
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX, description="How many units.")]


class OrderIn(Struct, rename="camel"):
    """A new order."""

    user_id: Annotated[
        int,
        Meta(
            ge=1,
            le=ID_MAX,
            description="The ID of the user who orders. The first order registers a user; new"
            f" ones have IDs up to {CLIENT_CUSTOMER_ID_MAX}.",
        ),
    ]
    items: Annotated[
        list[ItemIn],
        Meta(min_length=1, max_length=LINES_MAX, description="What is ordered, line by line."),
    ]


class StatusIn(Struct, rename="camel"):
    """The status an order is to have."""

    status: Annotated[Status, Meta(description="The status to move the order on to.")]


class ItemOut(Struct, rename="camel"):
    """One line of an order."""

    product_id: Annotated[int, Meta(description="The product's ID.")]
    quantity: Annotated[int, Meta(description="How many units.")]
    price: Annotated[Money, Meta(description="The price of one unit when the order was placed.")]


class OrderOut(Struct, rename="camel"):
    """An order."""

    id: Annotated[int, Meta(description="The order's ID.")]
    user_id: Annotated[int, Meta(description="The ID of the user who placed the order.")]
    order_date: Annotated[datetime, Meta(description="When the order was placed, in UTC.")]
    total_amount: Annotated[
        Money, Meta(description="What the order costs, with the digits of the store's currency.")
    ]
    status: Annotated[Status, Meta(description="Where the order is.")]
    items: Annotated[list[ItemOut], Meta(description="The lines, in the order they were sent.")]


class ErrorOut(Struct):
    """Why a request was not done."""

    error: Annotated[str, Meta(description="One sentence for people.")]
