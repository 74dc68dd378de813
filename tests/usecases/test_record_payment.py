"""Money in the hands of staff: whatever arrived is written down, and what is not owed goes back."""

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId, OrderId
from openorders.domain.order import Order, PaymentState, Word
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import (
    AmountNotOwed,
    NotPermitted,
    OrderNotFound,
    PaymentInProgress,
    VersionDiffers,
)
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.perform_operations import sweep_operations
from tests.usecases.money import at_the_gateway, pay, reason_of, record, rows_of_money
from tests.world import World, told

pytestmark = pytest.mark.usefixtures("audited")


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await world.placed(payment_asked=True)


async def test_a_transfer_makes_the_order_paid(world: World, order: Order) -> None:
    answer = await record(world, order, "25.00", reference="RF18 5390", reason="Statement 12")
    now = await world.order(order.id)
    (payment,) = now.payments
    assert json.loads(answer.body) == [payment.id, "captured", "paid"]
    assert (payment.gateway, payment.method) == ("manual", "bank_transfer")
    assert (payment.reference, payment.captured) == ("RF18 5390", 2500)
    assert (now.word, now.history[-1].reason) == (Word.PAID, "Statement 12")


async def test_the_outside_is_told_with_the_payment(world: World, order: Order) -> None:
    await record(world, order, "25.00")
    (told_of,) = await world.rows(
        "select type, payload from outbox where store_id = $1 order by id desc limit 1"
    )
    (payment,) = (await world.order(order.id)).payments
    assert told_of["type"] == "order.paid"
    assert [one["id"] for one in json.loads(told_of["payload"])["payments"]] == [payment.id]


async def test_the_same_transfer_under_one_key_is_recorded_once(world: World, order: Order) -> None:
    first = await record(world, order, "10.00", ctx=world.context(key="statement"))
    again = await record(world, order, "10.00", ctx=world.context(key="statement"))
    assert (again.body, again.replayed) == (first.body, True)
    assert len((await world.order(order.id)).payments) == 1


async def test_transfers_at_once_are_all_written_down(world: World, order: Order) -> None:
    """Each is money that is there. What is too much goes back, to the cent."""
    await asyncio.gather(*(record(world, order, "10.00") for _ in range(4)))
    now = await world.order(order.id)
    assert [payment.captured for payment in now.payments] == [1000] * 4
    assert sum(payment.refunded for payment in now.payments) == 1500
    assert now.payment is PaymentState.PART_REFUNDED


async def test_a_transfer_for_a_cancelled_order_goes_back_and_is_shown(
    world: World, order: Order
) -> None:
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    await record(world, order, "25.00")
    now = await world.order(order.id)
    (payment,) = now.payments
    assert (now.word, payment.captured, payment.refunded) == (Word.CANCELLED, 2500, 2500)
    assert "A payment of 25.00 USD arrived; 25.00 is given back. The order had ended." in [
        entry.reason for entry in now.history
    ]
    assert [refund.amount for refund in now.refunds] == [2500]


async def test_nothing_is_recorded_beside_a_charge_that_may_bring_the_same_money(
    world: World, order: Order
) -> None:
    world.faults.lose_answers = 1
    await reason_of(pay(world, order))
    before = await rows_of_money(world)
    assert await reason_of(record(world, order, "25.00")) == PaymentInProgress(order.id)
    assert await rows_of_money(world) == before
    world.clock.move(minutes=1)
    await sweep_operations(world.services)
    assert await at_the_gateway(world, order) == (2500, 0)


async def test_cash_gives_up_what_waits_for_its_buyer(world: World, order: Order) -> None:
    """A bank asked who the buyer is; meanwhile they came into the shop."""
    await pay(world, order, token="tok_threeDSecure2Required", return_url="https://shop.test/")
    assert (await world.order(order.id)).payments[0].state is AttemptState.PENDING
    await record(world, order, "25.00", "cash")
    now = await world.order(order.id)
    assert [payment.state for payment in now.payments] == [
        AttemptState.VOIDED,
        AttemptState.CAPTURED,
    ]
    assert now.payment is PaymentState.PAID


@pytest.mark.parametrize("amount", ["0", "-5.00", "0.001", "1e30"])
async def test_what_is_no_amount_is_refused(world: World, order: Order, amount: str) -> None:
    before = await rows_of_money(world)
    assert isinstance(await reason_of(record(world, order, amount)), AmountNotOwed)
    assert await rows_of_money(world) == before


async def test_another_version_than_the_one_that_was_seen_is_refused(
    world: World, order: Order
) -> None:
    stale = world.context(expected=frozenset({order.version - 1}))
    assert isinstance(await reason_of(record(world, order, "1", ctx=stale)), VersionDiffers)
    assert (await world.order(order.id)).payments == ()


async def test_an_order_that_does_not_exist_is_not_found(world: World, order: Order) -> None:
    nowhere = replace(order, id=OrderId(order.id + 1))
    assert await reason_of(record(world, nowhere, "1")) == OrderNotFound(nowhere.id)


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PARTNER])
async def test_only_staff_say_that_money_is_there(world: World, order: Order, role: Role) -> None:
    tie: dict[str, Any] = (
        {"customer_id": CustomerId(5)} if role is Role.CUSTOMER else {"partner_name": "p"}
    )
    ctx = world.context(world.caller(role, **tie))
    assert isinstance(await reason_of(record(world, order, "25.00", ctx=ctx)), NotPermitted)
    assert (await world.order(order.id)).payments == ()
