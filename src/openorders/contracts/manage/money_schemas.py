"""Payments, refunds and saved payment methods as the management API reads and writes them."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, field

from openorders.contracts.kit import Amount, Money
from openorders.contracts.manage.ids import LINE, METHOD
from openorders.contracts.manage.schemas import After, Currency, Limit, Next, Sent, Shown

StateWord = Literal["started", "pending", "authorised", "captured", "declined", "voided"]
OperationWord = Literal["charge", "authorise", "capture", "refund", "void"]
OutcomeWord = Literal["started", "succeeded", "failed"]
RefundWord = Literal["started", "succeeded", "failed", "part_failed"]

_Reason = Annotated[
    Annotated[str, Meta(min_length=1, max_length=500)] | None,
    Meta(description="Why; it is kept in the order's history."),
]
_OrderId = Annotated[str, Meta(description="The order it belongs to.")]


class PaymentIn(Sent):
    """A payment to be made: by a card (`token`), by a saved one (`paymentMethodId`), on the
    gateway's own page (`page`), or one that was taken by hand (`method` is `manual`).
    """

    method: Annotated[
        Literal["manual"] | None, Meta(description="The money is here already; staff vouch for it.")
    ] = None
    how: Annotated[
        Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")] | None,
        Meta(description="How it was taken by hand: `bank_transfer`, `cash`, …"),
    ] = None
    reference: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        Meta(description="What money taken by hand is found by elsewhere, as on a statement."),
    ] = None
    token: Annotated[
        Annotated[str, Meta(min_length=1, max_length=500)] | None,
        Meta(description="The card, as its gateway names it."),
    ] = None
    payment_method_id: Annotated[
        Annotated[str, Meta(pattern=METHOD.pattern)] | None,
        Meta(description="A card that was saved."),
    ] = None
    page: Annotated[
        bool, Meta(description="The buyer pays on the gateway's own page, where it has one.")
    ] = False
    gateway: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100)] | None,
        Meta(description="The store's gateway of that name; else the order's, or the default."),
    ] = None
    amount: Annotated[
        Amount | None,
        Meta(description="Part of what is owed; without it, all of it. By hand: what came."),
    ] = None
    return_url: Annotated[
        Annotated[str, Meta(max_length=2000)] | None,
        Meta(
            description="Where the buyer comes back to, when their bank wants to know them or they "
            "pay on a page. Without it, a card whose bank asks is declined."
        ),
    ] = None
    reason: _Reason = None


class NextAction(Shown):
    """What the buyer has to do before the payment goes on."""

    url: Annotated[str, Meta(description="Where to send the buyer.")]


class PaymentOut(Shown):
    """One attempt to take money for an order."""

    id: Annotated[str, Meta(description="The payment's identifier.")]
    order_id: _OrderId
    state: Annotated[
        StateWord,
        Meta(
            description="`started` waits for the gateway, `pending` for the buyer; `authorised` "
            "is reserved and can be captured or voided."
        ),
    ]
    amount: Annotated[Money, Meta(description="What was to be taken.")]
    captured: Annotated[Money, Meta(description="What was taken.")]
    refunded: Annotated[Money, Meta(description="What of it went back.")]
    refunding: Annotated[Money, Meta(description="What of it is on its way back.")]
    currency: Currency
    gateway: Annotated[str, Meta(description="The gateway, as the store names it.")]
    method: Annotated[str, Meta(description="How it was paid.")]
    reference: Annotated[str | None, Meta(description="The gateway's name of it, or staff's.")]
    card_brand: Annotated[str | None, Meta(description="The card's brand.")]
    card_last_four: Annotated[str | None, Meta(description="The card's last four digits.")]
    decline_code: Annotated[str | None, Meta(description="Why it was declined.")]
    next_action: Annotated[
        NextAction | None, Meta(description="What a `pending` payment waits for.")
    ]
    created_at: Annotated[datetime, Meta(description="When it was begun.")]
    settled_at: Annotated[datetime | None, Meta(description="When its outcome was known.")]


class OperationOut(Shown):
    """One call to a gateway for a payment."""

    id: Annotated[str, Meta(description="The call's identifier.")]
    kind: Annotated[OperationWord, Meta(description="What the gateway was asked to do.")]
    state: Annotated[OutcomeWord, Meta(description="What became of it.")]
    amount: Annotated[Money, Meta(description="How much it was about.")]
    reason: Annotated[str | None, Meta(description="Why it was asked.")]
    reference: Annotated[str | None, Meta(description="The gateway's name of what it did.")]
    failure: Annotated[str | None, Meta(description="Why it did not.")]
    refund_id: Annotated[str | None, Meta(description="The refund that it is a part of.")]
    created_at: Annotated[datetime, Meta(description="When it was recorded.")]
    settled_at: Annotated[datetime | None, Meta(description="When its outcome was known.")]


class FullPaymentOut(PaymentOut):
    """A payment with every call that was made for it."""

    operations: Annotated[
        list[OperationOut], Meta(description="The calls, oldest first; the latest 100.")
    ]


class PaymentsOut(Shown):
    """Payments, oldest first."""

    payments: Annotated[list[FullPaymentOut], Meta(description="The payments of this page.")]
    next: Next


class PaymentsQuery(Sent):
    """Which payments, and which page of them."""

    state: Annotated[StateWord, Meta(description="Only payments in this state.")] | None = None
    after: After | None = None
    limit: Limit = 50


class CaptureIn(Sent):
    """How much of what is reserved is to be taken."""

    amount: Annotated[
        Amount | None, Meta(description="How much; without it, what is owed of it.")
    ] = None
    reason: _Reason = None


class VoidIn(Sent):
    """Why a payment is given up."""

    reason: _Reason = None


class RefundLineIn(Sent):
    """A line to be given money back for."""

    line_id: Annotated[str, Meta(pattern=LINE.pattern, description="The order's line.")]
    quantity: Annotated[
        Annotated[int, Meta(ge=1, le=1000000)] | None,
        Meta(description="So many units; without it, all that is left."),
    ] = None


class RefundIn(Sent):
    """What is to be given back: for lines and shipping, or an amount; without any of the three,
    everything that can be.
    """

    lines: Annotated[
        list[RefundLineIn],
        Meta(max_length=500, description="Lines, each with its share of discount and taxes."),
    ] = field(default_factory=list[RefundLineIn])
    shipping: Annotated[
        bool, Meta(description="Whether all that is left of the shipping goes back.")
    ] = False
    shipping_amount: Annotated[
        Amount | None, Meta(description="So much of the shipping instead of all of it.")
    ] = None
    amount: Annotated[
        Amount | None,
        Meta(
            description="An amount by itself, as goodwill. With lines or shipping: exactly what "
            "they come to, else nothing is done."
        ),
    ] = None
    reason: _Reason = None
    restock: Annotated[
        bool, Meta(description="Whether the refunded units of shipped lines are on hand again.")
    ] = False


class RefundedLineOut(Shown):
    """A line that money went back for."""

    line_id: Annotated[str, Meta(description="The order's line.")]
    quantity: Annotated[int, Meta(description="How many units.")]
    amount: Annotated[Money, Meta(description="Their share, with discount and taxes.")]
    restocked: Annotated[int, Meta(description="How many of them are on hand again.")]


class RefundOut(Shown):
    """Money that goes back to the buyer, and what it is for."""

    id: Annotated[str, Meta(description="The refund's identifier.")]
    order_id: _OrderId
    state: Annotated[
        RefundWord,
        Meta(description="What became of it; one that succeeded can fail later at the bank."),
    ]
    amount: Annotated[Money, Meta(description="What goes back.")]
    failed: Annotated[Money, Meta(description="What of it the gateways would not give back.")]
    currency: Currency
    lines: Annotated[list[RefundedLineOut], Meta(description="The lines it is for.")]
    shipping: Annotated[Money, Meta(description="What of it is for shipping.")]
    goodwill: Annotated[Money, Meta(description="What of it is for nothing in particular.")]
    reason: Annotated[str | None, Meta(description="Why.")]
    restock: Annotated[bool, Meta(description="Whether goods were to be on hand again.")]
    created_at: Annotated[datetime, Meta(description="When it was decided.")]


class RefundsOut(Shown):
    """Refunds, oldest first."""

    refunds: Annotated[list[RefundOut], Meta(description="The refunds of this page.")]
    next: Next


class MethodIn(Sent):
    """A card to be saved at a gateway."""

    token: Annotated[
        str, Meta(min_length=1, max_length=500, description="The card, as its gateway names it.")
    ]
    gateway: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100)] | None,
        Meta(description="The gateway; else the default one."),
    ] = None


class MethodOut(Shown):
    """A card that a customer left at a gateway to pay with later."""

    id: Annotated[str, Meta(description="The payment method's identifier.")]
    customer_id: Annotated[str, Meta(description="Whose card it is.")]
    gateway: Annotated[str, Meta(description="The gateway that keeps it.")]
    card_brand: Annotated[str | None, Meta(description="The card's brand.")]
    card_last_four: Annotated[str | None, Meta(description="The card's last four digits.")]
    expires: Annotated[str | None, Meta(description="Year and month, such as `2030-04`.")]
    created_at: Annotated[datetime, Meta(description="When it was saved.")]


class MethodsOut(Shown):
    """A customer's saved cards; never more than 50."""

    payment_methods: Annotated[list[MethodOut], Meta(description="The cards.")]
