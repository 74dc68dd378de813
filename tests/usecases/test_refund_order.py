"""Giving money back: never more than was taken, driven to its end, shown when it fails."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId, OrderId
from openorders.domain.order import Order, PaymentState, Word
from openorders.domain.payment import AttemptState, OperationKind
from openorders.domain.refusals import (
    AmountNotOwed,
    NothingToRefund,
    NothingToVoid,
    NotPermitted,
    PaymentDeclined,
    Reason,
    Refused,
)
from openorders.store import payments
from openorders.store.payments import NewAttempt
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.answers import Answer
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.perform_operations import perform, sweep_operations
from openorders.usecases.refund_order import Refund, Void, refund_order, void_order
from tests.world import World, told

pytestmark = pytest.mark.usefixtures("audited")

RETURNED = told(lambda back: json.dumps([back.amount, back.pending, back.order.word]))


async def refund(world: World, order: Order, amount: str | None = None, **more: Any) -> Answer:
    ctx = more.pop("ctx", None) or world.context()
    command = Refund(order_id=order.id, amount=Decimal(amount) if amount else None, **more)
    return await refund_order(ctx, command, RETURNED)


async def refusal(world: World, order: Order, *args: Any, **more: Any) -> Reason:
    with pytest.raises(Refused) as refused:
        await refund(world, order, *args, **more)
    return refused.value.reason


async def given_back(world: World, order: Order) -> tuple[int, int]:
    """What the gateway's books say was captured, and refunded."""
    row = await world.row(
        """
        select sum(captured)::int as captured, sum(refunded)::int as refunded
        from sandbox_charges where store_id = $1 and order_id = $2
        """,
        order.id,
    )
    return row["captured"], row["refunded"]


async def operations(world: World, order: Order, kind: str = "refund") -> list[str]:
    rows = await world.rows(
        """
        select state from payment_operations
        where store_id = $1 and order_id = $2 and kind = $3 order by id
        """,
        order.id,
        kind,
    )
    return [row["state"] for row in rows]


async def paid_order(world: World, token: str = "tok_visa") -> Order:
    order = await world.placed(payment_asked=True)
    await pay_order(world.context(), Pay(order_id=order.id, token=token), told(str))
    return await world.order(order.id)


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await paid_order(world)


async def test_a_refund_of_everything_makes_the_order_refunded(world: World, order: Order) -> None:
    answer = await refund(world, order, reason="Damaged")
    assert json.loads(answer.body) == [2500, False, "refunded"]
    now = await world.order(order.id)
    assert now.payment is PaymentState.REFUNDED
    assert (now.history[-1].word, now.history[-1].reason) == (Word.REFUNDED, "Damaged")
    assert await given_back(world, order) == (2500, 2500)


async def test_parts_are_given_back_until_nothing_is_left(world: World, order: Order) -> None:
    await refund(world, order, "10.00")
    now = await world.order(order.id)
    assert (now.payment, now.word) == (PaymentState.PART_REFUNDED, Word.PAID)
    assert await refusal(world, order, "15.01") == AmountNotOwed(1501, 1500, 2)
    await refund(world, order, "15")
    assert (await world.order(order.id)).payment is PaymentState.REFUNDED
    assert await refusal(world, order) == NothingToRefund(order.id)
    assert await given_back(world, order) == (2500, 2500)


@pytest.mark.parametrize("amount", ["0.00", "-1", "0.001", "25.01"])
async def test_an_amount_that_cannot_be_given_back_is_refused(
    world: World, order: Order, amount: str
) -> None:
    assert isinstance(await refusal(world, order, amount), AmountNotOwed)
    assert await operations(world, order) == []


