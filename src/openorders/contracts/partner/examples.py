"""Requests and answers that the reference page shows."""

from decimal import Decimal
from typing import Final

CREATE: Final = {
    "partner_name": "RayTech Corp.",
    "customer_reference": "CUST-1001",
    "items": [{"product_id": "PR00001", "quantity": 1}],
}
ORDER: Final = {
    "order_id": "OR00001",
    "partner_name": "RayTech Corp.",
    "customer_reference": "CUST-1001",
    "status": "created",
    "total_amount": Decimal("10.99"),
    "currency": "USD",
    "items": [
        {
            "order_item_id": "OI00001",
            "product_id": "PR00001",
            "sku": "BR-4001",
            "product_name": "All Day IPA",
            "quantity": 1,
            "unit_price": Decimal("10.99"),
            "line_total": Decimal("10.99"),
        }
    ],
}
ORDERS: Final = {"count": 1, "items": [ORDER]}
