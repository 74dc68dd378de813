"""Requests and answers that the reference page shows: one customer's two orders."""

from decimal import Decimal
from typing import Final

_ADDRESS: Final = {
    "name": "Jane Smith",
    "line1": "123 Main St",
    "line2": "Apt 4B",
    "city": "New York",
    "state": "NY",
    "postalCode": "10001",
    "country": "US",
    "phone": "+1 (555) 555-1234",
}
_TRACKING: Final = {
    "trackingNumber": "1Z999AA10123456784",
    "trackingUrl": "https://tools.usps.com/go/TrackConfirmAction?tLabels=1Z999AA10123456784",
    "carrier": "USPS",
}
_CANDLE: Final = {
    "id": "item_123456",
    "productId": "prod_123456",
    "name": "Serenity Candle",
    "variantName": "Large",
    "price": Decimal("34.99"),
    "quantity": 2,
    "subtotal": Decimal("69.98"),
}
_AMOUNTS: Final = {
    "taxAmount": Decimal("7.00"),
    "discountAmount": Decimal("10.00"),
    "discountCode": "WELCOME10",
}
_ORDER: Final = {
    "id": "order_123456",
    "number": "MNKY-1001",
    "status": "completed",
    "createdAt": "2023-03-15T14:30:00Z",
    "updatedAt": "2023-03-16T10:45:00Z",
}

LIST: Final = {
    "orders": [
        {
            **_ORDER,
            "totalAmount": Decimal("72.97"),
            "currency": "USD",
            "items": [_CANDLE],
            "shippingDetails": {
                "method": "standard",
                "cost": Decimal("5.99"),
                "estimatedDelivery": "2023-03-20",
            },
            **_AMOUNTS,
        }
    ],
    "pagination": {"total": 1, "pages": 1, "page": 1, "limit": 10},
}

FULL: Final = {
    **_ORDER,
    "completedAt": "2023-03-16T10:45:00Z",
    "totalAmount": Decimal("72.97"),
    "currency": "USD",
    "customer": {
        "id": "user_123456",
        "email": "jane.smith@example.com",
        "name": "Jane Smith",
    },
    "items": [{**_CANDLE, "sku": "SER-CAN-L", "image": "https://example.com/images/candle1.jpg"}],
    "shippingAddress": _ADDRESS,
    "billingAddress": _ADDRESS,
    "shippingDetails": {
        "method": "standard",
        **_TRACKING,
        "cost": Decimal("5.99"),
        "estimatedDelivery": "2023-03-20",
        "shippedAt": "2023-03-16T10:00:00Z",
    },
    "paymentDetails": {
        "method": "credit_card",
        "status": "paid",
        "lastFour": "4242",
        "cardType": "Visa",
        "paidAt": "2023-03-15T14:35:00Z",
    },
    "subtotal": Decimal("69.98"),
    "taxDetails": [
        {"name": "State Tax", "rate": Decimal("0.06"), "amount": Decimal("4.20")},
        {"name": "City Tax", "rate": Decimal("0.04"), "amount": Decimal("2.80")},
    ],
    **_AMOUNTS,
    "notes": "Please leave package at front door",
    "status_history": [
        {"status": "created", "timestamp": "2023-03-15T14:30:00Z"},
        {"status": "processing", "timestamp": "2023-03-15T14:35:00Z"},
        {"status": "shipped", "timestamp": "2023-03-16T10:00:00Z"},
        {"status": "completed", "timestamp": "2023-03-16T10:45:00Z"},
    ],
}

CREATE: Final = {
    "items": [
        {"productId": "prod_123456", "variantId": "var_789013", "quantity": 1},
        {"productId": "prod_234567", "variantId": "var_789014", "quantity": 2},
    ],
    "shippingAddress": {**_ADDRESS, "line2": ""},
    "billingAddress": {"sameAsShipping": True},
    "shippingMethod": "express",
    "paymentDetails": {"method": "credit_card", "token": "tok_visa"},
    "discountCode": "SPRING20",
    "notes": "Gift wrap please",
}
PLACE_FOR: Final = {
    "customerId": "user_123456",
    "items": [{"productId": "prod_123456", "quantity": 1}],
}

CHANGE_STATUS: Final = {"status": "shipped", **_TRACKING, "notifyCustomer": True}
_STARTED: Final = [
    {"status": "created", "timestamp": "2023-04-16T16:00:00Z"},
    {"status": "processing", "timestamp": "2023-04-16T16:00:00Z"},
]
CHANGED: Final = {
    "id": "order_789012",
    "number": "MNKY-1002",
    "status": "shipped",
    "updatedAt": "2023-04-16T19:30:00Z",
    "shippingDetails": {
        "method": "express",
        **_TRACKING,
        "cost": Decimal("9.99"),
        "estimatedDelivery": "2023-04-18",
        "shippedAt": "2023-04-16T19:30:00Z",
    },
    "status_history": [*_STARTED, {"status": "shipped", "timestamp": "2023-04-16T19:30:00Z"}],
    "notification": {"sent": True, "method": "email", "timestamp": "2023-04-16T19:31:00Z"},
}

CANCEL: Final = {"reason": "Changed mind", "comments": "Found an alternative product"}
CANCELLED: Final = {
    "id": "order_789012",
    "number": "MNKY-1002",
    "status": "cancelled",
    "updatedAt": "2023-04-16T17:15:00Z",
    "cancellation": {**CANCEL, "cancelledAt": "2023-04-16T17:15:00Z"},
    "status_history": [*_STARTED, {"status": "cancelled", "timestamp": "2023-04-16T17:15:00Z"}],
    "refund": {
        "status": "processing",
        "amount": Decimal("68.47"),
        "estimatedProcessingTime": "3-5 business days",
    },
}
