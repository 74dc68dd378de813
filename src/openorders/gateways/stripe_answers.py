"""What Stripe's objects say about our calls: which of their many states is a yes, a no, or neither.

An answer is believed only about the very amount, currency and call that were asked for. Nothing
here speaks to anybody.
"""

from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from openorders.domain.payment import OperationKind
from openorders.gateways.declines import fit_for_buyers, not_possible
from openorders.gateways.payments import (
    AnswerDisbelieved,
    Declined,
    GatewayCall,
    Outcome,
    Pending,
    SavedMethod,
    Succeeded,
)
from openorders.gateways.stripe_amounts import to_stripe

KEY: Final = "openorders_key"
CAPTURE_KEY: Final = "openorders_capture"
ORDER: Final = "openorders_order"
KIND: Final = "openorders_kind"
PAGE: Final = "openorders_page"

_BRANDS: Final = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "Eftpos Australia",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


class Card(msgspec.Struct):
    """A card as Stripe shows it."""

    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None


class _Details(msgspec.Struct):
    card: Card | None = None


class Refund(msgspec.Struct):
    """Money on its way back."""

    id: str
    amount: int
    currency: str
    status: str | None
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class _Refunds(msgspec.Struct):
    data: list[Refund] = []


class Charge(msgspec.Struct):
    """Money that was taken or is held."""

    id: str
    amount: int
    currency: str
    captured: bool
    status: str
    amount_captured: int = 0
    amount_refunded: int = 0
    payment_intent: str | None = None
    metadata: dict[str, str] = {}
    payment_method_details: _Details | None = None
    refunds: _Refunds | None = None


class _Redirect(msgspec.Struct):
    url: str


class _Action(msgspec.Struct):
    redirect_to_url: _Redirect | None = None


class _Failure(msgspec.Struct):
    code: str | None = None
    decline_code: str | None = None


class Intent(msgspec.Struct):
    """One payment, from the first try to its end."""

    object: Literal["payment_intent"]
    id: str
    amount: int
    currency: str
    status: str
    created: int
    amount_received: int = 0
    amount_capturable: int = 0
    metadata: dict[str, str] = {}
    latest_charge: Charge | str | None = None
    next_action: _Action | None = None
    last_payment_error: _Failure | None = None


class Session(msgspec.Struct):
    """One page on which a buyer pays."""

    object: Literal["checkout.session"]
    id: str
    currency: str | None
    amount_total: int | None
    status: str | None
    payment_status: str
    created: int
    metadata: dict[str, str] | None = None
    payment_intent: Intent | str | None = None
    url: str | None = None


class Customer(msgspec.Struct):
    """A buyer who left a card."""

    object: Literal["customer"]
    id: str


class Method(msgspec.Struct):
    """A card that can be charged later."""

    object: Literal["payment_method"]
    id: str
    card: Card | None = None


class Setup(msgspec.Struct):
    """A card on its way to being kept."""

    object: Literal["setup_intent"]
    id: str
    status: str
    payment_method: Method


def of_opening(intent: Intent, call: GatewayCall) -> Outcome:
    """How a payment stands that this call opened."""
    believe(intent.metadata.get(KEY) == call.key, call, f"intent {intent.id} of another call")
    believe_sum(intent.amount, intent.currency, call)
    match intent.status:
        case "succeeded":
            charged = call.kind is OperationKind.CHARGE
            believe(not charged or intent.amount_received == intent.amount, call, "took another")
            return succeeded(intent)
        case "requires_capture":
            believe(call.kind is OperationKind.AUTHORISE, call, "was to be taken at once")
            believe(intent.amount_capturable == intent.amount, call, "reserved another")
            return succeeded(intent)
        case "canceled":
            return fit_for_buyers("cancelled")
        case "requires_action" if call.return_url is None:
            # Nobody was told where to act, so nobody can.
            return fit_for_buyers("authentication_required")
        case "requires_payment_method" if intent.last_payment_error is not None:
            return failed(intent)
        case _:
            return Pending(reference=intent.id, action_url=_action_url(intent, call))


def of_capture(intent: Intent, call: GatewayCall) -> Outcome | None:
    """Whether a capture was done, whoever did it; None while it can still be."""
    believe(intent.currency == call.currency.lower(), call, "another currency")
    if intent.status == "requires_capture":
        return None
    if intent.status == "succeeded" and intent.amount_received == in_stripe(call):
        return succeeded(intent)
    believe(intent.metadata.get(CAPTURE_KEY) != call.key, call, "captured another amount")
    return not_possible("There is nothing left to capture.")


def of_void(intent: Intent) -> Outcome | None:
    """Whether a payment was given up; None while it can still be."""
    match intent.status:
        case "canceled":
            return Succeeded(reference=intent.id)
        case "succeeded" | "processing":
            return not_possible("The payment was captured already.")
        case _:
            return None


