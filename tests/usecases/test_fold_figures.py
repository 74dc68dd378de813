"""Figures of stores: folded beside the requests, and computed again for another time zone."""

import asyncio
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from asyncpg import InvalidParameterValueError

from openorders.domain.metrics import Figures, Grouping, Period
from openorders.domain.order import Word
from openorders.store import figures
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.fold_figures import fold_figures
from openorders.usecases.keep_stores import apply_store
from openorders.usecases.measure_orders import measure_orders
from openorders.usecases.store_file import parse
from openorders.usecases.verify_ledgers import verify
from tests.store.figures_check import assert_exact, unfolded
from tests.usecases.placed_orders import PlacedOrder, some_orders, write
from tests.world import World, a_world, told, wanted


async def waiting(world: World) -> int:
    async with world.database.connection() as connection:
        return await unfolded(connection)


async def is_exact(world: World) -> int:
    async with world.database.connection() as connection:
        return await assert_exact(connection, world.store.id)


async def differences(world: World) -> list[tuple[str, str, str, str]]:
    found = [one async for one in verify(world.services) if one.check == "figures"]
    told = [one.difference for one in found]
    return [(one.subject.value, one.what, one.expected, one.found) for one in told]


async def days(world: World) -> list[tuple[object, int]]:
    measured = await measure_orders(world.context(), Period(), Grouping.DAY)
    return [(group.key, group.figures.orders) for group in measured.groups or ()]


def expected_days(orders: list[PlacedOrder], zone: str) -> list[tuple[object, int]]:
    there = [order.at.astimezone(ZoneInfo(zone)).date() for order in orders]
    return [(day, there.count(day)) for day in sorted(set(there))]


async def test_an_order_is_measured_at_once_and_folded_once(world: World) -> None:
    await world.sells(price=500)
    order = await world.placed(wanted(1, 2))
    await world.placed(wanted(1))
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    expected = {Word.CREATED: Figures(1, 1, 500), Word.CANCELLED: Figures(1, 0, 0)}
    assert (await measure_orders(world.context(), Period())).by_word == expected
    done = await asyncio.gather(*(fold_figures(world.services) for _ in range(4)))
    assert sum(done) == 4
    assert (await measure_orders(world.context(), Period())).by_word == expected
    assert await waiting(world) == 0
    assert await fold_figures(world.services) == 0


async def test_folding_that_is_cut_off_is_done_by_the_next(world: World) -> None:
    await world.sells()
    for _ in range(3):
        await world.placed()
    step = asyncio.create_task(fold_figures(world.services))
    await asyncio.sleep(0.001)
    step.cancel()
    await asyncio.wait([step])
    assert await is_exact(world) == 3
    await fold_figures(world.services)
    assert await is_exact(world) == 3


async def test_stores_that_are_there_before_their_figures_get_them_from_who_folds(
    world: World,
) -> None:
    orders = some_orders(60, seed=5)
    await write(world, orders)
    async with world.database.transaction() as tx:  # as the migration leaves them
        await tx.execute("delete from figure_changes")
        await tx.execute("update figure_stores set zone = null")
    assert await days(world) == expected_days(orders, "UTC")
    assert await is_exact(world) == 60
    assert await fold_figures(world.services) == 1
    assert await days(world) == expected_days(orders, "UTC")
    assert await is_exact(world) == 60


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York"])
async def test_in_another_time_zone_orders_are_of_other_days(world: World, zone: str) -> None:
    orders = some_orders(200, seed=6)
    await write(world, orders[:100])
    await fold_figures(world.services)
    await write(world, orders[100:])
    before = await days(world)
    await apply_store(world.services, parse(f'{{"name": "shop", "time_zone": "{zone}"}}'))
    assert await days(world) == expected_days(orders, zone) != before
    assert await waiting(world) == 0, "what waited is in what was read"
    await fold_figures(world.services)
    assert await days(world) == expected_days(orders, zone)
    assert await differences(world) == []


async def test_who_writes_while_the_time_zone_changes_is_counted_on_the_right_day(
    world: World,
) -> None:
    """A transaction that began before, and is committed after."""
    at = some_orders(1, seed=1)[0].at.replace(hour=23, minute=30)
    await write(world, [PlacedOrder(id=1, at=at)])
    slow = PlacedOrder(id=2, at=at + timedelta(minutes=1))
    async with world.database.transaction() as tx:
        await tx.execute("update orders set progress = 'cancelled' where id = 1")
        moved = await apply_store(
            world.services, parse('{"name": "shop", "time_zone": "Asia/Tokyo"}')
        )
        assert moved.store.time_zone == "Asia/Tokyo"
        assert await days(world) == expected_days([PlacedOrder(id=1, at=at)], "Asia/Tokyo")
        await fold_figures(world.services)
    await write(world, [slow])
    assert await days(world) == expected_days([PlacedOrder(id=1, at=at), slow], "Asia/Tokyo")
    measured = await measure_orders(world.context(), Period())
    assert {word: sums.orders for word, sums in measured.by_word.items()} == {
        Word.CANCELLED: 1,
        Word.CREATED: 1,
    }
    await fold_figures(world.services)
    assert await is_exact(world) == 2


async def test_a_change_of_time_zone_that_fails_leaves_the_figures_alone(world: World) -> None:
    orders = some_orders(20, seed=8)
    await write(world, orders)
    await fold_figures(world.services)
    with pytest.raises(RuntimeError, match="given up"):
        async with world.database.transaction() as tx:
            await tx.execute("update stores set time_zone = 'Asia/Tokyo'")
            await figures.rebuild(tx, world.store.id)
            assert await days(world) == expected_days(orders, "UTC")
            raise RuntimeError("given up")
    assert await days(world) == expected_days(orders, "UTC")
    assert await is_exact(world) == 20


async def test_a_time_zone_that_the_database_does_not_know_is_told_apart(world: World) -> None:
    async with world.database.connection() as connection:
        assert await figures.knows_zone(connection, "Europe/Berlin")
        assert not await figures.knows_zone(connection, "Mars/Base")


async def test_figures_that_differ_from_the_orders_are_named(world: World) -> None:
    await write(world, [PlacedOrder(id=1, at=some_orders(1, seed=1)[0].at)])
    await fold_figures(world.services)
    async with world.database.transaction() as tx:
        day: date = await tx.fetchval("update order_figures set total = total + 7 returning day")
        await tx.execute("update order_counts set orders = 3")
    assert await differences(world) == [
        ("store", "orders created", "1", "3"),
        ("store", f"total created of {day}", "1000", "1007"),
    ]
    async with world.database.transaction() as tx:
        await figures.rebuild(tx, world.store.id)
    assert await is_exact(world) == 1


async def test_a_store_that_cannot_be_folded_holds_up_no_other(
    world: World, tmp_path: Path
) -> None:
    await world.sells()
    await world.placed()
    other = await a_world(world.database, tmp_path, name="other")
    await other.sells()
    async with world.database.connection() as connection:  # as a database with older zones sees it
        await connection.execute(
            "update stores set time_zone = 'Mars/Olympus' where store_id = $1", world.store.id
        )
    for _ in range(3):
        await other.placed()
    assert await fold_figures(world.services) == 3
    async with world.database.connection() as connection:
        assert [work.store_id for work in await figures.find_work(connection)] == [world.store.id]
        assert await assert_exact(connection, other.store.id) == 3
        assert await figures.count(connection, world.store.id) == 1
    with pytest.raises(InvalidParameterValueError):
        await fold_figures(world.services)
