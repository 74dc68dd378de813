"""How `storefront` writes identifiers: `order_42`, `item_42`, `prod_42`, `var_42`, `user_42`."""

from typing import Final

from openorders.contracts.kit import NoSuch, Prefixed
from openorders.domain.ids import CustomerId, LineId, OrderId, ProductId, VariantId

ORDER: Final = Prefixed("order", "order_")
LINE: Final = Prefixed("item", "item_")
PRODUCT: Final = Prefixed("product", "prod_")
VARIANT: Final = Prefixed("variant", "var_")
CUSTOMER: Final = Prefixed("customer", "user_")


def parse_order(text: str) -> OrderId:
    """The order a path names. Raises `NoSuch`."""
    return OrderId(ORDER.parse(text))


def read_product(text: str, at: str) -> ProductId:
    """The product a body names in the field `at`. Raises `Unreadable` or `NoSuch`."""
    return ProductId(PRODUCT.read(text, at))


def read_variant(text: str, at: str) -> VariantId:
    """The variant a body names in the field `at`. Raises `Unreadable` or `NoSuch`."""
    return VariantId(VARIANT.read(text, at))


def read_customer(text: str, at: str) -> CustomerId:
    """The customer a body names in the field `at`. Raises `Unreadable` or `NoSuch`.

    An order registers the customer it names, and nobody can be registered as number 0.
    """
    number = CUSTOMER.read(text, at)
    if number == 0:
        raise NoSuch(CUSTOMER.kind, text)
    return CustomerId(number)


def format_order(order_id: OrderId) -> str:
    """`order_42` for 42."""
    return ORDER.format(order_id)


def format_line(line_id: LineId) -> str:
    """`item_42` for 42."""
    return LINE.format(line_id)


def format_product(product_id: ProductId) -> str:
    """`prod_42` for 42."""
    return PRODUCT.format(product_id)


def format_variant(variant_id: VariantId) -> str:
    """`var_42` for 42."""
    return VARIANT.format(variant_id)


def format_customer(customer_id: CustomerId) -> str:
    """`user_42` for 42."""
    return CUSTOMER.format(customer_id)
