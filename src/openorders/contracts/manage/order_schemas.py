"""An order as staff see it: enough to decide about its money, line by line."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from openorders.contracts.kit import Money
from openorders.contracts.manage.money_schemas import PaymentOut, RefundOut
from openorders.contracts.manage.schemas import Currency, Shown


class CustomerOut(Shown):
    """Who the order is for."""

    id: Annotated[str, Meta(description="The customer's identifier.")]
    name: Annotated[str | None, Meta(description="The customer's name.")]
    email: Annotated[str | None, Meta(description="The customer's mail address.")]


class LineOut(Shown):
    """A line of the order."""

    id: Annotated[str, Meta(description="The line's identifier.")]
    product_id: Annotated[str, Meta(description="The product.")]
    variant_id: Annotated[str, Meta(description="The variant.")]
    name: Annotated[str, Meta(description="The product's name when the order was placed.")]
    sku: Annotated[str | None, Meta(description="The variant's stock keeping unit.")]
    quantity: Annotated[int, Meta(description="How many.")]
    unit_price: Annotated[Money, Meta(description="The price of one.")]
    discount: Annotated[Money, Meta(description="The line's share of the discount.")]
    tax: Annotated[Money, Meta(description="The line's share of the taxes.")]
    total: Annotated[Money, Meta(description="What the line costs: price, discount and taxes.")]
    refunded_quantity: Annotated[int, Meta(description="How many units money went back for.")]
    refunded: Annotated[Money, Meta(description="How much of `total` went back.")]
    state: Annotated[
        Literal["pending", "verified", "fulfilled", "cancelled"],
        Meta(description="What happened to it."),
    ]


class TotalsOut(Shown):
    """The order's sums: `total = subtotal - discount + shipping + tax`."""

    subtotal: Annotated[Money, Meta(description="The lines' prices.")]
    discount: Annotated[Money, Meta(description="What is taken off.")]
    shipping: Annotated[Money, Meta(description="What shipping costs.")]
    tax: Annotated[Money, Meta(description="All taxes.")]
    total: Annotated[Money, Meta(description="What was to be paid.")]


class BalanceOut(Shown):
    """Where the order's money is."""

    price: Annotated[Money, Meta(description="What the order costs now, after its refunds.")]
    captured: Annotated[Money, Meta(description="What was taken.")]
    refunded: Annotated[Money, Meta(description="What went back or is on its way back.")]
    owed: Annotated[Money, Meta(description="What is still to be paid.")]
    refundable: Annotated[Money, Meta(description="What can still be given back.")]


class HistoryOut(Shown):
    """One change of the order."""

    status: Annotated[str, Meta(description="The order's status after it.")]
    at: Annotated[datetime, Meta(description="When.")]
    actor: Annotated[str, Meta(description="Who: a key, a token's subject, or the server itself.")]
    through: Annotated[str, Meta(description="The API that it came through.")]
    reason: Annotated[str | None, Meta(description="Why.")]


class OrderOut(Shown):
    """An order with its money and its history."""

    id: Annotated[str, Meta(description="The order's identifier.")]
    customer: Annotated[CustomerOut, Meta(description="Who it is for.")]
    status: Annotated[str, Meta(description="The three axes below in one word.")]
    progress: Annotated[
        Literal["placed", "processing", "completed", "cancelled"],
        Meta(description="How far the store has come with it."),
    ]
    payment: Annotated[
        Literal["none", "pending", "authorised", "paid", "part_refunded", "refunded", "failed"],
        Meta(description="What happened to the money."),
    ]
    fulfilment: Annotated[
        Literal["none", "part_shipped", "shipped", "delivered"],
        Meta(description="What happened to the goods."),
    ]
    currency: Currency
    lines: Annotated[list[LineOut], Meta(description="What was ordered, in the order as sent.")]
    totals: Annotated[TotalsOut, Meta(description="The sums.")]
    balance: Annotated[BalanceOut, Meta(description="Where the money is.")]
    payments: Annotated[list[PaymentOut], Meta(description="Every attempt to pay, oldest first.")]
    refunds: Annotated[list[RefundOut], Meta(description="What went back, oldest first.")]
    history: Annotated[list[HistoryOut], Meta(description="Every change, oldest first.")]
    version: Annotated[int, Meta(description="The order's version, as in its `ETag`.")]
    created_at: Annotated[datetime, Meta(description="When it was placed.")]
    updated_at: Annotated[datetime, Meta(description="When it was last changed.")]
