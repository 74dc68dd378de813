"""Groups of orders in several workers at once, on the same few products, and cut off in the middle.

A worker is a set of services with gatherings of its own; all of them share the database.
"""

import asyncio
import dataclasses
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from openorders.domain.refusals import OutOfStock, Refused
from openorders.store import idempotency
from openorders.store.database import (
    Connection,
    Database,
    DatabaseUnavailableError,
    is_connection_loss,
    opened,
    ran_out_of_time,
)
from openorders.usecases.answers import Answer
from openorders.usecases.place_order import PlaceOrder, place_order
from openorders.usecases.verify_ledgers import verify
from tests.world import NOON, World, a_world, an_order_for, told_the_id, wanted

WORKERS = 4
PRODUCTS = 10


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = await a_world(database, tmp_path)
    for product in range(1, PRODUCTS + 1):
        await world.sells(product, stock=1_000)
    await world.sells(99, stock=0)
    return world


def workers(world: World, count: int = WORKERS) -> list[World]:
    return [
        dataclasses.replace(world, services=replace(world.services, placing={}))
        for _ in range(count)
    ]


def arriving(
    worker: World, commands: Sequence[PlaceOrder], keys: Sequence[str | None] | None = None
) -> list[asyncio.Task[Answer]]:
    return [
        asyncio.create_task(place_order(worker.context(key=key), command, told_the_id()))
        for command, key in zip(commands, keys or [None] * len(commands), strict=True)
    ]


@asynccontextmanager
async def holding(world: World, product: int) -> AsyncIterator[Connection]:
    """Hold the stock of a product, so that whoever wants it waits."""
    async with world.database.transaction() as tx:
        await tx.execute(
            "update stock set on_hand = on_hand where store_id = $1 and variant_id = $2",
            world.store.id,
            product,
        )
        yield tx


async def waiting(world: World, count: int = 1) -> list[int]:
    """The server processes that wait for a lock, once there are so many."""
    async with asyncio.timeout(60):
        while True:
            rows = await world.rows(
                "select pid from pg_stat_activity where $1::bigint is not null"
                " and datname = current_database() and wait_event_type = 'Lock'"
            )
            if len(rows) >= count:
                return [row["pid"] for row in rows]
            await asyncio.sleep(0.01)


async def deadlocks(world: World) -> int:
    """How many there were, with what each session has yet to tell."""

    async def tell() -> None:
        async with world.database.connection() as connection:
            await connection.execute("select pg_stat_force_next_flush()")
            await asyncio.sleep(0.05)

    await asyncio.gather(*(tell() for _ in range(16)))
    row = await world.row(
        "select deadlocks from pg_stat_database"
        " where datname = current_database() and $1::bigint is not null"
    )
    return row["deadlocks"]


async def count_of_orders(world: World) -> int:
    return (await world.row("select count(*) as n from orders where store_id = $1"))["n"]


async def adds_up(world: World) -> None:
    assert [difference async for difference in verify(world.services)] == []


async def test_many_workers_on_ten_hot_products_never_wait_for_each_other_in_a_circle(
    world: World,
) -> None:
    before = await deadlocks(world)
    dice = random.Random(4)  # noqa: S311 - to shuffle
    tasks = [
        task
        for worker in workers(world)
        for task in arriving(
            worker,
            [
                an_order_for(
                    *(wanted(n) for n in dice.sample(range(1, PRODUCTS + 1), 3)),
                    customer=dice.randint(1, 5),
                )
                for _ in range(40)
            ],
        )
    ]
    await asyncio.gather(*tasks)
    assert await deadlocks(world) == before
    assert await count_of_orders(world) == 40 * WORKERS
    reserved = await world.row("select sum(reserved) as n from stock where store_id = $1")
    assert reserved["n"] == 3 * 40 * WORKERS
    await adds_up(world)


async def test_twins_in_different_workers_are_one_order(world: World) -> None:
    keys = [f"key-{n}" for n in range(6)]
    tasks = [
        task
        for worker in workers(world, 3)
        for task in arriving(worker, [an_order_for(wanted(1)) for _ in keys], keys)
    ]
    answers = await asyncio.gather(*tasks)
    assert len({answer.body for answer in answers}) == len(keys)
    assert await world.stock(1) == (1_000, len(keys))
    await adds_up(world)


