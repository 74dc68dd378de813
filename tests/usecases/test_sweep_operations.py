"""What a crash, a timeout or a late answer leaves behind, the sweep finishes, exactly once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from openorders.domain.ids import OperationId, OrderId
from openorders.domain.order import Order, PaymentState, Progress, Word
from openorders.domain.payment import AttemptState, OperationKind
from openorders.domain.refusals import PaymentDeclined, PaymentUnsettled, Reason, Refused
from openorders.domain.store_settings import Capture, GatewaySettings, StorePolicy
from openorders.gateways.payments import (
    GatewayCall,
    Pending,
    Succeeded,
)
from openorders.store import payments
from openorders.store.database import Database
from openorders.store.payments import NewAttempt
from openorders.usecases import perform_operations
from openorders.usecases.answers import Answer, Reply
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.give_up_waiting import give_up_waiting
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.perform_operations import looked_up, perform, sweep_operations
from openorders.usecases.place_order import Charge, place_order
from openorders.usecases.settle_payment import NEVER_ARRIVED, settle
from tests.world import World, a_world, an_order_for, told, told_the_id

pytestmark = pytest.mark.usefixtures("audited")


async def charges(world: World) -> list[tuple[int, int]]:
    """Captured and refunded of every payment in the gateway's own books."""
    rows = await world.rows(
        "select captured, refunded from sandbox_charges where store_id = $1 order by id"
    )
    return [(row["captured"], row["refunded"]) for row in rows]


async def count(world: World, table: str) -> int:
    row = await world.row(f"select count(*) as n from {table} where store_id = $1")
    return row["n"]


async def recorded(world: World, order: Order, token: str = "tok_visa") -> OperationId:
    """An attempt whose process died right after it was committed."""
    async with world.database.transaction() as tx:
        attempt = await payments.insert_attempt(
            tx,
            world.store.id,
            NewAttempt(
                order_id=order.id,
                gateway="sandbox",
                method="credit_card",
                token=token,
                amount=order.totals.total,
                currency="USD",
            ),
            world.context().by(),
        )
    assert attempt is not None
    return attempt.operation_id


async def unsettled(world: World, order: Order, token: str = "tok_visa") -> None:
    with pytest.raises(Refused) as refused:
        await pay_order(world.context(), Pay(order_id=order.id, token=token), told(str))
    assert refused.value.reason == PaymentUnsettled(order.id)


async def sweep_until_quiet(world: World) -> None:
    for _ in range(10):
        world.clock.move(minutes=1)
        await sweep_operations(world.services)


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await world.placed(payment_asked=True)


async def test_a_charge_that_was_recorded_and_never_sent_fails_after_a_while(
    world: World, order: Order
) -> None:
    await recorded(world, order)
    world.clock.move(seconds=31)
    await sweep_operations(world.services)
    assert (await world.order(order.id)).payments[0].state is AttemptState.STARTED
    world.clock.move(seconds=15)
    await sweep_operations(world.services)
    now = await world.order(order.id)
    assert now.payments[0].state is AttemptState.DECLINED
    assert now.payment is PaymentState.FAILED
    assert await charges(world) == []
    await pay_order(world.context(), Pay(order_id=order.id, token="tok_visa"), told(str))
    assert (await world.order(order.id)).word is Word.PAID


async def test_a_charge_is_left_to_its_own_process_at_first(world: World, order: Order) -> None:
    await recorded(world, order)
    world.clock.move(seconds=29)
    assert await sweep_operations(world.services) == 0


@pytest.mark.parametrize("token", ["tok_timeoutAfterCharge", "pm_card_timeoutAfterCharge"])
async def test_a_charge_whose_answer_was_lost_is_found_at_the_gateway(
    world: World, order: Order, token: str
) -> None:
    await unsettled(world, order, token)
    assert (await world.order(order.id)).word is Word.PAYMENT_PENDING
    world.clock.move(seconds=31)
    assert await sweep_operations(world.services) == 1
    now = await world.order(order.id)
    assert (now.word, now.payments[0].captured) == (Word.PAID, 2500)
    assert await charges(world) == [(2500, 0)]