async def test_parallel_refunds_never_exceed_the_capture(world: World, order: Order) -> None:
    world.faults.delay_s = 0.02
    answers = await asyncio.gather(
        *(refund(world, order, "6.00") for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(answer, Answer) for answer in answers) == 4
    assert await given_back(world, order) == (2500, 2400)
    assert (await world.order(order.id)).payments[0].refunded == 2400


async def test_a_refund_under_one_key_happens_once(world: World, order: Order) -> None:
    first = await refund(world, order, "6.00", ctx=world.context(key="back"))
    again = await refund(world, order, "6.00", ctx=world.context(key="back"))
    assert (again.body, again.replayed) == (first.body, True)
    assert await given_back(world, order) == (2500, 600)


async def test_a_refund_whose_client_died_is_found_again_under_its_key(
    world: World, order: Order
) -> None:
    """The decision was committed, the answer was not: the process died in between."""
    await refund(world, order, "6.00", ctx=world.context(key="back"))
    async with world.database.transaction() as tx:
        await tx.execute("update idempotency_keys set status = null, headers = null, body = null")
    world.clock.move(minutes=1)
    answer = await refund(world, order, "6.00", ctx=world.context(key="back"))
    assert json.loads(answer.body)[0] == 600
    assert await given_back(world, order) == (2500, 600)


async def test_a_refund_that_nobody_answered_is_pending_and_driven_to_its_end(
    world: World, order: Order
) -> None:
    world.faults.lose_requests = 1
    answer = await refund(world, order)
    assert json.loads(answer.body) == [2500, True, "paid"]
    assert await refusal(world, order) == NothingToRefund(order.id)
    world.clock.move(minutes=1)
    assert await sweep_operations(world.services) == 1
    assert (await world.order(order.id)).payment is PaymentState.REFUNDED
    assert await given_back(world, order) == (2500, 2500)


async def test_a_refund_whose_answer_was_lost_is_not_made_twice(world: World, order: Order) -> None:
    world.faults.lose_answers = 1
    await refund(world, order, "10.00")
    assert (await given_back(world, order)) == (2500, 1000)
    world.clock.move(minutes=1)
    await sweep_operations(world.services)
    assert (await given_back(world, order)) == (2500, 1000)
    (payment,) = (await world.order(order.id)).payments
    assert (payment.refunded, payment.refunding) == (1000, 0)


async def test_a_refund_that_the_bank_takes_its_time_over_ends_well(world: World) -> None:
    await world.sells(price=2500)
    order = await paid_order(world, "tok_pendingRefund")
    answer = await refund(world, order)
    assert json.loads(answer.body)[1] is True
    world.clock.move(minutes=1)
    await sweep_operations(world.services)
    assert (await world.order(order.id)).word is Word.REFUNDED


async def test_a_failed_refund_is_shown_and_can_be_tried_again(world: World) -> None:
    await world.sells(price=2500)
    order = await paid_order(world, "tok_refundFail")
    reason = await refusal(world, order)
    assert isinstance(reason, PaymentDeclined)
    now = await world.order(order.id)
    assert (now.payment, now.word) == (PaymentState.PAID, Word.PAID)
    assert now.history[-1].reason is not None
    assert now.history[-1].reason.startswith("A refund of 25.00 USD failed")
    assert now.payments[0].refundable == 2500
    assert await operations(world, order) == ["failed"]


async def test_a_cancelled_order_gives_back_what_was_paid(world: World, order: Order) -> None:
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    now = await world.order(order.id)
    assert (now.word, now.payment) == (Word.CANCELLED, PaymentState.REFUNDED)
    assert await given_back(world, order) == (2500, 2500)


async def test_a_cancelled_orders_refund_survives_a_crash(world: World, order: Order) -> None:
    world.faults.lose_requests = 1
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    assert await given_back(world, order) == (2500, 0)
    world.clock.move(minutes=1)
    await sweep_operations(world.services)
    assert await given_back(world, order) == (2500, 2500)


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PARTNER])
async def test_only_staff_give_money_back(world: World, order: Order, role: Role) -> None:
    tie: dict[str, Any] = (
        {"customer_id": CustomerId(5)} if role is Role.CUSTOMER else {"partner_name": "p"}
    )
    ctx = world.context(world.caller(role, **tie))
    assert isinstance(await refusal(world, order, ctx=ctx), NotPermitted)
    assert await given_back(world, order) == (2500, 0)


async def authorised(world: World, order_id: OrderId) -> None:
    """An order whose money is reserved on the buyer's card, not taken."""
    async with world.database.transaction() as tx:
        attempt = await payments.insert_attempt(
            tx,
            world.store.id,
            NewAttempt(
                order_id=order_id,
                gateway="sandbox",
                method="credit_card",
                token="tok_visa",
                amount=2500,
                currency="USD",
                kind=OperationKind.AUTHORISE,
            ),
            world.context().by(),
        )
    assert attempt is not None
    await perform(world.services, world.store, attempt.operation_id)


async def test_what_is_only_reserved_is_released(world: World) -> None:
    await world.sells(price=2500)
    order = await world.placed(payment_asked=True)
    await authorised(world, order.id)
    assert (await world.order(order.id)).payment is PaymentState.AUTHORISED
    await void_order(world.context(), Void(order_id=order.id), RETURNED)
    now = await world.order(order.id)
    assert now.payments[0].state is AttemptState.VOIDED
    assert (now.payment, now.word) == (PaymentState.PENDING, Word.PAYMENT_PENDING)
    with pytest.raises(Refused) as refused:
        await void_order(world.context(), Void(order_id=order.id), RETURNED)
    assert refused.value.reason == NothingToVoid(order.id)


async def test_a_cancelled_order_releases_what_was_reserved(world: World) -> None:
    await world.sells(price=2500)
    order = await world.placed(payment_asked=True)
    await authorised(world, order.id)
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    assert await operations(world, order, "void") == ["succeeded"]


async def test_money_that_was_taken_elsewhere_is_recorded_and_given_back_by_hand(
    world: World,
) -> None:
    await world.sells(price=2500)
    order = await world.placed(payment_asked=True)
    await advance_order(
        world.context(), Advance(order_id=order.id, target=Word.PAID, reason="Cash"), told(str)
    )
    (payment,) = (await world.order(order.id)).payments
    assert (payment.gateway, payment.captured) == ("manual", 2500)
    await refund(world, order, "5.00")
    await refund(world, order)
    now = await world.order(order.id)
    assert (now.word, now.payments[0].refunded) == (Word.REFUNDED, 2500)
