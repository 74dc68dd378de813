"""How the management API writes identifiers: a prefix that says what it names, and a number."""

from typing import Final

from openorders.contracts.kit import Prefixed

ORDER: Final = Prefixed("order", "order_")
LINE: Final = Prefixed("line", "line_")
PRODUCT: Final = Prefixed("product", "prod_")
VARIANT: Final = Prefixed("variant", "var_")
CUSTOMER: Final = Prefixed("customer", "cus_")
PAYMENT: Final = Prefixed("payment", "pay_")
OPERATION: Final = Prefixed("operation", "op_")
REFUND: Final = Prefixed("refund", "ref_")
METHOD: Final = Prefixed("payment method", "pm_")
EVENT: Final = Prefixed("event", "evt_")
ENDPOINT: Final = Prefixed("webhook endpoint", "we_")
KEY: Final = Prefixed("key", "key_")
