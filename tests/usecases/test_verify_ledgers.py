"""Sound books show no difference; whatever is changed behind their back is named."""

import pytest

from openorders.demo import fill
from openorders.domain.order import Order, Word
from openorders.store.database import Database
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.keep_stores import StoreUnknownError
from openorders.usecases.place_order import Charge
from openorders.usecases.settle_lines import LineAction, settle_lines
from openorders.usecases.verify_ledgers import verify
from tests.world import World, told, wanted


async def found(
    world: World, store: str | None = None
) -> list[tuple[str, str, int, str, str, str]]:
    return [
        (
            one.check,
            one.difference.subject.value,
            one.difference.id,
            one.difference.what,
            one.difference.expected,
            one.difference.found,
        )
        async for one in verify(world.services, store=store)
    ]


async def tamper(world: World, *statements: str) -> None:
    async with world.database.transaction() as tx:
        for statement in statements:
            await tx.execute(statement)


async def advanced(world: World, order: Order, target: Word) -> Order:
    await advance_order(
        world.context(),
        Advance(order_id=order.id, target=target, holds=frozenset({target})),
        told(str),
    )
    return await world.order(order.id)


@pytest.fixture
async def lived(world: World) -> dict[str, Order]:
    """Orders in all conditions."""
    await world.sells(1, price=1000)
    await world.sells(2, price=250)
    await world.sells(3, price=99, stock=None)
    card = Charge(token="tok_visa")
    kinds = {
        "created": await world.placed(wanted(1, 2), wanted(2)),
        "asked": await world.placed(wanted(1), payment_asked=True),
        "paid": await world.placed(wanted(1, 3), wanted(1), charge=card),
        "uncounted": await world.placed(wanted(3, 5)),
    }
    kinds["shipped"] = await advanced(
        world, await world.placed(wanted(1), charge=card), Word.SHIPPED
    )
    kinds["completed"] = await advanced(world, await world.placed(wanted(2, 4)), Word.COMPLETED)
    cancelled = await world.placed(wanted(1), wanted(2, 2), charge=card)
    await cancel_order(world.context(), Cancel(order_id=cancelled.id), told(str))
    kinds["cancelled"] = cancelled
    thinned = await world.placed(wanted(1), wanted(2, 2), charge=card)
    action = LineAction(line_id=thinned.lines[0].id, verify=False, reason=None)
    await settle_lines(world.context(), thinned.id, (action,), told(str))
    kinds["thinned"] = await world.order(thinned.id)
    return kinds


async def test_books_that_were_lived_with_are_sound(world: World, lived):
    assert await found(world) == []


async def test_the_demo_is_sound(world: World, database: Database):
    await tamper(world, "delete from stores")
    assert (await fill(database, lambda: "token")).now
    assert await found(world) == []


@pytest.mark.parametrize(
    ("tampering", "difference"),
    [
        (
            "update stock set on_hand = on_hand + 1 where variant_id = 1",
            ("stock", "variant", 1, "on hand", "9999", "10000"),
        ),
        (
            "update stock set reserved = reserved - 1 where variant_id = 2",
            ("stock", "variant", 2, "reserved", "3", "2"),
        ),
        (
            """
            insert into stock_movements (store_id, kind, variant_ids, quantities, at)
            select store_id, 'receive', '{77}', '{4}', now() from stores
            """,
            ("stock", "variant", 77, "on hand", "4", "0"),
        ),
    ],
)
async def test_stock_that_the_ledger_does_not_explain_is_named(
    world: World, lived, tampering, difference
):
    await tamper(world, tampering)
    assert await found(world) == [difference]


async def test_a_line_that_nothing_is_reserved_for_is_named(world: World, lived):
    order = lived["created"]
    await tamper(
        world,
        "update order_lines set state = 'verified', quantity = 3 "
        f"where order_id = {order.id} and variant_id = 1",
    )
    assert ("stock", "order", order.id, "reserved of variant 1", "3", "2") in await found(world)


