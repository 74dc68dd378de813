"""What the reference page of `marketplace` shows: the requests and answers of its document."""

from typing import Any, Final

_AT: Final = "2026-06-02T10:30:00Z"

CREATE: Final[dict[str, Any]] = {
    "customerId": "cust_123",
    "items": [{"offerId": "offer_456", "quantity": 1, "price": 99.99}],
    "paymentMethod": "credit_card",
    "paymentGatewayId": "stripe_1",
}
CREATED: Final[dict[str, Any]] = {
    "orderId": "ord_795",
    "status": "pending_payment",
    "totalAmount": 99.99,
    "paymentUrl": "https://shop.example/pay/3/795/9UxjDSVd0fJrTnYqZ2LwXg",
    "createdAt": _AT,
}
ONE: Final[dict[str, Any]] = {
    "id": "ord_789",
    "customerId": "cust_123",
    "status": "completed",
    "items": [
        {
            "id": "item_1",
            "offerId": "offer_456",
            "quantity": 1,
            "price": 99.99,
            "status": "fulfilled",
        }
    ],
    "totalAmount": 99.99,
    "createdAt": _AT,
}
LISTED: Final[dict[str, Any]] = {"value": [ONE], "count": 1}
MEASURED: Final[dict[str, Any]] = {
    "totalOrders": 1000,
    "totalRevenue": 94990.50,
    "averageOrderValue": 99.99,
    "ordersByStatus": {
        "pending_payment": 0,
        "pending": 150,
        "processing": 0,
        "shipped": 0,
        "delivered": 0,
        "completed": 800,
        "refunded": 0,
        "cancelled": 50,
    },
    "groups": [
        {
            "key": "2026-06",
            "totalOrders": 1000,
            "totalRevenue": 94990.50,
            "averageOrderValue": 99.99,
        }
    ],
}
CHANGE: Final[dict[str, Any]] = {"status": "processing", "reason": "Payment confirmed"}
CHANGED: Final[dict[str, Any]] = {
    "id": "ord_792",
    "status": "processing",
    "updatedAt": "2026-06-02T10:35:00Z",
}
CANCEL_MANY: Final[dict[str, Any]] = {
    "orderIds": ["ord_789", "ord_790", "ord_791"],
    "reason": "Customer request",
}
CANCELLED_MANY: Final[dict[str, Any]] = {
    "cancelled": 2,
    "failed": 1,
    "results": [
        {
            "orderId": "ord_789",
            "status": "failed",
            "error": {
                "code": "INVALID_STATUS",
                "message": "Order ord_789 cannot be cancelled as it has already been delivered.",
            },
        },
        {"orderId": "ord_790", "status": "cancelled"},
        {"orderId": "ord_791", "status": "cancelled"},
    ],
}
CANCEL_ITEM: Final[dict[str, Any]] = {
    "orderId": "ord_793",
    "items": [{"itemId": "item_5", "action": "cancel", "reason": "Out of stock"}],
}
ITEM_CANCELLED: Final[dict[str, Any]] = {
    "orderId": "ord_793",
    "items": [{"itemId": "item_5", "status": "cancelled"}],
}
EXPORT: Final[dict[str, Any]] = {
    "format": "csv",
    "filters": {"status": "completed", "startDate": "2026-01-01", "endDate": "2026-06-02"},
    "columns": ["id", "customerId", "status", "totalAmount", "createdAt"],
}
EXPORT_ITEMS: Final[dict[str, Any]] = {
    "format": "excel",
    "columns": ["id", "items.offerId", "items.name", "items.quantity", "items.price"],
}
PAY: Final[dict[str, Any]] = {
    "orderId": "ord_794",
    "action": "process",
    "paymentDetails": {"method": "credit_card", "token": "tok_visa", "amount": 99.99},
}
REFUND: Final[dict[str, Any]] = {"orderId": "ord_792", "action": "refund"}
PAID: Final[dict[str, Any]] = {
    "orderId": "ord_794",
    "paymentStatus": "completed",
    "transactionId": "txn_123456",
}
