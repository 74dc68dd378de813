"""Many orders cancelled in one transaction, each with a fate of its own."""

from openorders.domain import refusals as no
from openorders.domain.access import Role
from openorders.domain.ids import CustomerId, OrderId
from openorders.domain.order import Order, Word
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.answers import Reply
from openorders.usecases.cancel_many import Fate, cancel_many
from openorders.usecases.context import Context
from openorders.usecases.pay_order import Pay, pay_order
from tests.world import World, told, wanted


async def cancelled(ctx: Context, *ids: OrderId, reason: str | None = None) -> tuple[Fate, ...]:
    fates: list[tuple[Fate, ...]] = []

    def say(done: tuple[Fate, ...]) -> str:
        fates.append(done)
        return str([fate.id if isinstance(fate, Order) else repr(fate) for fate in done])

    reply: Reply[tuple[Fate, ...]] = told(say)
    await cancel_many(ctx, ids, reason, reply)
    return fates[-1]


async def shipped(world: World) -> Order:
    order = await world.placed(wanted(1))
    command = Advance(order_id=order.id, target=Word.SHIPPED)
    await advance_order(world.context(), command, told(lambda done: str(done.order.id)))
    return await world.order(order.id)


async def events(world: World) -> list[tuple[int, str]]:
    rows = await world.rows("select order_id, type from outbox where store_id = $1 order by id")
    return [tuple(row) for row in rows]


async def test_each_has_its_own_fate_in_the_order_of_the_ids(world: World) -> None:
    await world.sells(1, stock=10)
    one, two = [await world.placed(wanted(1, 2)) for _ in range(2)]
    gone = await shipped(world)
    nobody = OrderId(999_999)
    fates = await cancelled(world.context(), two.id, nobody, gone.id, one.id, reason="all of it")
    assert [fate.id for fate in (fates[0], fates[3]) if isinstance(fate, Order)] == [two.id, one.id]
    assert fates[1:3] == (no.OrderNotFound(nobody), no.TooLateToCancel(gone.id, Word.SHIPPED))
    assert await world.stock(1) == (9, 0)
    for order in (one, two):
        now = await world.order(order.id)
        assert (now.word, now.version) == (Word.CANCELLED, order.version + 1)
        assert now.history[-1].reason == "all of it"
    assert (await world.order(gone.id)) == gone


async def test_the_same_order_twice_is_cancelled_once(world: World) -> None:
    await world.sells(1, stock=10)
    order = await world.placed(wanted(1, 2))
    fates = await cancelled(world.context(), order.id, order.id)
    assert fates[0] == fates[1]
    await cancelled(world.context(), order.id)
    assert await world.stock(1) == (10, 0)
    assert [kind for _, kind in await events(world)].count("order.cancelled") == 1


async def test_money_goes_back_after_the_commit(world: World) -> None:
    await world.sells(1, price=1000)
    orders = [await world.placed(wanted(1)) for _ in range(3)]
    for order in orders[:2]:
        pay = Pay(order_id=order.id, token="tok_visa", method="credit_card")
        await pay_order(world.context(), pay, told(lambda paid: str(paid.order.id)))
    await cancelled(world.context(), *(order.id for order in orders))
    rows = await world.rows("select captured, refunded from payments where store_id = $1")
    assert [tuple(row) for row in rows] == [(1000, 1000), (1000, 1000)]


async def test_nobody_cancels_what_they_may_not_see(world: World) -> None:
    await world.sells(1)
    mine = await world.placed(wanted(1), customer=7)
    theirs = await world.placed(wanted(1), customer=8)
    caller = world.caller(Role.CUSTOMER, customer_id=CustomerId(7))
    fates = await cancelled(world.context(caller), mine.id, theirs.id)
    assert fates[1] == no.OrderNotFound(theirs.id)
    assert (await world.order(theirs.id)).word is Word.CREATED
    assert (await world.order(mine.id)).word is Word.CANCELLED


async def test_only_the_versions_that_are_expected_are_cancelled(world: World) -> None:
    await world.sells(1)
    fresh = await world.placed(wanted(1))
    moved = await world.placed(wanted(1))
    command = Advance(order_id=moved.id, target=Word.PROCESSING)
    await advance_order(world.context(), command, told(lambda done: str(done.order.id)))
    fates = await cancelled(world.context(expected=frozenset({1})), fresh.id, moved.id)
    assert isinstance(fates[0], Order)
    assert fates[1] == no.VersionDiffers(moved.id, 2)


async def test_a_key_gives_the_first_answer_again(world: World) -> None:
    await world.sells(1, stock=10)
    one, two = [await world.placed(wanted(1)) for _ in range(2)]
    reply: Reply[tuple[Fate, ...]] = told(lambda fates: str(len(fates)))
    first = await cancel_many(world.context(key="a"), [one.id], None, reply)
    again = await cancel_many(world.context(key="a"), [one.id], None, reply)
    assert (again.body, again.replayed) == (first.body, True)
    assert (await world.order(two.id)).word is Word.CREATED
