"""What `marketplace` answers with, field for field as its document prints it."""

from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from openorders.contracts.kit import Money
from openorders.contracts.marketplace.words import Status

_ORDER_ID: Final = "The order's ID, like ord_789."
_CUSTOMER_ID: Final = "Whose order it is, like cust_123."
_STATUS: Final = "Where the order is."
_ITEMS: Final = "The items, in the order in which they were sent."
_TOTAL: Final = "What the order costs, with the digits of the store's currency."
_CREATED_AT: Final = "When the order was placed, in UTC."
_UPDATED_AT: Final = "When the order was last changed, in UTC."
_ITEM_ID: Final = "The item's ID, like item_1."
_REVENUE: Final = "What the orders come to, without cancelled and refunded ones."
_AVERAGE: Final = "The revenue per order that brings any in, rounded half to even."

ItemStatus = Literal["pending", "verified", "fulfilled", "cancelled"]
PaymentStatus = Literal["completed", "authorised", "pending", "refunded", "part_refunded", "voided"]


class CreatedOut(Struct, rename="camel"):
    """An order that was placed and awaits its payment."""

    order_id: Annotated[str, Meta(description=_ORDER_ID)]
    status: Annotated[Status, Meta(description=_STATUS)]
    total_amount: Annotated[Money, Meta(description=_TOTAL)]
    payment_url: Annotated[str, Meta(description="A page where a person can pay.")]
    created_at: Annotated[datetime, Meta(description=_CREATED_AT)]


class ItemOut(Struct, rename="camel"):
    """One line of an order."""

    id: Annotated[str, Meta(description=_ITEM_ID)]
    offer_id: Annotated[str, Meta(description="The offer's ID, like offer_456.")]
    quantity: Annotated[int, Meta(description="How many units.")]
    price: Annotated[Money, Meta(description="What one unit cost when the order was placed.")]
    status: Annotated[ItemStatus, Meta(description="Where the item is.")]


class OrderOut(Struct, rename="camel"):
    """An order."""

    id: Annotated[str, Meta(description=_ORDER_ID)]
    customer_id: Annotated[str, Meta(description=_CUSTOMER_ID)]
    status: Annotated[Status, Meta(description=_STATUS)]
    items: Annotated[list[ItemOut], Meta(description=_ITEMS)]
    total_amount: Annotated[Money, Meta(description=_TOTAL)]
    created_at: Annotated[datetime, Meta(description=_CREATED_AT)]


class ListedOut(Struct, rename="camel"):
    """An order in a list: the fields of one order, unless `$select` names others."""

    id: Annotated[str | UnsetType, Meta(description=_ORDER_ID)] = UNSET
    customer_id: Annotated[str | UnsetType, Meta(description=_CUSTOMER_ID)] = UNSET
    status: Annotated[Status | UnsetType, Meta(description=_STATUS)] = UNSET
    items: Annotated[list[ItemOut] | UnsetType, Meta(description=_ITEMS)] = UNSET
    total_amount: Annotated[Money | UnsetType, Meta(description=_TOTAL)] = UNSET
    created_at: Annotated[datetime | UnsetType, Meta(description=_CREATED_AT)] = UNSET
    currency: Annotated[str | UnsetType, Meta(description="The currency, by ISO 4217.")] = UNSET
    payment_method: Annotated[
        str | UnsetType | None, Meta(description="How the customer means to pay.")
    ] = UNSET
    updated_at: Annotated[datetime | UnsetType, Meta(description=_UPDATED_AT)] = UNSET


class OrdersOut(Struct):
    """A page of orders."""

    value: Annotated[list[ListedOut], Meta(description="The orders of this page.")]
    count: Annotated[
        int | UnsetType, Meta(description="How many orders match, on all pages together.")
    ] = UNSET


