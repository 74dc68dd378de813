"""A made-up shop adds up, is the same for the same seed, and is there whole or not at all."""

from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice

import msgspec
import pytest

from bench import orders
from bench.orders_copy import texts
from bench.orders_drawn import CHUNK, Plan, draw
from bench.orders_rows import Numbers
from openorders.domain.order import Order
from openorders.store import ledgers, stores
from openorders.store.database import Connection, connected
from tests.postgres import databases

UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = Plan(orders=300, seed=7, until=int(UNTIL.timestamp()))
DIGEST = "dba5d9b3522d37ae368ccf04384112788ce98b0c7bf6b41f5ab739d1b32c795e"

ORDERS = 600


@pytest.fixture(scope="module")
def shop_url(module_database_url: str) -> str:
    """A shop that no test changes."""
    databases.finish(filled(module_database_url))
    return module_database_url


def quiet(_what: str, _done: int, _of: int) -> None:
    """Nobody waits for a test's progress."""


async def filled(url: str, count: int = ORDERS, **more) -> bool:
    given = {"report": quiet, "until": UNTIL, "processes": 1, **more}
    return await orders.fill(url, store="bench", orders=count, **given)


async def counted(connection: Connection, table: str) -> int:
    return await connection.fetchval(f"select count(*) from {table}")


async def indexes(connection: Connection) -> set[str]:
    rows = await connection.fetch("select indexrelid::regclass::text as name from pg_index")
    return {row["name"] for row in rows}


def test_the_same_seed_gives_the_same_rows_on_every_machine():
    rows = texts(PLAN, Numbers(store=1), 0)
    assert sha256(b"".join(rows[table] for table in sorted(rows))).hexdigest() == DIGEST


def test_a_chunk_is_the_same_whatever_was_drawn_before_it():
    plan = Plan(orders=2 * CHUNK, seed=1, until=PLAN.until)
    alone = list(islice(draw(plan, 1), 20))
    assert list(islice(draw(plan, 0), 20)) != alone
    assert list(islice(draw(plan, 1), 20)) == alone


def test_another_seed_gives_other_orders():
    other = Plan(orders=PLAN.orders, seed=8, until=PLAN.until)
    assert texts(other, Numbers(store=1), 0) != texts(PLAN, Numbers(store=1), 0)


async def test_the_books_of_a_made_up_shop_add_up(shop_url: str):
    async with connected(shop_url) as connection:
        assert await counted(connection, "orders") == ORDERS
        store = await stores.find(connection, "bench")
        assert store is not None
        async with connection.transaction():
            for check in ledgers.CHECKS:
                found = [one async for one in ledgers.differences(connection, store.id, check)]
                assert found == []


async def test_what_is_told_of_the_last_days_can_be_read(shop_url: str):
    async with connected(shop_url) as connection:
        rows = await connection.fetch(
            "select o.payload, o.version, o.at from event_positions p"
            " join outbox o on o.store_id = p.store_id and o.id = p.event_id order by p.position"
        )
        assert len(rows) == await counted(connection, "outbox") > 0
        told = [msgspec.json.decode(row["payload"], type=Order) for row in rows]
        assert [one.version for one in told] == [row["version"] for row in rows]
        assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
        high = await connection.fetchval("select high from event_cursor")
        assert high == await connection.fetchval("select max(id) from outbox")


async def test_new_orders_are_numbered_after_those_that_were_made_up(shop_url: str):
    async with connected(shop_url) as connection:
        store = await connection.fetchval("select store_id from stores")
        assert await connection.fetchval("select nextval('order_ids')") > ORDERS
        assert await connection.fetchval(f"select nextval('order_numbers_{store}')") == ORDERS + 1


async def test_a_shop_that_is_there_is_left_alone(shop_url: str):
    assert not await filled(shop_url)
    with pytest.raises(orders.NotEmptyError):
        await filled(shop_url, ORDERS + 1)
    async with connected(shop_url) as connection:
        assert await counted(connection, "orders") == ORDERS


async def test_a_run_that_is_cut_off_leaves_nothing_and_can_be_begun_again(database_url: str):
    class CutOffError(Exception):
        pass

    def cut_off(what: str, _done: int, _of: int) -> None:
        if what.startswith("building orders_by_number"):
            raise CutOffError

    async with connected(database_url) as connection:
        before = await indexes(connection)
        with suppress(CutOffError):
            await filled(database_url, report=cut_off)
        for table in ("stores", "customers", "orders", "order_lines", "payments", "outbox"):
            assert await counted(connection, table) == 0
        assert await indexes(connection) == before
        assert await filled(database_url)
        assert await indexes(connection) == before
        assert await counted(connection, "orders") == ORDERS


async def test_a_shop_can_be_made_beside_another_one(database_url: str):
    await filled(database_url)
    assert await orders.fill(
        database_url, store="other", orders=100, report=quiet, until=UNTIL, processes=1
    )
    async with connected(database_url) as connection:
        rows = await connection.fetch(
            "select s.name, count(*) as orders from stores s join orders o using (store_id)"
            " group by s.name"
        )
        assert {row["name"]: row["orders"] for row in rows} == {"bench": ORDERS, "other": 100}
        assert await connection.fetchval("select count(distinct id) from orders") == ORDERS + 100
