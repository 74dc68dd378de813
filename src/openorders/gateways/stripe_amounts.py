"""Amounts as Stripe counts them, which is not always as ISO 4217 does.

From Stripe's page of currencies: some have no decimals there, some are sent with two decimals
that must be zero, some with three of which the last must be zero.
"""

from typing import Final

from openorders.domain.money import minor_digits

_NO_DECIMALS: Final = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905 - reads as words
)
_TWO_ZEROS: Final = frozenset(("ISK", "UGX"))
"""Without decimals in truth, written with two for the sake of old integrations."""

_THREE_DECIMALS: Final = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
_UNKNOWN_THERE: Final = frozenset(("CLF", "IQD", "LYD", "UYI", "UYW"))
"""Currencies of other than two digits that Stripe's table does not have: how it would count them
is not known.
"""


def to_stripe(minor: int, currency: str) -> int | None:
    """An amount in minor units (ISO) as Stripe counts it; None when Stripe cannot express it."""
    if currency in _UNKNOWN_THERE or minor <= 0:
        return None
    digits, theirs = minor_digits(currency), _digits(currency)
    amount, rest = divmod(minor * 10**theirs, 10**digits)
    if rest or amount % _step(currency):
        return None
    return amount


def from_stripe(amount: int, currency: str) -> int | None:
    """The way back. None for an amount that no minor unit (ISO) can express."""
    if currency in _UNKNOWN_THERE:
        return None
    minor, rest = divmod(amount * 10 ** minor_digits(currency), 10 ** _digits(currency))
    return None if rest else minor


def _digits(currency: str) -> int:
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def _step(currency: str) -> int:
    if currency in _TWO_ZEROS:
        return 100
    return 10 if currency in _THREE_DECIMALS else 1
