"""Reasons to say no that only the management of a store can meet; a part of `refusals.Reason`.

No request of the documented contracts names such a thing or asks for it, so they word all of
these alike: a new one needs a line in `refusals.Reason` and one in the management API.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class OfManagement:
    """What all of these are to the documented contracts."""


@dataclass(frozen=True, slots=True)
class PaymentNotFound(OfManagement):
    """The store has no such payment."""

    payment_id: PaymentId


@dataclass(frozen=True, slots=True)
class RefundNotFound(OfManagement):
    """The store has no such refund."""

    refund_id: RefundId


@dataclass(frozen=True, slots=True)
class MethodNotFound(OfManagement):
    """The store keeps no such payment method for its customers."""

    method_id: MethodId


@dataclass(frozen=True, slots=True)
class NothingToCapture(OfManagement):
    """The payment has nothing that is authorised and was not captured."""

    payment_id: PaymentId


@dataclass(frozen=True, slots=True)
class UnitsNotLeft(OfManagement):
    """Only `left` units of the line were not refunded yet."""

    order_id: OrderId
    line_id: LineId
    left: int


@dataclass(frozen=True, slots=True)
class EventNotFound(OfManagement):
    """The store has no such event, or no longer keeps it."""

    event_id: EventId


@dataclass(frozen=True, slots=True)
class EventsForgotten(OfManagement):
    """The events right after the cursor are no longer kept. `oldest` is the first position that
    is.
    """

    oldest: int


@dataclass(frozen=True, slots=True)
class EndpointNotFound(OfManagement):
    """The store has no such webhook endpoint."""

    endpoint_id: EndpointId


@dataclass(frozen=True, slots=True)
class DeliveryNotFound(OfManagement):
    """This event was never meant for this endpoint."""

    endpoint_id: EndpointId
    event_id: EventId


@dataclass(frozen=True, slots=True)
class EndpointUrlRefused(OfManagement):
    """Webhooks cannot go to this URL. `problem` is a sentence for whoever chose it."""

    problem: str


@dataclass(frozen=True, slots=True)
class UnknownContract(OfManagement):
    """No contract of that name writes orders."""

    name: str


@dataclass(frozen=True, slots=True)
class TooManyEndpoints(OfManagement):
    """The store has as many webhook endpoints as it may have."""

    most: int


@dataclass(frozen=True, slots=True)
class EndpointIsOff(OfManagement):
    """The endpoint is told nothing, so nothing can be replayed to it."""

    endpoint_id: EndpointId


@dataclass(frozen=True, slots=True)
class KeyNotFound(OfManagement):
    """The store has no such API key."""

    key_id: KeyId
