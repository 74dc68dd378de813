"""What every gateway promises, put to the sandbox and to Stripe alike."""

import asyncio
import contextlib
from typing import Any

import pytest

from openorders.domain.payment import OperationKind
from openorders.gateways.payments import (
    Declined,
    GatewayMisused,
    GatewayUnreachable,
    Pending,
    Succeeded,
)
from tests.gateways.providers import (
    HELD,
    NOTHING,
    TAKEN,
    Provider,
    a_call,
    about,
    books,
    done,
    entries,
    is_no,
)

AUTHORISE = OperationKind.AUTHORISE
CAPTURE = OperationKind.CAPTURE
REFUND = OperationKind.REFUND
VOID = OperationKind.VOID


async def charged(provider: Provider, key: str = "1", **more: Any) -> str:
    return done(await provider.gateway.charge(a_call(key, **more)))


async def authorised(provider: Provider, key: str = "1") -> str:
    return done(await provider.gateway.authorise(a_call(key, AUTHORISE)))


async def test_a_charge_is_in_the_books(provider: Provider) -> None:
    outcome = await provider.gateway.charge(a_call("1"))
    assert isinstance(outcome, Succeeded)
    assert (outcome.card_brand, outcome.card_last_four) == ("Visa", "4242")
    [entry] = await entries(provider)
    assert (entry.reference, entry.key, entry.currency) == (outcome.reference, "1", "USD")
    assert await books(provider) == [TAKEN]


async def test_the_same_call_again_has_one_effect_and_one_answer(provider: Provider) -> None:
    answers = await asyncio.gather(*(provider.gateway.charge(a_call("1")) for _ in range(6)))
    assert set(answers) == {answers[0]}
    assert await books(provider) == [TAKEN]


async def test_a_currency_without_digits_is_charged_as_it_is(provider: Provider) -> None:
    done(await provider.gateway.charge(a_call("1", currency="JPY", amount=2500)))
    [entry] = await entries(provider)
    assert (entry.currency, entry.captured) == ("JPY", 2500)


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("tok_chargeDeclined", "card_declined"),
        ("tok_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("tok_chargeDeclinedLostCard", "card_declined"),
        ("tok_chargeDeclinedStolenCard", "card_declined"),
        ("tok_chargeDeclinedFraudulent", "card_declined"),
        ("tok_chargeDeclinedVelocityLimitExceeded", "card_velocity_exceeded"),
        ("tok_chargeDeclinedExpiredCard", "expired_card"),
        ("tok_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("tok_chargeDeclinedProcessingError", "processing_error"),
        ("pm_card_visa_chargeDeclined", "card_declined"),
        ("tok_nobody", "invalid_token"),
        ("pm_nobody", "invalid_token"),
        ("nothing_of_the_kind", "invalid_token"),
    ],
)
async def test_a_decline_tells_a_buyer_what_they_may_know(
    provider: Provider, token: str, code: str
) -> None:
    outcome = await provider.gateway.charge(a_call("1", token=token))
    assert is_no(outcome, code)
    assert set(await books(provider)) <= {NOTHING}


async def test_a_decline_is_remembered(provider: Provider) -> None:
    call = a_call("1", token="tok_chargeDeclined")
    no = await provider.gateway.charge(call)
    assert is_no(no, "card_declined")
    assert await provider.gateway.charge(call) == no
    assert await provider.gateway.look_up(call, provider.now()) == no


async def test_a_key_that_comes_with_another_call_is_an_error(provider: Provider) -> None:
    await charged(provider)
    with pytest.raises(GatewayMisused):
        await provider.gateway.charge(a_call("1", amount=2600))
    assert await books(provider) == [TAKEN]


async def test_what_was_authorised_is_captured_whole(provider: Provider) -> None:
    reference = await authorised(provider)
    assert await books(provider) == [HELD]
    call = about(reference, "2", CAPTURE)
    first = await provider.gateway.capture(call)
    assert done(first) == reference
    assert await provider.gateway.capture(call) == first
    assert await provider.gateway.look_up(call, provider.now()) == first
    assert await books(provider) == [TAKEN]


async def test_what_was_authorised_is_captured_in_part_once(provider: Provider) -> None:
    reference = await authorised(provider)
    done(await provider.gateway.capture(about(reference, "2", CAPTURE, 2000)))
    again = await provider.gateway.capture(about(reference, "3", CAPTURE, 500))
    assert is_no(again, "not_possible")
    assert await books(provider) == [(2500, 2000, 0)]


async def test_no_more_is_captured_than_was_authorised(provider: Provider) -> None:
    reference = await authorised(provider)
    outcome = await provider.gateway.capture(about(reference, "2", CAPTURE, 2600))
    assert isinstance(outcome, Declined)
    assert await books(provider) == [HELD]


async def test_what_was_authorised_is_released(provider: Provider) -> None:
    reference = await authorised(provider)
    call = about(reference, "2", VOID)
    done(await provider.gateway.void(call))
    assert await books(provider) == [NOTHING]
    done(await provider.gateway.void(call))
    done(await provider.gateway.void(about(reference, "3", VOID)))
    done(await provider.gateway.look_up(call, provider.now()))
    assert is_no(await provider.gateway.capture(about(reference, "4", CAPTURE)), "not_possible")
    assert await books(provider) == [NOTHING]


