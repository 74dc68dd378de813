"""What every gateway promises, put to the sandbox and to Stripe alike."""

import asyncio
import contextlib
from typing import Any

import pytest

from openorders.domain.ids import CustomerId
from openorders.domain.payment import OperationKind
from openorders.gateways.payments import (
    Declined,
    GatewayMisused,
    GatewayUnreachable,
    Pending,
    SavedMethod,
    Succeeded,
)
from tests.gateways.providers import (
    Provider,
    a_call,
    a_page,
    about,
    books,
    done,
    entries,
    waits,
)

AUTHORISE = OperationKind.AUTHORISE
CAPTURE = OperationKind.CAPTURE
REFUND = OperationKind.REFUND
VOID = OperationKind.VOID

HELD = (2500, 0, 0)
TAKEN = (2500, 2500, 0)
NOTHING = (0, 0, 0)


async def charged(provider: Provider, key: str = "1", **more: Any) -> str:
    return done(await provider.gateway.charge(a_call(key, **more)))


async def authorised(provider: Provider, key: str = "1") -> str:
    return done(await provider.gateway.authorise(a_call(key, AUTHORISE)))


def is_no(outcome: object, code: str) -> bool:
    return isinstance(outcome, Declined) and outcome.code == code


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


async def test_a_card_whose_bank_asks_waits_for_its_buyer(provider: Provider) -> None:
    began = provider.now()
    call = a_call("1", token="tok_threeDSecure2Required", return_url="https://shop.example/back")
    pending = waits(await provider.gateway.charge(call))
    assert await provider.gateway.charge(call) == pending
    assert await provider.gateway.look_up(call, began) == pending
    assert await books(provider) == [NOTHING]
    await provider.decide(pending, accept=True)
    found = await provider.gateway.look_up(call, began)
    assert isinstance(found, Succeeded)
    assert (found.card_brand, found.card_last_four) == ("Visa", "3220")
    assert await provider.gateway.charge(call) == found
    assert await books(provider) == [TAKEN]


async def test_a_buyer_whom_the_bank_does_not_know_is_declined(provider: Provider) -> None:
    began = provider.now()
    call = a_call("1", token="tok_threeDSecure2Required", return_url="https://shop.example/back")
    await provider.decide(waits(await provider.gateway.charge(call)), accept=False)
    assert is_no(await provider.gateway.look_up(call, began), "authentication_failed")
    assert await books(provider) == [NOTHING]


async def test_where_nobody_can_act_a_card_whose_bank_asks_is_declined(
    provider: Provider,
) -> None:
    outcome = await provider.gateway.charge(a_call("1", token="tok_threeDSecure2Required"))
    assert is_no(outcome, "authentication_required")
    assert set(await books(provider)) <= {NOTHING}


async def test_an_authorisation_can_wait_for_its_buyer_too(provider: Provider) -> None:
    call = a_call(
        "1", AUTHORISE, token="tok_threeDSecure2Required", return_url="https://shop.example/back"
    )
    pending = waits(await provider.gateway.authorise(call))
    early = await provider.gateway.capture(about(pending.reference, "2", CAPTURE))
    assert isinstance(early, Declined)
    await provider.decide(pending, accept=True)
    reference = done(await provider.gateway.look_up(call, provider.now()))
    assert await books(provider) == [HELD]
    done(await provider.gateway.capture(about(reference, "3", CAPTURE)))
    assert await books(provider) == [TAKEN]


async def test_what_waits_for_its_buyer_can_be_given_up(provider: Provider) -> None:
    began = provider.now()
    call = a_call("1", token="tok_threeDSecure2Required", return_url="https://shop.example/back")
    pending = waits(await provider.gateway.charge(call))
    done(await provider.gateway.void(about(pending.reference, "2", VOID)))
    assert isinstance(await provider.gateway.look_up(call, began), Declined)
    assert await books(provider) == [NOTHING]


async def test_a_page_takes_the_money_when_its_buyer_pays(provider: Provider) -> None:
    assert provider.gateway.has_pages
    began = provider.now()
    call = a_page("1")
    pending = waits(await provider.gateway.open_page(call))
    assert await provider.gateway.open_page(call) == pending
    assert await provider.gateway.look_up(call, began) == pending
    assert set(await books(provider)) <= {NOTHING}
    await provider.decide(pending, accept=True)
    found = await provider.gateway.look_up(call, began)
    assert isinstance(found, Succeeded)
    assert (found.card_brand, found.card_last_four) == ("Visa", "4242")
    assert await provider.gateway.open_page(call) == found
    [entry] = await entries(provider)
    assert (entry.key, entry.captured) == ("1", 2500)
    done(await provider.gateway.refund(about(found.reference, "r1", REFUND, 1000)))
    done(await provider.gateway.refund(about(pending.reference, "r2", REFUND, 500)))
    assert await books(provider) == [(2500, 2500, 1500)]


