"""A payment may wait for its buyer: at their bank, or on the gateway's own page. It ends as they
decide, however that becomes known, and never twice.
"""

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from openorders.domain.ids import OperationId, OrderId
from openorders.domain.order import Order, PaymentState, Progress, Word
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import PaymentInProgress, PaymentUnsettled, Refused
from openorders.domain.store_settings import StorePolicy
from openorders.gateways.payments import Pending
from openorders.store.database import Database
from openorders.usecases import charge_order
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.context import Context
from openorders.usecases.expire_unpaid import expire_unpaid
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.perform_operations import WAITS_AT_MOST, sweep_operations
from openorders.usecases.place_order import Charge, place_order
from openorders.usecases.settle_payment import settle
from tests.usecases.waiting_payments import (
    CARD_THAT_ASKS,
    STATE,
    begun,
    states,
    swept,
    the_buyer_says,
    waits,
)
from tests.world import World, a_world, an_order_for, told, told_the_id

pytestmark = pytest.mark.usefixtures("audited")

CANCELLED = told(lambda cancelled: str(cancelled.refund))


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    policy = StorePolicy(unpaid_expiry_minutes=60)
    return await a_world(database, tmp_path / "mail", policy=policy)


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500, stock=10)
    return await world.placed(payment_asked=True)


async def books(world: World) -> list[tuple[int, int, bool]]:
    """Captured, refunded and voided of every payment in the gateway's own books."""
    rows = await world.rows(
        "select captured, refunded, voided from sandbox_charges where store_id = $1 order by id"
    )
    return [(row["captured"], row["refunded"], row["voided"]) for row in rows]


async def events(world: World, order: Order) -> list[str]:
    rows = await world.rows(
        "select type from outbox where store_id = $1 and order_id = $2 order by id", order.id
    )
    return [row["type"].removeprefix("order.") for row in rows]


@pytest.mark.parametrize("page", [False, True])
async def test_a_payment_waits_for_its_buyer_and_the_order_shows_it(
    world: World, order: Order, *, page: bool
) -> None:
    assert (await begun(world, order, page=page)).body == b"pending"
    now = await world.order(order.id)
    assert (now.payment, now.word) == (PaymentState.PENDING, Word.PAYMENT_PENDING)
    payment = await waits(world, order)
    assert payment.action_url is not None
    assert payment.captured == 0
    row = await world.row("select token from payments where store_id = $1")
    assert row["token"] is None


@pytest.mark.parametrize("page", [False, True])
async def test_a_buyer_who_agrees_has_paid(world: World, order: Order, *, page: bool) -> None:
    await begun(world, order, page=page)
    await the_buyer_says(world, order, yes=True)
    await swept(world)
    now = await world.order(order.id)
    assert (now.word, now.payments[0].captured) == (Word.PAID, 2500)
    assert await books(world) == [(2500, 0, False)]
    assert (await events(world, order)).count("paid") == 1


@pytest.mark.parametrize("page", [False, True])
async def test_a_buyer_who_refuses_has_not_paid_and_may_try_again(
    world: World, order: Order, *, page: bool
) -> None:
    await begun(world, order, page=page)
    await the_buyer_says(world, order, yes=False)
    await swept(world)
    now = await world.order(order.id)
    assert (now.payment, now.payments[0].state) == (PaymentState.FAILED, AttemptState.DECLINED)
    assert (await begun(world, order, token="tok_visa")).body == b"captured"
    assert (await world.order(order.id)).word is Word.PAID


async def test_where_nobody_can_act_a_card_whose_bank_asks_is_declined(
    world: World, order: Order
) -> None:
    ctx = world.context(key="once")
    answer = await pay_order(ctx, Pay(order_id=order.id, token=CARD_THAT_ASKS), STATE)
    assert answer.status == 400
    now = await world.order(order.id)
    assert now.payments[0].decline_code == "authentication_required"
    assert now.payment is PaymentState.FAILED
    assert await books(world) == []


async def test_the_same_request_again_is_told_the_same_and_begins_nothing_new(
    world: World, order: Order
) -> None:
    first = await begun(world, order, ctx=world.context(key="once"))
    again = await begun(world, order, ctx=world.context(key="once"))
    assert (again.body, again.replayed) == (first.body, True)
    assert await states(world, order) == [AttemptState.PENDING]


async def test_a_retry_whose_first_answer_was_lost_finds_the_payment_waiting(
    world: World, order: Order
) -> None:
    world.faults.lose_answers = 1
    with pytest.raises(Refused):
        await begun(world, order, ctx=world.context(key="once"))
    assert await states(world, order) == [AttemptState.STARTED]
    world.clock.move(seconds=31)
    answer = await begun(world, order, ctx=world.context(key="once"))
    assert answer.body == b"pending"
    assert await states(world, order) == [AttemptState.PENDING]
    assert len(await books(world)) == 1


