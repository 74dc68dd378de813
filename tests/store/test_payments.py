"""What the tables of payments hold by themselves, whoever writes to them."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from openorders.domain.ids import OperationId, PaymentId
from openorders.domain.order import Order
from openorders.domain.payment import AttemptState, GiveBack, OperationKind, OperationState
from openorders.store import mails, payments
from openorders.store.database import Database
from openorders.store.mails import NewMail
from openorders.store.payments import SWEPT_AFTER, Attempt, NewAttempt
from tests.world import World, a_world

DIGEST = b"k" * 32


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await a_world(database, tmp_path / "mail")


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await world.placed()


def an_attempt(order: Order, **more: Any) -> NewAttempt:
    attempt = NewAttempt(
        order_id=order.id,
        gateway="sandbox",
        method="credit_card",
        token="tok_visa",
        amount=2500,
        currency="USD",
    )
    return replace(attempt, **more)


async def begun(world: World, order: Order, **more: Any) -> Attempt | None:
    async with world.database.transaction() as tx:
        return await payments.insert_attempt(
            tx, world.store.id, an_attempt(order, **more), world.context().by()
        )


async def settle(world: World, attempt: Attempt, **more: Any) -> None:
    columns = {"state": AttemptState.CAPTURED, "captured": 2500, "refunded": 0}
    async with world.database.transaction() as tx:
        await payments.settle_payment(
            tx, world.store.id, attempt.payment_id, now=world.clock(), **{**columns, **more}
        )


async def test_an_order_has_one_open_attempt_at_a_time(world: World, order: Order) -> None:
    first = await begun(world, order)
    assert first is not None
    assert await begun(world, order) is None
    await settle(world, first, state=AttemptState.DECLINED, captured=0)
    assert await begun(world, order) is not None


async def test_attempts_of_different_orders_do_not_meet(world: World, order: Order) -> None:
    other = await world.placed()
    assert await begun(world, order) is not None
    assert await begun(world, other) is not None


async def test_an_attempt_is_found_by_its_key_in_its_own_store(
    world: World, order: Order, tmp_path: Path
) -> None:
    attempt = await begun(world, order, key_digest=DIGEST)
    other = await a_world(world.database, tmp_path / "other", name="other")
    async with world.database.connection() as connection:
        assert await payments.attempt_of_key(connection, world.store.id, DIGEST) == attempt
        assert await payments.attempt_of_key(connection, other.store.id, DIGEST) is None
        assert await payments.attempt_of_key(connection, world.store.id, b"x" * 32) is None


@pytest.mark.parametrize(
    "columns",
    [
        {"captured": 2501},
        {"captured": -1},
        {"captured": 1000, "refunded": 1001},
        {"captured": 1000, "refunded": -1},
    ],
)
async def test_the_database_refuses_sums_that_cannot_be(
    world: World, order: Order, columns: dict[str, int]
) -> None:
    attempt = await begun(world, order)
    assert attempt is not None
    with pytest.raises(asyncpg.CheckViolationError):
        await settle(world, attempt, **columns)


async def test_what_succeeded_is_never_settled_again(world: World, order: Order) -> None:
    attempt = await begun(world, order)
    assert attempt is not None

    async def settle_operation(state: OperationState) -> None:
        async with world.database.transaction() as tx:
            await payments.settle_operation(
                tx,
                world.store.id,
                attempt.operation_id,
                state,
                reference="ch_1",
                failure=None,
                now=world.clock(),
            )

    await settle_operation(OperationState.SUCCEEDED)
    with pytest.raises(AssertionError):
        await settle_operation(OperationState.FAILED)


async def test_refunds_under_way_are_not_refundable_any_more(world: World, order: Order) -> None:
    attempt = await begun(world, order)
    assert attempt is not None
    await settle(world, attempt)
    back = GiveBack(
        payment_id=attempt.payment_id, kind=OperationKind.REFUND, amount=900, reason="Damaged"
    )
    by = world.context().by()
    async with world.database.transaction() as tx:
        ids = await payments.record_operations(tx, world.store.id, order.id, (back, back), by)
        (payment,) = await payments.of_order(tx, world.store.id, order.id)
    assert (len(ids), list(ids)) == (2, sorted(ids))
    assert (payment.refunding, payment.refundable) == (1800, 700)
    assert (await world.order(order.id)).payments == (payment,)


async def test_an_operation_belongs_to_a_payment_that_exists(world: World, order: Order) -> None:
    back = GiveBack(payment_id=PaymentId(999), kind=OperationKind.REFUND, amount=1, reason=None)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with world.database.transaction() as tx:
            await payments.record_operations(
                tx, world.store.id, order.id, (back,), world.context().by()
            )


async def test_what_is_due_is_taken_by_one(world: World, order: Order) -> None:
    attempt = await begun(world, order)
    assert attempt is not None
    now = world.clock() + SWEPT_AFTER
    again = now + SWEPT_AFTER

    async def claim(when: Any) -> list[OperationId]:
        async with world.database.transaction() as tx:
            due = await payments.claim_due(tx, when, again=again, limit=10)
        return [operation_id for _, operation_id in due]

    assert await claim(now - SWEPT_AFTER) == []
    async with world.database.transaction() as tx:
        assert len(await payments.claim_due(tx, now, again=again, limit=10)) == 1
        assert await claim(now) == [], "another process passes over what is held"
    assert await claim(now) == []
    assert await claim(again) == [attempt.operation_id]


async def test_a_mail_is_written_once_per_cause(world: World, order: Order) -> None:
    mail = NewMail(
        order_id=order.id,
        template="shipped",
        cause="version 2",
        recipient="jane@example.com",
        recipient_name="Jane",
        language="en",
        subject="Shipped",
        body_text="",
        body_html="",
    )
    now = world.clock()
    async with world.database.transaction() as tx:
        first = await mails.write(tx, world.store.id, mail, now, due_at=now)
        assert await mails.write(tx, world.store.id, mail, now, due_at=now) == first
        other = replace(mail, cause="version 3")
        assert await mails.write(tx, world.store.id, other, now, due_at=now) != first
