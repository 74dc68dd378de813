"""What every gateway promises about payments that wait for their buyer: at their bank, or on a
page of the gateway's own."""

import pytest

from openorders.domain.payment import OperationKind
from openorders.gateways.payments import (
    Declined,
    GatewayMisused,
    GatewayUnreachable,
    Succeeded,
)
from tests.gateways.providers import (
    HELD,
    NOTHING,
    TAKEN,
    Provider,
    a_call,
    a_page,
    about,
    books,
    done,
    entries,
    is_no,
    waits,
)

AUTHORISE = OperationKind.AUTHORISE
CAPTURE = OperationKind.CAPTURE
REFUND = OperationKind.REFUND
VOID = OperationKind.VOID


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