async def test_the_sweep_finds_a_payment_waiting_whose_process_died(
    world: World, order: Order
) -> None:
    world.faults.lose_answers = 1
    with pytest.raises(Refused):
        await begun(world, order)
    await swept(world)
    assert (await waits(world, order)).action_url is not None


async def test_a_new_payment_gives_up_the_one_that_waits_first(world: World, order: Order) -> None:
    await begun(world, order)
    assert (await begun(world, order, token="tok_visa")).body == b"captured"
    assert await states(world, order) == [AttemptState.VOIDED, AttemptState.CAPTURED]
    assert await books(world) == [(0, 0, True), (2500, 0, False)]
    assert (await world.order(order.id)).word is Word.PAID
    assert "payment_failed" not in await events(world, order)


async def test_ten_new_payments_at_once_give_it_up_and_one_pays(world: World, order: Order) -> None:
    await begun(world, order)
    answers = await asyncio.gather(
        *(begun(world, order, token="tok_visa") for _ in range(10)), return_exceptions=True
    )
    bodies = [answer.body for answer in answers if not isinstance(answer, BaseException)]
    assert bodies.count(b"captured") == 1
    await swept(world)
    now = await world.order(order.id)
    assert sum(payment.captured - payment.refunded for payment in now.payments) == 2500
    assert sum(captured - refunded for captured, refunded, _ in await books(world)) == 2500


async def test_who_paid_in_the_meantime_has_paid_and_the_new_payment_takes_nothing(
    world: World, order: Order
) -> None:
    await begun(world, order)
    await the_buyer_says(world, order, yes=True)
    answer = await begun(world, order, token="tok_mastercard", ctx=world.context(key="new"))
    assert answer.status == 400
    assert b"AlreadyPaid" in answer.body
    assert await states(world, order) == [AttemptState.CAPTURED]
    assert await books(world) == [(2500, 0, False)]


async def test_a_new_payment_waits_its_turn_while_the_old_one_may_still_be_made(
    world: World, order: Order
) -> None:
    await begun(world, order)
    world.faults.lose_requests = 1
    with pytest.raises(Refused):
        await begun(world, order, token="tok_visa")
    assert await states(world, order) == [AttemptState.PENDING]
    await swept(world)
    assert await states(world, order) == [AttemptState.VOIDED]
    assert (await begun(world, order, token="tok_visa")).body == b"captured"


async def test_a_new_payment_that_was_cut_off_while_the_old_one_was_given_up_is_made_once(
    world: World, order: Order
) -> None:
    await begun(world, order)
    world.faults.lose_answers = 1
    with pytest.raises(Refused):
        await begun(world, order, token="tok_visa", ctx=world.context(key="new"))
    world.clock.move(seconds=31)
    answers = await asyncio.gather(
        *(begun(world, order, token="tok_visa", ctx=world.context(key="new")) for _ in range(3)),
        return_exceptions=True,
    )
    bodies = {one.body for one in answers if not isinstance(one, BaseException)}
    assert bodies == {b"captured"}
    again = await begun(world, order, token="tok_visa", ctx=world.context(key="new"))
    assert (again.body, again.replayed) == (b"captured", True)
    assert await books(world) == [(0, 0, True), (2500, 0, False)]


