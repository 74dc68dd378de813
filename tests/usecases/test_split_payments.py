"""Several payments on one order: parts, retries after a decline, and never a cent too much."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from openorders.domain.order import Order, PaymentState, Word
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import (
    AlreadyPaid,
    AmountNotOwed,
    NotPayable,
    PaymentInProgress,
    UnknownGateway,
)
from openorders.domain.store_settings import GatewaySettings, StorePolicy
from openorders.store.database import Database
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.answers import Answer
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.perform_operations import sweep_operations
from tests.usecases.money import (
    PAID,
    at_the_gateway,
    forget_answers,
    pay,
    reason_of,
    record,
    rows_of_money,
)
from tests.world import World, a_world, told

pytestmark = pytest.mark.usefixtures("audited")


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await world.placed(payment_asked=True)


async def states(world: World, order: Order) -> list[tuple[AttemptState, int]]:
    return [(one.state, one.captured) for one in (await world.order(order.id)).payments]


async def test_the_order_is_paid_with_its_last_part(world: World, order: Order) -> None:
    await pay(world, order, "10.00")
    half = await world.order(order.id)
    assert (half.payment, half.word) == (PaymentState.PENDING, Word.PAYMENT_PENDING)
    assert await reason_of(pay(world, order, "15.01")) == AmountNotOwed(1501, 1500, 2)
    await pay(world, order)
    whole = await world.order(order.id)
    assert (whole.payment, whole.word) == (PaymentState.PAID, Word.PAID)
    assert await states(world, order) == [
        (AttemptState.CAPTURED, 1000),
        (AttemptState.CAPTURED, 1500),
    ]
    assert await at_the_gateway(world, order) == (2500, 0)
    assert await reason_of(pay(world, order, "0.01")) == AlreadyPaid(order.id)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "25.01"])
async def test_a_part_that_is_none_is_refused(world: World, order: Order, amount: str) -> None:
    before = await rows_of_money(world)
    assert isinstance(await reason_of(pay(world, order, amount)), AmountNotOwed)
    assert await rows_of_money(world) == before


async def test_a_part_must_be_asked_for_as_one(world: World, order: Order) -> None:
    """The documented contracts pay all that is owed, or nothing."""
    command = Pay(order_id=order.id, token="tok_visa", amount=Decimal("10.00"))
    reason = await reason_of(pay_order(world.context(), command, PAID))
    assert reason == AmountNotOwed(1000, 2500, 2)


async def test_a_declined_part_can_be_tried_with_another_card(world: World, order: Order) -> None:
    await pay(world, order, "10.00")
    declined = await pay(world, order, "15.00", token="tok_chargeDeclined")
    assert declined.status == 400
    assert (await world.order(order.id)).payment is PaymentState.FAILED
    await pay(world, order, "15.00", token="tok_mastercard")
    assert (await world.order(order.id)).payment is PaymentState.PAID
    assert await at_the_gateway(world, order) == (2500, 0)


async def test_parts_at_once_never_come_to_more_than_is_owed(world: World, order: Order) -> None:
    world.faults.delay_s = 0.02
    answers = await asyncio.gather(
        *(pay(world, order, "10.00") for _ in range(6)), return_exceptions=True
    )
    paid = [answer for answer in answers if isinstance(answer, Answer)]
    assert len(paid) in (1, 2), "one at a time, and the third would be too much"
    assert await at_the_gateway(world, order) == (1000 * len(paid), 0)
    assert (await states(world, order)) == [(AttemptState.CAPTURED, 1000)] * len(paid)


async def test_a_part_under_one_key_is_paid_once(world: World, order: Order) -> None:
    first = await pay(world, order, "10.00", ctx=world.context(key="part"))
    again = await pay(world, order, "10.00", ctx=world.context(key="part"))
    assert (again.body, again.replayed) == (first.body, True)
    await forget_answers(world)
    found = await pay(world, order, "10.00", ctx=world.context(key="part"))
    assert found.body == first.body
    assert await at_the_gateway(world, order) == (1000, 0)


async def test_a_part_whose_answer_was_lost_holds_up_the_next_until_it_is_known(
    world: World, order: Order
) -> None:
    world.faults.lose_answers = 1
    await reason_of(pay(world, order, "10.00"))
    assert await reason_of(pay(world, order, "15.00")) == PaymentInProgress(order.id)
    world.clock.move(minutes=1)
    assert await sweep_operations(world.services) == 1
    await pay(world, order)
    assert await states(world, order) == [
        (AttemptState.CAPTURED, 1000),
        (AttemptState.CAPTURED, 1500),
    ]


async def test_a_cancelled_order_gives_back_every_part(world: World, order: Order) -> None:
    await pay(world, order, "10.00")
    await record(world, order, "5.00", "cash")
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    now = await world.order(order.id)
    assert (now.word, now.payment) == (Word.CANCELLED, PaymentState.REFUNDED)
    assert [payment.refunded for payment in now.payments] == [1000, 500]
    (refund,) = now.refunds
    assert (refund.amount, refund.lines) == (1500, ())
    assert await reason_of(pay(world, order)) == NotPayable(order.id, Word.CANCELLED)


async def test_a_part_that_arrives_for_a_cancelled_order_is_given_back_and_shown(
    world: World, order: Order
) -> None:
    """The buyer's charge was on its way when the order was cancelled."""
    world.faults.lose_answers = 1
    await reason_of(pay(world, order, "10.00"))
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    world.clock.move(minutes=1)
    await sweep_operations(world.services)
    assert await at_the_gateway(world, order) == (1000, 1000)
    now = await world.order(order.id)
    assert now.history[-1].reason == (
        "A payment of 10.00 USD arrived; 10.00 is given back. The order had ended."
    )


async def test_what_is_left_can_be_said_to_be_paid_elsewhere(world: World, order: Order) -> None:
    await pay(world, order, "10.00")
    await advance_order(world.context(), Advance(order_id=order.id, target=Word.PAID), told(str))
    assert await states(world, order) == [
        (AttemptState.CAPTURED, 1000),
        (AttemptState.CAPTURED, 1500),
    ]
    assert (await world.order(order.id)).payment is PaymentState.PAID


async def test_each_part_can_go_through_another_gateway(database: Database, tmp_path: Path) -> None:
    gateways = (GatewaySettings(name="first"), GatewaySettings(name="second"))
    world = await a_world(database, tmp_path, name="two", policy=StorePolicy(gateways=gateways))
    await world.sells(price=2500)
    order = await world.placed(payment_asked=True)
    assert await reason_of(pay(world, order, gateway="third")) == UnknownGateway("third")
    await pay(world, order, "10.00", gateway="second")
    await pay(world, order)
    payments = (await world.order(order.id)).payments
    assert [payment.gateway for payment in payments] == ["second", "first"]


async def test_the_answer_names_the_part_that_was_paid(world: World, order: Order) -> None:
    first = json.loads((await pay(world, order, "10.00")).body)
    second = json.loads((await pay(world, order)).body)
    assert first[1:] == ["captured", "pending"]
    assert second[1:] == ["captured", "paid"]
    assert first[0] < second[0]
