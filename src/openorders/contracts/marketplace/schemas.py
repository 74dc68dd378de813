"""What `marketplace` answers with, field for field as its document prints it."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from openorders.contracts.kit import Money
from openorders.contracts.marketplace.words import Status

ItemStatus = Literal["pending", "verified", "fulfilled", "cancelled"]
PaymentStatus = Literal["completed", "authorised", "pending", "refunded", "part_refunded", "voided"]


class CreatedOut(Struct, rename="camel"):
    """An order that was placed and awaits its payment."""

    order_id: str
    status: Status
    total_amount: Money
    payment_url: Annotated[str, Meta(description="A page where a person can pay.")]
    created_at: datetime


class ItemOut(Struct, rename="camel"):
    """One line of an order. `price` is that of one unit."""

    id: str
    offer_id: str
    quantity: int
    price: Money
    status: ItemStatus


class OrderOut(Struct, rename="camel"):
    """An order."""

    id: str
    customer_id: str
    status: Status
    items: list[ItemOut]
    total_amount: Money
    created_at: datetime


class ListedOut(Struct, rename="camel"):
    """An order in a list: the fields of one order, unless `$select` names others."""

    id: str | UnsetType = UNSET
    customer_id: str | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    items: list[ItemOut] | UnsetType = UNSET
    total_amount: Money | UnsetType = UNSET
    created_at: datetime | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    payment_method: str | UnsetType | None = UNSET
    updated_at: datetime | UnsetType = UNSET


class OrdersOut(Struct):
    """A page of orders. `count` is the number of all matches."""

    value: list[ListedOut]
    count: int | UnsetType = UNSET


class StatusCounts(Struct):
    """How many orders have each status."""

    pending_payment: int
    pending: int
    processing: int
    shipped: int
    delivered: int
    completed: int
    refunded: int
    cancelled: int


class GroupOut(Struct, rename="camel"):
    """The figures of one group."""

    key: Annotated[
        str,
        Meta(
            description="A status, a day `2026-06-02`, a week `2026-W23` (ISO 8601), a month"
            " `2026-06`, a customer `cust_123` or an offer `offer_456`."
        ),
    ]
    total_orders: int
    total_revenue: Money
    average_order_value: Money


class MetricsOut(Struct, rename="camel"):
    """Figures over many orders. Revenue and average leave cancelled and refunded ones out."""

    total_orders: int
    total_revenue: Money
    average_order_value: Money
    orders_by_status: StatusCounts
    groups: list[GroupOut] | UnsetType = UNSET
    groups_total: Annotated[
        int | UnsetType,
        Meta(description="How many groups there are, where only the 1,000 largest are told."),
    ] = UNSET


class StatusOut(Struct, rename="camel"):
    """The order's status, and when it was last changed."""

    id: str
    status: Status
    updated_at: datetime


class Fault(Struct):
    """A code for programs and a sentence for people."""

    code: str
    message: str


class ErrorOut(Struct):
    """Why a request was not done."""

    error: Fault


class BulkResultOut(Struct, rename="camel"):
    """What became of one order. `error` is there when it failed."""

    order_id: str
    status: Literal["cancelled", "failed"]
    error: Fault | UnsetType = UNSET


class BulkCancelOut(Struct):
    """What became of each order, in the order in which they were named."""

    cancelled: int
    failed: int
    results: list[BulkResultOut]


class ItemResultOut(Struct, rename="camel"):
    """The item's status now."""

    item_id: str
    status: ItemStatus


class ItemsOut(Struct, rename="camel"):
    """The items that were named."""

    order_id: str
    items: list[ItemResultOut]


class PaymentOut(Struct, rename="camel"):
    """How the order's payment stands."""

    order_id: str
    payment_status: PaymentStatus
    transaction_id: str
