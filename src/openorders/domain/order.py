"""The order: what was agreed, in three axes of state that are kept apart."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache

from msgspec import Struct

from openorders.domain.address import Address
from openorders.domain.customer import Customer
from openorders.domain.ids import LineId, OrderId, ProductId, VariantId
from openorders.domain.payment import Payment
from openorders.domain.refund import Refund


class Progress(StrEnum):
    """How far the store has come with the order."""

    PLACED = "placed"
    PROCESSING = "processing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PaymentState(StrEnum):
    """What happened to the money; computed from the payments, never set by hand."""

    NONE = "none"
    PENDING = "pending"
    AUTHORISED = "authorised"
    PAID = "paid"
    PART_REFUNDED = "part_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"


class Fulfilment(StrEnum):
    """What happened to the goods; follows from the lines and the delivery."""

    NONE = "none"
    PART_SHIPPED = "part_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"


class LineState(StrEnum):
    """What happened to one line."""

    PENDING = "pending"
    VERIFIED = "verified"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


class Word(StrEnum):
    """The one word that sums up the three axes, in the order an order lives through them."""

    CREATED = "created"
    PAYMENT_PENDING = "payment_pending"
    PAID = "paid"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class Line(Struct, frozen=True, kw_only=True):
    """One variant and quantity, with the catalogue's words and price as they were when placed.

    Amounts are minor units. The line's shares of the order's discount and of each tax are
    fixed when the order is placed, so that cancelling a line moves no other line's money.
    """

    id: LineId
    product_id: ProductId
    variant_id: VariantId
    product_name: str
    variant_name: str | None
    sku: str | None
    image: str | None
    unit_price: int
    quantity: int
    discount_share: int = 0
    tax_shares: tuple[int, ...] = ()
    state: LineState = LineState.PENDING

    @property
    def subtotal(self) -> int:
        """Unit price times quantity, before discount and tax."""
        return self.unit_price * self.quantity

    @property
    def share(self) -> int:
        """What the line adds to the order's total: less its discount, with its taxes."""
        return self.subtotal - self.discount_share + sum(self.tax_shares)

    @property
    def is_open(self) -> bool:
        """Still to be shipped: neither shipped nor cancelled."""
        return self.state in (LineState.PENDING, LineState.VERIFIED)


class Tax(Struct, frozen=True, kw_only=True):
    """One tax by itself. `rate` is a fraction (0.06), `amount` minor units."""

    name: str
    rate: Decimal
    amount: int


class Totals(Struct, frozen=True, kw_only=True):
    """`total = subtotal - discount + shipping + taxes`, all in minor units."""

    subtotal: int
    discount: int = 0
    shipping: int = 0
    taxes: tuple[Tax, ...] = ()

    @property
    def tax(self) -> int:
        """The sum of the taxes."""
        return sum(tax.amount for tax in self.taxes)

    @property
    def total(self) -> int:
        """What is to be paid."""
        return self.subtotal - self.discount + self.shipping + self.tax


class Shipment(Struct, frozen=True, kw_only=True):
    """A parcel on its way. The order shows the latest one."""

    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    shipped_at: datetime | None = None


class Cancellation(Struct, frozen=True, kw_only=True):
    """Why and when an order was cancelled."""

    reason: str | None
    comments: str | None
    at: datetime


class HistoryEntry(Struct, frozen=True, kw_only=True):
    """One change: the word that held after it, who made it, why, and through which contract."""

    word: Word
    at: datetime
    actor: str
    contract: str
    reason: str | None = None


class Order(Struct, frozen=True, kw_only=True):
    """An order as it is now. A change is a new value (`msgspec.structs.replace`).

    `payments`, `refunds` and `history` are filled where one order is read for them, and empty in
    lists.
    """

    id: OrderId
    number: int
    customer: Customer
    currency: str
    minor_digits: int
    totals: Totals
    lines: tuple[Line, ...]
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None
    version: int = 1
    progress: Progress = Progress.PLACED
    payment: PaymentState = PaymentState.NONE
    fulfilment: Fulfilment = Fulfilment.NONE
    payment_asked: bool = False
    partner_name: str | None = None
    customer_reference: str | None = None
    discount_code: str | None = None
    shipping_method: str | None = None
    estimated_delivery: date | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    payment_method: str | None = None
    payment_gateway: str | None = None
    payment_token: str | None = None
    notes: str | None = None
    shipment: Shipment | None = None
    cancellation: Cancellation | None = None
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    history: tuple[HistoryEntry, ...] = ()

    def __post_init__(self) -> None:
        """A wrong sum is our bug, never a refusal."""
        assert self.lines, "an order has at least one line"
        assert self.totals.total >= 0, "nobody is paid for ordering"

    @property
    def word(self) -> Word:
        """The status word; the generated column `orders.word` says the same in SQL."""
        return word_of(self.progress, self.payment, self.fulfilment, asked=self.payment_asked)

    @property
    def open_lines(self) -> tuple[Line, ...]:
        """The lines still to be shipped."""
        return tuple(line for line in self.lines if line.is_open)


@cache
def word_of(
    progress: Progress, payment: PaymentState, fulfilment: Fulfilment, *, asked: bool
) -> Word:
    """The first of these that fits, top to bottom: the table of the contracts' page."""
    settled = (PaymentState.PAID, PaymentState.AUTHORISED, PaymentState.PART_REFUNDED)
    rows = (
        (progress is Progress.CANCELLED, Word.CANCELLED),
        (payment is PaymentState.REFUNDED, Word.REFUNDED),
        (progress is Progress.COMPLETED, Word.COMPLETED),
        (fulfilment is Fulfilment.DELIVERED, Word.DELIVERED),
        (fulfilment is Fulfilment.SHIPPED, Word.SHIPPED),
        (progress is Progress.PROCESSING, Word.PROCESSING),
        (payment in settled, Word.PAID),
        (asked, Word.PAYMENT_PENDING),
    )
    return next((word for fits, word in rows if fits), Word.CREATED)
