"""Orders that arrive together share a statement, and nothing of each other's fate."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from openorders.domain.access import Role
from openorders.domain.customer import Identity
from openorders.domain.ids import CustomerId, ProductId, VariantId
from openorders.domain.refusals import NotPermitted, OutOfStock, ProductNotFound, Refused
from openorders.store.database import Database
from openorders.usecases.answers import Answer
from openorders.usecases.place_order import PlaceOrder, place_order
from openorders.usecases.verify_ledgers import verify
from tests.world import World, a_world, an_order_for, told_the_id, wanted


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = await a_world(database, tmp_path)
    await world.sells(1, price=1000, stock=10)
    await world.sells(2, price=250, stock=None)
    await world.sells(3, price=333, stock=1000)
    return world


async def arrive(
    world: World, *commands: PlaceOrder, keys: list[str | None] | None = None
) -> list[Answer | BaseException]:
    """What becomes of orders that arrive in the same moment, and so go together."""
    named = keys or [None] * len(commands)
    return await asyncio.gather(
        *(
            place_order(world.context(key=key), command, told_the_id())
            for command, key in zip(commands, named, strict=True)
        ),
        return_exceptions=True,
    )


def placed(fates: Sequence[Answer | BaseException]) -> list[int]:
    return [int(fate.body) for fate in fates if isinstance(fate, Answer)]


def refused(fates: Sequence[Answer | BaseException]) -> list[object]:
    return [fate.reason for fate in fates if isinstance(fate, Refused)]


async def adds_up(world: World) -> None:
    assert [difference async for difference in verify(world.services)] == []


async def test_each_has_its_own_lines_number_and_history(world: World) -> None:
    fates = await arrive(
        world, *(an_order_for(wanted(3, n), wanted(2, 1), customer=n) for n in range(1, 9))
    )
    orders = [await world.order(order_id) for order_id in placed(fates)]  # type: ignore[arg-type]
    assert [[line.quantity for line in order.lines] for order in orders] == [
        [n, 1] for n in range(1, 9)
    ]
    assert [order.customer.id for order in orders] == list(range(1, 9))
    assert len({order.number for order in orders}) == len({order.id for order in orders}) == 8
    assert all(len(order.history) == 1 for order in orders)
    assert len({line.id for order in orders for line in order.lines}) == 16
    assert await world.stock(3) == (1000, 36)
    events = await world.rows("select order_id from outbox where store_id = $1 order by id")
    assert sorted(row["order_id"] for row in events) == sorted(order.id for order in orders)
    await adds_up(world)


async def test_the_last_units_go_to_as_many_as_they_suffice_for(world: World) -> None:
    fates = await arrive(world, *(an_order_for(wanted(1, 3)) for _ in range(8)))
    assert len(placed(fates)) == 3
    assert refused(fates) == [OutOfStock(ProductId(1), VariantId(1), 3, 1)] * 5
    assert await world.stock(1) == (10, 9)
    await adds_up(world)


async def test_who_wants_too_much_is_refused_alone(world: World) -> None:
    fates = await arrive(
        world,
        an_order_for(wanted(3, 1)),
        an_order_for(wanted(1, 2)),
        an_order_for(wanted(1, 11), wanted(3, 5)),
        an_order_for(wanted(1, 2)),
    )
    assert len(placed(fates)) == 3
    assert refused(fates) == [OutOfStock(ProductId(1), VariantId(1), 11, 10)]
    assert (await world.stock(1), await world.stock(3)) == ((10, 4), (1000, 1))
    await adds_up(world)


async def test_what_is_not_sold_is_refused_alone(world: World) -> None:
    fates = await arrive(
        world, an_order_for(wanted(3)), an_order_for(wanted(99)), an_order_for(wanted(2))
    )
    assert len(placed(fates)) == 2
    assert refused(fates) == [ProductNotFound(ProductId(99))]


async def test_what_the_database_will_not_take_spoils_no_other_order(world: World) -> None:
    # No contract lets such a text through: it stands for whatever nobody thought of.
    fates = await arrive(
        world,
        an_order_for(wanted(3)),
        an_order_for(wanted(3), notes="a\0b"),
        an_order_for(wanted(3)),
        an_order_for(wanted(3)),
    )
    assert len(placed(fates)) == 3
    assert isinstance(fates[1], Exception)
    assert await world.stock(3) == (1000, 3)
    await adds_up(world)


async def test_twins_that_arrive_together_are_one_order(world: World) -> None:
    fates = await arrive(
        world,
        *(an_order_for(wanted(3)) for _ in range(6)),
        keys=["other", "twin", "twin", "twin", None, "twin"],
    )
    bodies = [fate.body for fate in fates if isinstance(fate, Answer)]
    assert len(bodies) == 6
    assert len({bodies[n] for n in (1, 2, 3, 5)}) == 1
    assert len(set(bodies)) == 3
    assert await world.stock(3) == (1000, 3)


async def test_somebody_new_who_orders_twice_at_once_is_registered_once(world: World) -> None:
    jane = Identity(issuer="https://id.example", subject="jane", name="Jane", email=None)
    fates = await arrive(
        world, *(PlaceOrder(lines=(wanted(3),), customer=jane) for _ in range(4)), an_order_for()
    )
    assert len(placed(fates)) == 5
    rows = await world.rows(
        "select distinct o.customer_id from orders o where o.store_id = $1 and o.customer_id <> 5"
    )
    assert len(rows) == 1


async def test_orders_of_two_stores_share_nothing(
    world: World, database: Database, tmp_path: Path
) -> None:
    other = await a_world(database, tmp_path, name="other", currency="JPY")
    await other.sells(1, price=500, stock=2)
    fates = await asyncio.gather(
        arrive(world, *(an_order_for(wanted(1)) for _ in range(3))),
        arrive(other, *(an_order_for(wanted(1)) for _ in range(3))),
    )
    assert [len(placed(one)) for one in fates] == [3, 2]
    assert (await world.stock(1), await other.stock(1)) == ((10, 3), (2, 2))


async def test_callers_of_different_contracts_share_a_group_and_stay_who_they_are(
    world: World,
) -> None:
    partner = world.caller(Role.PARTNER, contract="partner", partner_name="ACME")
    shopper = world.caller(Role.CUSTOMER, contract="storefront", customer_id=CustomerId(8))
    fates = await asyncio.gather(
        place_order(world.context(key="same"), an_order_for(wanted(3)), told_the_id()),
        place_order(world.context(partner), an_order_for(wanted(3)), told_the_id()),
        place_order(
            world.context(shopper, key="own"), an_order_for(wanted(3), customer=8), told_the_id()
        ),
        place_order(world.context(shopper), an_order_for(wanted(3), customer=9), told_the_id()),
        return_exceptions=True,
    )
    orders = [await world.order(order_id) for order_id in placed(fates)]  # type: ignore[arg-type]
    assert [order.history[0].contract for order in orders] == ["commerce", "partner", "storefront"]
    assert [order.partner_name for order in orders] == [None, "ACME", None]
    assert refused(fates) == [NotPermitted("place orders for another customer")]
    rows = await world.rows(
        "select body from idempotency_keys where store_id = $1 order by digest desc"
    )
    assert [int(row["body"]) for row in rows] == [orders[0].id, orders[2].id]
    await adds_up(world)


async def test_a_new_customer_who_orders_twice_in_a_group_is_registered_once(world: World) -> None:
    fates = await arrive(world, *(an_order_for(wanted(3), customer=n) for n in (77, 78, 77, 5)))
    assert len(placed(fates)) == 4
    rows = await world.rows("select id from customers where store_id = $1 order by id")
    assert [row["id"] for row in rows] == [5, 77, 78]
    await adds_up(world)


async def test_numbers_run_in_the_order_in_which_orders_came(world: World) -> None:
    first = await arrive(world, *(an_order_for(wanted(3)) for _ in range(5)))
    then = await arrive(world, *(an_order_for(wanted(3)) for _ in range(5)))
    orders = [await world.order(order_id) for order_id in placed([*first, *then])]  # type: ignore[arg-type]
    assert [order.number for order in orders] == list(range(1, 11))
