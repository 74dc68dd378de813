"""How `partner` writes identifiers: `OR00001`, `OI00001`, `PR00001`, at least five digits."""

from typing import Final

from openorders.contracts.kit import Prefixed
from openorders.domain.ids import CustomerId, LineId, OrderId, ProductId

ORDER: Final = Prefixed("order", "OR", 5)
LINE: Final = Prefixed("order item", "OI", 5)
PRODUCT: Final = Prefixed("product", "PR", 5)
CUSTOMER: Final = Prefixed("customer", "CUST", 5)


def parse_order(text: str) -> OrderId:
    """The order a path names. Raises `NoSuch`."""
    return OrderId(ORDER.parse(text))


def read_product(text: str, at: str) -> ProductId:
    """The product a body names in the field `at`. Raises `Unreadable` or `NoSuch`."""
    return ProductId(PRODUCT.read(text, at))


def format_order(order_id: OrderId) -> str:
    """`OR00042` for 42."""
    return ORDER.format(order_id)


def format_line(line_id: LineId) -> str:
    """`OI00042` for 42."""
    return LINE.format(line_id)


def format_product(product_id: ProductId) -> str:
    """`PR00042` for 42."""
    return PRODUCT.format(product_id)


def format_customer(customer_id: CustomerId) -> str:
    """`CUST00042` for 42: what an order from elsewhere shows when its customer has no name."""
    return CUSTOMER.format(customer_id)
