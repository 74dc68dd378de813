"""Pages and streams of orders for a search, and how many there are."""

from collections.abc import AsyncIterator
from typing import Final

from asyncpg import Record, exceptions

from openorders.domain.ids import StoreId
from openorders.domain.order import Order
from openorders.domain.search import Search
from openorders.store import criteria, queries
from openorders.store.criteria import Statement
from openorders.store.database import Connection
from openorders.store.orders import order_of

SEARCH_SECONDS_MAX: Final = 2.0
"""A search that runs longer is given up (`TimeoutError`)."""

STREAM_CHUNK: Final = 500
"""Orders of a stream that are in memory at once."""

FAILURES: Final = (
    exceptions.DivisionByZeroError,
    exceptions.NumericValueOutOfRangeError,
    exceptions.StatementTooComplexError,
)
"""What a search can run into on the orders it meets; its asker's error, not ours."""

_Q = queries.load("listing")


async def page(connection: Connection, store_id: StoreId, search: Search) -> tuple[Order, ...]:
    """The orders of the page, with their lines; payments and history stay empty."""
    statement = criteria.page_then(store_id, search, _Q.orders_of_page.sql)
    return tuple(order_of(row) for row in await _fetch(connection, statement))


async def count(
    connection: Connection, store_id: StoreId, search: Search, found: tuple[Order, ...]
) -> int:
    """How many orders fit, exactly. A page that is not full has told it already."""
    page = search.page
    if page is not None and len(found) < page.limit and (found or page.offset == 0):
        return page.offset + len(found)
    rows = await _fetch(connection, criteria.count(store_id, search.criteria))
    return int(rows[0]["count"])


async def clipped_count(connection: Connection, store_id: StoreId, search: Search) -> int:
    """How many orders a stream of the search will give."""
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
    while ids := [row["id"] for row in await cursor.fetch(STREAM_CHUNK)]:
        chunk = criteria.these_then(store_id, ids, _Q.orders_of_page.sql)
        for row in await connection.fetch(chunk.sql, *chunk.parameters):
            yield order_of(row)


async def _fetch(connection: Connection, statement: Statement) -> list[Record]:
    return await connection.fetch(statement.sql, *statement.parameters, timeout=SEARCH_SECONDS_MAX)


def problem(failure: BaseException) -> str:
    """What went wrong in a search, for its asker."""
    match failure:
        case exceptions.DivisionByZeroError():
            return "division by zero"
        case exceptions.NumericValueOutOfRangeError():
            return "a number out of range"
        case _:
            return "too deeply nested"
