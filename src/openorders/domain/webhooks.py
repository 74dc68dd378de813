"""Telling subscribers what happened: endpoints, signatures, when to try again and when to stop.

Decisions only. Who is told next and how a request gets there is not known here. Signatures and
the schedule follow Standard Webhooks 1.0.0.
"""

import base64
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from openorders.domain.events import EventType
from openorders.domain.ids import EndpointId, EventId, OrderId

ALL_TYPES: Final = frozenset(EventType)

SECRET_BYTES: Final = 32
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how every secret begins, none itself

WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long to wait after each failed try; the first try is at once. About 75.6 hours in all."""

JITTER: Final = 0.1
"""A wait is longer by up to this share of itself, so that what failed together is spread."""

RETRY_AFTER_MAX: Final = timedelta(hours=24)
"""A receiver is not obeyed when it asks to be left alone for longer: then this counts."""

FAILING_MAX: Final = timedelta(days=3)
FAILURES_MIN: Final = 5
"""An endpoint is switched off when its first failure since its last success is older than
`FAILING_MAX`, unless it was tried so seldom that we may have been the ones who were away.
"""

GONE: Final = 410
SLOW_DOWN: Final = frozenset({429, 502, 503, 504})
"""Answers by which a receiver, or what stands before it, says that it has too much to do. 503
counts only when it says how long.
"""
PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 5, 15, 60))
"""For how long nothing is sent to an endpoint that has too much to do and does not say until
when, by how often it said so in a row.
"""
PAUSE_MAX: Final = timedelta(hours=1)
"""For how long one answer can hold up everything else that the endpoint is to be told."""


class EndpointState(StrEnum):
    """Whether an endpoint is told anything."""

    ACTIVE = "active"
    OFF = "off"


class OffReason(StrEnum):
    """Why an endpoint is off: somebody said so, it answered 410, or it failed for too long."""

    OPERATOR = "operator"
    GONE = "gone"
    FAILING = "failing"


class DeliveryState(StrEnum):
    """What became of one event at one endpoint. `failed`: given up after the last try."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Endpoint(Struct, frozen=True, kw_only=True):
    """A subscriber's URL. `types` None: every type, also those that are still to come.

    `off_position` is the place in the feed of the last event before it was switched off: what it
    missed comes after that. `failing_since` is the first failure since the last success.
    """

    id: EndpointId
    url: str
    contract: str
    types: frozenset[EventType] | None
    label: str | None
    state: EndpointState
    off_reason: OffReason | None
    off_at: datetime | None
    off_position: int | None
    failures: int
    failing_since: datetime | None
    paused_until: datetime | None
    created_at: datetime
    updated_at: datetime


class Delivery(Struct, frozen=True, kw_only=True):
    """One event on its way to one endpoint. `position` is its place in the feed; `next_try_at`
    is known for the first one that waits for its order, as the others wait for that one.
    """

    event_id: EventId
    type: EventType
    order_id: OrderId
    position: int
    at: datetime
    state: DeliveryState
    tries: int
    ended_at: datetime | None
    next_try_at: datetime | None


class Attempt(Struct, frozen=True, kw_only=True):
    """One try. `status` is missing when there was no answer; `failure` says what went wrong."""

    at: datetime
    status: int | None
    took_ms: int
    answer: str | None
    failure: str | None


class Tried(Struct, frozen=True, kw_only=True):
    """How a try ended, as far as the next decision needs it. `tries` counts this one too.

    `complete` tells whether the whole answer came, in time; `ours` that it failed before anything
    was sent, by our own doing.
    """

    tries: int
    status: int | None = None
    complete: bool = True
    retry_after_s: int | None = None
    ours: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """How an endpoint fared before the try."""

    failures: int = 0
    failing_for: timedelta = timedelta()


class Delivered(Struct, frozen=True):
    """The receiver has it."""


class TryAgain(Struct, frozen=True):
    """Not before `wait` is over; until `pause` is over nothing else goes to this endpoint."""

    wait: timedelta
    pause: timedelta | None = None


class GiveUp(Struct, frozen=True):
    """This event was tried often enough; the endpoint takes others."""


class SwitchOff(Struct, frozen=True):
    """Nothing more is sent to this endpoint; what waits stays, for when it is switched on."""

    reason: OffReason


Verdict = Delivered | TryAgain | GiveUp | SwitchOff


def judge(tried: Tried, standing: Standing, *, chance: float) -> Verdict:
    """What follows from a try. `chance` is evenly spread from 0 to 1."""
    if tried.status == GONE:
        return SwitchOff(OffReason.GONE)
    if tried.status is not None and 200 <= tried.status < 300 and tried.complete:  # noqa: PLR2004 - HTTP's
        return Delivered()
    if not tried.ours and _has_failed_too_long(standing):
        return SwitchOff(OffReason.FAILING)
    if tried.tries > len(WAITS):
        return GiveUp()
    asked = timedelta(seconds=tried.retry_after_s or 0)
    usual = WAITS[tried.tries - 1] * (1 + JITTER * chance)
    wait = max(usual, min(asked, RETRY_AFTER_MAX))
    return TryAgain(wait, _pause(tried, standing))


def _has_failed_too_long(standing: Standing) -> bool:
    return standing.failures + 1 >= FAILURES_MIN and standing.failing_for >= FAILING_MAX


def _pause(tried: Tried, standing: Standing) -> timedelta | None:
    if tried.status not in SLOW_DOWN:
        return None
    if tried.retry_after_s is not None:
        return min(timedelta(seconds=tried.retry_after_s), PAUSE_MAX)
    if tried.status == 503:  # noqa: PLR2004 - as said at SLOW_DOWN
        return None
    return PAUSES[min(standing.failures, len(PAUSES) - 1)]


def shown(secret: bytes) -> str:
    """A secret as its owner sees it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signatures(secrets: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature per secret, the newest first."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(
        "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
        for secret in secrets
    )
