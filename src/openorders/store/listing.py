"""Pages and streams of orders for a search, and how many there are."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from asyncpg import Record, exceptions
from msgspec import Struct

from openorders.domain.ids import StoreId
from openorders.domain.narrowing import narrowed
from openorders.domain.order import Order
from openorders.domain.search import Page, Search
from openorders.store import criteria, figures, queries
from openorders.store.conditions import Statement
from openorders.store.database import Connection, Database
from openorders.store.orders import order_of

SEARCH_SECONDS_MAX: Final = 2.0
"""A search that runs longer is given up (`TimeoutError`)."""

SORTED_MAX: Final = 10_000
"""Up to so many matches are all found and sorted; more are read in order as far as needed."""

DEEP: Final = 1_000
"""From this offset on it is worth asking first whether there are so many orders at all."""

STREAM_CHUNK: Final = 500
"""Orders of a stream that are in memory at once."""

STREAM_FIRST: Final = 50
"""The first of them are fewer, so that they come at once."""

FAILURES: Final = (
    exceptions.DivisionByZeroError,
    exceptions.NumericValueOutOfRangeError,
    exceptions.StatementTooComplexError,
)
"""What a search can run into on the orders it meets; its asker's error, not ours."""

_LEAST_S: Final = 0.001
_Q = queries.load("listing")


class Found(Struct, frozen=True):
    """Orders with their lines (payments and history stay empty), and how many fit in all."""

    orders: tuple[Order, ...]
    total: int | None


async def find(
    database: Database, store_id: StoreId, search: Search, *, total: bool = True
) -> Found:
    """The search's page, and when wanted the exact number of all that fits.

    TimeoutError for a search that would run longer than `SEARCH_SECONDS_MAX`; the server stops
    working on it then.
    """
    page = search.page
    assert page is not None, "without a page it is a stream"
    try:
        if criteria.is_walk(search):
            async with database.connection() as connection:
                asking = _Asking(connection, store_id, search, page)
                return await _walked(asking, total=total)
        async with database.transaction(isolation="repeatable_read", read_only=True) as connection:
            asking = _Asking(connection, store_id, search, page)
            return await _planned(asking, total=total)
    except exceptions.QueryCanceledError as cancelled:
        raise TimeoutError from cancelled


async def clipped_count(connection: Connection, store_id: StoreId, search: Search) -> int:
    """How many orders a stream of the search will give."""
    total = await _figured(connection, store_id, search)
    if total is None:
        statement = criteria.count(store_id, search.criteria)
        total = int(await connection.fetchval(statement.sql, *statement.parameters))
    if search.page is None:
        return total
    return max(0, min(search.page.limit, total - search.page.offset))


async def stream(connection: Connection, store_id: StoreId, search: Search) -> AsyncIterator[Order]:
    """Every order that fits, in order, a chunk at a time. Needs a transaction for its cursor."""
    await connection.execute(_Q.plan_each_chunk.sql)
    statement = criteria.ids(store_id, search)
    cursor = await connection.cursor(statement.sql, *statement.parameters)
    size = STREAM_FIRST
    while ids := [row["id"] for row in await cursor.fetch(size)]:
        size = STREAM_CHUNK
        chunk = criteria.these_then(store_id, ids, _Q.orders_of_page.sql)
        for row in await connection.fetch(chunk.sql, *chunk.parameters):
            yield order_of(row)


def problem(failure: BaseException) -> str:
    """What went wrong in a search, for its asker."""
    match failure:
        case exceptions.DivisionByZeroError():
            return "division by zero"
        case exceptions.NumericValueOutOfRangeError():
            return "a number out of range"
        case _:
            return "too deeply nested"


class _Asking:
    """One search on one connection, and the time it has left."""

    def __init__(
        self, connection: Connection, store_id: StoreId, search: Search, page: Page
    ) -> None:
        self.connection = connection
        self.store_id = store_id
        self.search = search
        self.page = page
        self._clock = asyncio.get_running_loop().time
        self._until = self._clock() + SEARCH_SECONDS_MAX

    async def rows(self, statement: Statement) -> list[Record]:
        left = max(self._until - self._clock(), _LEAST_S)
        return await self.connection.fetch(statement.sql, *statement.parameters, timeout=left)

    async def orders(self, statement: Statement) -> tuple[Order, ...]:
        return tuple(order_of(row) for row in await self.rows(statement))

    async def in_order(self) -> tuple[Order, ...]:
        then = _Q.orders_of_page.sql
        return await self.orders(criteria.page_then(self.store_id, self.search, then))

    async def count(self) -> int:
        total = await _figured(self.connection, self.store_id, self.search)
        if total is None:
            rows = await self.rows(criteria.count(self.store_id, self.search.criteria))
            total = int(rows[0]["count"])
        return total

    def told_by(self, orders: tuple[Order, ...]) -> int | None:
        """How many fit in all, which a page that is not full tells."""
        page = self.page
        if len(orders) < page.limit and (orders or page.offset == 0):
            return page.offset + len(orders)
        return None


async def _walked(asking: _Asking, *, total: bool) -> Found:
    if asking.page.offset >= DEEP:
        there_are = await _figured(asking.connection, asking.store_id, asking.search)
        if there_are is not None and there_are <= asking.page.offset:
            return Found((), there_are if total else None)
    orders = await asking.in_order()
    if not total:
        return Found(orders, None)
    told = asking.told_by(orders)
    return Found(orders, await asking.count() if told is None else told)


async def _planned(asking: _Asking, *, total: bool) -> Found:
    """In a transaction, so that its plans are for these values only, and what it finds is what it
    counts.
    """
    await _Q.plan_for_the_values.execute(
        asking.connection, most_ms=str(round(SEARCH_SECONDS_MAX * 1000))
    )
    found = criteria.gathered(asking.store_id, asking.search, asking.page, SORTED_MAX)
    [row] = await asking.rows(found)
    matches: int = row["matches"]
    if matches <= SORTED_MAX:
        then = _Q.orders_of_page.sql
        orders = await asking.orders(criteria.these_then(asking.store_id, row["ids"], then))
        return Found(orders, matches if total else None)
    return Found(await asking.in_order(), await asking.count() if total else None)


async def _figured(connection: Connection, store_id: StoreId, search: Search) -> int | None:
    """How many fit, where nothing but the word decides; None where more does."""
    found = narrowed(search.criteria)
    if not found.on_words_alone:
        return None
    return await figures.count(connection, store_id, found.words)