async def test_a_part_is_taken_once_although_a_retry_was_quicker(
    world: World, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(world, order)
    part = Pay(order_id=order.id, token="tok_visa", amount=Decimal("10.00"), part=True)
    give_up = charge_order._given_up

    async def overtaken(ctx: Context, order_id: OrderId, voids: tuple[OperationId, ...]) -> None:
        monkeypatch.undo()
        await give_up(ctx, order_id, voids)
        world.clock.move(seconds=31)
        await pay_order(world.context(key="part"), part, STATE)

    monkeypatch.setattr(charge_order, "_given_up", overtaken)
    assert (await pay_order(world.context(key="part"), part, STATE)).body == b"captured"
    assert await books(world) == [(0, 0, True), (1000, 0, False)]


@pytest.mark.parametrize("page", [False, True])
async def test_cancelling_gives_up_what_waits(world: World, order: Order, *, page: bool) -> None:
    await begun(world, order, page=page)
    await cancel_order(world.context(), Cancel(order_id=order.id), CANCELLED)
    now = await world.order(order.id)
    assert (now.progress, now.payments[0].state) == (Progress.CANCELLED, AttemptState.VOIDED)
    assert await books(world) == [(0, 0, True)]
    assert await world.stock(1) == (10, 0)


async def test_money_of_a_buyer_who_was_quicker_than_the_cancellation_goes_back_and_shows(
    world: World, order: Order
) -> None:
    await begun(world, order)
    await the_buyer_says(world, order, yes=True)
    await cancel_order(world.context(), Cancel(order_id=order.id), CANCELLED)
    await swept(world)
    now = await world.order(order.id)
    assert (now.payments[0].captured, now.payments[0].refunded) == (2500, 2500)
    assert await books(world) == [(2500, 2500, False)]
    reasons = [entry.reason or "" for entry in now.history]
    assert any("25.00 USD arrived" in reason for reason in reasons), reasons


async def test_an_unpaid_order_expires_although_a_payment_waits(world: World, order: Order) -> None:
    await begun(world, order)
    world.clock.move(minutes=61)
    assert await expire_unpaid(world.services) == 1
    now = await world.order(order.id)
    assert (now.progress, now.payments[0].state) == (Progress.CANCELLED, AttemptState.VOIDED)
    assert await world.stock(1) == (10, 0)
    assert await books(world) == [(0, 0, True)]


async def test_a_payment_the_gateway_is_being_asked_for_keeps_its_order_alive(
    world: World, order: Order
) -> None:
    world.faults.lose_answers = 1
    with pytest.raises(Refused):
        await begun(world, order)
    world.clock.move(minutes=61)
    assert await expire_unpaid(world.services) == 0
    assert (await world.order(order.id)).progress is Progress.PLACED


async def test_an_order_that_expired_while_its_buyer_paid_gives_the_money_back(
    world: World, order: Order
) -> None:
    await begun(world, order)
    await the_buyer_says(world, order, yes=True)
    world.clock.move(minutes=61)
    assert await expire_unpaid(world.services) == 1
    await swept(world)
    assert await books(world) == [(2500, 2500, False)]
    assert (await world.order(order.id)).progress is Progress.CANCELLED


async def test_a_payment_that_waits_is_asked_about_less_and_less_often(
    world: World, order: Order
) -> None:
    await begun(world, order)
    asked = 0
    for _ in range(12 * 60):
        world.clock.move(minutes=1)
        asked += await sweep_operations(world.services)
    assert 10 < asked < 25
    assert await states(world, order) == [AttemptState.PENDING]


async def test_a_buyer_who_never_comes_back_is_not_waited_for_for_ever(
    world: World, order: Order
) -> None:
    await begun(world, order)
    await swept(world, seconds=31)
    world.clock.move(seconds=WAITS_AT_MOST / timedelta(seconds=1))
    await sweep_operations(world.services)
    now = await world.order(order.id)
    assert now.payments[0].state is AttemptState.VOIDED
    assert now.progress is Progress.PLACED
    assert await books(world) == [(0, 0, True)]


async def test_a_payment_is_not_begun_twice_at_once(world: World, order: Order) -> None:
    answers = await asyncio.gather(
        *(begun(world, order, page=True) for _ in range(5)), return_exceptions=True
    )
    refusals = [one.reason for one in answers if isinstance(one, Refused)]
    assert all(isinstance(reason, PaymentInProgress) for reason in refusals)
    assert (await states(world, order)).count(AttemptState.PENDING) <= 1
    await begun(world, order, token="tok_visa")
    await swept(world)
    assert sum(captured - refunded for captured, refunded, _ in await books(world)) == 2500


async def test_a_new_order_whose_bank_takes_its_time_is_unsettled_until_it_has_decided(
    world: World,
) -> None:
    await world.sells(price=2500, stock=10)
    command = an_order_for(charge=Charge(token="tok_timeoutAfterCharge"))
    with pytest.raises(Refused) as refused:
        await place_order(world.context(key="new"), command, told_the_id())
    assert isinstance(refused.value.reason, PaymentUnsettled)
    row = await world.row("select id from payment_operations where store_id = $1")
    bank = Pending(reference="ch_1")
    await settle(world.services, world.store, OperationId(row["id"]), bank)
    row = await world.row("select state from payments where store_id = $1")
    assert row["state"] == "pending"
    row = await world.row("select count(*) as n from orders where store_id = $1")
    assert row["n"] == 0
    assert await world.stock(1) == (10, 1)
    await swept(world)
    row = await world.row("select word from orders where store_id = $1")
    assert row["word"] == "paid"
    assert (await place_order(world.context(key="new"), command, told_the_id())).status == 200
    assert await books(world) == [(2500, 0, False)]


async def test_a_card_whose_bank_asks_is_declined_for_a_new_order_and_leaves_nothing(
    world: World,
) -> None:
    await world.sells(price=2500, stock=10)
    command = an_order_for(charge=Charge(token=CARD_THAT_ASKS))
    answer = await place_order(world.context(key="new"), command, told_the_id())
    assert b"authentication_required" in answer.body
    row = await world.row("select count(*) as n from orders where store_id = $1")
    assert row["n"] == 0
    assert await world.stock(1) == (10, 0)
