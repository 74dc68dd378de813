"""The sandbox's test cards: Stripe's public tokens for tests, and what each of them does.

`tok_visa` and `pm_card_visa` are the same card. Nothing here is a real card number.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Behaviour(StrEnum):
    """What a card does beside being charged."""

    PLAIN = "plain"
    LOSE_REQUEST = "lose_request"
    LOSE_ANSWER = "lose_answer"
    SLOW = "slow"
    REFUND_PENDING = "refund_pending"
    REFUND_FAILS = "refund_fails"
    ASKS_BUYER = "asks_buyer"
    FAILS_LATER = "fails_later"


class SandboxCard(Struct, frozen=True, kw_only=True):
    """A card as its issuer sees it. `decline` is the issuer's own code, None for a good card."""

    brand: str
    last_four: str
    decline: str | None = None
    behaviour: Behaviour = Behaviour.PLAIN


VISA: Final = "Visa"
MASTERCARD: Final = "Mastercard"
AMEX: Final = "American Express"
UNIONPAY: Final = "UnionPay"

_GOOD: Final = {
    "visa": (VISA, "4242"),
    "visa_debit": (VISA, "5556"),
    "mastercard": (MASTERCARD, "4444"),
    "mastercard_debit": (MASTERCARD, "8210"),
    "mastercard_prepaid": (MASTERCARD, "5100"),
    "amex": (AMEX, "0005"),
    "discover": ("Discover", "1117"),
    "diners": ("Diners Club", "0004"),
    "jcb": ("JCB", "0505"),
    "unionpay": (UNIONPAY, "0005"),
    "bypassPending": (VISA, "0077"),
    "cvcCheckFail": (VISA, "0101"),
    "avsFail": (VISA, "0010"),
    "createDispute": (VISA, "0259"),
}
_ABROAD: Final = [
    "us",
    "4242",
    "gb",
    "0000",
    "de",
    "0016",
    "fr",
    "0003",
    "es",
    "0007",
    "it",
    "0008",
    "nl",
    "0002",
    "be",
    "0004",
    "at",
    "0008",
    "ch",
    "0009",
    "dk",
    "0001",
    "se",
    "0008",
    "no",
    "0007",
    "fi",
    "0001",
    "ie",
    "0005",
    "pl",
    "0005",
    "pt",
    "0007",
    "ca",
    "0000",
    "br",
    "0002",
    "au",
    "0006",
    "nz",
    "0008",
    "jp",
    "0003",
    "sg",
    "0003",
    "hk",
    "0004",
    "in",
    "0008",
]
_DECLINED: Final = {
    "chargeDeclined": ("0002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": ("9995", "insufficient_funds"),
    "chargeDeclinedLostCard": ("9987", "lost_card"),
    "chargeDeclinedStolenCard": ("9979", "stolen_card"),
    "chargeDeclinedVelocityLimitExceeded": ("6975", "card_velocity_exceeded"),
    "chargeDeclinedExpiredCard": ("0069", "expired_card"),
    "chargeDeclinedIncorrectCvc": ("0127", "incorrect_cvc"),
    "chargeDeclinedProcessingError": ("0119", "processing_error"),
    "chargeDeclinedFraudulent": ("0019", "fraudulent"),
    "radarBlock": ("0019", "fraudulent"),
}
_DECLINED_SOMETIMES: Final = {
    "chargeCustomerFail": ("0341", "generic_decline", Behaviour.FAILS_LATER),
    "threeDSecure2Required": ("3220", "authentication_required", Behaviour.ASKS_BUYER),
    "threeDSecureRequired": ("3063", "authentication_required", Behaviour.ASKS_BUYER),
}
_ODD: Final = {
    "pendingRefund": ("7726", Behaviour.REFUND_PENDING),
    "refundFail": ("5126", Behaviour.REFUND_FAILS),
    "timeoutBeforeCharge": ("4242", Behaviour.LOSE_REQUEST),
    "timeoutAfterCharge": ("4242", Behaviour.LOSE_ANSWER),
    "slow": ("4242", Behaviour.SLOW),
}
_CARDS: Final = {
    **{name: SandboxCard(brand=brand, last_four=digits) for name, (brand, digits) in _GOOD.items()},
    **{
        country: SandboxCard(brand=VISA, last_four=digits)
        for country, digits in zip(_ABROAD[::2], _ABROAD[1::2], strict=True)
    },
    **{
        name: SandboxCard(brand=VISA, last_four=digits, decline=code)
        for name, (digits, code) in _DECLINED.items()
    },
    **{
        name: SandboxCard(brand=VISA, last_four=digits, decline=code, behaviour=behaviour)
        for name, (digits, code, behaviour) in _DECLINED_SOMETIMES.items()
    },
    **{
        name: SandboxCard(brand=VISA, last_four=digits, behaviour=behaviour)
        for name, (digits, behaviour) in _ODD.items()
    },
}

HOSTED_CARD: Final = SandboxCard(brand=VISA, last_four="4242")
"""The card of whoever says yes on a page of the sandbox."""

EXPIRES: Final = "2034-12"
"""When every card of the sandbox expires."""

CHOICES: Final = (
    ("tok_visa", "Visa ending in 4242"),
    ("tok_mastercard", "Mastercard ending in 4444"),
    ("tok_amex", "American Express ending in 0005"),
    ("tok_chargeDeclined", "A card that is declined"),
    ("tok_chargeDeclinedInsufficientFunds", "A card with insufficient funds"),
    ("tok_threeDSecure2Required", "A card whose bank asks who you are"),
    ("tok_timeoutAfterCharge", "A card whose bank answers late"),
)
"""What the pay page offers a person who tries things out."""


def card_of(token: str | None) -> SandboxCard | None:
    """The card that a token stands for, in any of its spellings; None for an unknown one."""
    if token is None:
        return None
    for prefix in ("tok_", "pm_card_", "pm_"):
        if token.startswith(prefix):
            name = token.removeprefix(prefix)
            return _CARDS.get(name) or _CARDS.get(name.removeprefix("visa_"))
    return None


def refund_behaviour(last_four: str | None) -> Behaviour:
    """What a refund to the card does."""
    card = next((card for card in _CARDS.values() if card.last_four == last_four), None)
    odd = (Behaviour.REFUND_PENDING, Behaviour.REFUND_FAILS)
    return card.behaviour if card and card.behaviour in odd else Behaviour.PLAIN
