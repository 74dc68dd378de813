"""What every gateway promises about cards that buyers leave for later."""

import pytest

from openorders.domain.ids import CustomerId
from openorders.gateways.payments import (
    Declined,
    SavedMethod,
    Succeeded,
)
from tests.gateways.providers import (
    NOTHING,
    TAKEN,
    Provider,
    a_call,
    books,
    is_no,
)


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
