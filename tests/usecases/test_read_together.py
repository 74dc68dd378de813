"""Orders that are asked for together come from one statement, and each caller sees their own."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId, OrderId
from openorders.domain.order import Order
from openorders.domain.refusals import OrderNotFound, Refused
from openorders.store.database import Database, is_connection_loss, opened
from openorders.usecases.context import Context
from openorders.usecases.gathering import ROUND
from openorders.usecases.read_orders import (
    read_order,
    read_order_with_lines,
    read_order_with_payments,
)
from tests.postgres.faults import faulty
from tests.world import World, a_world, wanted

Read = Callable[[Context, OrderId], Awaitable[Order]]

every_depth = pytest.mark.parametrize(
    "read", [read_order, read_order_with_lines, read_order_with_payments]
)


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = await a_world(database, tmp_path)
    await world.sells(1, stock=1_000)
    return world


async def some_orders(world: World, count: int) -> list[Order]:
    return [await world.placed(wanted(1, n + 1), customer=n + 1) for n in range(count)]


async def together(*reads: Awaitable[Order]) -> list[Order | BaseException]:
    """What becomes of reads that are asked for in the same moment."""
    return await asyncio.gather(*reads, return_exceptions=True)


def not_found(order_id: OrderId, told: object) -> bool:
    return isinstance(told, Refused) and told.reason == OrderNotFound(order_id)


@every_depth
async def test_each_gets_the_order_it_asked_for_also_when_others_ask_for_the_same(
    world: World, read: Read
) -> None:
    placed = await some_orders(world, 3)
    ctx = world.context()
    asked = [placed[n % 3] for n in range(70)]
    told = await together(*(read(ctx, order.id) for order in asked))
    alone = {order.id: await read(ctx, order.id) for order in placed}
    assert told == [alone[order.id] for order in asked]
    assert [alone[order.id].lines for order in placed] == [order.lines for order in placed]
    assert len(world.services.reading) == 1


async def test_the_whole_of_an_order_is_what_it_is_in_a_transaction(world: World) -> None:
    placed = await some_orders(world, 2)
    assert await together(*(read_order(world.context(), one.id) for one in placed)) == placed


@every_depth
async def test_ids_of_nobody_and_of_another_store_are_not_found_among_those_that_are(
    world: World, database: Database, tmp_path: Path, read: Read
) -> None:
    (mine,) = await some_orders(world, 1)
    other = dataclasses.replace(
        await a_world(database, tmp_path, name="other"), services=world.services
    )
    await other.sells(1)
    (theirs,) = await some_orders(other, 1)
    nobodys = OrderId(987_654_321)
    here, there = world.context(), other.context()
    told = await together(
        read(here, nobodys), read(here, mine.id), read(here, theirs.id),
        read(there, mine.id), read(there, theirs.id),
    )  # fmt: skip
    assert not_found(nobodys, told[0])
    assert not_found(theirs.id, told[2])
    assert not_found(mine.id, told[3])
    assert [one.id for one in told if isinstance(one, Order)] == [mine.id, theirs.id]


@every_depth
async def test_whose_order_it_is_not_does_not_find_it_beside_whose_it_is(
    world: World, read: Read
) -> None:
    first, second = await some_orders(world, 2)
    buyers = [
        world.context(world.caller(Role.CUSTOMER, customer_id=CustomerId(number)))
        for number in (1, 2)
    ]
    partner = world.context(world.caller(Role.PARTNER, partner_name="acme"))
    told = await together(
        read(buyers[0], first.id), read(buyers[1], first.id),
        read(buyers[0], second.id), read(buyers[1], second.id), read(partner, first.id),
    )  # fmt: skip
    assert not_found(first.id, told[1])
    assert not_found(second.id, told[2])
    assert not_found(first.id, told[4])
    assert [one.id for one in told if isinstance(one, Order)] == [first.id, second.id]


@every_depth
async def test_what_was_committed_before_it_is_asked_for_is_seen_while_others_read_and_write(
    world: World, read: Read
) -> None:
    placed = await some_orders(world, 8)
    ctx = world.context()

    async def write_and_read(order: Order) -> None:
        for turn in range(12):
            await world.row(
                "update orders set notes = $3 where store_id = $1 and id = $2", order.id, str(turn)
            )
            assert (await read(ctx, order.id)).notes == str(turn)

    await asyncio.gather(*map(write_and_read, placed))


async def test_a_reader_who_leaves_takes_nobody_along(world: World) -> None:
    placed = await some_orders(world, 3)
    reads = [asyncio.create_task(read_order(world.context(), order.id)) for order in placed]
    while not any(task.get_name() == ROUND for task in asyncio.all_tasks()):
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    reads[1].cancel()
    told = await asyncio.gather(*reads, return_exceptions=True)
    assert isinstance(told[1], asyncio.CancelledError)
    assert [told[0], told[2]] == [placed[0], placed[2]]


async def test_an_order_that_cannot_be_read_keeps_nobody_from_theirs(world: World) -> None:
    placed = await some_orders(world, 3)
    await world.row(
        "update orders set shipping_address = '[]' where store_id = $1 and id = $2", placed[1].id
    )
    told = await together(*(read_order(world.context(), order.id) for order in placed))
    assert isinstance(told[1], msgspec.ValidationError)
    assert [told[0], told[2]] == [placed[0], placed[2]]


async def test_a_lost_connection_is_told_to_all_of_the_round_and_the_next_one_has_another(
    world: World, database_url: str
) -> None:
    placed = await some_orders(world, 3)
    async with faulty(database_url) as proxy, opened(proxy.url, connections=1) as database:
        ctx = replace(
            world.context(), services=replace(world.services, database=database, reading={})
        )
        assert await read_order(ctx, placed[0].id) == placed[0]
        proxy.answers_lost = True
        reads = asyncio.gather(
            *(read_order(ctx, order.id) for order in placed), return_exceptions=True
        )
        await asyncio.sleep(0.05)
        proxy.cut()
        told = await reads
        assert all(isinstance(one, Exception) and is_connection_loss(one) for one in told)
        proxy.heal()
        assert await together(*(read_order(ctx, order.id) for order in placed)) == placed