@pytest.mark.parametrize(
    ("kind", "column", "what"),
    [
        ("created", "subtotal", "subtotal"),
        ("thinned", "subtotal", "subtotal"),
        ("cancelled", "subtotal", "subtotal"),
        ("completed", "tax", "tax"),
    ],
)
async def test_a_total_that_is_not_the_sum_of_its_lines_is_named(
    world: World, lived, kind, column, what
):
    order = lived[kind]
    await tamper(
        world,
        f"update orders set {column} = {column} + 7, total = total + 7 where id = {order.id}",
    )
    assert [one[1:4] for one in await found(world) if one[0] == "totals"] == [
        ("order", order.id, what)
    ]


async def test_a_discount_that_the_lines_do_not_share_is_named(world: World, lived):
    order = lived["created"]
    await tamper(world, f"update orders set discount = 5, total = total - 5 where id = {order.id}")
    assert await found(world) == [("totals", "order", order.id, "discount", "0", "5")]


async def test_an_order_without_lines_is_named(world: World, lived):
    order = lived["uncounted"]
    await tamper(world, f"delete from order_lines where order_id = {order.id}")
    assert ("totals", "order", order.id, "lines", "at least 1", "0") in await found(world)


async def test_money_that_no_operation_took_is_named(world: World, lived):
    order = lived["paid"]
    (payment,) = order.payments
    await tamper(world, f"delete from payment_operations where payment_id = {payment.id}")
    assert await found(world) == [
        ("payments", "payment", payment.id, "captured", "0", "4000"),
        ("payments", "payment", payment.id, "state", "declined", "captured"),
    ]


async def test_a_refund_that_was_not_written_down_is_named(world: World, lived):
    order = lived["cancelled"]
    (payment,) = (await world.order(order.id)).payments
    await tamper(world, f"update payments set refunded = 0 where id = {payment.id}")
    assert await found(world) == [
        ("payments", "payment", payment.id, "refunded", "1500", "0"),
        ("payments", "order", order.id, "money kept of a cancelled order", "0", "1500"),
        ("payments", "order", order.id, "payment", "paid", "refunded"),
    ]


async def test_a_refund_that_the_bank_refused_is_no_difference(world: World, lived):
    charge = Charge(token="tok_refundFail")
    refused = await world.placed(wanted(1), charge=charge)
    await cancel_order(world.context(), Cancel(order_id=refused.id), told(str))
    (payment,) = (await world.order(refused.id)).payments
    assert (payment.captured, payment.refunded) == (1000, 0)
    assert await found(world) == []


async def test_an_order_that_says_it_is_paid_and_is_not_is_named(world: World, lived):
    order = lived["asked"]
    await tamper(world, f"update orders set payment = 'paid' where id = {order.id}")
    assert await found(world) == [("payments", "order", order.id, "payment", "pending", "paid")]


async def test_money_without_an_order_is_named(world: World, lived):
    order = lived["paid"]
    await tamper(world, f"update payments set order_id = 999 where order_id = {order.id}")
    assert await found(world) == [
        ("payments", "order", order.id, "payment", "none", "paid"),
        ("payments", "order", 999, "money kept without an order", "0", "4000"),
    ]


@pytest.mark.parametrize(
    ("kind", "change", "difference"),
    [
        ("shipped", "fulfilment = 'none'", ("fulfilment", "shipped", "none")),
        ("created", "fulfilment = 'shipped'", ("fulfilment", "none", "shipped")),
        (
            "completed",
            "progress = 'processing'",
            ("the last word of the history", "delivered", "completed"),
        ),
    ],
)
async def test_a_state_that_lines_or_history_contradict_is_named(
    world: World, lived, kind, change, difference
):
    order = lived[kind]
    await tamper(world, f"update orders set {change} where id = {order.id}")
    assert ("states", "order", order.id, *difference) in await found(world)


async def test_a_gap_in_a_history_is_named(world: World, lived):
    order = lived["completed"]
    await tamper(
        world,
        "alter table order_history disable trigger order_history_is_append_only",
        f"delete from order_history where order_id = {order.id} and position = 1",
        "alter table order_history enable trigger order_history_is_append_only",
    )
    assert [one[1:4] for one in await found(world)] == [
        ("order", order.id, "entries of the history")
    ]


async def test_one_store_is_verified_alone(world: World, lived):
    await tamper(world, "update stock set on_hand = on_hand + 1 where variant_id = 1")
    assert len(await found(world, "shop")) == 1
    with pytest.raises(StoreUnknownError, match=r"no store 'other'; there are shop"):
        await found(world, "other")