async def test_a_page_can_reserve_the_money(provider: Provider) -> None:
    call = a_page("1", AUTHORISE)
    pending = waits(await provider.gateway.open_page(call))
    await provider.decide(pending, accept=True)
    done(await provider.gateway.look_up(call, provider.now()))
    assert await books(provider) == [HELD]
    done(await provider.gateway.capture(about(pending.reference, "2", CAPTURE, 2000)))
    assert await books(provider) == [(2500, 2000, 0)]


async def test_a_page_is_found_by_its_key_alone(provider: Provider) -> None:
    began = provider.now()
    with provider.answers_lost(), pytest.raises(GatewayUnreachable):
        await provider.gateway.open_page(a_page("1"))
    waits(await provider.gateway.look_up(a_page("1"), began))
    assert await provider.gateway.look_up(a_page("2"), began) is None


async def test_a_page_that_was_turned_down_is_a_no(provider: Provider) -> None:
    call = a_page("1")
    await provider.decide(waits(await provider.gateway.open_page(call)), accept=False)
    assert isinstance(await provider.gateway.look_up(call, provider.now()), Declined)
    assert set(await books(provider)) <= {NOTHING}


async def test_a_page_that_is_given_up_cannot_be_paid(provider: Provider) -> None:
    call = a_page("1")
    pending = waits(await provider.gateway.open_page(call))
    done(await provider.gateway.void(about(pending.reference, "2", VOID)))
    done(await provider.gateway.void(about(pending.reference, "2", VOID)))
    assert isinstance(await provider.gateway.look_up(call, provider.now()), Declined)
    assert set(await books(provider)) <= {NOTHING}


async def test_a_page_that_was_paid_meanwhile_is_not_given_up(provider: Provider) -> None:
    call = a_page("1")
    pending = waits(await provider.gateway.open_page(call))
    await provider.decide(pending, accept=True)
    void = await provider.gateway.void(about(pending.reference, "2", VOID))
    assert is_no(void, "not_possible")
    done(await provider.gateway.look_up(call, provider.now()))
    assert await books(provider) == [TAKEN]


async def test_a_page_needs_a_way_back(provider: Provider) -> None:
    with pytest.raises(GatewayMisused):
        await provider.gateway.open_page(a_call("1", token=None))
    assert await books(provider) == []


async def saved(provider: Provider, key: str = "s1", token: str = "tok_visa") -> SavedMethod:
    kept = await provider.gateway.save_method(key, CustomerId(5), None, token)
    assert isinstance(kept, SavedMethod), kept
    return kept


async def test_a_card_that_was_left_is_charged_without_its_buyer(provider: Provider) -> None:
    kept = await saved(provider)
    assert (kept.card_brand, kept.card_last_four, kept.expires) == ("Visa", "4242", "2034-12")
    assert await saved(provider) == kept
    call = a_call("1", token=kept.reference, customer=kept.customer)
    outcome = await provider.gateway.charge(call)
    assert isinstance(outcome, Succeeded)
    assert outcome.card_last_four == "4242"
    assert await books(provider) == [TAKEN]


async def test_a_buyer_may_leave_several_cards(provider: Provider) -> None:
    first = await saved(provider)
    second = await provider.gateway.save_method(
        "s2", CustomerId(5), first.customer, "pm_card_mastercard"
    )
    assert isinstance(second, SavedMethod)
    assert second.customer == first.customer
    assert (second.card_brand, second.card_last_four) == ("Mastercard", "4444")


async def test_a_card_is_nobody_elses(provider: Provider) -> None:
    kept = await saved(provider)
    other = await provider.gateway.save_method("s2", CustomerId(6), None, "tok_visa")
    assert isinstance(other, SavedMethod)
    call = a_call("1", token=kept.reference, customer=other.customer)
    assert isinstance(await provider.gateway.charge(call), Declined)
    assert set(await books(provider)) <= {NOTHING}


async def test_a_card_that_was_let_go_of_is_charged_no_more(provider: Provider) -> None:
    kept = await saved(provider)
    await provider.gateway.forget_method(kept.reference)
    await provider.gateway.forget_method(kept.reference)
    call = a_call("1", token=kept.reference, customer=kept.customer)
    assert isinstance(await provider.gateway.charge(call), Declined)
    assert set(await books(provider)) <= {NOTHING}


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("tok_chargeDeclined", "card_declined"),
        ("tok_chargeDeclinedExpiredCard", "expired_card"),
        ("tok_threeDSecure2Required", "authentication_required"),
        ("tok_nobody", "invalid_token"),
        ("nothing_of_the_kind", "invalid_token"),
    ],
)
async def test_a_card_that_is_no_good_is_not_kept(
    provider: Provider, token: str, code: str
) -> None:
    assert is_no(await provider.gateway.save_method("s1", CustomerId(5), None, token), code)


async def test_a_card_that_was_kept_can_be_declined_later(provider: Provider) -> None:
    kept = await saved(provider, token="tok_chargeCustomerFail")
    call = a_call("1", token=kept.reference, customer=kept.customer)
    assert is_no(await provider.gateway.charge(call), "card_declined")
    assert set(await books(provider)) <= {NOTHING}


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
