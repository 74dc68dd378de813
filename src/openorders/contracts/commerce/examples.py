"""What the reference page of `commerce` shows: the same orders that its document prints."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from msgspec import UNSET, UnsetType

from openorders.contracts.commerce.schemas import (
    AddressOut,
    ItemOut,
    OrderOut,
    OrdersOut,
    Pagination,
    Status,
)


def _at(hour: int, minute: int) -> datetime:
    return datetime(2023, 10, 27, hour, minute, tzinfo=UTC)


def _home(city: str, state: str) -> AddressOut:
    return AddressOut(
        street="456 Oak Ave", city=city, state=state, zip_code=_ZIP_CODES[state], country="USA"
    )


def _first_order(status: Status, updated_at: datetime, address: AddressOut | UnsetType) -> OrderOut:
    return OrderOut(
        order_id="ORD123456789",
        customer_id="CUST98765",
        status=status,
        total_amount=Decimal("150.75"),
        currency="USD",
        created_at=_at(10, 30),
        updated_at=updated_at,
        shipping_address=address,
        items=[
            ItemOut(product_id="PROD001", quantity=2, price=Decimal("50.00")),
            ItemOut(product_id="PROD002", quantity=1, price=Decimal("50.75")),
        ],
    )


_ZIP_CODES: Final = {"NY": "10001", "CA": "90210"}

LISTED: Final = OrdersOut(
    data=[
        _first_order("processing", _at(10, 35), UNSET),
        OrderOut(
            order_id="ORD123456790",
            customer_id="CUST98766",
            status="processing",
            total_amount=Decimal("75.00"),
            currency="USD",
            created_at=_at(9, 0),
            updated_at=_at(9, 5),
            shipping_address=UNSET,
            items=[ItemOut(product_id="PROD003", quantity=3, price=Decimal("25.00"))],
        ),
    ],
    pagination=Pagination(total=50, limit=10, offset=0, next_offset=10, prev_offset=None),
)
NEW: Final = {
    "customerId": "CUST98765",
    "items": [
        {"productId": "PROD001", "quantity": 1},
        {"productId": "PROD004", "quantity": 2},
    ],
    "shippingAddress": {
        "street": "123 Main St",
        "city": "Anytown",
        "state": "CA",
        "zipCode": "90210",
        "country": "USA",
    },
}
CREATED: Final = OrderOut(
    order_id="ORD123456801",
    customer_id="CUST98765",
    status="pending",
    total_amount=Decimal("220.50"),
    currency="USD",
    created_at=_at(11, 0),
    updated_at=_at(11, 0),
    shipping_address=UNSET,
    items=[
        ItemOut(product_id="PROD001", quantity=1, price=Decimal("50.00")),
        ItemOut(product_id="PROD004", quantity=2, price=Decimal("85.25")),
    ],
)
ONE: Final = _first_order("processing", _at(10, 35), _home("Othertown", "NY"))
CHANGE: Final = {
    "status": "shipped",
    "shippingAddress": {
        "street": "456 Oak Ave",
        "city": "Anytown",
        "state": "CA",
        "zipCode": "90210",
        "country": "USA",
    },
}
CHANGED: Final = _first_order("shipped", _at(11, 30), _home("Anytown", "CA"))
