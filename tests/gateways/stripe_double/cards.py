"""Stripe's public test cards, and what Stripe's documentation says each of them does.

Written from https://docs.stripe.com/testing, on purpose without a look at the sandbox's table.
"""

from dataclasses import dataclass
from typing import Final

GOOD_NUMBER: Final = "4242424242424242"
DECLINED_NUMBER: Final = "4000000000000341"
"""The one card that localstripe lets be charged and declines then."""
AUTHENTICATED_NUMBER: Final = "4000000000003220"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A test card. `code` and `decline_code` are those of the error when it is charged."""

    brand: str = "visa"
    last4: str = "4242"
    code: str | None = None
    decline_code: str | None = None
    message: str = "Your card was declined."
    attaches: bool = True
    needs_action: bool = False
    refund: str = "succeeded"

    @property
    def number(self) -> str:
        """A number that makes localstripe do the same."""
        if self.needs_action:
            return AUTHENTICATED_NUMBER
        return DECLINED_NUMBER if self.code else GOOD_NUMBER


def _declined(last4: str, decline_code: str, *, attaches: bool = False) -> Card:
    return Card(last4=last4, code="card_declined", decline_code=decline_code, attaches=attaches)


_CARDS: Final = {
    "visa": Card(),
    "visa_debit": Card(last4="5556"),
    "mastercard": Card(brand="mastercard", last4="4444"),
    "mastercard_debit": Card(brand="mastercard", last4="8210"),
    "mastercard_prepaid": Card(brand="mastercard", last4="5100"),
    "amex": Card(brand="amex", last4="0005"),
    "discover": Card(brand="discover", last4="1117"),
    "diners": Card(brand="diners", last4="0004"),
    "jcb": Card(brand="jcb", last4="0505"),
    "unionpay": Card(brand="unionpay", last4="0005"),
    "chargeDeclined": _declined("0002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": _declined("9995", "insufficient_funds"),
    "chargeDeclinedLostCard": _declined("9987", "lost_card"),
    "chargeDeclinedStolenCard": _declined("9979", "stolen_card"),
    "chargeDeclinedVelocityLimitExceeded": _declined("6975", "card_velocity_exceeded"),
    "chargeDeclinedFraudulent": _declined("0019", "fraudulent"),
    "radarBlock": _declined("0019", "fraudulent"),
    "chargeCustomerFail": _declined("0341", "generic_decline", attaches=True),
    "chargeDeclinedExpiredCard": Card(
        last4="0069", code="expired_card", message="Your card has expired.", attaches=False
    ),
    "chargeDeclinedIncorrectCvc": Card(
        last4="0127",
        code="incorrect_cvc",
        message="Your card's security code is incorrect.",
        attaches=False,
    ),
    "chargeDeclinedProcessingError": Card(
        last4="0119",
        code="processing_error",
        message="An error occurred while processing your card. Try again in a little bit.",
        attaches=False,
    ),
    "threeDSecure2Required": Card(last4="3220", needs_action=True),
    "pendingRefund": Card(last4="7726", refund="pending"),
    "refundFail": Card(last4="5126"),
}


def card_of_token(token: object) -> Card | None:
    """The card behind `tok_…`."""
    return _named(token, "tok_")


def card_of_method(method: object) -> Card | None:
    """The card behind `pm_card_…`, which makes a new payment method wherever it is used."""
    return _named(method, "pm_card_")


def _named(value: object, prefix: str) -> Card | None:
    if not isinstance(value, str) or not value.startswith(prefix):
        return None
    name = value.removeprefix(prefix)
    return _CARDS.get(name) or _CARDS.get(name.removeprefix("visa_"))
