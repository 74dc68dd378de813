"""Reasons to say no that only the management of a store can meet; a part of `refusals.Reason`.

No request of the documented contracts names such a thing or asks for it, so they word all of
these alike: a new one needs a line in `refusals.Reason` and one in the management API.
"""

from msgspec import Struct

from openorders.domain.ids import (
    EndpointId,
    EventId,
    KeyId,
    LineId,
    MethodId,
    OrderId,
    PaymentId,
    RefundId,
)


class OfManagement(Struct, frozen=True):
    """What all of these are to the documented contracts."""


class PaymentNotFound(OfManagement, frozen=True):
    """The store has no such payment."""

    payment_id: PaymentId


class RefundNotFound(OfManagement, frozen=True):
    """The store has no such refund."""

    refund_id: RefundId


class MethodNotFound(OfManagement, frozen=True):
    """The store keeps no such payment method for its customers."""

    method_id: MethodId


class NothingToCapture(OfManagement, frozen=True):
    """The payment has nothing that is authorised and was not captured."""

    payment_id: PaymentId


class UnitsNotLeft(OfManagement, frozen=True):
    """Only `left` units of the line were not refunded yet."""

    order_id: OrderId
    line_id: LineId
    left: int


class EventNotFound(OfManagement, frozen=True):
    """The store has no such event, or no longer keeps it."""

    event_id: EventId


class EventsForgotten(OfManagement, frozen=True):
    """The events right after the cursor are no longer kept. `oldest` is the first position that
    is.
    """

    oldest: int


class EndpointNotFound(OfManagement, frozen=True):
    """The store has no such webhook endpoint."""

    endpoint_id: EndpointId


class DeliveryNotFound(OfManagement, frozen=True):
    """This event was never meant for this endpoint."""

    endpoint_id: EndpointId
    event_id: EventId


class EndpointUrlRefused(OfManagement, frozen=True):
    """Webhooks cannot go to this URL. `problem` is a sentence for whoever chose it."""

    problem: str


class UnknownContract(OfManagement, frozen=True):
    """No contract of that name writes orders."""

    name: str


class TooManyEndpoints(OfManagement, frozen=True):
    """The store has as many webhook endpoints as it may have."""

    most: int


class EndpointIsOff(OfManagement, frozen=True):
    """The endpoint is told nothing, so nothing can be replayed to it."""

    endpoint_id: EndpointId


class KeyNotFound(OfManagement, frozen=True):
    """The store has no such API key."""

    key_id: KeyId
