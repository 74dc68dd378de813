"""How `basic` writes identifiers: plain integers, each with one spelling only."""

from typing import Final

from openorders.contracts import kit
from openorders.domain.ids import ID_MAX, OrderId, ProductId

_DIGITS_MAX: Final = len(str(ID_MAX))


def parse_order(text: str) -> OrderId:
    """The order that a path names.

    Raises `NoSuch` for text that is no canonical id: `007`, `+7`, `-7`, `abc`, 2^63.
    """
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX:
        number = int(text)
        if number <= ID_MAX and str(number) == text:
            return OrderId(number)
    raise kit.NoSuch("order", text)


def read_product(number: int) -> ProductId:
    """The product that a body names. Raises `NoSuch` for a number that no product can have."""
    if number > ID_MAX:
        raise kit.NoSuch("product", str(number))
    return ProductId(number)