class StatusCounts(Struct):
    """How many orders have each status."""

    pending_payment: Annotated[int, Meta(description="Awaiting a payment that was asked for.")]
    pending: Annotated[int, Meta(description="Placed or paid, and not begun.")]
    processing: Annotated[int, Meta(description="Being prepared.")]
    shipped: Annotated[int, Meta(description="On their way.")]
    delivered: Annotated[int, Meta(description="Arrived.")]
    completed: Annotated[int, Meta(description="Done.")]
    refunded: Annotated[int, Meta(description="Given back all of their money.")]
    cancelled: Annotated[int, Meta(description="Ended before anything was shipped.")]


class GroupOut(Struct, rename="camel"):
    """The figures of one group."""

    key: Annotated[
        str,
        Meta(
            description="A status, a day `2026-06-02`, a week `2026-W23` (ISO 8601), a month"
            " `2026-06`, a customer `cust_123` or an offer `offer_456`."
        ),
    ]
    total_orders: Annotated[int, Meta(description="How many orders there are.")]
    total_revenue: Annotated[Money, Meta(description=_REVENUE)]
    average_order_value: Annotated[Money, Meta(description=_AVERAGE)]


class MetricsOut(Struct, rename="camel"):
    """Figures over many orders."""

    total_orders: Annotated[int, Meta(description="How many orders there are.")]
    total_revenue: Annotated[Money, Meta(description=_REVENUE)]
    average_order_value: Annotated[Money, Meta(description=_AVERAGE)]
    orders_by_status: Annotated[StatusCounts, Meta(description="How many have each status.")]
    groups: Annotated[
        list[GroupOut] | UnsetType, Meta(description="The groups of `groupBy`, without empty ones.")
    ] = UNSET
    groups_total: Annotated[
        int | UnsetType,
        Meta(description="How many groups there are, where only the 1,000 largest are told."),
    ] = UNSET


class StatusOut(Struct, rename="camel"):
    """The order's status after a change."""

    id: Annotated[str, Meta(description=_ORDER_ID)]
    status: Annotated[Status, Meta(description=_STATUS)]
    updated_at: Annotated[datetime, Meta(description=_UPDATED_AT)]


class Fault(Struct):
    """A code for programs and a sentence for people."""

    code: Annotated[str, Meta(description="What is wrong, in a word that stays the same.")]
    message: Annotated[str, Meta(description="One sentence for people.")]


class ErrorOut(Struct):
    """Why a request was not done."""

    error: Annotated[Fault, Meta(description="What is wrong.")]


class BulkResultOut(Struct, rename="camel"):
    """What became of one order."""

    order_id: Annotated[str, Meta(description="The order's ID as it was sent.")]
    status: Annotated[Literal["cancelled", "failed"], Meta(description="What became of it.")]
    error: Annotated[Fault | UnsetType, Meta(description="Why it failed, if it did.")] = UNSET


class BulkCancelOut(Struct):
    """What became of each order."""

    cancelled: Annotated[int, Meta(description="How many are cancelled now.")]
    failed: Annotated[int, Meta(description="How many could not be cancelled.")]
    results: Annotated[
        list[BulkResultOut], Meta(description="One for each ID, in the order of the request.")
    ]


class ItemResultOut(Struct, rename="camel"):
    """An item after a change."""

    item_id: Annotated[str, Meta(description=_ITEM_ID)]
    status: Annotated[ItemStatus, Meta(description="Where the item is now.")]


class ItemsOut(Struct, rename="camel"):
    """The items that were named."""

    order_id: Annotated[str, Meta(description=_ORDER_ID)]
    items: Annotated[
        list[ItemResultOut], Meta(description="One for each item, in the order of the request.")
    ]


class PaymentOut(Struct, rename="camel"):
    """How the order's payment stands."""

    order_id: Annotated[str, Meta(description=_ORDER_ID)]
    payment_status: Annotated[
        PaymentStatus,
        Meta(description="`pending` while the gateway has not answered; it is asked again."),
    ]
    transaction_id: Annotated[str, Meta(description="The payment's ID, like txn_123456.")]
