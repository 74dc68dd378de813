"""Numbers and times as JSON has them: exact money, whole seconds.

Amounts leave as JSON numbers with exactly the digits their Decimal has and enter as the digits
that were sent; no binary float is ever in between.
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

INT64_MAX: Final = 2**63 - 1
_AMOUNT_DIGITS: Final = 30

Money = Decimal
"""An amount in an answer: made with `domain.money.to_decimal`, so that its digits are right."""


class Amount(Decimal):
    """An amount in a request: a JSON number (never a text), finite, of at most 30 digits."""

    __slots__ = ()


def _encode_special(value: object) -> object:
    if isinstance(value, Amount):
        return Decimal(value)
    raise NotImplementedError(f"no encoding for {type(value).__name__}")


_encoder: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=_encode_special)


def encode(value: object) -> bytes:
    """The value as JSON: Structs, dicts, lists; Decimals as numbers; aware times in UTC."""
    return _encoder.encode(value)


def moment(time: datetime) -> datetime:
    """The time in UTC and whole seconds, which is written as `2023-10-27T10:30:00Z`."""
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    return time.replace(microsecond=0) if time.microsecond else time


def exact_number(text: str) -> Decimal:
    """The number that a JSON literal with a point or an exponent stands for."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("must be a number of a sensible size") from None


def decode_special(kind: type[Any], value: object) -> object:
    """What msgspec does not read by itself; it turns a ValueError into the field's problem."""
    if kind is not Amount:
        raise NotImplementedError(f"no decoding for {kind.__name__}")
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("must be a number")  # noqa: TRY004 - msgspec names the field for it
    amount = Amount(value)
    if abs(amount.adjusted()) > _AMOUNT_DIGITS or len(amount.as_tuple().digits) > _AMOUNT_DIGITS:
        raise ValueError("must be a number of a sensible size")
    return amount


NUMBER: Final = {"type": "number", "format": "decimal"}
"""The schema of an exact amount, both ways."""


def describe_special(kind: type[Any]) -> dict[str, Any]:
    """The JSON schema of what msgspec does not know."""
    if kind is Amount:
        return dict(NUMBER)
    raise NotImplementedError(f"no schema for {kind.__name__}")
