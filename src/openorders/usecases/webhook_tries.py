"""One try to tell one endpoint of one event: word it, sign it, send it, judge what came back."""

import random
import time
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from openorders import logs
from openorders.domain.events import Event
from openorders.domain.store_settings import Store
from openorders.domain.webhooks import (
    Delivered,
    GiveUp,
    Standing,
    SwitchOff,
    Tried,
    TryAgain,
    Verdict,
    judge,
    signatures,
)
from openorders.gateways.outgoing import Answered, Post
from openorders.store import events
from openorders.store.webhook_lanes import Claimed, Head, Target, Try
from openorders.usecases.context import Services
from openorders.usecases.event_bodies import body_of, event_name

_FAILURE_CHARACTERS: Final = 500
_AT_ONCE: Final = TryAgain(timedelta())

_log = logs.Logger(__name__)


class Result(Struct, frozen=True, kw_only=True):
    """A try with what follows from it. `ours`: nothing was sent, by a fault of ours."""

    lane: Claimed
    target: Target
    tried: Try
    verdict: Verdict
    ours: bool = False


async def attempt(
    services: Services, post: Post, store: Store, lane: Claimed, head: Head, target: Target
) -> Result:
    """Tell an endpoint what it is to be told next about an order. Never raises."""
    at = services.clock()
    try:
        body = _body(services, store, lane, head, target)
    except Exception:  # noqa: BLE001 - one event that cannot be worded holds up no other order
        _log.exception("webhook_not_worded", event_id=head.event_id, contract=target.contract)
        nothing = Answered(
            status=None, complete=False, text="", failure="the event could not be put into words"
        )
        return _result(lane, head, target, nothing, at, 0.0, ours=True)
    began = time.monotonic()
    answered = await post(target.url, _headers(head, target, body, at), body, now=at)
    return _result(lane, head, target, answered, at, time.monotonic() - began)


def broken_off(lane: Claimed, head: Head, target: Target, at: datetime, seconds: float) -> Result:
    """A try that we ended before its answer came, since we are to stop: somebody else repeats it
    at once.
    """
    nothing = Answered(status=None, complete=False, text="", failure="broken off by a stop of ours")
    tried = _recorded(lane, head, _AT_ONCE, nothing, at, seconds)
    return Result(lane=lane, target=target, tried=tried, verdict=_AT_ONCE, ours=True)


def spoiled(lane: Claimed, head: Head, target: Target, at: datetime) -> Result:
    """A try that a fault of ours ended: it is repeated by the schedule, and nobody is blamed."""
    nothing = Answered(status=None, complete=False, text="", failure="a fault of ours")
    return _result(lane, head, target, nothing, at, 0.0, ours=True)


def _body(services: Services, store: Store, lane: Claimed, head: Head, target: Target) -> bytes:
    event = Event(
        id=head.event_id,
        type=head.type,
        at=head.at,
        order_id=lane.key.order_id,
        version=head.order_version,
        position=head.position,
        order=events.order_as_told(head.payload),
    )
    return body_of(services, store, event, target.contract)


def _headers(head: Head, target: Target, body: bytes, at: datetime) -> dict[str, str]:
    message_id, timestamp = event_name(head.event_id), int(at.timestamp())
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(target.secrets, message_id, timestamp, body),
    }


def _result(
    lane: Claimed,
    head: Head,
    target: Target,
    answered: Answered,
    at: datetime,
    seconds: float,
    *,
    ours: bool = False,
) -> Result:
    tried = Tried(
        tries=lane.tries + 1,
        status=answered.status,
        complete=answered.complete,
        retry_after_s=answered.retry_after_s,
        ours=ours,
    )
    standing = Standing(failures=target.failures, failing_for=target.failing_for)
    verdict = judge(tried, standing, chance=random.random())  # noqa: S311 - to spread retries
    return Result(
        lane=lane,
        target=target,
        tried=_recorded(lane, head, verdict, answered, at, seconds),
        verdict=verdict,
        ours=ours,
    )


def _recorded(
    lane: Claimed, head: Head, verdict: Verdict, answered: Answered, at: datetime, seconds: float
) -> Try:
    outcome: Literal["delivered", "failed", "again"] = "again"
    wait = timedelta()
    match verdict:
        case Delivered():
            outcome = "delivered"
        case GiveUp():
            outcome = "failed"
        case TryAgain(wait=wait):
            pass
        case SwitchOff():
            pass  # the lane stays, for when the endpoint is switched on again
    failure = answered.failure
    return Try(
        lane=lane,
        position=head.position,
        outcome=outcome,
        wait_s=wait.total_seconds(),
        at=at,
        status=answered.status,
        took_ms=round(seconds * 1000),
        answer=answered.text or None,
        failure=None if failure is None else failure[:_FAILURE_CHARACTERS],
    )
