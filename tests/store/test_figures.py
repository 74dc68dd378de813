"""Figures are those of the orders, in every snapshot, whoever writes and folds at that moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from openorders.domain.ids import StoreId
from openorders.domain.order import Word
from openorders.store import figures, queries
from openorders.store.database import Connection, connected
from openorders.store.figures import Work
from tests.store.figures_check import (
    STORE,
    a_store,
    assert_exact,
    fold,
    move,
    place,
    unfolded,
)

SQL = queries.load("figures")
NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)


@pytest.fixture
async def connect(emptied_database_url: str) -> AsyncIterator[Any]:
    """Makes connections that end with the test, to a database with one store."""
    async with AsyncExitStack() as stack:

        async def connect() -> Connection:
            return await stack.enter_async_context(connected(emptied_database_url))

        await a_store(await connect())
        yield connect


class GivenUp(Exception):
    """A transaction is rolled back."""


async def give_up(really: bool) -> None:
    if really:
        raise GivenUp


async def mark(connection: Connection) -> int:
    return int(await connection.fetchval("select mark from figure_stores where store_id = 1"))


async def test_whatever_happens_to_an_order_is_counted_at_once(connect: Any) -> None:
    one = await connect()
    await place(one, 1, 500, NOON)
    await place(one, 2, 10**15, NOON + timedelta(days=1))
    assert await assert_exact(one) == 2
    for word in Word:
        await move(one, 1, word, 500)
        await move(one, 1, word, 400)  # a line was cancelled
        await assert_exact(one)
    assert await fold(one) == await fold(one) + 2 + 2 * (2 * len(Word) - 1)
    await assert_exact(one)
    await one.execute("delete from orders where id = 2")
    assert await assert_exact(one) == 1
    await fold(one)
    assert await assert_exact(one) == 1


async def test_what_changes_neither_word_nor_total_is_not_noted(connect: Any) -> None:
    one = await connect()
    await place(one, 1, 500, NOON)
    await fold(one)
    await one.execute("update orders set notes = 'ring twice', updated_at = now()")
    await move(one, 1, Word.CREATED, 500)
    assert await unfolded(one) == 0


async def test_orders_of_one_statement_are_one_change_for_each_second_and_word(
    connect: Any,
) -> None:
    one = await connect()
    await place(one, 1, 7, NOON)
    await fold(one)
    await one.execute(
        """
        insert into orders (store_id, id, number, customer_id, currency, minor_digits, subtotal,
            discount, shipping, tax, total, progress, payment, fulfilment, created_at, updated_at)
        select 1, n, n, 1, 'USD', 2, n, 0, 0, 0, n, 'placed', 'none', 'none',
            o.created_at + n * interval '1 microsecond', now()
        from orders o, generate_series(2, 100) as n
        """
    )
    assert await unfolded(one) == 1
    assert await assert_exact(one) == 100


async def test_what_is_rolled_back_never_counted(connect: Any) -> None:
    one, other = await connect(), await connect()
    await place(one, 1, 500, NOON)
    await one.execute("begin")
    await place(one, 2, 500, NOON)
    await one.execute("savepoint here")
    await place(one, 3, 500, NOON)
    await one.execute("rollback to here")
    await fold(other)
    assert await assert_exact(other) == 1
    await one.execute("rollback")
    assert await assert_exact(one) == 1
    assert await fold(one) == 0


async def test_a_change_that_commits_late_is_folded_when_it_does(connect: Any) -> None:
    slow, quick, folder = await connect(), await connect(), await connect()
    await slow.execute("begin")
    await place(slow, 1, 500, NOON)
    for number in range(2, 8):
        await place(quick, number, 500, NOON)
        assert await fold(folder) == 1, "a slow transaction holds up no other"
        assert await assert_exact(quick) == number - 1
    assert await mark(folder) <= 1, "nobody may look above a change that can still come"
    await slow.execute("commit")
    assert await assert_exact(quick) == 7
    assert await fold(folder) == 1
    await place(quick, 8, 500, NOON)
    await fold(folder)
    assert await assert_exact(quick) == 8
    assert await mark(folder) > 1


async def test_the_mark_passes_no_transaction_that_took_its_number_just_now(connect: Any) -> None:
    """The change is taken between the look at the last id and the fold, or right after it."""
    slow, folder, quick = await connect(), await connect(), await connect()
    await place(quick, 1, 500, NOON)
    [work] = await figures.find_work(folder)
    await slow.execute("begin")
    await place(slow, 2, 500, NOON)
    await place(quick, 3, 500, NOON)
    async with folder.transaction():
        assert await figures.fold(folder, work, limit=10) == 2
    for number in range(4, 8):
        await place(quick, number, 500, NOON)
        await fold(folder)
        await assert_exact(quick)
    assert await mark(folder) <= 2, "nobody may look above a change that can still come"
    await slow.execute("commit")
    assert await assert_exact(quick) == 7
    assert await fold(folder) == 1


async def test_ids_taken_since_the_folder_has_its_number_are_above_the_mark(connect: Any) -> None:
    """Whoever takes one may have a higher number, and run on when all lower ones are over."""
    young, folder, quick = await connect(), await connect(), await connect()
    await place(quick, 1, 500, NOON)
    [work] = await figures.find_work(folder)
    async with folder.transaction():
        assert await SQL.take_turn.fetchval(folder, store_id=STORE)
        await young.execute("begin")
        await place(young, 2, 500, NOON)
        await place(quick, 3, 500, NOON)
        await SQL.fold.fetchval(folder, store_id=STORE, high=work.high, limit=10)
    for number in range(4, 7):
        await place(quick, number, 500, NOON)
        await fold(folder)
        assert await mark(folder) == 2
    await young.execute("commit")
    assert await assert_exact(quick) == 6
    assert await fold(folder) == 1


async def test_the_mark_follows_two_steps_behind(connect: Any) -> None:
    one = await connect()
    marks = []
    for number in range(1, 7):
        await place(one, number, 500, NOON)
        await fold(one)
        marks.append(await mark(one))
    assert marks == [0, 2, 3, 4, 5, 6]


async def test_a_fold_in_parts_moves_the_mark_no_further_than_it_got(connect: Any) -> None:
    one = await connect()
    for number in range(1, 10):
        await place(one, number, 500, NOON)
    for left in (7, 5, 3, 1, 0):
        await fold(one, limit=2)
        assert await unfolded(one) == left
        assert await mark(one) in (0, 10)
        await assert_exact(one)
    await place(one, 10, 500, NOON)
    await fold(one)
    assert await mark(one) == 10


async def test_a_folder_that_dies_in_the_middle_changed_nothing(connect: Any) -> None:
    dying, one = await connect(), await connect()
    await place(one, 1, 500, NOON)
    [work] = await figures.find_work(dying)
    await dying.execute("begin")
    assert await figures.fold(dying, work, limit=10) == 1
    assert await assert_exact(one) == 1
    assert await fold(one) == 0, "one folds at a time"
    dying.terminate()
    async with asyncio.timeout(60):
        while await fold(one) == 0:
            await asyncio.sleep(0.01)
    assert await assert_exact(one) == 1
    assert await unfolded(one) == 0


async def test_a_reader_sees_no_half_of_a_fold(connect: Any) -> None:
    reader, one = await connect(), await connect()
    await place(one, 1, 500, NOON)
    async with reader.transaction(isolation="repeatable_read", readonly=True):
        assert await figures.count(reader, STORE) == 1
        for number in range(2, 6):
            await place(one, number, 500, NOON)
            await fold(one)
        assert await figures.count(reader, STORE) == 1
        assert await figures.count(reader, STORE, ["created"]) == 1
    assert await assert_exact(reader) == 5


async def test_after_a_dump_was_restored_transactions_number_from_the_start(connect: Any) -> None:
    """Marks are ids of rows, which a dump keeps; only the number that is waited for is not of this
    cluster, and one from the future is of one whose transactions are all over.
    """
    one = await connect()
    await place(one, 1, 500, NOON)
    await fold(one)
    await one.execute("update figure_stores set next_seen = '9000000000000000000'")
    for number in range(2, 6):
        await place(one, number, 500, NOON)
        assert await assert_exact(one) == number
        assert await fold(one) == 1
    assert await mark(one) == 5


async def test_stores_are_folded_apart(connect: Any) -> None:
    one, other = await connect(), await connect()
    await a_store(one, "Asia/Kathmandu", StoreId(2))
    await place(one, 1, 500, NOON)
    await place(one, 1, 700, NOON, store_id=StoreId(2))
    works = await figures.find_work(one)
    assert works == [Work(STORE, built=True, high=2), Work(StoreId(2), built=True, high=2)]
    async with one.transaction():
        assert await figures.fold(one, works[0], limit=10) == 1
        assert await fold(other) == 1
        assert [work.store_id for work in await figures.find_work(other)] == [STORE]
    for store in (STORE, StoreId(2)):
        assert await assert_exact(other, store) == 1


async def test_stores_without_figures_are_counted_by_their_orders_until_they_are_built(
    connect: Any,
) -> None:
    one = await connect()
    for number in range(1, 30):
        await place(one, number, number, NOON + timedelta(hours=number))
    await one.execute("update stores set time_zone = 'Asia/Kathmandu'")
    async with one.transaction(isolation="repeatable_read", readonly=True):
        assert await figures.count(one, STORE) == 29
        assert await figures.count(one, STORE, ["created"]) == 29
        _, days = await figures.by_word_and_day(one, STORE, NOON.date(), NOON.date())
        assert [(day, sums.orders) for day, sums in days] == [(NOON.date(), 6)]
    assert await fold(one) == 1
    assert await unfolded(one) == 0
    assert await assert_exact(one) == 29


async def test_a_rebuild_counts_what_is_written_beside_it_once(connect: Any) -> None:
    slow, one, builder = await connect(), await connect(), await connect()
    for number in range(1, 10):
        await place(one, number, number, NOON)
    await fold(one)
    await place(one, 10, 10, NOON)
    await slow.execute("begin")
    await place(slow, 11, 11, NOON)
    await move(slow, 3, Word.CANCELLED, 1)
    async with builder.transaction():
        await figures.rebuild(builder, STORE)
        await place(one, 12, 12, NOON)
        assert await fold(one) == 0
        assert await assert_exact(one) == 11
    assert await assert_exact(one) == 11
    await slow.execute("commit")
    assert await assert_exact(one) == 12
    await fold(one)
    assert await assert_exact(one) == 12


async def test_a_rebuild_on_a_snapshot_that_is_too_old_fails_and_changes_nothing(
    connect: Any,
) -> None:
    one, builder = await connect(), await connect()
    await place(one, 1, 500, NOON)
    with pytest.raises(asyncpg.SerializationError):
        async with builder.transaction(isolation="repeatable_read"):
            await builder.fetchval("select 1")
            await place(one, 2, 500, NOON)
            await fold(one)
            await figures.rebuild(builder, STORE)
    assert await assert_exact(one) == 2


@pytest.mark.parametrize("seed", range(2))
async def test_readers_are_exact_beside_eight_writers_and_two_folders(
    connect: Any, seed: int
) -> None:
    writers = [await connect() for _ in range(8)]
    folders, readers = [await connect() for _ in range(2)], [await connect() for _ in range(2)]
    over, looks = asyncio.Event(), [0, 0]

    async def write(number: int) -> None:
        dice = random.Random(seed * 100 + number)  # noqa: S311 - the same at every run
        for turn in range(25):
            order = number * 1000 + turn + 1
            with suppress(GivenUp):
                async with writers[number].transaction():
                    await place(writers[number], order, dice.randint(0, 999), NOON)
                    await asyncio.sleep(dice.choice([0, dice.random() / 100]))
                    if turn:
                        word, total = dice.choice(list(Word)), dice.randint(0, 999)
                        await move(writers[number], order - 1, word, total)
                    await give_up(dice.random() < 0.2)
                continue
            await place(writers[number], order, 1, NOON)

    async def folds(connection: Connection) -> None:
        while not over.is_set():
            await fold(connection, limit=7)
            await asyncio.sleep(0)

    async def reads(number: int) -> None:
        while not over.is_set():
            await assert_exact(readers[number], words=(Word.CREATED, Word.PAID))
            looks[number] += 1

    async with asyncio.TaskGroup() as group:
        beside = [group.create_task(folds(one)) for one in folders]
        beside += [group.create_task(reads(number)) for number in range(2)]
        async with asyncio.TaskGroup() as writing:
            for number in range(8):
                writing.create_task(write(number))
        while min(looks) <= 3:
            await asyncio.sleep(0.01)
        over.set()
    assert all(task.done() for task in beside)
    assert min(looks) > 3
    while await fold(readers[0]):
        pass
    assert await assert_exact(readers[0]) == 8 * 25
    assert await unfolded(readers[0]) == 0


async def test_a_fold_of_many_changes_looks_for_them_once(connect: Any) -> None:
    one = await connect()
    await place(one, 1, 500, NOON)
    await fold(one)  # planned while nearly nothing waits, as in a new shop
    await one.execute(
        "insert into figure_changes (store_id, at, word, orders, total)"
        " select 1, now(), 'created', 0, 0 from generate_series(1, 2000)"
    )
    (work,) = await figures.find_work(one)
    looks = "select idx_scan + seq_scan from pg_stat_xact_user_tables where relname = $1"
    async with one.transaction():
        before = await one.fetchval(looks, "figure_changes")
        assert await figures.fold(one, work, limit=5_000) == 2_000
        assert await one.fetchval(looks, "figure_changes") - before <= 5
