"""Events that Stripe sends to our endpoint: whose they are, and what they say about our calls.

Stripe promises neither order nor that an event comes once, so each is read by itself. What only
an object of ours could tell (our key in its metadata) and what no end is are not told on.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from openorders.domain.payment import OperationKind
from openorders.gateways.declines import fit_for_buyers
from openorders.gateways.payments import Notice, NoticeRefused, Outcome, Pending, Succeeded
from openorders.gateways.stripe_answers import (
    CAPTURE_KEY,
    KEY,
    KIND,
    PAGE,
    Charge,
    Intent,
    Refund,
    Session,
    failed,
    refunded,
    succeeded,
    with_card,
)

TOLERANCE: Final = timedelta(seconds=300)
"""How old an event may be, and how far into the future: an older one is a recording."""

_SIGNATURE: Final = "stripe-signature"
_TIMES: Final = re.compile(r"(?:^|,)t=([^,]*)")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")

_News = tuple[str, Outcome]
"""The key of a call, and what became of it."""

_T = TypeVar("_T")


class _Told(msgspec.Struct):
    object: msgspec.Raw


class _Event(msgspec.Struct):
    id: str
    type: str
    data: _Told


def read_event(
    headers: Mapping[str, str], body: bytes, secret: str | None, now: datetime
) -> Notice | None:
    """What an event says about one of our calls; None when it says nothing. Raises
    `NoticeRefused` unless it is signed with the endpoint's secret, and lately.
    """
    _check(headers.get(_SIGNATURE, ""), body, secret, now)
    event = _read(body, _Event)
    reader = _READERS.get(event.type)
    news = reader(event.data.object) if reader else None
    return None if news is None else Notice(id=event.id, key=news[0], outcome=news[1])


def _check(signature: str, body: bytes, secret: str | None, now: datetime) -> None:
    import stripe

    if not secret:
        raise NoticeRefused("this gateway has no webhook secret, so nobody can be believed")
    # One time, in digits: were there two, the SDK might check another than is looked at below.
    times = _TIMES.findall(signature)
    if not signature.isascii() or len(times) != 1 or not _SECONDS.fullmatch(times[0]):
        raise NoticeRefused("the signature is missing or does not fit")
    try:
        stripe.WebhookSignature.verify_header(  # pyright: ignore[reportUnknownMemberType]
            body, signature, secret, tolerance=None
        )
    except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
        raise NoticeRefused("the signature is missing or does not fit") from error
    # The SDK would compare with the machine's clock, and believe any time to come.
    if abs(now.timestamp() - int(times[0])) > TOLERANCE.total_seconds():
        raise NoticeRefused("the signature is too old, or our clocks differ")


def _read(body: bytes | msgspec.Raw, shape: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NoticeRefused(f"that is no event of Stripe's: {error}") from error


def _of(shape: type[_T], says: Callable[[_T], _News | None]) -> Callable[[msgspec.Raw], Any]:
    return lambda told: says(_read(told, shape))


def _intent_succeeded(intent: Intent) -> _News | None:
    """Either it was charged at once, or what was reserved was captured: by our call, or else."""
    capture_key = intent.metadata.get(CAPTURE_KEY)
    if capture_key is not None:
        return capture_key, succeeded(intent)
    whole = intent.amount_received == intent.amount
    if intent.metadata.get(KIND) == OperationKind.CHARGE and not whole:
        return None
    return _about(intent, succeeded(intent))


def _intent_reserved(intent: Intent) -> _News | None:
    wanted = intent.metadata.get(KIND) == OperationKind.AUTHORISE
    if not wanted or intent.amount_capturable != intent.amount:
        return None
    return _about(intent, succeeded(intent))


def _intent_failed(intent: Intent) -> _News | None:
    """On a page of Stripe's the buyer may try again; elsewhere it is the end."""
    return None if PAGE in intent.metadata else _about(intent, failed(intent))


def _intent_cancelled(intent: Intent) -> _News | None:
    return _about(intent, fit_for_buyers("cancelled"))


def _intent_processing(intent: Intent) -> _News | None:
    return _about(intent, Pending(reference=intent.id))


def _charge_succeeded(charge: Charge) -> _News | None:
    """The same news as the intent's, and it alone names the card."""
    key, intent_id = charge.metadata.get(KEY), charge.payment_intent
    kind = charge.metadata.get(KIND)
    whole = charge.captured and charge.amount_captured == charge.amount
    as_wanted = whole if kind == OperationKind.CHARGE else kind == OperationKind.AUTHORISE
    if key is None or intent_id is None or charge.status != "succeeded" or not as_wanted:
        return None
    details = charge.payment_method_details
    return key, with_card(intent_id, details.card if details else None)


def _charge_refunded(charge: Charge) -> _News | None:
    """Older versions of Stripe's API list the refunds here, the newest first."""
    newest = charge.refunds.data[0] if charge.refunds and charge.refunds.data else None
    return None if newest is None else _refund(newest)


def _refund(refund: Refund) -> _News | None:
    key = (refund.metadata or {}).get(KEY)
    return None if key is None else (key, refunded(refund))


def _page_paid(session: Session) -> _News | None:
    """A page that is complete but not paid waits for a bank, or for us to capture."""
    key, intent = (session.metadata or {}).get(KEY), session.payment_intent
    if key is None or intent is None or session.payment_status != "paid":
        return None
    if isinstance(intent, Intent):
        return key, succeeded(intent)
    return key, Succeeded(reference=intent)


def _page_failed(session: Session) -> _News | None:
    key = (session.metadata or {}).get(KEY)
    return None if key is None else (key, fit_for_buyers("card_declined"))


def _page_expired(session: Session) -> _News | None:
    key = (session.metadata or {}).get(KEY)
    return None if key is None else (key, fit_for_buyers("expired"))


def _about(intent: Intent, outcome: Outcome) -> _News | None:
    key = intent.metadata.get(KEY)
    return None if key is None else (key, outcome)


_READERS: Final[dict[str, Callable[[msgspec.Raw], _News | None]]] = {
    "payment_intent.succeeded": _of(Intent, _intent_succeeded),
    "payment_intent.amount_capturable_updated": _of(Intent, _intent_reserved),
    "payment_intent.payment_failed": _of(Intent, _intent_failed),
    "payment_intent.canceled": _of(Intent, _intent_cancelled),
    "payment_intent.processing": _of(Intent, _intent_processing),
    "charge.succeeded": _of(Charge, _charge_succeeded),
    "charge.refunded": _of(Charge, _charge_refunded),
    "charge.refund.updated": _of(Refund, _refund),
    "refund.created": _of(Refund, _refund),
    "refund.updated": _of(Refund, _refund),
    "refund.failed": _of(Refund, _refund),
    "checkout.session.completed": _of(Session, _page_paid),
    "checkout.session.async_payment_succeeded": _of(Session, _page_paid),
    "checkout.session.async_payment_failed": _of(Session, _page_failed),
    "checkout.session.expired": _of(Session, _page_expired),
}

EVENTS: Final = tuple(_READERS)
"""What the endpoint is to be subscribed to."""
