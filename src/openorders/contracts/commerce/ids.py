"""How `commerce` writes identifiers: `ORD123456789`, `CUST98765`, `PROD001`."""

from typing import Final

from openorders.contracts.kit import Prefixed, Unreadable
from openorders.domain.ids import CustomerId, OrderId, ProductId

_ORDER: Final = Prefixed("order", "ORD", 9)
_CUSTOMER: Final = Prefixed("customer", "CUST", 5)
_PRODUCT: Final = Prefixed("product", "PROD", 3)


def format_order(order_id: OrderId) -> str:
    """The order's ID as it is shown."""
    return _ORDER.format(order_id)


def format_customer(customer_id: CustomerId) -> str:
    """The customer's ID as it is shown."""
    return _CUSTOMER.format(customer_id)


def format_product(product_id: ProductId) -> str:
    """The product's ID as it is shown."""
    return _PRODUCT.format(product_id)


def parse_order(text: str) -> OrderId:
    """The order that a path names. Raises `NoSuch` with the text as sent."""
    return OrderId(_ORDER.parse(text))


def read_customer(text: str, at: str) -> CustomerId:
    """The customer that a body names at the field `at`.

    Raises `Unreadable` for another form and for number 0, which could never be registered,
    `NoSuch` for a number that no customer can have.
    """
    number = _CUSTOMER.read(text, at)
    if number == 0:
        raise Unreadable(at, "must be at least CUST00001")
    return CustomerId(number)


def read_product(text: str, at: str) -> ProductId:
    """The product that a body names at the field `at`.

    Raises `Unreadable` for another form, `NoSuch` for a number that no product can have.
    """
    return ProductId(_PRODUCT.read(text, at))
