"""The fields a query can name, what kind of value each has, and the words of the status."""

from enum import Enum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from openorders.contracts.marketplace.words import status_of
from openorders.domain.order import Word
from openorders.domain.search import (
    Amount,
    Call,
    Column,
    Expression,
    Field,
    Function,
    Identifier,
    LineField,
    Renamed,
)

SHOWN_WORDS: Final = MappingProxyType({word: status_of(word) for word in Word})
"""This contract's word for each word inside; several can share one."""


class Kind(Enum):
    """The kinds of value; the values are how people are told of them."""

    TEXT = "text"
    WHOLE = "a whole number"
    DECIMAL = "a number"
    DATE = "a date"
    INSTANT = "a date and time"
    CONDITION = "true or false"
    NULL = "null"

    @property
    def is_number(self) -> bool:
        return self in (Kind.WHOLE, Kind.DECIMAL)


class Known(Struct, frozen=True):
    """What a name stands for."""

    expression: Expression
    kind: Kind


def _time(field: Field) -> Known:
    # Answers show whole seconds, and what is shown is what is compared.
    return Known(Call(function=Function.WHOLE_SECOND, operand=Column(field=field)), Kind.INSTANT)


_STATUS: Final = Renamed(
    field=Field.WORD, words=tuple((word.value, shown) for word, shown in SHOWN_WORDS.items())
)

ORDER_FIELDS: Final = MappingProxyType(
    {
        "id": Known(Identifier(prefix="ord_", field=Field.ID), Kind.TEXT),
        "customerId": Known(Identifier(prefix="cust_", field=Field.CUSTOMER_ID), Kind.TEXT),
        "status": Known(_STATUS, Kind.TEXT),
        "totalAmount": Known(Amount(field=Field.TOTAL), Kind.DECIMAL),
        "currency": Known(Column(field=Field.CURRENCY), Kind.TEXT),
        "paymentMethod": Known(Column(field=Field.PAYMENT_METHOD), Kind.TEXT),
        "createdAt": _time(Field.CREATED_AT),
        "updatedAt": _time(Field.UPDATED_AT),
    }
)
LINE_FIELDS: Final = MappingProxyType(
    {
        "offerId": Known(Identifier(prefix="offer_", field=LineField.VARIANT_ID), Kind.TEXT),
        "quantity": Known(Column(field=LineField.QUANTITY), Kind.WHOLE),
        "price": Known(Amount(field=LineField.UNIT_PRICE), Kind.DECIMAL),
        "status": Known(Column(field=LineField.STATE), Kind.TEXT),
    }
)
COLLECTION: Final = "items"
SELECTABLE: Final = (
    "id",
    "customerId",
    "status",
    "items",
    "totalAmount",
    "createdAt",
    "currency",
    "paymentMethod",
    "updatedAt",
)
SELECTED_BY_DEFAULT: Final = SELECTABLE[:6]