def of_refund(refund: Refund, call: GatewayCall) -> Outcome:
    """How a refund stands that this call asked for."""
    believe((refund.metadata or {}).get(KEY) == call.key, call, f"refund {refund.id} of another")
    believe_sum(refund.amount, refund.currency, call)
    return refunded(refund)


def refunded(refund: Refund) -> Outcome:
    """How a refund stands. One that succeeded can still fail, weeks later."""
    match refund.status:
        case "succeeded":
            return Succeeded(reference=refund.id)
        case "failed" | "canceled":
            return fit_for_buyers("refund_failed")
        case _:
            return Pending(reference=refund.id)


def of_page(session: Session, call: GatewayCall) -> Outcome:
    """How a page stands that this call opened. `payment_intent` has to be expanded."""
    believe((session.metadata or {}).get(KEY) == call.key, call, f"page {session.id} of another")
    believe_sum(session.amount_total, session.currency, call)
    if session.status == "expired":
        return fit_for_buyers("expired")
    if session.status == "complete" and isinstance(session.payment_intent, Intent):
        return of_opening(session.payment_intent, call)
    return Pending(reference=session.id, action_url=_web_address(session.url, call))


def refundable(intent: Intent) -> int:
    """How much of a payment is left to be given back. What was not captured of it counts as
    refunded at Stripe.
    """
    charge = intent.latest_charge
    if intent.status != "succeeded" or not isinstance(charge, Charge):
        return 0
    return min(charge.amount_captured, charge.amount - charge.amount_refunded)


def given_back(intent: Intent, refunds: Sequence[Refund]) -> int:
    """How much of a payment really went back; its refunds come the newest first.

    When less is captured than was reserved, Stripe makes a refund of the rest: the first of all,
    and nobody's money.
    """
    rest = intent.amount - intent.amount_received
    first = refunds[-1] if refunds else None
    released = first is not None and first.amount == rest and KEY not in (first.metadata or {})
    counted = refunds[:-1] if rest and released else refunds
    return sum(refund.amount for refund in counted if refund.status == "succeeded")


def succeeded(intent: Intent) -> Succeeded:
    """A yes, with the card where Stripe says it."""
    charge = intent.latest_charge
    details = charge.payment_method_details if isinstance(charge, Charge) else None
    return with_card(intent.id, details.card if details else None)


def with_card(reference: str, card: Card | None) -> Succeeded:
    """A yes to a payment with a card."""
    return Succeeded(
        reference=reference,
        card_brand=brand_of(card),
        card_last_four=card.last4 if card else None,
    )


def failed(intent: Intent) -> Declined:
    """Why a payment failed, for its buyer."""
    error = intent.last_payment_error or _Failure()
    return fit_for_buyers(error.decline_code or error.code or "card_declined")


def kept(method: Method, customer: str) -> SavedMethod:
    """A card that was kept."""
    card = method.card
    dated = card is not None and card.exp_year is not None and card.exp_month is not None
    return SavedMethod(
        reference=method.id,
        customer=customer,
        card_brand=brand_of(card),
        card_last_four=card.last4 if card else None,
        expires=f"{card.exp_year:04}-{card.exp_month:02}" if card and dated else None,
    )


def brand_of(card: Card | None) -> str | None:
    """The brand as people write it."""
    if card is None or card.brand is None:
        return None
    return _BRANDS.get(card.brand, card.brand)


def believe(plausible: bool, call: GatewayCall, doubt: str) -> None:  # noqa: FBT001 - a condition, as `assert` takes it
    """Raises `AnswerDisbelieved` for an answer that cannot be about the call."""
    if not plausible:
        raise AnswerDisbelieved(f"{call.kind} {call.key}: {doubt}")


def believe_sum(amount: int | None, currency: str | None, call: GatewayCall) -> None:
    """Raises `AnswerDisbelieved` for another sum than was asked for."""
    right = amount == in_stripe(call) and currency == call.currency.lower()
    believe(right, call, f"answered about {amount} {currency}")


def in_stripe(call: GatewayCall) -> int | None:
    """The call's amount as Stripe counts it."""
    return to_stripe(call.amount, call.currency)


def _action_url(intent: Intent, call: GatewayCall) -> str | None:
    """Where the buyer acts; None while only Stripe or a bank has something to do."""
    action = intent.next_action
    if intent.status != "requires_action" or action is None or action.redirect_to_url is None:
        return None
    return _web_address(action.redirect_to_url.url, call)


def _web_address(url: str | None, call: GatewayCall) -> str | None:
    """An address that a buyer may be sent to."""
    if url is None:
        return None
    parts = urlsplit(url)
    believe(parts.scheme in ("https", "http") and bool(parts.hostname), call, "no web address")
    return url
