"""Stripe on a bad day: answers that are late, wrong, refused or somebody else's."""

import asyncio
import subprocess
import sys
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from openorders.domain.ids import StoreId
from openorders.domain.payment import OperationKind
from openorders.domain.store_settings import GatewaySettings, Store
from openorders.gateways import stripe_books
from openorders.gateways.payments import (
    AnswerDisbelieved,
    Declined,
    GatewayMisused,
    GatewayUnreachable,
    Pending,
    Succeeded,
    UnknownGatewayKind,
)
from openorders.gateways.stripe import StripeGateway, stripe_gateways
from openorders.gateways.stripe_http import ANSWER_BYTES_MAX
from openorders.gateways.stripe_line import REPETITIONS, StripeLine
from tests.gateways.providers import (
    Stripe,
    a_call,
    a_page,
    about,
    books,
    done,
    entries,
    waits,
)
from tests.gateways.stripe_double.wire import Params

AUTHORISE = OperationKind.AUTHORISE
CAPTURE = OperationKind.CAPTURE
REFUND = OperationKind.REFUND
VOID = OperationKind.VOID


def sent(at_stripe: Stripe, what: str = "POST") -> list[dict[str, str]]:
    """The headers of the requests that arrived."""
    return [headers for method, _, headers in at_stripe.double.requests if method == what]


async def test_a_request_without_an_answer_is_repeated_under_the_same_key(
    at_stripe: Stripe,
) -> None:
    at_stripe.double.faults.lose_answers = REPETITIONS
    done(await at_stripe.gateway.charge(a_call("1")))
    assert [headers["idempotency-key"] for headers in sent(at_stripe)] == ["1"] * 3
    assert await books(at_stripe) == [(2500, 2500, 0)]


async def test_an_error_of_stripes_is_no_answer(at_stripe: Stripe) -> None:
    at_stripe.double.faults.errors = REPETITIONS + 1
    with pytest.raises(GatewayUnreachable):
        await at_stripe.gateway.charge(a_call("1"))
    assert await books(at_stripe) == []


async def test_too_many_requests_is_no_answer(at_stripe: Stripe) -> None:
    at_stripe.double.faults.rate_limits = 1
    with pytest.raises(GatewayUnreachable):
        await at_stripe.gateway.charge(a_call("1"))
    assert await books(at_stripe) == []


async def test_an_answer_that_comes_too_late_is_found_afterwards(at_stripe: Stripe) -> None:
    began = at_stripe.now()
    at_stripe.double.faults.delay_s = 600
    async with aclosing(StripeLine(at_stripe.double.url, question_s=1.5)) as hurried:
        gateway = StripeGateway(hurried.account("sk_test_here"))
        with pytest.raises(GatewayUnreachable):
            await gateway.charge(a_call("1"))
    at_stripe.double.faults.delay_s = 0.0
    done(await at_stripe.gateway.look_up(a_call("1"), began))
    assert await books(at_stripe) == [(2500, 2500, 0)]


async def test_the_same_call_while_the_first_is_under_way_waits_for_its_answer(
    at_stripe: Stripe,
) -> None:
    at_stripe.double.faults.delay_s = 0.2
    outcomes = await asyncio.gather(*(at_stripe.gateway.charge(a_call("1")) for _ in range(2)))
    assert outcomes[0] == outcomes[1]
    assert await books(at_stripe) == [(2500, 2500, 0)]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"<html>Bad Gateway</html>",
        b"[]",
        b"null",
        b'"succeeded"',
        b'{"object": "list", "data": [], "has_more": false}',
        b'{"object": "payment_intent", "id": 7, "status": "succeeded"}',
        b"[" * 100_000,
        b"\xff\xfe",
        b" " * (ANSWER_BYTES_MAX + 1),
    ],
    ids=range(10),
)
async def test_what_is_no_answer_of_stripes_is_not_believed(
    at_stripe: Stripe, garbage: bytes
) -> None:
    at_stripe.double.faults.garbage = garbage
    with pytest.raises(GatewayUnreachable):
        await at_stripe.gateway.charge(a_call("1"))
    at_stripe.double.faults.garbage = None
    assert await books(at_stripe) == [(2500, 2500, 0)]


