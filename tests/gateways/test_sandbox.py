"""The sandbox behaves like a provider: books of its own, one effect per key, answers that get
lost. The same questions are what any other gateway will be asked."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from openorders.domain.ids import OrderId, StoreId
from openorders.domain.payment import OperationKind
from openorders.domain.store_settings import GatewaySettings, Store, StorePolicy
from openorders.gateways.manual import ManualGateway
from openorders.gateways.payments import (
    Declined,
    GatewayCall,
    GatewayMisused,
    Gateways,
    GatewayUnreachable,
    Succeeded,
    UnknownGatewayKind,
)
from openorders.gateways.sandbox import SLOW_S, Faults, SandboxGateway
from openorders.store.database import Database
from openorders.store.sandbox_ledger import SandboxLedger
from tests.world import NOON, Clock

HERE, ELSEWHERE = StoreId(1), StoreId(2)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def ledger(database: Database) -> SandboxLedger:
    return SandboxLedger(database, Clock())


@pytest.fixture
def gateway(ledger: SandboxLedger, faults: Faults) -> SandboxGateway:
    return SandboxGateway(ledger, HERE, "sandbox", faults=faults)


def a_call(key: str, kind: OperationKind = OperationKind.CHARGE, **more: Any) -> GatewayCall:
    call = GatewayCall(key=key, kind=kind, amount=2500, currency="USD", order_id=OrderId(7))
    if kind in (OperationKind.CHARGE, OperationKind.AUTHORISE):
        call = replace(call, token="tok_visa")
    return replace(call, **more)


def a_refund(key: str, reference: str, amount: int = 2500) -> GatewayCall:
    return a_call(key, OperationKind.REFUND, reference=reference, amount=amount)


async def charged(gateway: SandboxGateway, token: str = "tok_visa", key: str = "1") -> str:
    outcome = await gateway.charge(a_call(key, token=token))
    assert isinstance(outcome, Succeeded)
    return outcome.reference


async def books(ledger: SandboxLedger) -> list[tuple[int, int, bool]]:
    charges = await ledger.charges_of(HERE, OrderId(7))
    return [(charge.captured, charge.refunded, charge.voided) for charge in charges]


async def test_a_charge_is_in_the_books(gateway: SandboxGateway, ledger: SandboxLedger) -> None:
    outcome = await gateway.charge(a_call("1"))
    assert outcome == Succeeded(reference="ch_1", card_brand="Visa", card_last_four="4242")
    assert await books(ledger) == [(2500, 0, False)]


async def test_the_same_call_again_has_one_effect_and_one_answer(
    gateway: SandboxGateway, ledger: SandboxLedger
) -> None:
    answers = await asyncio.gather(*(gateway.charge(a_call("1")) for _ in range(6)))
    assert set(answers) == {answers[0]}
    assert await books(ledger) == [(2500, 0, False)]


async def test_a_decline_is_remembered_too(gateway: SandboxGateway) -> None:
    call = a_call("1", token="tok_chargeDeclined")
    assert await gateway.charge(call) == await gateway.charge(call)
    assert await gateway.look_up(a_call("1"), NOON) == Declined(
        code="card_declined", message="Your card was declined."
    )


async def test_a_key_that_comes_with_another_call_is_an_error(
    gateway: SandboxGateway, ledger: SandboxLedger
) -> None:
    await charged(gateway)
    with pytest.raises(GatewayMisused):
        await gateway.charge(a_call("1", amount=1))
    assert await books(ledger) == [(2500, 0, False)]


async def test_a_token_nobody_knows_is_declined_by_name(gateway: SandboxGateway) -> None:
    outcome = await gateway.charge(a_call("1", token="tok_nobody"))
    assert isinstance(outcome, Declined)
    assert outcome.code == "invalid_token"


async def test_what_was_authorised_is_captured_or_released(
    gateway: SandboxGateway, ledger: SandboxLedger
) -> None:
    first = await gateway.authorise(a_call("1", OperationKind.AUTHORISE))
    second = await gateway.authorise(a_call("2", OperationKind.AUTHORISE))
    assert isinstance(first, Succeeded)
    assert isinstance(second, Succeeded)
    assert await books(ledger) == [(0, 0, False), (0, 0, False)]
    capture = a_call("3", OperationKind.CAPTURE, reference=first.reference, amount=2000)
    void = a_call("4", OperationKind.VOID, reference=second.reference)
    assert isinstance(await gateway.capture(capture), Succeeded)
    assert isinstance(await gateway.void(void), Succeeded)
    assert await books(ledger) == [(2000, 0, False), (0, 0, True)]
    again = a_call("5", OperationKind.CAPTURE, reference=second.reference)
    assert isinstance(await gateway.capture(again), Declined)
    taken = a_call("6", OperationKind.VOID, reference=first.reference)
    assert isinstance(await gateway.void(taken), Declined)


async def test_refunds_never_exceed_the_capture(
    gateway: SandboxGateway, ledger: SandboxLedger
) -> None:
    reference = await charged(gateway)
    outcomes = await asyncio.gather(
        *(gateway.refund(a_refund(f"r{n}", reference, 1000)) for n in range(5))
    )
    assert sum(isinstance(outcome, Succeeded) for outcome in outcomes) == 2
    assert await books(ledger) == [(2500, 2000, False)]


async def test_a_refund_that_fails_says_so(gateway: SandboxGateway, ledger: SandboxLedger) -> None:
    reference = await charged(gateway, "tok_refundFail")
    outcome = await gateway.refund(a_refund("r", reference))
    assert isinstance(outcome, Declined)
    assert outcome.code == "refund_failed"
    assert await books(ledger) == [(2500, 0, False)]


async def test_a_pending_refund_is_answered_when_asked_again(gateway: SandboxGateway) -> None:
    reference = await charged(gateway, "tok_pendingRefund")
    with pytest.raises(GatewayUnreachable):
        await gateway.refund(a_refund("r", reference))
    assert isinstance(await gateway.refund(a_refund("r", reference)), Succeeded)


@pytest.mark.parametrize("reference", [None, "", "ch_999", "ch_", "999", "ch_-1"])
async def test_a_payment_that_is_not_there_is_our_mistake(
    gateway: SandboxGateway, reference: str | None
) -> None:
    call = a_call("1", OperationKind.REFUND, reference=reference)
    with pytest.raises(GatewayMisused):
        await gateway.refund(call)
    assert await gateway.look_up(a_call("1"), NOON) is None


async def test_a_request_that_got_lost_had_no_effect(
    gateway: SandboxGateway, ledger: SandboxLedger, faults: Faults
) -> None:
    faults.lose_requests = 1
    with pytest.raises(GatewayUnreachable):
        await gateway.charge(a_call("1"))
    assert await gateway.look_up(a_call("1"), NOON) is None
    assert await books(ledger) == []


async def test_an_answer_that_got_lost_leaves_the_effect(
    gateway: SandboxGateway, ledger: SandboxLedger, faults: Faults
) -> None:
    faults.lose_answers = 1
    with pytest.raises(GatewayUnreachable):
        await gateway.charge(a_call("1"))
    assert isinstance(await gateway.look_up(a_call("1"), NOON), Succeeded)
    assert await books(ledger) == [(2500, 0, False)]


@pytest.mark.parametrize(
    ("token", "seen"), [("tok_timeoutBeforeCharge", False), ("tok_timeoutAfterCharge", True)]
)
async def test_cards_can_lose_a_request_or_an_answer(
    gateway: SandboxGateway, token: str, *, seen: bool
) -> None:
    with pytest.raises(GatewayUnreachable):
        await gateway.charge(a_call("1", token=token))
    assert (await gateway.look_up(a_call("1"), NOON) is not None) is seen


async def test_a_slow_card_is_answered_late(ledger: SandboxLedger) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    gateway = SandboxGateway(ledger, HERE, "sandbox", sleep=sleep)
    await charged(gateway, "tok_slow")
    await charged(gateway, key="2")
    assert waits == [SLOW_S]


async def test_accounts_see_nothing_of_each_other(
    gateway: SandboxGateway, ledger: SandboxLedger
) -> None:
    reference = await charged(gateway)
    for other in (
        SandboxGateway(ledger, ELSEWHERE, "sandbox"),
        SandboxGateway(ledger, HERE, "another"),
    ):
        assert await other.look_up(a_call("1"), NOON) is None
        with pytest.raises(GatewayMisused):
            await other.refund(a_refund("1", reference))


async def test_what_is_done_by_hand_is_done() -> None:
    gateway = ManualGateway()
    outcome = await gateway.refund(a_refund("1", "manual-7"))
    assert outcome == Succeeded(reference="manual-7")
    assert await gateway.look_up(a_call("1"), NOON) is None


def test_a_store_is_served_by_the_kind_it_names(ledger: SandboxLedger) -> None:
    gateways = Gateways(
        {
            "sandbox": lambda store, account: SandboxGateway(ledger, store.id, account.name),
            "manual": lambda _store, _account: ManualGateway(),
        }
    )
    policy = StorePolicy(
        gateways=(GatewaySettings(name="stripe_1"), GatewaySettings(name="new", kind="new"))
    )
    store = Store(id=HERE, name="shop", currency="USD", policy=policy)
    assert isinstance(gateways.of(store, "stripe_1"), SandboxGateway)
    assert gateways.of(store, "stripe_1") is gateways.of(store, "stripe_1")
    assert isinstance(gateways.of(store, "manual"), ManualGateway)
    for unknown in ("new", "gone"):
        with pytest.raises(UnknownGatewayKind):
            gateways.of(store, unknown)
