"""Workers that write mails at once, and die at it: each letter is written and sent once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openorders.domain.mails import AUTOMATIC
from openorders.store import mails
from openorders.store.database import Database, opened
from openorders.usecases.keep_stores import apply_store
from openorders.usecases.send_mail import sweep_mails
from openorders.usecases.sequence_events import sequence
from openorders.usecases.write_mails import EVENTS_LIMIT, write_mails
from tests.usecases.test_write_mails import Postbox, a_shop, followed, wants, written
from tests.world import World, waits_for_a_lock


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await a_shop(database, tmp_path, wants(*AUTOMATIC))


@pytest.fixture
async def second(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, connections=4) as pool:
        yield pool


async def test_any_number_of_workers_write_each_letter_once(world: World, second: Database) -> None:
    orders = [await world.placed(payment_asked=True) for _ in range(EVENTS_LIMIT + 10)]
    while await sequence(world.services):
        pass
    others = replace(world.services, database=second)

    async def follow(services: Any) -> None:
        while len(await written(world)) < len(orders):
            await write_mails(services)

    async with asyncio.timeout(60):
        await asyncio.gather(*(follow(one) for one in (world.services, others, world.services)))
    assert await followed(world) == len(orders)
    rows = await world.rows("select order_id from mails where store_id = $1 order by id")
    assert [row["order_id"] for row in rows] == [order.id for order in orders]
    postboxes = [Postbox(), Postbox()]
    sending = [
        replace(world.services, mailer=postboxes[0]),
        replace(others, mailer=postboxes[1]),
    ]

    async def send(services: Any) -> None:
        while await sweep_mails(services):
            pass

    await asyncio.gather(*(send(one) for one in sending))
    taken = [letter.id for postbox in postboxes for letter in postbox.taken]
    assert len(taken) == len(set(taken)) == len(orders)


async def test_a_worker_that_dies_between_writing_and_committing_leaves_it_to_the_next(
    world: World,
) -> None:
    await world.placed()
    await sequence(world.services)

    class Died(Exception):
        pass

    cursor = await world.row("select position from mail_cursors where store_id = $1")
    with pytest.raises(Died):
        async with world.database.transaction() as tx:
            taken = await mails.take_cursor(tx, world.store.id)
            assert taken is not None
            await mails.move_cursor(tx, world.store.id, taken.position + 1)
            raise Died
    assert await world.row("select position from mail_cursors where store_id = $1") == cursor
    assert await followed(world) == 1


async def test_a_store_is_renamed_while_its_mails_are_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.placed()
    await sequence(world.services)
    reached, go = asyncio.Event(), asyncio.Event()
    look = mails.next_events

    async def slowly(*given: Any) -> Any:
        reached.set()
        await go.wait()
        return await look(*given)

    monkeypatch.setattr(mails, "next_events", slowly)
    async with asyncio.timeout(60):
        writing = asyncio.create_task(write_mails(world.services))
        await reached.wait()
        renaming = asyncio.create_task(
            apply_store(world.services, {"name": "renamed"}, name=world.store.name)
        )
        await waits_for_a_lock(world, unless=renaming)
        go.set()
        outcome, looked_at = await asyncio.gather(renaming, writing)
    assert (outcome.store.name, looked_at) == ("renamed", 1)
    assert await written(world) == [("placed", "version 1")]


async def test_a_worker_that_is_killed_holds_up_nobody(world: World, second: Database) -> None:
    await world.placed()
    await sequence(world.services)
    with pytest.raises(Exception, match=r"terminat|closed|in progress"):
        async with second.transaction() as tx:
            assert await mails.take_cursor(tx, world.store.id) is not None
            assert await write_mails(world.services) == 0
            assert await written(world) == []
            pid = await tx.fetchval("select pg_backend_pid()")
            async with world.database.connection() as connection:
                await connection.execute("select pg_terminate_backend($1)", pid)
            await tx.execute("select 1")
    async with asyncio.timeout(60):
        while not await write_mails(world.services):
            await asyncio.sleep(0.02)
    assert await written(world) == [("placed", "version 1")]
