"""What the tables of refunds hold by themselves, whoever writes to them."""

import json
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from openorders.domain.ids import LineId, OrderId, RefundId
from openorders.domain.order import Order
from openorders.domain.payment import AttemptState, GiveBack, OperationKind, OperationState
from openorders.domain.refund import Refund, RefundedLine, RefundState, RefundTerms
from openorders.store import payments, refunds
from openorders.store.database import Database
from openorders.store.payments import Attempt, NewAttempt
from tests.world import World, a_world, wanted


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await a_world(database, tmp_path / "mail")


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await world.placed(wanted(1, 3))


@pytest.fixture
async def taken(world: World, order: Order) -> Attempt:
    """A payment of 75.00 that was captured."""
    by = world.context().by()
    async with world.database.transaction() as tx:
        attempt = await payments.insert_attempt(
            tx,
            world.store.id,
            NewAttempt(
                order_id=order.id,
                gateway="sandbox",
                method="credit_card",
                token="tok_visa",
                amount=7500,
                currency="USD",
            ),
            by,
        )
        assert attempt is not None
        await payments.settle_operation(
            tx,
            world.store.id,
            attempt.operation_id,
            OperationState.SUCCEEDED,
            reference="ch_1",
            failure=None,
            now=by.at,
        )
        await payments.settle_payment(
            tx,
            world.store.id,
            attempt.payment_id,
            state=AttemptState.CAPTURED,
            captured=7500,
            refunded=0,
            now=by.at,
        )
    return attempt


async def written(
    world: World, order_id: OrderId, *lines: RefundedLine, amount: int = 2500
) -> RefundId:
    async with world.database.transaction() as tx:
        terms = RefundTerms(lines=lines, reason="Scratched", restock=True)
        return await refunds.insert(
            tx, world.store.id, order_id, amount, terms, world.context().by()
        )


async def carried_out(world: World, taken: Attempt, *amounts: int, refund_id: RefundId) -> Any:
    steps = [
        GiveBack(payment_id=taken.payment_id, kind=OperationKind.REFUND, amount=amount)
        for amount in amounts
    ]
    async with world.database.transaction() as tx:
        return await payments.record_operations(
            tx, world.store.id, taken.order_id, steps, world.context().by(), refund_id
        )


async def settled(world: World, operation_id: Any, state: OperationState) -> None:
    async with world.database.transaction() as tx:
        await payments.settle_operation(
            tx, world.store.id, operation_id, state, reference=None, failure=None, now=world.clock()
        )


async def test_a_refund_is_read_back_as_its_calls_stand(
    world: World, order: Order, taken: Attempt
) -> None:
    entry = RefundedLine(
        line_id=order.lines[0].id, quantity=2, amount=5000, returned=2, restocked=1
    )
    refund_id = await written(world, order.id, entry, amount=5000)
    first, second = await carried_out(world, taken, 4000, 1000, refund_id=refund_id)
    (refund,) = (await world.order(order.id)).refunds
    assert refund == Refund(
        id=refund_id,
        amount=5000,
        state=RefundState.STARTED,
        lines=(entry,),
        reason="Scratched",
        restock=True,
        at=refund.at,
    )
    await settled(world, first, OperationState.SUCCEEDED)
    await settled(world, second, OperationState.FAILED)
    (refund,) = (await world.order(order.id)).refunds
    assert (refund.state, refund.failed) == (RefundState.PART_FAILED, 1000)
    async with world.database.connection() as connection:
        (found,) = await refunds.by_id(connection, world.store.id, [refund_id])
        assert (found.refund, found.order_id, found.currency) == (refund, order.id, "USD")
        assert await refunds.of_operations(connection, world.store.id, [first]) == refund_id


async def test_money_that_goes_back_without_a_refund_becomes_one(
    world: World, order: Order, taken: Attempt
) -> None:
    step = GiveBack(
        payment_id=taken.payment_id, kind=OperationKind.REFUND, amount=100, reason="Too much"
    )
    async with world.database.transaction() as tx:
        await payments.record_operations(tx, world.store.id, order.id, [step], world.context().by())
    (refund,) = (await world.order(order.id)).refunds
    assert (refund.amount, refund.reason, refund.lines) == (100, "Too much", ())


@pytest.mark.parametrize(
    "entry",
    [
        {"quantity": -1, "amount": 1},
        {"quantity": 1, "amount": -1},
        {"quantity": 1, "amount": 1, "returned": 2},
        {"quantity": 1, "amount": 1, "returned": 0, "restocked": 1},
    ],
)
async def test_a_line_cannot_give_back_what_it_never_had(
    world: World, order: Order, entry: dict[str, int]
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await written(world, order.id, RefundedLine(line_id=order.lines[0].id, **entry))
    assert await world.rows("select id from refunds where store_id = $1") == []


async def test_a_refund_names_lines_of_its_own_order(world: World, order: Order) -> None:
    other = await world.placed()
    entry = RefundedLine(line_id=LineId(other.lines[0].id), quantity=1, amount=1)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await written(world, order.id, entry)


async def test_a_refund_of_nothing_is_none(world: World, order: Order) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await written(world, order.id, amount=0)


async def test_only_a_refund_carries_out_a_refund(
    world: World, order: Order, taken: Attempt
) -> None:
    refund_id = await written(world, order.id)
    with pytest.raises(asyncpg.CheckViolationError):
        async with world.database.transaction() as tx:
            await tx.execute(
                "update payment_operations set refund_id = $2 where id = $1",
                taken.operation_id,
                refund_id,
            )


async def test_one_capture_of_a_payment_is_under_way_at_a_time(
    world: World, order: Order, taken: Attempt
) -> None:
    async def capture() -> None:
        async with world.database.transaction() as tx:
            await payments.record_capture(
                tx, world.store.id, order.id, taken.payment_id, 100, world.context().by()
            )

    await capture()
    with pytest.raises(asyncpg.UniqueViolationError):
        await capture()


async def test_more_can_never_be_given_back_than_was_captured(
    world: World, order: Order, taken: Attempt
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="never_refunded_beyond_captured"):
        async with world.database.transaction() as tx:
            await tx.execute("update payments set refunded = 7501 where id = $1", taken.payment_id)


async def test_what_was_told_before_there_were_refunds_is_still_read(
    world: World, order: Order, taken: Attempt
) -> None:
    """Events that wait and orders whose charge is running were written by the last release."""
    now = await world.order(order.id)
    told = json.loads(msgspec.json.encode(now))
    del told["refunds"]
    for payment in told["payments"]:
        del payment["action_url"], payment["ending"]
    assert msgspec.json.decode(json.dumps(told), type=Order) == now