@pytest.mark.parametrize(
    "lie",
    [
        {"amount": 2400},
        {"amount_received": 2400},
        {"currency": "eur"},
        {"status": "requires_capture"},
        {"metadata": {"openorders_key": "2"}},
        {"metadata": {}},
        {"object": "charge"},
    ],
    ids=repr,
)
async def test_a_charge_of_something_else_is_no_success(at_stripe: Stripe, lie: Params) -> None:
    at_stripe.double.faults.falsify = lambda answer: {**answer, **lie}
    with pytest.raises(AnswerDisbelieved):
        await at_stripe.gateway.charge(a_call("1"))


@pytest.mark.parametrize(
    "lie",
    [{"amount": 900}, {"currency": "eur"}, {"metadata": {}}],
    ids=repr,
)
async def test_a_refund_of_something_else_is_no_success(at_stripe: Stripe, lie: Params) -> None:
    reference = done(await at_stripe.gateway.charge(a_call("1")))
    at_stripe.double.faults.falsify = lambda answer: {**answer, **lie}
    with pytest.raises(AnswerDisbelieved):
        await at_stripe.gateway.refund(about(reference, "r", REFUND, 1000))


async def test_a_capture_of_something_else_is_no_success(at_stripe: Stripe) -> None:
    reference = done(await at_stripe.gateway.authorise(a_call("1", AUTHORISE)))
    at_stripe.double.faults.falsify = lambda answer: {**answer, "amount_received": 2400}
    with pytest.raises(AnswerDisbelieved):
        await at_stripe.gateway.capture(about(reference, "2", CAPTURE))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://", "/pay"])
async def test_a_buyer_is_sent_to_web_addresses_only(at_stripe: Stripe, url: str) -> None:
    at_stripe.double.faults.falsify = lambda answer: {**answer, "url": url}
    with pytest.raises(AnswerDisbelieved):
        await at_stripe.gateway.open_page(a_page("1"))


async def test_a_payment_that_the_bank_thinks_about_is_pending(at_stripe: Stripe) -> None:
    at_stripe.double.faults.falsify = lambda answer: {
        **answer, "status": "processing", "amount_received": 0,
    }  # fmt: skip
    outcome = await at_stripe.gateway.charge(a_call("1"))
    assert isinstance(outcome, Pending)
    assert outcome.action_url is None


async def test_a_key_that_opens_nothing_is_our_mistake(at_stripe: Stripe) -> None:
    async with aclosing(StripeLine(at_stripe.double.url)) as line:
        for key in ("pk_test_public", "nonsense"):
            with pytest.raises(GatewayMisused):
                await StripeGateway(line.account(key)).charge(a_call("1"))


async def test_an_amount_that_stripe_cannot_express_is_never_sent(at_stripe: Stripe) -> None:
    for call in (
        a_call("1", currency="KWD", amount=1001),
        a_call("2", currency="MGA", amount=150),
        a_call("3", currency="CLF", amount=10_000),
        a_call("4", amount=0),
    ):
        for outcome in (
            await at_stripe.gateway.charge(call),
            await at_stripe.gateway.open_page(call),
        ):
            assert outcome == Declined(
                code="amount_not_supported", message="This amount cannot be paid this way."
            )
    assert sent(at_stripe) == []


async def test_an_amount_that_stripe_does_not_want_is_declined(at_stripe: Stripe) -> None:
    outcome = await at_stripe.gateway.charge(a_call("1", amount=10))
    assert isinstance(outcome, Declined)
    assert outcome.code == "amount_not_supported"


async def test_currencies_are_sent_as_stripe_counts_them(at_stripe: Stripe) -> None:
    for number, (currency, amount) in enumerate([("UGX", 5), ("KWD", 5120), ("MGA", 500)]):
        done(await at_stripe.gateway.charge(a_call(str(number), currency=currency, amount=amount)))
    account = at_stripe.double.account("sk_test_here")
    shown = [await at_stripe.double.intents.retrieve(account, name) for name in account.intents]
    assert [one["amount"] for one in shown] == [500, 5120, 5]
    found = {one.currency: one.captured for one in await entries(at_stripe)}
    assert found == {"UGX": 5, "KWD": 5120, "MGA": 500}


