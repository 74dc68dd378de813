"""Events from Stripe are believed when they are signed and fresh, and say what they say in any
order, however often they come."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from openorders.domain.payment import OperationKind
from openorders.gateways.payments import (
    Declined,
    Notice,
    NoticeRefused,
    Pending,
    Succeeded,
)
from openorders.gateways.stripe_notices import EVENTS, TOLERANCE
from tests.gateways.providers import Stripe, a_call, a_page, about, done, waits
from tests.gateways.stripe_double.wire import Params

AUTHORISE = OperationKind.AUTHORISE
CAPTURE = OperationKind.CAPTURE
REFUND = OperationKind.REFUND
VOID = OperationKind.VOID
SECRET = "whsec_here"


def read(at_stripe: Stripe, event: Params, *, now: datetime | None = None) -> Notice | None:
    headers, body = at_stripe.double.signed(event, SECRET)
    return at_stripe.gateway.read_notice(headers, body, now or at_stripe.now())


def told(at_stripe: Stripe, *kinds: str) -> list[tuple[str, str, object]]:
    """What all events of these types say: their type, our key, and the outcome."""
    events = at_stripe.double.events.all
    notices = [(event["type"], read(at_stripe, event)) for event in events]
    return [
        (kind, notice.key, notice.outcome)
        for kind, notice in notices
        if notice is not None and kind in (kinds or (kind,))
    ]


async def an_event(at_stripe: Stripe) -> Params:
    await at_stripe.gateway.charge(a_call("1"))
    [event] = at_stripe.double.events.of_type("payment_intent.succeeded")
    return event


async def test_a_charge_is_told_with_its_card(at_stripe: Stripe) -> None:
    outcome = await at_stripe.gateway.charge(a_call("1"))
    assert told(at_stripe, "charge.succeeded") == [("charge.succeeded", "1", outcome)]
    [(_, key, news)] = told(at_stripe, "payment_intent.succeeded")
    assert (key, done(news)) == ("1", done(outcome))  # type: ignore[arg-type]


async def test_an_event_keeps_its_name_however_often_it_is_sent(at_stripe: Stripe) -> None:
    event = await an_event(at_stripe)
    first = read(at_stripe, event)
    assert first is not None
    assert first.id == event["id"]
    later = at_stripe.now() + timedelta(days=2)
    at_stripe.double.clock = later.timestamp
    assert read(at_stripe, event) == first


async def test_an_authorisation_and_its_capture_are_told_under_their_own_keys(
    at_stripe: Stripe,
) -> None:
    reference = done(await at_stripe.gateway.authorise(a_call("1", AUTHORISE)))
    assert [(kind, key) for kind, key, _ in told(at_stripe)] == [
        ("charge.succeeded", "1"),
        ("payment_intent.amount_capturable_updated", "1"),
    ]
    done(await at_stripe.gateway.capture(about(reference, "2", CAPTURE, 2000)))
    news = told(at_stripe, "payment_intent.succeeded")
    assert news == [("payment_intent.succeeded", "2", Succeeded(reference=reference))]


async def test_a_decline_is_told_as_a_buyer_may_know_it(at_stripe: Stripe) -> None:
    outcome = await at_stripe.gateway.charge(a_call("1", token="tok_chargeDeclinedStolenCard"))
    assert isinstance(outcome, Declined)
    assert told(at_stripe) == [("payment_intent.payment_failed", "1", outcome)]


@pytest.mark.parametrize("success", [True, False])
async def test_what_a_buyer_does_at_their_bank_is_told(at_stripe: Stripe, success: bool) -> None:
    call = a_call("1", token="tok_threeDSecure2Required", return_url="https://shop.example")
    pending = waits(await at_stripe.gateway.charge(call))
    assert told(at_stripe) == []
    await at_stripe.double.authenticate(pending.reference, success=success)
    outcomes = {type(outcome) for _, key, outcome in told(at_stripe) if key == "1"}
    assert outcomes == {Succeeded if success else Declined}


async def test_a_payment_that_is_given_up_is_told(at_stripe: Stripe) -> None:
    reference = done(await at_stripe.gateway.authorise(a_call("1", AUTHORISE)))
    await at_stripe.gateway.void(about(reference, "2", VOID))
    [(_, key, outcome)] = told(at_stripe, "payment_intent.canceled")
    assert key == "1"
    assert isinstance(outcome, Declined)
    assert outcome.code == "cancelled"


async def test_a_payment_that_a_bank_thinks_about_is_told(at_stripe: Stripe) -> None:
    event = await an_event(at_stripe)
    event["type"] = "payment_intent.processing"
    notice = read(at_stripe, event)
    assert notice is not None
    assert isinstance(notice.outcome, Pending)


async def test_a_refund_is_told_and_told_again_when_it_fails_later(at_stripe: Stripe) -> None:
    reference = done(await at_stripe.gateway.charge(a_call("1")))
    refund = done(await at_stripe.gateway.refund(about(reference, "r", REFUND, 1000)))
    assert ("refund.created", "r", Succeeded(reference=refund)) in told(at_stripe)
    assert told(at_stripe, "charge.refunded") == []
    await at_stripe.double.finish_refund(refund, "failed")
    for kind in ("refund.failed", "refund.updated"):
        [(_, key, outcome)] = told(at_stripe, kind)
        assert key == "r"
        assert isinstance(outcome, Declined)
        assert outcome.code == "refund_failed"


async def test_a_refund_is_read_from_its_charge_as_older_versions_send_it(
    at_stripe: Stripe,
) -> None:
    reference = done(await at_stripe.gateway.charge(a_call("1")))
    refund = done(await at_stripe.gateway.refund(about(reference, "r", REFUND, 1000)))
    [event] = at_stripe.double.events.of_type("charge.refunded")
    [shown] = [one["data"]["object"] for one in at_stripe.double.events.of_type("refund.created")]
    event["data"]["object"]["refunds"] = {"object": "list", "data": [shown]}
    assert told(at_stripe, "charge.refunded") == [
        ("charge.refunded", "r", Succeeded(reference=refund))
    ]


async def test_a_page_that_was_paid_is_told_in_every_way_alike(at_stripe: Stripe) -> None:
    pending = waits(await at_stripe.gateway.open_page(a_page("1")))
    await at_stripe.double.pay_page(pending.reference)
    news = told(at_stripe)
    assert {kind for kind, _, _ in news} == {
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    }
    assert {key for _, key, _ in news} == {"1"}
    assert len({done(outcome) for _, _, outcome in news}) == 1  # type: ignore[arg-type]


async def test_a_page_that_only_reserves_is_told_by_its_payment(at_stripe: Stripe) -> None:
    pending = waits(await at_stripe.gateway.open_page(a_page("1", AUTHORISE)))
    await at_stripe.double.pay_page(pending.reference)
    assert {kind for kind, _, _ in told(at_stripe)} == {
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
    }


async def test_a_declined_card_on_a_page_is_no_end(at_stripe: Stripe) -> None:
    pending = waits(await at_stripe.gateway.open_page(a_page("1")))
    with pytest.raises(Exception, match="declined"):
        await at_stripe.double.pay_page(pending.reference, "tok_chargeDeclined")
    assert at_stripe.double.events.of_type("payment_intent.payment_failed")
    assert told(at_stripe) == []


async def test_a_page_that_expires_is_the_end(at_stripe: Stripe) -> None:
    pending = waits(await at_stripe.gateway.open_page(a_page("1")))
    await at_stripe.double.expire_page(pending.reference)
    [(kind, key, outcome)] = told(at_stripe)
    assert (kind, key) == ("checkout.session.expired", "1")
    assert isinstance(outcome, Declined)
    assert outcome.code == "expired"


@pytest.mark.parametrize(
    ("kind", "paid", "outcome"),
    [
        ("checkout.session.completed", "unpaid", None),
        ("checkout.session.async_payment_succeeded", "paid", Succeeded),
        ("checkout.session.async_payment_failed", "unpaid", Declined),
    ],
)
async def test_a_page_can_wait_for_a_bank(
    at_stripe: Stripe, kind: str, paid: str, outcome: Any
) -> None:
    pending = waits(await at_stripe.gateway.open_page(a_page("1")))
    await at_stripe.double.pay_page(pending.reference)
    [event] = at_stripe.double.events.of_type("checkout.session.completed")
    event["type"] = kind
    event["data"]["object"]["payment_status"] = paid
    notice = read(at_stripe, event)
    assert (None if notice is None else type(notice.outcome)) is outcome


async def test_what_was_taken_in_part_is_no_charge(at_stripe: Stripe) -> None:
    await at_stripe.gateway.charge(a_call("1"))
    for event in at_stripe.double.events.all:
        shown = event["data"]["object"]
        shown["amount_received" if "amount_received" in shown else "amount_captured"] = 1
        assert read(at_stripe, event) is None


async def test_news_of_what_is_not_ours_is_none(at_stripe: Stripe) -> None:
    event = await an_event(at_stripe)
    assert read(at_stripe, {**event, "type": "customer.created"}) is None
    assert read(at_stripe, {**event, "type": "payment_intent.created"}) is None
    event["data"]["object"]["metadata"] = {}
    assert read(at_stripe, event) is None


def signature(body: bytes, at: float, secret: str = SECRET) -> str:
    mac = hmac.new(secret.encode(), b"%d.%s" % (int(at), body), hashlib.sha256)
    return f"t={int(at)},v1={mac.hexdigest()}"


async def test_only_what_is_signed_with_the_endpoints_secret_is_believed(
    at_stripe: Stripe,
) -> None:
    now = at_stripe.now()
    at = now.timestamp()
    body = json.dumps(await an_event(at_stripe)).encode()
    good = signature(body, at)
    assert at_stripe.gateway.read_notice({"stripe-signature": good}, body, now) is not None
    rotated = f"{signature(body, at, 'whsec_old')},{good.partition(',')[2]}"
    assert at_stripe.gateway.read_notice({"stripe-signature": rotated}, body, now) is not None
    bad = [
        signature(body, at, "whsec_another"),
        signature(body + b" ", at),
        good.replace("v1=", "v0="),
        good.replace("t=", "t=1"),
        good.partition(",")[2],
        "t=now,v1=abc",
        "",
        "\x00",
        f"{good.partition(',')[0]},v1=\xe9",
        f"t={int(at)},{good}",
    ]
    for given in bad:
        with pytest.raises(NoticeRefused):
            at_stripe.gateway.read_notice({"stripe-signature": given}, body, now)
    with pytest.raises(NoticeRefused):
        at_stripe.gateway.read_notice({}, body, now)
    with pytest.raises(NoticeRefused):
        at_stripe.another.read_notice({"stripe-signature": good}, body, now)


async def test_an_old_event_is_a_recording(at_stripe: Stripe) -> None:
    event = await an_event(at_stripe)
    now = at_stripe.now()
    for age in (-TOLERANCE, timedelta(0), TOLERANCE - timedelta(seconds=1)):
        assert read(at_stripe, event, now=now + age) is not None
    for age in (-TOLERANCE - timedelta(seconds=2), TOLERANCE + timedelta(seconds=2)):
        with pytest.raises(NoticeRefused, match="too old"):
            read(at_stripe, event, now=now + age)


@pytest.mark.parametrize("written", ["t={old}=,t={new}", "t= {old},t={new}", "t=+{old},t={new}"])
async def test_a_second_time_does_not_make_a_recording_young(
    at_stripe: Stripe, written: str
) -> None:
    body = json.dumps(await an_event(at_stripe)).encode()
    now = at_stripe.now()
    new = int(now.timestamp())
    old, signed = new - 3600, signature(body, new - 3600).partition(",")[2]
    header = f"{written.format(old=old, new=new)},{signed}"
    with pytest.raises(NoticeRefused):
        at_stripe.gateway.read_notice({"stripe-signature": header}, body, now)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": 7, "type": "payment_intent.succeeded", "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "refund.failed", "data": {"object": null}}',
    ],
    ids=range(8),
)
async def test_what_is_signed_and_no_event_is_refused(at_stripe: Stripe, body: bytes) -> None:
    now = at_stripe.now()
    headers = {"stripe-signature": signature(body, now.timestamp())}
    with pytest.raises(NoticeRefused):
        at_stripe.gateway.read_notice(headers, body, now)


async def test_without_a_secret_nobody_is_believed(at_stripe: Stripe) -> None:
    event = await an_event(at_stripe)
    headers, body = at_stripe.double.signed(event, "")
    gateway = type(at_stripe.gateway)(at_stripe.gateway._account, None)
    with pytest.raises(NoticeRefused, match="no webhook secret"):
        gateway.read_notice(headers, body, at_stripe.now())


def test_the_documentation_names_every_event_to_subscribe_to() -> None:
    page = Path(__file__).parents[2] / "docs" / "gateways" / "stripe.md"
    text = page.read_text(encoding="utf-8")
    assert [event for event in EVENTS if f"`{event}`" not in text] == []
