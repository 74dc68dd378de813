"""How `marketplace` writes identifiers: `ord_42`, `item_42`, `offer_42`, `cust_42`, `txn_42`.

An order in a path or a body that cannot exist is not found, like one that does not; every other
identifier stands in a body, where another form is the body's fault.
"""

from typing import Final

from openorders.contracts.kit import NoSuch, Prefixed, Unreadable
from openorders.domain.ids import CustomerId, LineId, OrderId, PaymentId, VariantId

ORDER: Final = Prefixed("order", "ord_")
ITEM: Final = Prefixed("item", "item_")
OFFER: Final = Prefixed("offer", "offer_")
CUSTOMER: Final = Prefixed("customer", "cust_")
TRANSACTION: Final = Prefixed("transaction", "txn_")


def parse_order(text: str) -> OrderId:
    """The order that a path names. Raises `NoSuch`."""
    return OrderId(ORDER.parse(text))


def read_order(text: str, at: str) -> OrderId:
    """The order that a body names in the field `at`. Raises `Unreadable` or `NoSuch`."""
    return OrderId(ORDER.read(text, at))


def read_item(text: str, at: str) -> LineId:
    """The item that a body names in the field `at`. Raises `Unreadable`."""
    return LineId(_read(ITEM, text, at))


def read_offer(text: str, at: str) -> VariantId:
    """The offer that a body names in the field `at`. Raises `Unreadable`."""
    return VariantId(_read(OFFER, text, at))


def read_customer(text: str, at: str) -> CustomerId:
    """The customer that a body names in the field `at`. Raises `Unreadable`.

    An order registers the customer it names, and nobody can be registered as number 0.
    """
    number = _read(CUSTOMER, text, at)
    if number == 0:
        raise _malformed(CUSTOMER, at)
    return CustomerId(number)


def format_order(order_id: OrderId) -> str:
    """`ord_42` for 42."""
    return ORDER.format(order_id)


def format_item(line_id: LineId) -> str:
    """`item_42` for 42."""
    return ITEM.format(line_id)


def format_offer(variant_id: VariantId) -> str:
    """`offer_42` for 42."""
    return OFFER.format(variant_id)


def format_customer(customer_id: CustomerId) -> str:
    """`cust_42` for 42."""
    return CUSTOMER.format(customer_id)


def format_transaction(payment_id: PaymentId) -> str:
    """`txn_42` for 42."""
    return TRANSACTION.format(payment_id)


def _read(kind: Prefixed, text: str, at: str) -> int:
    try:
        return kind.read(text, at)
    except NoSuch:
        raise _malformed(kind, at) from None


def _malformed(kind: Prefixed, at: str) -> Unreadable:
    return Unreadable(at, f"must be an identifier like {kind.format(42)}")