async def test_a_charge_that_never_arrived_is_not_sent_again_by_the_sweep(
    world: World, order: Order
) -> None:
    await unsettled(world, order, "tok_timeoutBeforeCharge")
    await sweep_until_quiet(world)
    assert await charges(world) == []
    assert (await world.order(order.id)).payments[0].decline_code == NEVER_ARRIVED.code


async def test_a_gateway_that_is_away_is_asked_again_later(world: World, order: Order) -> None:
    await unsettled(world, order, "tok_timeoutAfterCharge")
    world.faults.lose_requests = 2
    world.clock.move(minutes=2)
    await sweep_operations(world.services)
    assert (await world.order(order.id)).payments[0].state is AttemptState.STARTED
    await sweep_until_quiet(world)
    assert (await world.order(order.id)).word is Word.PAID


async def test_an_answer_that_takes_too_long_is_a_lost_one(
    world: World, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.faults.delay_s = 600
    with monkeypatch.context() as hurried:
        hurried.setattr(perform_operations, "CALL_TIMEOUT_S", 1)
        await unsettled(world, order)
    await sweep_until_quiet(world)
    assert (await world.order(order.id)).word is Word.PAID
    assert await charges(world) == [(2500, 0)]


async def test_an_answer_that_comes_after_the_sweep_changes_nothing(
    world: World, order: Order
) -> None:
    world.faults.delay_s = 600
    paying = asyncio.create_task(
        pay_order(world.context(), Pay(order_id=order.id, token="tok_visa"), told(str))
    )
    while not await charges(world):
        await asyncio.sleep(0.01)
    world.clock.move(minutes=1)
    assert await sweep_operations(world.services) == 1
    assert not paying.done()
    assert (await world.order(order.id)).word is Word.PAID
    world.delay_is_over.set()
    assert (await paying).status == 200
    assert len((await world.order(order.id)).history) == len(order.history) + 1
    assert await charges(world) == [(2500, 0)]


async def test_settling_twice_has_one_effect(world: World, order: Order) -> None:
    operation_id = await recorded(world, order)
    outcome = Succeeded(reference="ch_1", card_brand="Visa", card_last_four="4242")
    await asyncio.gather(
        *(settle(world.services, world.store, operation_id, outcome) for _ in range(6))
    )
    now = await world.order(order.id)
    assert now.payments[0].captured == 2500
    assert [entry.word for entry in now.history[len(order.history) :]] == [Word.PAID]
    rows = await world.rows("select type from outbox where store_id = $1 and type = 'order.paid'")
    assert len(rows) == 1


async def test_many_sweeps_at_once_settle_each_charge_once(world: World, order: Order) -> None:
    others = [await world.placed(payment_asked=True) for _ in range(5)]
    for each in (order, *others):
        await unsettled(world, each, "tok_timeoutAfterCharge")
    world.clock.move(minutes=1)
    looked_at = await asyncio.gather(*(sweep_operations(world.services) for _ in range(4)))
    assert sum(looked_at) == 6
    for each in (order, *others):
        assert len((await world.order(each.id)).history) == len(each.history) + 1
    assert await charges(world) == [(2500, 0)] * 6


async def test_a_payment_that_arrives_for_a_cancelled_order_is_given_back(
    world: World, order: Order
) -> None:
    await unsettled(world, order, "tok_timeoutAfterCharge")
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    await sweep_until_quiet(world)
    now = await world.order(order.id)
    assert (now.word, now.payment) == (Word.CANCELLED, PaymentState.REFUNDED)
    assert await charges(world) == [(2500, 2500)]
    assert any("is given back" in (entry.reason or "") for entry in now.history)


async def test_our_own_verdict_gives_way_to_the_gateways_yes(world: World, order: Order) -> None:
    """The call was on its way for longer than we waited, and arrived after all."""
    operation_id = await recorded(world, order)
    await settle(world.services, world.store, operation_id, NEVER_ARRIVED)
    outcome = Succeeded(reference="ch_1", card_brand="Visa", card_last_four="4242")
    settled = await settle(world.services, world.store, operation_id, outcome)
    assert settled.declined is None
    assert (await world.order(order.id)).word is Word.PAID


async def test_a_second_payment_that_arrives_late_is_given_back(world: World, order: Order) -> None:
    late = await recorded(world, order)
    await settle(world.services, world.store, late, NEVER_ARRIVED)
    await pay_order(world.context(), Pay(order_id=order.id, token="tok_visa"), told(str))
    gateway = world.services.gateways.of(world.store, "sandbox")
    outcome = await gateway.charge(a_call_like(late, order))
    settled = await settle(world.services, world.store, late, outcome)
    assert len(settled.follow_ups) == 1
    await sweep_until_quiet(world)
    assert await charges(world) == [(2500, 0), (2500, 2500)]
    now = await world.order(order.id)
    assert now.payments[0].refunded == 2500
    assert now.payments[1].refunded == 0


def a_call_like(operation_id: OperationId, order: Order) -> GatewayCall:
    return GatewayCall(
        key=f"late-{operation_id}",
        kind=OperationKind.CHARGE,
        amount=order.totals.total,
        currency="USD",
        order_id=order.id,
        token="tok_visa",
    )


# Orders whose charge comes with them: nobody sees them until it is settled.


def asked(reasons: list[Reason]) -> Reply[Any]:
    def refused(reason: Reason) -> Answer:
        reasons.append(reason)
        return Answer(status=402, body=b"")

    return Reply(done=told_the_id().done, refused=refused)


async def placed_with(world: World, token: str, *, key: str | None = None) -> Answer:
    command = an_order_for(charge=Charge(token=token), start_when_paid=True)
    return await place_order(world.context(key=key), command, told_the_id())


async def left_open(world: World, token: str, *, key: str | None = None) -> None:
    with pytest.raises(Refused) as refused:
        await placed_with(world, token, key=key)
    assert isinstance(refused.value.reason, PaymentUnsettled)


async def test_an_order_whose_charge_is_open_is_not_there_yet(world: World) -> None:
    await world.sells(price=2500)
    await left_open(world, "tok_timeoutAfterCharge")
    assert await count(world, "orders") == 0
    assert await count(world, "pending_orders") == 1
    assert await world.stock(1) == (10_000, 1)


async def test_the_sweep_places_the_order_whose_charge_succeeded(world: World) -> None:
    await world.sells(price=2500)
    await left_open(world, "tok_timeoutAfterCharge", key="place")
    await sweep_until_quiet(world)
    assert (await count(world, "orders"), await count(world, "pending_orders")) == (1, 0)
    answer = await placed_with(world, "tok_timeoutAfterCharge", key="place")
    order = await world.order(OrderId(int(answer.body)))
    assert (order.progress, order.payment) == (Progress.PROCESSING, PaymentState.PAID)
    assert await charges(world) == [(2500, 0)]
    assert await world.stock(1) == (10_000, 1)


async def test_the_sweep_removes_the_order_whose_charge_never_arrived(world: World) -> None:
    await world.sells(price=2500)
    await left_open(world, "tok_timeoutBeforeCharge", key="place")
    await sweep_until_quiet(world)
    assert (await count(world, "orders"), await count(world, "pending_orders")) == (0, 0)
    assert await world.stock(1) == (10_000, 0)
    assert await count(world, "payments") == 1
    reasons: list[Reason] = []
    command = an_order_for(charge=Charge(token="tok_timeoutBeforeCharge"), start_when_paid=True)
    await place_order(world.context(key="place"), command, asked(reasons))
    assert reasons == [PaymentDeclined(NEVER_ARRIVED.code, NEVER_ARRIVED.message)]
    assert await count(world, "orders") == 0


async def test_an_order_whose_charge_waited_and_was_given_up_is_not_placed(world: World) -> None:
    await world.sells(price=2500)
    await left_open(world, "tok_timeoutBeforeCharge")
    row = await world.row("select id from payment_operations where store_id = $1")
    opening = OperationId(row["id"])
    waits = Pending(reference="ch_1", action_url="https://bank.example")
    await settle(world.services, world.store, opening, waits)
    async with world.database.connection() as connection:
        operation = await payments.read_operation(connection, world.store.id, opening)
    assert operation is not None
    (void,) = await give_up_waiting(world.services, world.store, operation)
    await settle(world.services, world.store, void, Succeeded(reference="ch_1"))
    assert (await count(world, "orders"), await count(world, "pending_orders")) == (0, 0)
    assert await world.stock(1) == (10_000, 0)


async def test_a_declined_charge_leaves_nothing_but_the_attempt(world: World) -> None:
    await world.sells(price=2500)
    reasons: list[Reason] = []
    command = an_order_for(charge=Charge(token="tok_chargeDeclined"))
    await place_order(world.context(), command, asked(reasons))
    assert isinstance(reasons[0], PaymentDeclined)
    for table, rows in (("orders", 0), ("pending_orders", 0), ("outbox", 0), ("payments", 1)):
        assert await count(world, table) == rows
    assert await world.stock(1) == (10_000, 0)


async def test_a_charge_that_arrives_for_an_order_that_was_let_go_is_given_back(
    world: World,
) -> None:
    await world.sells(price=2500)
    await left_open(world, "tok_timeoutAfterCharge")
    row = await world.row("select id from payment_operations where store_id = $1")
    operation_id = OperationId(row["id"])
    await settle(world.services, world.store, operation_id, NEVER_ARRIVED)
    async with world.database.connection() as connection:
        operation = await payments.read_operation(connection, world.store.id, operation_id)
    assert operation is not None
    outcome = await looked_up(world.services, world.store, operation)
    settled = await settle(world.services, world.store, operation_id, outcome)
    assert settled.declined is not None
    await sweep_until_quiet(world)
    assert await charges(world) == [(2500, 2500)]
    assert await count(world, "orders") == 0
    again = await perform(world.services, world.store, operation_id)
    assert again.declined is not None


async def test_a_reservation_that_arrives_for_an_order_that_was_let_go_is_released(
    database: Database, tmp_path: Path
) -> None:
    gateway = GatewaySettings(name="sandbox", capture=Capture.BY_HAND)
    policy = StorePolicy(gateways=(gateway,))
    world = await a_world(database, tmp_path, name="by hand", policy=policy)
    await world.sells(price=2500)
    await left_open(world, "tok_timeoutAfterCharge", key="place")
    row = await world.row("select id from payment_operations where store_id = $1")
    operation_id = OperationId(row["id"])
    async with world.database.connection() as connection:
        operation = await payments.read_operation(connection, world.store.id, operation_id)
    assert operation is not None
    outcome = await looked_up(world.services, world.store, operation)
    await settle(world.services, world.store, operation_id, NEVER_ARRIVED)
    await settle(world.services, world.store, operation_id, outcome)
    for _ in range(2):
        again = await perform(world.services, world.store, operation_id)
        assert (again.order, again.declined is None) == (None, False)
        await sweep_until_quiet(world)
    row = await world.row("select voided from sandbox_charges where store_id = $1")
    assert row["voided"]


async def test_a_retry_while_the_sweep_is_at_work_makes_one_order(world: World) -> None:
    await world.sells(price=2500)
    await left_open(world, "tok_timeoutAfterCharge", key="place")
    world.clock.move(minutes=1)
    answers = await asyncio.gather(
        sweep_operations(world.services),
        placed_with(world, "tok_timeoutAfterCharge", key="place"),
        sweep_operations(world.services),
    )
    assert isinstance(answers[1], Answer)
    assert await count(world, "orders") == 1
    assert await charges(world) == [(2500, 0)]
