"""Our books beside a gateway's own: agreement is silent, and every difference has its name."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from openorders.domain.order import Order
from openorders.gateways.payments import GatewayMisused
from openorders.gateways.stripe_line import StripeAccount
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.reconcile import BooksNotRead, Difference, Kind, reconcile
from openorders.usecases.refund_order import Refund, refund_order
from tests.usecases.stripe_world import AtStripe
from tests.usecases.waiting_payments import begun, the_buyer_says
from tests.world import World, told, wanted

ANY = told(lambda _done: "done")


async def compared(world: World, **span: float) -> list[Difference]:
    """The differences, once everything that was under way has settled."""
    world.clock.move(**(span or {"minutes": 5}))
    now = world.clock()
    found = reconcile(world.services, world.store, now - timedelta(days=1), now)
    return [difference async for difference in found]


async def paid(world: World, token: str = "tok_visa") -> Order:
    order = await world.placed(wanted(1), payment_asked=True)
    await pay_order(world.context(), Pay(order_id=order.id, token=token), ANY)
    return order


async def change(world: World, sql: str, *more: Any) -> None:
    async with world.database.transaction() as tx:
        await tx.execute(sql, world.store.id, *more)


@pytest.fixture
async def sales(world: World) -> World:
    """Payments of every sort, all of which agree."""
    await world.sells(price=2500)
    refunded = await paid(world)
    for amount in ("10.00", "2.50"):
        command = Refund(order_id=refunded.id, amount=Decimal(amount))
        await refund_order(world.context(), command, ANY)
    await pay_order(
        world.context(key="no"),
        Pay(order_id=(await world.placed(payment_asked=True)).id, token="tok_chargeDeclined"),
        ANY,
    )
    waiting = await world.placed(payment_asked=True)
    await begun(world, waiting)
    hosted = await world.placed(payment_asked=True)
    await begun(world, hosted, page=True)
    await the_buyer_says(world, hosted, yes=True)
    return world


async def test_books_that_agree_say_nothing(sales: World) -> None:
    await paid(sales)
    assert await compared(sales) == []


async def test_a_payment_that_the_gateway_does_not_have_is_named(sales: World) -> None:
    order = await paid(sales)
    await change(
        sales, "delete from sandbox_charges where store_id = $1 and order_id = $2", order.id
    )
    (difference,) = await compared(sales)
    assert (difference.kind, difference.order_id) == (Kind.MISSING_THERE, order.id)
    assert (difference.ours, difference.theirs) == ("25.00 USD captured", "no payment")


async def test_a_payment_that_we_do_not_have_is_named(sales: World) -> None:
    await change(
        sales,
        """
        insert into sandbox_charges (store_id, gateway, order_id, amount, currency, captured,
            card_brand, card_last_four, at)
        values ($1, 'sandbox', 77, 990, 'USD', 990, 'Visa', '4242', $2)
        """,
        sales.clock(),
    )
    (difference,) = await compared(sales)
    assert (difference.kind, difference.payment_id) == (Kind.MISSING_HERE, None)
    assert (difference.ours, difference.theirs) == ("no payment", "9.90 USD captured")


async def test_a_second_charge_for_one_payment_of_ours_is_named(sales: World) -> None:
    order = await paid(sales)
    await change(
        sales,
        """
        insert into sandbox_charges (store_id, gateway, order_id, amount, currency, captured,
            card_brand, card_last_four, at)
        select store_id, gateway, order_id, amount, currency, captured, card_brand,
            card_last_four, at
        from sandbox_charges where store_id = $1 and order_id = $2
        """,
        order.id,
    )
    assert [difference.kind for difference in await compared(sales)] == [Kind.MISSING_HERE]


@pytest.mark.parametrize(
    ("column", "value", "kinds"),
    [
        ("currency", "'EUR'", [Kind.CURRENCY]),
        ("captured", "2400", [Kind.CAPTURED]),
        ("captured", "0", [Kind.STATE, Kind.CAPTURED]),
        ("refunded", "1", [Kind.REFUNDED]),
        ("amount", "2600", [Kind.AMOUNT]),
    ],
)
async def test_what_the_gateway_says_otherwise_is_named(
    sales: World, column: str, value: str, kinds: list[Kind]
) -> None:
    order = await paid(sales)
    await change(
        sales,
        f"update sandbox_charges set {column} = {value} where store_id = $1 and order_id = $2",
        order.id,
    )
    differences = await compared(sales)
    assert [difference.kind for difference in differences] == kinds
    assert {difference.order_id for difference in differences} == {order.id}


async def test_what_we_say_otherwise_is_named(sales: World) -> None:
    order = await paid(sales)
    await change(
        sales,
        """
        update payments set state = 'declined', captured = 0
        where store_id = $1 and order_id = $2
        """,
        order.id,
    )
    kinds = [difference.kind for difference in await compared(sales)]
    assert kinds == [Kind.STATE, Kind.CAPTURED]


async def test_what_is_under_way_is_left_out(sales: World) -> None:
    sales.clock.move(minutes=5)
    order = await paid(sales)
    await change(
        sales,
        "update sandbox_charges set refunded = 1 where store_id = $1 and order_id = $2",
        order.id,
    )
    assert await compared(sales, seconds=1) == []
    assert [difference.kind for difference in await compared(sales)] == [Kind.REFUNDED]


async def test_what_is_older_than_was_asked_is_left_out(sales: World) -> None:
    await change(sales, "update sandbox_charges set refunded = captured where store_id = $1")
    assert await compared(sales, days=2) == []


async def test_a_run_leaves_nothing_behind(sales: World) -> None:
    await compared(sales)
    row = await sales.row("select count(*) as n from compared_entries where store_id = $1")
    assert row["n"] == 0


async def test_what_a_run_left_behind_that_was_cut_off_is_cleared_by_the_next(
    sales: World,
) -> None:
    await change(
        sales,
        """
        insert into compared_entries (store_id, run, reference, currency, authorised, captured,
            refunded, at, read_at)
        values ($1, 1, 'x', 'USD', 1, 1, 0, $2, $2)
        """,
        sales.clock(),
    )
    assert await compared(sales, days=2) == []
    row = await sales.row("select count(*) as n from compared_entries where store_id = $1")
    assert row["n"] == 0


async def test_more_payments_than_are_read_at_a_time_agree(world: World) -> None:
    await world.sells(price=100, stock=None)
    await change(
        world,
        """
        with numbers as (select generate_series(1, 1203) as n),
        charges as (
            insert into sandbox_charges (store_id, gateway, order_id, amount, currency, captured,
                card_brand, card_last_four, at)
            select $1, 'sandbox', n, 100, 'USD', 100, 'Visa', '4242', $2 from numbers
            returning id, order_id
        ),
        paid as (
            insert into payments (store_id, order_id, gateway, method, amount, currency, state,
                captured, reference, created_at, settled_at)
            select $1, order_id, 'sandbox', 'credit_card', 100, 'USD', 'captured', 100,
                'ch_' || id, $2, $2
            from charges
            returning id, order_id, reference
        )
        insert into payment_operations (store_id, payment_id, order_id, kind, amount, state,
            reference, actor, contract, due_at, created_at, settled_at)
        select $1, id, order_id, 'charge', 100, 'succeeded', reference, 'test', 'test', $2, $2, $2
        from paid
        """,
        world.clock(),
    )
    assert await compared(world) == []


async def test_books_that_cannot_be_read_are_no_agreement(shop: AtStripe) -> None:
    order = await shop.order()
    await shop.pays(order)
    shop.stripe.faults.lose_requests = 1000
    with pytest.raises(BooksNotRead, match=r"stripe of shop could not be read"):
        await shop.differences()
    shop.stripe.faults.lose_requests = 0
    assert await shop.differences() == []


async def test_an_account_that_lets_us_in_no_more_is_said_to_be_unread(
    shop: AtStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def revoked(*_: object) -> object:
        raise GatewayMisused("the key was revoked")

    monkeypatch.setattr(StripeAccount, "ask", revoked)
    with pytest.raises(BooksNotRead, match="the key was revoked"):
        await shop.differences()


async def test_stripes_books_are_compared_both_ways(shop: AtStripe) -> None:
    lost, wrong = await shop.order(), await shop.order()
    await shop.pays(lost)
    await shop.pays(wrong)
    await change(
        shop.world,
        "update payments set amount = 2600 where store_id = $1 and order_id = $2",
        wrong.id,
    )
    await change(
        shop.world,
        "update payments set gateway = 'elsewhere' where store_id = $1 and order_id = $2",
        lost.id,
    )
    kinds = sorted(d.kind for d in await shop.differences())
    assert kinds == [Kind.AMOUNT, Kind.MISSING_HERE]
    await change(shop.world, "update payments set amount = 2500 where store_id = $1")
    await change(shop.world, "update payments set gateway = 'stripe' where store_id = $1")
    assert await shop.differences() == []