async def test_a_payment_of_no_amount_of_ours_hides_no_other(at_stripe: Stripe) -> None:
    """Somebody else uses the account, too, and counts what ours cannot say."""
    done(await at_stripe.gateway.charge(a_call("1", amount=2500)))
    account = at_stripe.double.account("sk_test_here")
    card = {"payment_method": "pm_card_visa", "confirm": "true", "return_url": "https://a.test/"}
    foreign = {"amount": "550", "currency": "isk", **card}
    await at_stripe.double.intents.create(account, foreign)
    found = {one.currency: (one.key, one.captured) for one in await entries(at_stripe)}
    assert found == {"USD": ("1", 2500), "ISK in Stripe's units": (None, 550)}


async def test_a_refund_is_not_repeated_when_stripe_has_forgotten_its_key(
    at_stripe: Stripe,
) -> None:
    reference = done(await at_stripe.gateway.charge(a_call("1")))
    first = await at_stripe.gateway.refund(about(reference, "r", REFUND, 1000))
    at_stripe.double.forget_keys()
    assert await at_stripe.gateway.refund(about(reference, "r", REFUND, 1000)) == first
    assert await books(at_stripe) == [(2500, 2500, 1000)]


async def test_captures_and_voids_are_not_repeated_when_stripe_has_forgotten_their_keys(
    at_stripe: Stripe,
) -> None:
    first = done(await at_stripe.gateway.authorise(a_call("1", AUTHORISE)))
    second = done(await at_stripe.gateway.authorise(a_call("2", AUTHORISE)))
    for _ in range(2):
        done(await at_stripe.gateway.capture(about(first, "3", CAPTURE, 2000)))
        done(await at_stripe.gateway.void(about(second, "4", VOID)))
        at_stripe.double.forget_keys()
    assert await books(at_stripe) == [(2500, 2000, 0), (0, 0, 0)]


async def test_what_somebody_captured_in_the_dashboard_is_captured(at_stripe: Stripe) -> None:
    reference = done(await at_stripe.gateway.authorise(a_call("1", AUTHORISE)))
    call = about(reference, "2", CAPTURE)
    assert await at_stripe.gateway.look_up(call, at_stripe.now()) is None
    account = at_stripe.double.account("sk_test_here")
    await at_stripe.double.intents.capture(account, reference, {})
    assert done(await at_stripe.gateway.capture(call)) == reference
    assert await books(at_stripe) == [(2500, 2500, 0)]


async def test_an_authorisation_that_ran_out_cannot_be_captured(at_stripe: Stripe) -> None:
    reference = done(await at_stripe.gateway.authorise(a_call("1", AUTHORISE)))
    await at_stripe.double.run_out(reference)
    outcome = await at_stripe.gateway.capture(about(reference, "2", CAPTURE))
    assert isinstance(outcome, Declined)
    found = await at_stripe.gateway.look_up(a_call("1", AUTHORISE), at_stripe.now())
    assert isinstance(found, Declined)
    assert found.code == "cancelled"
    assert await books(at_stripe) == [(0, 0, 0)]


async def test_a_declined_card_on_a_page_leaves_the_page_open(at_stripe: Stripe) -> None:
    pending = waits(await at_stripe.gateway.open_page(a_page("1")))
    with pytest.raises(Exception, match="declined"):
        await at_stripe.double.pay_page(pending.reference, "tok_chargeDeclined")
    assert await at_stripe.gateway.look_up(a_page("1"), at_stripe.now()) == pending
    await at_stripe.double.pay_page(pending.reference)
    done(await at_stripe.gateway.look_up(a_page("1"), at_stripe.now()))
    assert sorted(await books(at_stripe)) == [(0, 0, 0), (2500, 2500, 0)]


async def test_a_page_takes_the_buyers_whose_bank_asks(at_stripe: Stripe) -> None:
    pending = waits(await at_stripe.gateway.open_page(a_page("1")))
    await at_stripe.double.pay_page(pending.reference, "tok_threeDSecure2Required")
    assert await at_stripe.gateway.look_up(a_page("1"), at_stripe.now()) == pending
    [intent] = at_stripe.double.account("sk_test_here").intents
    await at_stripe.double.authenticate(intent)
    assert done(await at_stripe.gateway.look_up(a_page("1"), at_stripe.now())) == intent


