"""What happened, in the past tense: the names that history, feed and webhooks share."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from openorders.domain.ids import EventId, OrderId
from openorders.domain.order import Order


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


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened to an order, with the whole order as it was right then.

    `position` is its place in the feed: given once, later than the event's id and not in the
    order of ids. Of one order, positions follow versions; events of one change share a version.
    """

    id: EventId
    type: EventType
    at: datetime
    order_id: OrderId
    version: int
    position: int
    order: Order
