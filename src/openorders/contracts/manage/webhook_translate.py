"""Between the management API's bodies and the use cases, for webhooks."""

from datetime import datetime

import msgspec

from openorders.contracts import kit
from openorders.contracts.kit import Unreadable
from openorders.contracts.manage import cursors, ids
from openorders.contracts.manage.webhook_schemas import (
    AttemptOut,
    DeliveryOut,
    EndpointChange,
    EndpointIn,
    EndpointOut,
    FullDeliveryOut,
    NewEndpointOut,
    ReplayedOut,
)
from openorders.domain.webhooks import ALL_TYPES, Attempt, Delivery, Endpoint
from openorders.usecases.webhook_deliveries import DeliveryWithAttempts, Replayed
from openorders.usecases.webhook_endpoints import Changes, Created, NewEndpoint


def to_endpoint(body: EndpointIn) -> NewEndpoint:
    """An endpoint to be made."""
    return NewEndpoint(
        url=_printable("url", body.url),
        contract=body.contract,
        types=None if body.types is None else frozenset(body.types),
        label=None if body.label is None else _printable("label", body.label),
    )


def to_changes(body: EndpointChange) -> Changes:
    """What is to be different. Raises `Unreadable` when that is nothing."""
    types = None if body.types is None else frozenset(body.types)
    if body.all_types:
        if types is not None:
            raise Unreadable("allTypes", "does not go with types")
        types = ALL_TYPES
    changes = Changes(
        url=None if body.url is None else _printable("url", body.url),
        contract=body.contract,
        types=types,
        label=None if body.label is None else _printable("label", body.label),
        enabled=body.enabled,
    )
    if changes == Changes():
        raise Unreadable("body", "must have something to change")
    return changes


def endpoint_out(endpoint: Endpoint) -> EndpointOut:
    """An endpoint, without any secret."""
    missed = endpoint.off_position
    return EndpointOut(
        id=ids.ENDPOINT.format(endpoint.id),
        url=endpoint.url,
        contract=endpoint.contract,
        types=None if endpoint.types is None else sorted(endpoint.types),
        label=endpoint.label,
        state=endpoint.state.value,
        off_reason=None if endpoint.off_reason is None else endpoint.off_reason.value,
        off_at=_moment(endpoint.off_at),
        missed_after=None if missed is None else kit.write_cursor(cursors.EVENTS, missed),
        failures=endpoint.failures,
        failing_since=_moment(endpoint.failing_since),
        paused_until=_moment(endpoint.paused_until),
        created_at=kit.moment(endpoint.created_at),
        updated_at=kit.moment(endpoint.updated_at),
    )


def new_endpoint_out(created: Created) -> NewEndpointOut:
    """An endpoint with its new secret."""
    shown = msgspec.structs.asdict(endpoint_out(created.endpoint))
    return NewEndpointOut(**shown, secret=created.secret)


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """What became of one event at one endpoint."""
    return DeliveryOut(
        event_id=ids.EVENT.format(delivery.event_id),
        type=delivery.type,
        order_id=ids.ORDER.format(delivery.order_id),
        at=kit.moment(delivery.at),
        state=delivery.state.value,
        tries=delivery.tries,
        next_try_at=_moment(delivery.next_try_at),
        ended_at=_moment(delivery.ended_at),
    )


def full_delivery_out(found: DeliveryWithAttempts) -> FullDeliveryOut:
    """The same with its tries."""
    return FullDeliveryOut(
        **msgspec.structs.asdict(delivery_out(found.delivery)),
        attempts=[_attempt_out(one) for one in found.attempts],
    )


def replayed_out(replayed: Replayed) -> ReplayedOut:
    """What was queued, and where to go on."""
    return ReplayedOut(
        queued=replayed.queued,
        next=kit.write_cursor(cursors.EVENTS, replayed.next),
        more=replayed.more,
    )


def _attempt_out(attempt: Attempt) -> AttemptOut:
    return AttemptOut(
        at=kit.moment(attempt.at),
        status=attempt.status,
        took_ms=attempt.took_ms,
        answer=attempt.answer,
        failure=attempt.failure,
    )


def _moment(time: datetime | None) -> datetime | None:
    return None if time is None else kit.moment(time)


def _printable(field: str, text: str) -> str:
    if not text.isprintable():
        raise Unreadable(field, "must be printable")
    return text
