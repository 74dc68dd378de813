"""What of an order and its lines can be written into a table, column by column.

A column says what is meant; how it is named, how identifiers look and which words are shown is
the asker's.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import TypeAlias

from msgspec import Struct


class OrderPart(Enum):
    """One value of an order. Amounts are in major units, times cut to whole seconds."""

    ID = auto()
    NUMBER = auto()
    CUSTOMER_ID = auto()
    CUSTOMER_NAME = auto()
    CUSTOMER_EMAIL = auto()
    WORD = auto()
    PAYMENT = auto()
    FULFILMENT = auto()
    CURRENCY = auto()
    SUBTOTAL = auto()
    DISCOUNT = auto()
    DISCOUNT_CODE = auto()
    SHIPPING = auto()
    TAX = auto()
    TOTAL = auto()
    PAYMENT_METHOD = auto()
    PAYMENT_GATEWAY = auto()
    PARTNER_NAME = auto()
    CUSTOMER_REFERENCE = auto()
    SHIPPING_METHOD = auto()
    ESTIMATED_DELIVERY = auto()
    CARRIER = auto()
    TRACKING_NUMBER = auto()
    TRACKING_URL = auto()
    SHIPPED_AT = auto()
    SHIP_TO_NAME = auto()
    SHIP_TO_LINE1 = auto()
    SHIP_TO_LINE2 = auto()
    SHIP_TO_CITY = auto()
    SHIP_TO_STATE = auto()
    SHIP_TO_POSTAL_CODE = auto()
    SHIP_TO_COUNTRY = auto()
    SHIP_TO_PHONE = auto()
    BILL_TO_NAME = auto()
    BILL_TO_LINE1 = auto()
    BILL_TO_LINE2 = auto()
    BILL_TO_CITY = auto()
    BILL_TO_STATE = auto()
    BILL_TO_POSTAL_CODE = auto()
    BILL_TO_COUNTRY = auto()
    BILL_TO_PHONE = auto()
    NOTES = auto()
    CANCELLATION_REASON = auto()
    CANCELLED_AT = auto()
    CREATED_AT = auto()
    UPDATED_AT = auto()
    COMPLETED_AT = auto()
    VERSION = auto()


class LinePart(Enum):
    """One value of a line. A table that has any of them repeats the order for each line."""

    ID = auto()
    PRODUCT_ID = auto()
    VARIANT_ID = auto()
    PRODUCT_NAME = auto()
    VARIANT_NAME = auto()
    SKU = auto()
    IMAGE = auto()
    QUANTITY = auto()
    UNIT_PRICE = auto()
    SUBTOTAL = auto()
    STATE = auto()


Part: TypeAlias = OrderPart | LinePart


class TableColumn(Struct, frozen=True, kw_only=True):
    """`name` is the header. `prefix` precedes the number of an identifier; `words` are pairs of
    (inside, shown) for a word, complete, and none to show the word as it is inside.
    """

    name: str
    part: Part
    prefix: str = ""
    words: tuple[tuple[str, str], ...] = ()


def has_lines(columns: Sequence[TableColumn]) -> bool:
    """Whether the table has a row per line rather than one per order."""
    return any(isinstance(column.part, LinePart) for column in columns)
