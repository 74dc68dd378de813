"""Amounts as integers of a currency's minor unit, and the two ways they are ever divided.

Digits follow ISO 4217. A payment provider's own table of digits belongs to its gateway.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

AMOUNT_MAX: Final = 10**15
"""The largest amount of any order in minor units: exact in every client's JSON number."""

_OTHER_DIGITS: Final = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}

CURRENCIES: Final = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP
    BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
    GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS
    KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
    TZS UAH UGX USD UYI UYU UYW UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()
)
"""The ISO 4217 codes of money that can be tendered."""


def minor_digits(currency: str) -> int:
    """How many digits the currency has after the point (ISO 4217): 2 for USD, 0 for JPY."""
    return _OTHER_DIGITS.get(currency, 2)


@lru_cache(maxsize=4096)
def to_decimal(minor: int, digits: int) -> Decimal:
    """The amount with exactly `digits` digits: 7500 with 2 is `75.00`, 150 with 0 is `150`."""
    return Decimal(minor).scaleb(-digits)


def from_decimal(amount: Decimal, digits: int) -> int | None:
    """The amount in minor units, or None when it has finer parts than the currency does."""
    try:
        minor = amount.scaleb(digits)
        whole = minor.to_integral_value()
    except InvalidOperation:
        return None
    if whole != minor or abs(whole) > AMOUNT_MAX:
        return None
    return int(whole)


def portion(minor: int, rate: Decimal) -> int:
    """`rate` of an amount, rounded half-even to a whole minor unit."""
    return int((minor * rate).to_integral_value(ROUND_HALF_EVEN))


def average(total: int, count: int, digits: int) -> Decimal:
    """The average with the currency's digits, rounded half-even; zero of nothing."""
    if count == 0:
        return to_decimal(0, digits)
    whole, rest = divmod(total, count)
    up = 2 * rest > count or (2 * rest == count and whole % 2 == 1)
    return to_decimal(whole + up, digits)


def split(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Share `total` in proportion to `weights` by largest remainder, ties to the earlier one.

    The shares always add up to `total`. With no weight at all, the first takes everything.
    """
    whole = sum(weights)
    if not weights:
        return ()
    if whole == 0:
        return (total, *(0 for _ in weights[1:]))
    shares = [total * weight // whole for weight in weights]
    rest = total - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
    for i in by_remainder[:rest]:
        shares[i] += 1
    return tuple(shares)