async def test_what_is_sold_out_costs_the_others_nothing(world: World) -> None:
    ids_before = (await world.row("select last_value as n from order_ids where $1 > 0"))["n"]
    commands = [an_order_for(wanted(1), wanted(99 if n % 2 else 2)) for n in range(20)]
    fates = await asyncio.gather(*arriving(world, commands), return_exceptions=True)
    assert [isinstance(fate, Answer) for fate in fates] == [n % 2 == 0 for n in range(20)]
    reasons = [fate.reason for fate in fates if isinstance(fate, Refused)]
    assert all(isinstance(reason, OutOfStock) and reason.left == 0 for reason in reasons)
    assert await world.stock(1) == (1_000, 10)
    # Nobody was asked about twice: that would have taken ids again.
    ids = (await world.row("select last_value as n from order_ids where $1 > 0"))["n"]
    assert ids - ids_before <= 20
    await adds_up(world)


async def test_a_store_that_has_to_wait_holds_up_no_other_store(
    world: World, database: Database, tmp_path: Path
) -> None:
    other = dataclasses.replace(
        await a_world(database, tmp_path, name="other"), services=world.services
    )
    await other.sells(1, stock=5)
    async with holding(world, 1):
        stuck = arriving(world, [an_order_for(wanted(1)) for _ in range(3)])
        await waiting(world)
        await asyncio.gather(*arriving(other, [an_order_for(wanted(1)) for _ in range(3)]))
        assert not any(task.done() for task in stuck)
    await asyncio.gather(*stuck)
    assert (await world.stock(1), await other.stock(1)) == ((1_000, 3), (5, 3))


async def test_who_hangs_up_in_the_middle_harms_nobody_and_finds_the_order_later(
    world: World,
) -> None:
    async with holding(world, 1):
        tasks = arriving(world, [an_order_for(wanted(1)) for _ in range(3)], ["a", "b", "c"])
        await waiting(world)
        tasks[1].cancel()
    first, gone, third = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, Answer)
    assert isinstance(third, Answer)
    assert isinstance(gone, asyncio.CancelledError)
    (again,) = await asyncio.gather(*arriving(world, [an_order_for(wanted(1))], ["b"]))
    assert again.replayed
    assert await world.stock(1) == (1_000, 3)
    await adds_up(world)


async def test_a_connection_that_breaks_leaves_the_outcome_unknown_for_each_and_nothing_in_part(
    world: World,
) -> None:
    keys = ["a", "b", "c"]
    async with holding(world, 1) as tx:
        tasks = arriving(world, [an_order_for(wanted(1)) for _ in keys], keys)
        for pid in await waiting(world):
            await tx.execute("select pg_terminate_backend($1)", pid)
        fates = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(fate, Exception) and is_connection_loss(fate) for fate in fates)
    assert await count_of_orders(world) == 0
    assert await world.stock(1) == (1_000, 0)
    answers = await asyncio.gather(*arriving(world, [an_order_for(wanted(1)) for _ in keys], keys))
    assert len({answer.body for answer in answers}) == 3
    assert await world.stock(1) == (1_000, 3)
    await adds_up(world)


async def test_a_group_whose_time_runs_out_is_told_so_and_does_not_wait_again_for_each(
    world: World,
) -> None:
    async with holding(world, 1) as tx:
        tasks = arriving(world, [an_order_for(wanted(1)), an_order_for(wanted(2))])
        for pid in await waiting(world):
            await tx.execute("select pg_cancel_backend($1)", pid)  # as its time limit does
        fates = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(fate, Exception) and ran_out_of_time(fate) for fate in fates)
    assert await count_of_orders(world) == 0
    assert await world.stock(1) == (1_000, 0)


async def test_who_was_placed_hears_of_it_although_a_twin_finds_no_connection_any_more(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as kept:
        with monkeypatch.context() as patched:
            patched.setattr("openorders.store.database.ACQUIRE_S", 4.0)
            pool = await kept.enter_async_context(opened(database_url, connections=1))
        worker = dataclasses.replace(
            world, services=replace(world.services, database=pool, placing={})
        )
        async with world.database.transaction() as tx:
            key = world.context(key="twin").keyed
            assert key is not None
            assert await idempotency.claim(tx, world.store.id, key, NOON, stale_before=NOON)
            one, twin = arriving(worker, [an_order_for(wanted(1))] * 2, [None, "twin"])
            await waiting(world)
            next_user = asyncio.create_task(kept.enter_async_context(pool.connection()))
            await asyncio.sleep(0)
        await next_user
        fates = await asyncio.gather(one, twin, return_exceptions=True)
    assert isinstance(fates[0], Answer)
    assert isinstance(fates[1], DatabaseUnavailableError)
    assert await count_of_orders(world) == 1
