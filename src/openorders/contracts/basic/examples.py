"""What the reference page of `basic` shows: the same orders that its document prints."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from openorders.contracts.basic.schemas import ItemOut, OrderOut, Status


def _order_101(status: Status) -> OrderOut:
    return OrderOut(
        id=101,
        user_id=5,
        order_date=datetime(2023, 10, 27, 10, 0, tzinfo=UTC),
        total_amount=Decimal("150.75"),
        status=status,
        items=[
            ItemOut(product_id=20, quantity=2, price=Decimal("50.25")),
            ItemOut(product_id=35, quantity=1, price=Decimal("50.25")),
        ],
    )


ONE: Final = _order_101("shipped")
DELIVERED: Final = _order_101("delivered")
LISTED: Final = [
    ONE,
    OrderOut(
        id=102,
        user_id=8,
        order_date=datetime(2023, 10, 27, 11, 30, tzinfo=UTC),
        total_amount=Decimal("75.00"),
        status="pending",
        items=[ItemOut(product_id=15, quantity=3, price=Decimal("25.00"))],
    ),
]
NEW: Final = {"userId": 12, "items": [{"productId": 50, "quantity": 1}]}
CREATED: Final = OrderOut(
    id=103,
    user_id=12,
    order_date=datetime(2023, 10, 27, 14, 0, tzinfo=UTC),
    total_amount=Decimal("200.50"),
    status="pending",
    items=[ItemOut(product_id=50, quantity=1, price=Decimal("200.50"))],
)
