"""What happened, in the past tense: the names that history, feed and webhooks share."""

from enum import StrEnum


class EventType(StrEnum):
    """One name per thing that happens to an order."""

    ORDER_CREATED = "order.created"
    ORDER_UPDATED = "order.updated"
    ORDER_PAYMENT_REQUESTED = "order.payment_requested"
    ORDER_PAID = "order.paid"
    ORDER_PAYMENT_FAILED = "order.payment_failed"
    ORDER_PROCESSING = "order.processing"
    ORDER_SHIPPED = "order.shipped"
    ORDER_DELIVERED = "order.delivered"
    ORDER_COMPLETED = "order.completed"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_REFUNDED = "order.refunded"
    LINE_VERIFIED = "order.line_verified"
    LINE_CANCELLED = "order.line_cancelled"
