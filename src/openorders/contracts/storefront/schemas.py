"""What `storefront` reads and answers, field for field as its document prints it.

Fields are camel case, with the document's own exception: `status_history`.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from openorders.contracts.kit import Money

Status = Literal[
    "created",
    "processing",
    "payment_pending",
    "paid",
    "shipped",
    "delivered",
    "completed",
    "cancelled",
    "refunded",
]

Id = Annotated[str, Meta(description="The order's id.", examples=["order_123456"])]
Number = Annotated[str, Meta(description="The order's number for people.", examples=["MNKY-1001"])]
Holds = Annotated[Status, Meta(description="Where the order is now.")]
Currency = Annotated[str, Meta(description="ISO 4217 code of every amount.")]
CreatedAt = Annotated[datetime, Meta(description="When the order was placed.")]
UpdatedAt = Annotated[datetime, Meta(description="When the order last changed.")]
TotalAmount = Annotated[
    Money, Meta(description="Subtotal less discount, plus shipping, plus taxes.")
]
TaxAmount = Annotated[Money, Meta(description="The sum of the taxes.")]
DiscountAmount = Annotated[Money, Meta(description="What the discount code took off.")]
DiscountCode = Annotated[str | None, Meta(description="The discount code that was used.")]


class OrderItem(Struct, rename="camel"):
    """A line in a list of orders, as it was in the catalogue when the order was placed."""

    id: Annotated[str, Meta(description="The item's id.", examples=["item_123456"])]
    product_id: Annotated[str, Meta(description="The product's id.", examples=["prod_123456"])]
    name: Annotated[str, Meta(description="The product's name.")]
    variant_name: Annotated[str | None, Meta(description="The variant's name.")]
    price: Annotated[Money, Meta(description="The price of one.")]
    quantity: Annotated[int, Meta(description="How many were ordered.")]
    subtotal: Annotated[Money, Meta(description="Price times quantity.")]


class FullOrderItem(Struct, rename="camel"):
    """A line of one order, with its stock-keeping unit and picture."""

    id: Annotated[str, Meta(description="The item's id.", examples=["item_123456"])]
    product_id: Annotated[str, Meta(description="The product's id.", examples=["prod_123456"])]
    name: Annotated[str, Meta(description="The product's name.")]
    variant_name: Annotated[str | None, Meta(description="The variant's name.")]
    sku: Annotated[str | None, Meta(description="The variant's stock-keeping unit.")]
    price: Annotated[Money, Meta(description="The price of one.")]
    quantity: Annotated[int, Meta(description="How many were ordered.")]
    subtotal: Annotated[Money, Meta(description="Price times quantity.")]
    image: Annotated[str | None, Meta(description="The address of a picture.")]


class ShippingSummary(Struct, rename="camel"):
    """How an order in a list travels."""

    method: Annotated[str | None, Meta(description="The shipping method that was chosen.")]
    cost: Annotated[Money, Meta(description="What shipping costs.")]
    estimated_delivery: Annotated[date | None, Meta(description="The day it should arrive.")]


class ShippingDetails(Struct, rename="camel"):
    """How an order travels; what is not known yet is null."""

    method: Annotated[str | None, Meta(description="The shipping method that was chosen.")]
    carrier: Annotated[str | None, Meta(description="Who carries the parcel.")]
    tracking_number: Annotated[str | None, Meta(description="The carrier's parcel number.")]
    tracking_url: Annotated[str | None, Meta(description="Where the parcel can be followed.")]
    cost: Annotated[Money, Meta(description="What shipping costs.")]
    estimated_delivery: Annotated[date | None, Meta(description="The day it should arrive.")]
    shipped_at: Annotated[datetime | None, Meta(description="When it was shipped.")]


class CustomerOut(Struct, rename="camel"):
    """Whose order it is."""

    id: Annotated[str, Meta(description="The customer's id.", examples=["user_123456"])]
    email: Annotated[str | None, Meta(description="The customer's mail address, when known.")]
    name: Annotated[str | None, Meta(description="The customer's name, when known.")]


class AddressOut(Struct, rename="camel"):
    """A postal address; parts that were not given are null."""

    name: Annotated[str | None, Meta(description="Who receives it.")]
    line1: Annotated[str | None, Meta(description="Street and number.")]
    line2: Annotated[str | None, Meta(description="What else finds the door.")]
    city: Annotated[str | None, Meta(description="The town.")]
    state: Annotated[str | None, Meta(description="The state or region.")]
    postal_code: Annotated[str | None, Meta(description="The postal code.")]
    country: Annotated[str | None, Meta(description="The country.")]
    phone: Annotated[str | None, Meta(description="A telephone number for the carrier.")]


PaymentStatus = Literal["pending", "authorized", "paid", "partially_refunded", "refunded", "failed"]


class PaymentOut(Struct, rename="camel"):
    """How the order is paid; all null while nothing was asked for."""

    method: Annotated[str | None, Meta(description="The way of paying, as it was sent.")]
    status: Annotated[PaymentStatus | None, Meta(description="What became of the money.")]
    last_four: Annotated[str | None, Meta(description="The card's last four digits.")]
    card_type: Annotated[str | None, Meta(description="The card's brand.", examples=["Visa"])]
    paid_at: Annotated[datetime | None, Meta(description="When the money was taken.")]


class TaxOut(Struct, rename="camel"):
    """One tax."""

    name: Annotated[str, Meta(description="The tax's name.")]
    rate: Annotated[Money, Meta(description="The rate as a fraction: 0.06 is six per cent.")]
    amount: Annotated[Money, Meta(description="What it comes to.")]


class HistoryOut(Struct, rename="camel"):
    """One step of the order."""

    status: Annotated[Status, Meta(description="The status that the order came to.")]
    timestamp: Annotated[datetime, Meta(description="When it did.")]


class CancellationOut(Struct, rename="camel"):
    """Why the order was cancelled."""

    reason: Annotated[str | None, Meta(description="The reason that was given.")]
    comments: Annotated[str | None, Meta(description="What was added to it.")]
    cancelled_at: Annotated[datetime, Meta(description="When it was cancelled.")]


class RefundOut(Struct, rename="camel"):
    """Money on its way back to the customer."""

    status: Annotated[
        Literal["processing", "completed"], Meta(description="Whether it has been given back.")
    ]
    amount: Annotated[Money, Meta(description="How much.")]
    estimated_processing_time: Annotated[str, Meta(description="How long banks take to show it.")]


class NotificationOut(Struct, rename="camel"):
    """The mail that told the customer."""

    sent: Annotated[
        bool,
        Meta(description="Whether the mail server has taken it; if not, it is tried again."),
    ]
    method: Annotated[Literal["email"], Meta(description="How the customer is told.")]
    timestamp: Annotated[datetime, Meta(description="When that was tried.")]


History = Annotated[list[HistoryOut], Meta(description="The order's steps, the first one first.")]
Cancellation = Annotated[
    CancellationOut | UnsetType, Meta(description="Only there once the order is cancelled.")
]
Refund = Annotated[RefundOut | UnsetType, Meta(description="Only there when money goes back.")]


class ListedOrder(Struct, rename="camel"):
    """An order in a list."""

    id: Id
    number: Number
    status: Holds
    created_at: CreatedAt
    updated_at: UpdatedAt
    total_amount: TotalAmount
    currency: Currency
    items: Annotated[list[OrderItem], Meta(description="What was ordered.")]
    shipping_details: Annotated[ShippingSummary, Meta(description="How it travels.")]
    tax_amount: TaxAmount
    discount_amount: DiscountAmount
    discount_code: DiscountCode


class Pagination(Struct, rename="camel"):
    """Which page of how many this is."""

    total: Annotated[int, Meta(description="How many orders there are on all pages.")]
    pages: Annotated[int, Meta(description="How many pages there are.")]
    page: Annotated[int, Meta(description="The page of this answer, counted from 1.")]
    limit: Annotated[int, Meta(description="How many orders a page has at most.")]


class OrdersOut(Struct, rename="camel"):
    """A page of orders, the newest first."""

    orders: Annotated[list[ListedOrder], Meta(description="The orders of this page.")]
    pagination: Annotated[Pagination, Meta(description="Where the page stands.")]


class OrderOut(Struct, rename="camel"):
    """One order in full."""

    id: Id
    number: Number
    status: Holds
    created_at: CreatedAt
    updated_at: UpdatedAt
    completed_at: Annotated[
        datetime | UnsetType, Meta(description="Only there once the order is completed.")
    ]
    total_amount: TotalAmount
    currency: Currency
    customer: Annotated[CustomerOut, Meta(description="Whose order it is.")]
    items: Annotated[list[FullOrderItem], Meta(description="What was ordered.")]
    shipping_address: Annotated[AddressOut | None, Meta(description="Where it goes.")]
    billing_address: Annotated[AddressOut | None, Meta(description="Whom it is billed to.")]
    shipping_details: Annotated[ShippingDetails, Meta(description="How it travels.")]
    payment_details: Annotated[PaymentOut, Meta(description="How it is paid.")]
    subtotal: Annotated[Money, Meta(description="The items before discount, shipping, taxes.")]
    tax_amount: TaxAmount
    tax_details: Annotated[list[TaxOut], Meta(description="Each tax by itself.")]
    discount_amount: DiscountAmount
    discount_code: DiscountCode
    notes: Annotated[str | None, Meta(description="What the customer wanted to say.")]
    status_history: History = field(name="status_history")
    cancellation: Cancellation = UNSET
    refund: Refund = UNSET


class ChangedOrder(Struct, rename="camel"):
    """An order after staff changed its status."""

    id: Id
    number: Number
    status: Holds
    updated_at: UpdatedAt
    shipping_details: Annotated[ShippingDetails, Meta(description="How it travels.")]
    status_history: History = field(name="status_history")
    notification: Annotated[
        NotificationOut | UnsetType,
        Meta(description="Only there when the customer was to be told."),
    ] = UNSET


class CancelledOrder(Struct, rename="camel"):
    """An order after it was cancelled."""

    id: Id
    number: Number
    status: Holds
    updated_at: UpdatedAt
    cancellation: Cancellation
    status_history: History = field(name="status_history")
    refund: Refund = UNSET


class Detail(Struct, rename="camel"):
    """What is wrong with one field."""

    field: Annotated[str, Meta(description="The field, as it was sent.")]
    message: Annotated[str, Meta(description="What is wrong with it.")]


class Problem(Struct, rename="camel"):
    """What is wrong."""

    code: Annotated[int, Meta(description="The HTTP status.")]
    message: Annotated[str, Meta(description="What is wrong, for people.")]
    details: Annotated[
        list[Detail] | UnsetType, Meta(description="Which fields could not be read.")
    ] = UNSET


class ErrorOut(Struct, rename="camel"):
    """Why the request was refused."""

    error: Annotated[Problem, Meta(description="What is wrong.")]
