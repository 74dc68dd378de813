"""Taking what is reserved on a card: all or a part, once, and never more than is owed."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId, PaymentId
from openorders.domain.order import Order, PaymentState, Word
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import (
    AmountNotOwed,
    NothingToCapture,
    NotPermitted,
    PaymentInProgress,
    PaymentNotFound,
    PaymentUnsettled,
)
from openorders.domain.store_settings import Capture, GatewaySettings, StorePolicy
from openorders.store.database import Database
from openorders.usecases.answers import Answer
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.perform_operations import sweep_operations
from openorders.usecases.refund_order import Void, void_order
from openorders.usecases.settle_lines import LineAction, settle_lines
from openorders.usecases.verify_ledgers import verify
from tests.usecases.money import (
    at_the_gateway,
    capture,
    forget_answers,
    pay,
    reason_of,
    record,
    rows_of_money,
)
from tests.world import World, a_world, told, wanted


@pytest.fixture
async def held(database: Database, tmp_path: Path) -> Any:
    """A store whose gateway reserves first, and whose books add up after every test."""
    gateway = GatewaySettings(name="sandbox", capture=Capture.BY_HAND)
    world = await a_world(database, tmp_path, policy=StorePolicy(gateways=(gateway,)))
    await world.sells(1, price=1500)
    await world.sells(2, price=1000)
    yield world
    assert [difference async for difference in verify(world.services)] == []


@pytest.fixture
async def order(held: World) -> Order:
    """25.00, reserved on the buyer's card."""
    placed = await held.placed(wanted(1), wanted(2), payment_asked=True)
    await pay(held, placed)
    return await held.order(placed.id)


def payment_of(order: Order) -> PaymentId:
    return order.payments[-1].id


async def test_what_is_reserved_counts_as_paid_and_is_not_taken(held: World, order: Order) -> None:
    assert (order.payment, order.word) == (PaymentState.AUTHORISED, Word.PAID)
    assert order.payments[0].state is AttemptState.AUTHORISED
    assert await at_the_gateway(held, order) == (0, 0)


async def test_all_of_it_is_taken(held: World, order: Order) -> None:
    answer = await capture(held, payment_of(order))
    assert json.loads(answer.body) == [payment_of(order), "captured", "paid"]
    assert await at_the_gateway(held, order) == (2500, 0)
    reason = await reason_of(capture(held, payment_of(order)))
    assert reason == NothingToCapture(payment_of(order))


async def test_a_part_is_taken_and_the_rest_can_be_paid_in_another_way(
    held: World, order: Order
) -> None:
    await capture(held, payment_of(order), "10.00")
    now = await held.order(order.id)
    assert (now.payment, now.payments[0].captured) == (PaymentState.PENDING, 1000)
    await record(held, now, "15.00", "cash")
    assert (await held.order(order.id)).payment is PaymentState.PAID
    assert await at_the_gateway(held, order) == (1000, 0)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "25.01"])
async def test_an_amount_that_cannot_be_taken_is_refused(
    held: World, order: Order, amount: str
) -> None:
    before = await rows_of_money(held)
    assert isinstance(await reason_of(capture(held, payment_of(order), amount)), AmountNotOwed)
    assert await rows_of_money(held) == before


async def test_less_is_taken_after_a_line_was_cancelled(held: World, order: Order) -> None:
    """The reservation stays as it is; the buyer need not pay again."""
    action = LineAction(line_id=order.lines[0].id, verify=False)
    await settle_lines(held.context(), order.id, (action,), told(str))
    await capture(held, payment_of(order))
    now = await held.order(order.id)
    assert (now.payments[0].captured, now.payment) == (1000, PaymentState.PAID)


async def test_captures_at_once_take_it_once(held: World, order: Order) -> None:
    held.faults.delay_s = 0.02
    answers = await asyncio.gather(
        *(capture(held, payment_of(order)) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(answer, Answer) for answer in answers) == 1
    assert await at_the_gateway(held, order) == (2500, 0)


async def test_a_capture_under_one_key_happens_once(held: World, order: Order) -> None:
    first = await capture(held, payment_of(order), "10.00", ctx=held.context(key="take"))
    again = await capture(held, payment_of(order), "10.00", ctx=held.context(key="take"))
    assert (again.body, again.replayed) == (first.body, True)
    await forget_answers(held)
    found = await capture(held, payment_of(order), "10.00", ctx=held.context(key="take"))
    assert json.loads(found.body)[:2] == [payment_of(order), "captured"]
    assert await at_the_gateway(held, order) == (1000, 0)


async def test_a_capture_that_nobody_answered_is_driven_to_its_end(
    held: World, order: Order
) -> None:
    held.faults.lose_requests = 1
    reason = await reason_of(capture(held, payment_of(order)))
    assert reason == PaymentUnsettled(order.id)
    assert await reason_of(capture(held, payment_of(order))) == PaymentInProgress(order.id)
    held.clock.move(minutes=1)
    await sweep_operations(held.services)
    assert (await held.order(order.id)).payment is PaymentState.PAID
    assert await at_the_gateway(held, order) == (2500, 0)


async def test_what_is_taken_after_the_order_was_cancelled_goes_back(
    held: World, order: Order
) -> None:
    """The capture was on its way when the order ended: its answer decides, then it is refunded."""
    held.faults.lose_answers = 1
    await reason_of(capture(held, payment_of(order)))
    await cancel_order(held.context(), Cancel(order_id=order.id), told(str))
    held.clock.move(minutes=1)
    await sweep_operations(held.services)
    assert await at_the_gateway(held, order) == (2500, 2500)
    assert (await held.order(order.id)).payment is PaymentState.REFUNDED


async def test_one_of_two_reservations_is_released(held: World) -> None:
    order = await held.placed(wanted(1), wanted(2), payment_asked=True)
    await pay(held, order, "10.00")
    await pay(held, order)
    first, second = (await held.order(order.id)).payments
    await void_order(
        held.context(), Void(order_id=order.id, payment_id=second.id), told(lambda _: "")
    )
    now = await held.order(order.id)
    assert [payment.state for payment in now.payments] == [
        AttemptState.AUTHORISED,
        AttemptState.VOIDED,
    ]
    assert now.payment is PaymentState.PENDING
    assert first.id == now.payments[0].id


async def test_a_payment_that_does_not_exist_is_not_found(held: World, order: Order) -> None:
    assert await reason_of(capture(held, PaymentId(999))) == PaymentNotFound(PaymentId(999))


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PARTNER])
async def test_only_staff_take_what_is_reserved(held: World, order: Order, role: Role) -> None:
    tie: dict[str, Any] = (
        {"customer_id": CustomerId(5)} if role is Role.CUSTOMER else {"partner_name": "p"}
    )
    ctx = held.context(held.caller(role, **tie))
    assert isinstance(await reason_of(capture(held, payment_of(order), ctx=ctx)), NotPermitted)
    assert await at_the_gateway(held, order) == (0, 0)
