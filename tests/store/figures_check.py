"""What the figures have to come to: the orders themselves, counted in the same snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openorders.domain.ids import StoreId
from openorders.domain.order import Word
from openorders.store import figures
from openorders.store.database import Connection
from tests.usecases.placed_orders import AXES

STORE = StoreId(1)

_BY_DAY = """
    select (o.created_at at time zone s.time_zone)::date, o.word, count(*), sum(o.total)
    from orders o join stores s on s.store_id = o.store_id
    where o.store_id = $1
    group by 1, 2
    order by 1, 2
"""
_FIGURES = """
    select f.day, f.word, sum(f.orders), sum(f.total)
    from (
        select o.day, o.word, o.orders, o.total from order_figures o where o.store_id = $1
        union all
        select s.day, s.word, s.orders, s.total from figures_since($1) s
    ) f
    group by f.day, f.word
    having sum(f.orders) <> 0 or sum(f.total) <> 0
    order by f.day, f.word
"""
_ORDER = """
    insert into orders (store_id, id, number, customer_id, currency, minor_digits, subtotal,
        discount, shipping, tax, total, progress, payment, fulfilment, payment_asked, created_at,
        updated_at)
    values ($1, $2, $2, 1, 'USD', 2, $3, 0, 0, 0, $3, $4, $5, $6, $7, $8, $8)
"""
_MOVE = """
    update orders
    set progress = $3, payment = $4, fulfilment = $5, payment_asked = $6, subtotal = $7, total = $7
    where store_id = $1 and id = $2
"""


async def a_store(connection: Connection, zone: str = "UTC", store_id: StoreId = STORE) -> None:
    """A store with one customer, in that time zone."""
    await connection.execute(
        "insert into stores (store_id, name, currency, minor_digits, time_zone, number_prefix,"
        " policy, created_at) values ($1, $2, 'USD', 2, $3, '', '{}', now())",
        store_id, f"store {store_id}", zone,
    )  # fmt: skip
    await connection.execute("insert into customers values ($1, 1, null, null, now())", store_id)


async def place(
    connection: Connection,
    order_id: int,
    total: int,
    at: Any,
    word: Word = Word.CREATED,
    store_id: StoreId = STORE,
) -> None:
    """One more order."""
    await connection.execute(_ORDER, store_id, order_id, total, *AXES[word], at)


async def move(connection: Connection, order_id: int, word: Word, total: int) -> None:
    """Change an order's word and total, or neither."""
    await connection.execute(_MOVE, STORE, order_id, *AXES[word], total)


async def fold(connection: Connection, *, limit: int = 1000) -> int:
    """One step of folding, of every store that has something to fold."""
    done = 0
    for work in await figures.find_work(connection):
        async with connection.transaction():
            if work.built:
                done += await figures.fold(connection, work, limit=limit)
            else:
                done += await figures.build(connection, work.store_id)
    return done


async def assert_exact(
    connection: Connection, store_id: StoreId = STORE, *, words: Sequence[Word] = tuple(Word)
) -> int:
    """Compare in one snapshot; answers how many orders there are."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        counted = await connection.fetch(_BY_DAY, store_id)
        assert await connection.fetch(_FIGURES, store_id) == counted
        total = await connection.fetchval(
            "select count(*) from orders where store_id = $1", store_id
        )
        assert await figures.count(connection, store_id) == total
        for word in words:
            of_word = sum(row["count"] for row in counted if row["word"] == word.value)
            assert await figures.count(connection, store_id, [word.value]) == of_word
    return int(total)


async def unfolded(connection: Connection) -> int:
    """How many changes wait."""
    return int(await connection.fetchval("select count(*) from figure_changes"))