async def test_a_call_is_found_among_many_pages_of_others(at_stripe: Stripe) -> None:
    began = at_stripe.now()
    for number in range(7):
        done(await at_stripe.gateway.charge(a_call(str(number))))
    at_stripe.double.largest_page = 2
    for number in (0, 3, 6):
        done(await at_stripe.gateway.look_up(a_call(str(number)), began))
    assert await at_stripe.gateway.look_up(a_call("7"), began) is None
    assert [one.key for one in await entries(at_stripe)] == [str(number) for number in range(7)]


async def test_what_was_not_looked_through_is_not_known(
    at_stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = at_stripe.now()
    for number in range(4):
        done(await at_stripe.gateway.charge(a_call(str(number))))
    at_stripe.double.largest_page = 1
    monkeypatch.setattr(stripe_books, "SEARCHED_PAGES_MAX", 2)
    done(await at_stripe.gateway.look_up(a_call("3"), began))
    with pytest.raises(GatewayUnreachable):
        await at_stripe.gateway.look_up(a_call("0"), began)


async def test_a_call_that_was_sent_again_much_later_is_found_too(at_stripe: Stripe) -> None:
    done(await at_stripe.gateway.charge(a_call("1")))
    long_ago = at_stripe.now() - timedelta(hours=3)
    done(await at_stripe.gateway.look_up(a_call("1"), long_ago))


async def test_looking_up_asks_for_nothing_anew(at_stripe: Stripe) -> None:
    began = at_stripe.now()
    for call in (a_call("1"), a_call("2", AUTHORISE), a_page("3")):
        assert await at_stripe.gateway.look_up(call, began) is None
    assert sent(at_stripe, "POST") == []
    assert await books(at_stripe) == []


async def test_stripe_learns_nothing_of_this_machine(at_stripe: Stripe) -> None:
    for number in range(2):
        done(await at_stripe.gateway.charge(a_call(str(number))))
    for headers in sent(at_stripe):
        assert set(headers) == {
            "host", "accept", "accept-encoding", "connection", "user-agent", "authorization",
            "idempotency-key", "content-type", "content-length", "stripe-version",
        }  # fmt: skip
        assert headers["user-agent"].startswith("openorders/")


def test_the_sdk_is_not_loaded_before_it_is_needed() -> None:
    program = """
import sys
import openorders.services
print(sorted({name.partition(".")[0] for name in sys.modules} & {"stripe", "httpx"}))
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    assert run.stdout.strip() == "[]"


def test_an_account_needs_its_key() -> None:
    opened = stripe_gateways(StripeLine("http://127.0.0.1:9"))
    store = Store(id=StoreId(1), name="shop", currency="USD")
    with pytest.raises(UnknownGatewayKind, match="secret key"):
        opened(store, GatewaySettings(name="stripe_1", kind="stripe"))
    gateway: Any = opened(store, GatewaySettings(name="s", kind="stripe", secret_key="sk_test_x"))
    assert gateway.has_pages


async def test_a_line_to_nowhere_is_no_answer() -> None:
    async with aclosing(StripeLine("http://127.0.0.1:9")) as line:
        with pytest.raises(GatewayUnreachable):
            await StripeGateway(line.account("sk_test_x")).charge(a_call("1"))


async def test_a_partly_captured_payment_gives_back_no_more_than_was_taken(
    at_stripe: Stripe,
) -> None:
    reference = done(await at_stripe.gateway.authorise(a_call("1", AUTHORISE)))
    done(await at_stripe.gateway.capture(about(reference, "2", CAPTURE, 2000)))
    too_much = await at_stripe.gateway.refund(about(reference, "r1", REFUND, 2100))
    assert isinstance(too_much, Declined)
    assert too_much.code == "not_possible"
    assert await books(at_stripe) == [(2500, 2000, 0)]
    assert isinstance(
        await at_stripe.gateway.refund(about(reference, "r2", REFUND, 2000)), Succeeded
    )
    assert await books(at_stripe) == [(2500, 2000, 2000)]
