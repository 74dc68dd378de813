"""Orders that nobody pays end by themselves; keys that nobody retries are forgotten."""

import asyncio
from pathlib import Path

import pytest

from openorders.domain.order import Word
from openorders.domain.refusals import PaymentUnsettled, Refused
from openorders.domain.store_settings import StorePolicy
from openorders.store.database import Database
from openorders.usecases.expire_unpaid import expire_unpaid
from openorders.usecases.forget_keys import forget_keys
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.perform_operations import sweep_operations
from openorders.usecases.place_order import place_order
from tests.world import World, a_world, an_order_for, told, told_the_id, wanted

pytestmark = pytest.mark.usefixtures("audited")


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """A store that waits half an hour for its money."""
    world = await a_world(database, tmp_path / "mail", policy=StorePolicy(unpaid_expiry_minutes=30))
    await world.sells(price=2500)
    return world


async def test_an_unpaid_order_is_cancelled_and_its_stock_is_free(world: World) -> None:
    order = await world.placed(payment_asked=True)
    world.clock.move(minutes=29)
    assert await expire_unpaid(world.services) == 0
    world.clock.move(minutes=2)
    assert await expire_unpaid(world.services) == 1
    now = await world.order(order.id)
    assert now.word is Word.CANCELLED
    assert now.history[-1].actor == "expiry"
    assert now.history[-1].reason == "It was not paid in time."
    assert await world.stock(1) == (10_000, 0)
    assert await expire_unpaid(world.services) == 0


async def test_only_what_waits_for_its_payment_expires(world: World) -> None:
    unasked = await world.placed()
    paid = await world.placed(payment_asked=True)
    await pay_order(world.context(), Pay(order_id=paid.id, token="tok_visa"), told(str))
    world.clock.move(days=1)
    assert await expire_unpaid(world.services) == 0
    assert (await world.order(unasked.id)).word is Word.CREATED
    assert (await world.order(paid.id)).word is Word.PAID


async def test_a_store_that_waits_for_ever_lets_nothing_expire(
    database: Database, tmp_path: Path
) -> None:
    world = await a_world(database, tmp_path / "mail", name="patient")
    await world.sells()
    await world.placed(payment_asked=True)
    world.clock.move(days=400)
    assert await expire_unpaid(world.services) == 0


async def test_an_order_whose_payment_is_under_way_waits_for_it(world: World) -> None:
    order = await world.placed(payment_asked=True)
    with pytest.raises(Refused) as refused:
        await pay_order(
            world.context(), Pay(order_id=order.id, token="tok_timeoutAfterCharge"), told(str)
        )
    assert isinstance(refused.value.reason, PaymentUnsettled)
    world.clock.move(hours=1)
    assert await expire_unpaid(world.services) == 0
    await sweep_operations(world.services)
    assert await expire_unpaid(world.services) == 0
    assert (await world.order(order.id)).word is Word.PAID


async def test_many_at_once_cancel_each_order_once(world: World) -> None:
    orders = [await world.placed(payment_asked=True) for _ in range(12)]
    world.clock.move(hours=1)
    expired = await asyncio.gather(*(expire_unpaid(world.services) for _ in range(4)))
    assert sum(expired) == 12
    assert await world.stock(1) == (10_000, 0)
    for order in orders:
        assert len((await world.order(order.id)).history) == len(order.history) + 1


async def test_a_payment_and_the_expiry_at_once_leave_one_of_both(world: World) -> None:
    order = await world.placed(payment_asked=True)
    world.clock.move(hours=1)
    await asyncio.gather(
        expire_unpaid(world.services),
        pay_order(world.context(), Pay(order_id=order.id, token="tok_visa"), told(str)),
        return_exceptions=True,
    )
    now = await world.order(order.id)
    row = await world.row(
        "select coalesce(sum(captured - refunded), 0)::int as kept from sandbox_charges"
        " where store_id = $1"
    )
    assert (now.word, row["kept"]) in {(Word.CANCELLED, 0), (Word.PAID, 2500)}


async def test_an_order_that_cannot_be_cancelled_holds_up_no_other(world: World) -> None:
    await world.sells(2)
    broken = await world.placed(wanted(2), payment_asked=True)
    sound = await world.placed(payment_asked=True)
    world.clock.move(hours=1)
    async with world.database.transaction() as tx:
        await tx.execute("update stock set reserved = 0 where variant_id = 2")
    assert await expire_unpaid(world.services) == 1
    assert (await world.order(sound.id)).word is Word.CANCELLED
    assert (await world.order(broken.id)).word is Word.PAYMENT_PENDING
    async with world.database.transaction() as tx:
        await tx.execute("update stock set reserved = 1 where variant_id = 2")


async def place_keyed(world: World, key: str) -> bytes:
    answer = await place_order(world.context(key=key), an_order_for(), told_the_id())
    return answer.body


async def test_old_keys_are_forgotten_and_fresh_ones_kept(world: World) -> None:
    first = await place_keyed(world, "old")
    world.clock.move(hours=47)
    fresh = await place_keyed(world, "fresh")
    assert await forget_keys(world.services) == 0
    world.clock.move(hours=2)
    assert await forget_keys(world.services) == 1
    assert await place_keyed(world, "fresh") == fresh
    assert await place_keyed(world, "old") != first


async def test_many_old_keys_are_forgotten_batch_by_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openorders.usecases.forget_keys.BATCH", 2)
    for n in range(5):
        await place_keyed(world, f"old {n}")
        world.clock.move(seconds=n % 2)
    world.clock.move(hours=49)
    await place_keyed(world, "fresh")
    assert await forget_keys(world.services) == 5
    assert len(await world.rows("select from idempotency_keys where store_id = $1")) == 1


async def test_a_forgotten_key_means_a_new_payment(world: World) -> None:
    first = await world.placed(payment_asked=True)
    second = await world.placed(payment_asked=True)
    pays = told(lambda paid: str(paid.order.id))
    await pay_order(world.context(key="pay"), Pay(order_id=first.id, token="tok_visa"), pays)
    world.clock.move(hours=49)
    await forget_keys(world.services)
    answer = await pay_order(
        world.context(key="pay"), Pay(order_id=second.id, token="tok_visa"), pays
    )
    assert int(answer.body) == second.id


async def test_a_key_whose_operation_is_being_settled_is_forgotten_later(world: World) -> None:
    """Who settles has the operation's row first and the key's after: whoever forgets waits for
    neither, or the two might wait for each other.
    """
    order = await world.placed(payment_asked=True)
    pays = told(lambda paid: str(paid.order.id))
    await pay_order(world.context(key="pay"), Pay(order_id=order.id, token="tok_visa"), pays)
    await place_keyed(world, "another")
    world.clock.move(hours=49)
    async with world.database.transaction() as settling:
        await settling.execute("select from payment_operations for update")
        async with asyncio.timeout(60):
            assert await forget_keys(world.services) == 1
        kept = await settling.fetch("select from idempotency_keys for update")
        assert len(kept) == 1
        named = "select key_digest from payment_operations"
        assert [row[0] is None for row in await settling.fetch(named)] == [False]
    assert await forget_keys(world.services) == 1
    assert [row[0] for row in await world.rows(f"{named} where store_id = $1")] == [None]
