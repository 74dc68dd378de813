"""What `partner` reads and writes, field for field as its document prints it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from openorders.contracts.kit import INT64_MAX, Money
from openorders.contracts.partner import ids

Status = Literal[
    "created",
    "payment_pending",
    "paid",
    "processing",
    "shipped",
    "delivered",
    "completed",
    "cancelled",
    "refunded",
]

OrderId = Annotated[
    str, Meta(description="The order's id: `OR` and at least five digits.", examples=["OR00001"])
]


class ItemIn(Struct):
    """A product and how many of it."""

    product_id: Annotated[
        str,
        Meta(
            max_length=40,
            description="The product's id: `PR` and at least five digits.",
            examples=["PR00001"],
            extra_json_schema={"pattern": ids.PRODUCT.pattern},
        ),
    ]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000, description="How many of it.")]


class OrderIn(Struct):
    """A new order. Prices are the catalogue's: one that is sent is ignored."""

    partner_name: Annotated[
        str,
        Meta(min_length=1, max_length=200, description="The partner that places the order."),
    ]
    items: Annotated[
        list[ItemIn],
        Meta(max_length=500, description="The products, at least one. They are kept in order."),
    ]
    customer_reference: Annotated[
        Annotated[str, Meta(max_length=200)] | None,
        Meta(description="The partner's own name for its customer or for the order."),
    ] = None


class ItemOut(Struct):
    """A line of an order, with the catalogue's words and price as they were when it was placed."""

    order_item_id: Annotated[str, Meta(description="The item's id: `OI` and at least five digits.")]
    product_id: Annotated[str, Meta(description="The product's id.")]
    sku: Annotated[str | None, Meta(description="The product's stock-keeping unit.")]
    product_name: Annotated[str, Meta(description="The product's name.")]
    quantity: Annotated[int, Meta(description="How many were ordered.")]
    unit_price: Annotated[Money, Meta(description="The price of one.")]
    line_total: Annotated[Money, Meta(description="Unit price times quantity.")]


class OrderOut(Struct):
    """An order with its items."""

    order_id: OrderId
    partner_name: Annotated[
        str,
        Meta(
            description="The partner that placed the order. An order that came from elsewhere"
            " shows its customer's name or, without one, `CUST` and the customer's number."
        ),
    ]
    customer_reference: Annotated[
        str | None, Meta(description="What the partner sent; null for orders from elsewhere.")
    ]
    status: Annotated[Status, Meta(description="How far the order has come.")]
    total_amount: Annotated[Money, Meta(description="What the order costs altogether.")]
    currency: Annotated[str, Meta(description="ISO 4217 code of every amount.")]
    items: Annotated[
        list[ItemOut],
        Meta(description="The lines in the order they were sent, cancelled ones too."),
    ]


class ListQuery(Struct):
    """Both are optional: without them every order is sent."""

    limit: Annotated[
        Annotated[int, Meta(ge=1, le=INT64_MAX)] | None,
        Meta(description="At most so many orders. Without it, all of them."),
    ] = None
    offset: Annotated[
        int, Meta(ge=0, le=INT64_MAX, description="Leave out so many of the oldest orders.")
    ] = 0


class OrdersOut(Struct):
    """Orders, oldest first."""

    count: Annotated[int, Meta(description="How many orders are in this answer.")]
    items: Annotated[list[OrderOut], Meta(description="The orders.")]


class ErrorOut(Struct):
    """Why the request was refused."""

    detail: Annotated[str, Meta(description="What is wrong, for people.")]