async def test_what_was_taken_is_not_released(provider: Provider) -> None:
    reference = await charged(provider)
    assert is_no(await provider.gateway.void(about(reference, "2", VOID)), "not_possible")
    assert await books(provider) == [TAKEN]


async def test_a_payment_goes_back_whole_or_in_parts(provider: Provider) -> None:
    reference = await charged(provider)
    call = about(reference, "r1", REFUND, 1000)
    first = await provider.gateway.refund(call)
    done(first)
    assert await provider.gateway.refund(call) == first
    assert await provider.gateway.look_up(call, provider.now()) == first
    assert await books(provider) == [(2500, 2500, 1000)]
    done(await provider.gateway.refund(about(reference, "r2", REFUND, 1500)))
    assert is_no(await provider.gateway.refund(about(reference, "r3", REFUND, 1)), "not_possible")
    assert await books(provider) == [(2500, 2500, 2500)]


async def test_refunds_at_once_never_exceed_the_capture(provider: Provider) -> None:
    reference = await charged(provider)
    calls = [about(reference, f"r{number}", REFUND, 1000) for number in range(5)]
    outcomes = await asyncio.gather(*(provider.gateway.refund(call) for call in calls))
    assert sum(isinstance(outcome, Succeeded) for outcome in outcomes) == 2
    assert sum(is_no(outcome, "not_possible") for outcome in outcomes) == 3
    assert await books(provider) == [(2500, 2500, 2000)]


async def test_nothing_goes_back_of_what_was_only_held(provider: Provider) -> None:
    reference = await authorised(provider)
    assert is_no(await provider.gateway.refund(about(reference, "r", REFUND)), "not_possible")
    assert await books(provider) == [HELD]


async def test_a_refund_that_a_bank_takes_its_time_over_is_done_when_asked_again(
    provider: Provider,
) -> None:
    reference = await charged(provider, token="tok_pendingRefund")
    call = about(reference, "r", REFUND)
    with contextlib.suppress(GatewayUnreachable):
        assert isinstance(await provider.gateway.refund(call), Pending)
    await provider.finish_refunds(well=True)
    first = await provider.gateway.refund(call)
    done(first)
    assert await provider.gateway.look_up(call, provider.now()) == first
    assert await books(provider) == [(2500, 2500, 2500)]


async def test_a_refund_that_fails_says_so_now_or_later(provider: Provider) -> None:
    reference = await charged(provider, token="tok_refundFail")
    call = about(reference, "r", REFUND)
    await provider.gateway.refund(call)
    await provider.finish_refunds(well=False)
    assert is_no(await provider.gateway.refund(call), "refund_failed")
    assert is_no(await provider.gateway.look_up(call, provider.now()), "refund_failed")
    assert await books(provider) == [TAKEN]


@pytest.mark.parametrize("reference", [None, "", "ch_999", "ch_", "pi_999", "999", "ch_-1"])
async def test_a_payment_that_is_not_there_is_our_mistake(
    provider: Provider, reference: str | None
) -> None:
    with pytest.raises(GatewayMisused):
        await provider.gateway.refund(a_call("1", REFUND, reference=reference))
    assert await books(provider) == []


async def test_a_request_that_got_lost_had_no_effect(provider: Provider) -> None:
    began = provider.now()
    with provider.requests_lost(), pytest.raises(GatewayUnreachable):
        await provider.gateway.charge(a_call("1"))
    assert await provider.gateway.look_up(a_call("1"), began) is None
    assert await books(provider) == []
    await charged(provider)
    assert await books(provider) == [TAKEN]


async def test_an_answer_that_got_lost_leaves_the_effect(provider: Provider) -> None:
    began = provider.now()
    with provider.answers_lost(), pytest.raises(GatewayUnreachable):
        await provider.gateway.charge(a_call("1"))
    found = await provider.gateway.look_up(a_call("1"), began)
    assert done(found) == await charged(provider)
    assert await books(provider) == [TAKEN]


async def test_nobody_can_tell_while_the_line_is_down(provider: Provider) -> None:
    began = provider.now()
    await charged(provider)
    with provider.requests_lost(), pytest.raises(GatewayUnreachable):
        await provider.gateway.look_up(a_call("1"), began)


async def test_accounts_see_nothing_of_each_other(provider: Provider) -> None:
    began = provider.now()
    reference = await charged(provider)
    assert await provider.another.look_up(a_call("1"), began) is None
    with pytest.raises(GatewayMisused):
        await provider.another.refund(about(reference, "r", REFUND))
    assert await entries(provider, provider.another) == []
    assert await books(provider) == [TAKEN]


async def test_the_books_are_read_by_time(provider: Provider) -> None:
    began = provider.now()
    await charged(provider)
    gateway = provider.gateway
    [at] = [entry.at for entry in await entries(provider)]
    assert [one async for one in gateway.entries(began.replace(year=2000), at)] == []
    later = [one async for one in gateway.entries(at, at.replace(year=at.year + 1))]
    assert [one.key for one in later] == ["1"]
