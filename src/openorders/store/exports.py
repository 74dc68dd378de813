"""Orders as the rows of a table: CSV rendered by the database itself, or typed values.

Like `criteria` it composes SQL, and only from constants of its own and numbers of parameters:
which cells a row has is the asker's choice. Rows come from one snapshot, the oldest order first;
a large CSV of what no index has in that order comes in none.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from openorders.domain.ids import StoreId
from openorders.domain.search import EVERYTHING, Column, Expression, Field, Search, SortKey
from openorders.domain.table import TableColumn, has_lines
from openorders.store import criteria, queries, walks
from openorders.store.database import Connection
from openorders.store.export_cells import csv_cell, typed_cell
from openorders.store.walks import Walk

EXPORT_SECONDS_MAX: Final = 900
"""A table that is not finished by then, because its reader is so slow, is broken off: for as long
as it is sent its snapshot keeps vacuum from what was changed since.
"""

SORTED_ORDERS_MAX: Final = 50_000
"""The orders of a store with no more than these come in order in any CSV."""

CHUNK_BYTES: Final = 256 * 1024
"""About so much of a table is handed on at a time."""

BATCH_ROWS: Final = 1_000
"""Typed rows in memory at once."""

CELL_CHARACTERS_MAX: Final = 32_767
"""A spreadsheet cell holds no more; longer texts are cut there, and only there."""

_AHEAD: Final = 4
_CELLS: Final = {False: "/* cells */ o.id", True: "/* cells */ l.id"}
_CONDITION: Final = "/* condition */"
_ORDER: Final = "/* order */"
_IN_TIME: Final = (SortKey(key=Column(field=Field.CREATED_AT)),)
_END: Final = b""
_Q = queries.load("exports")


class Table(Struct, frozen=True, kw_only=True):
    """Which orders, and what of them. `columns` is not empty."""

    store_id: StoreId
    columns: Sequence[TableColumn]
    criteria: Expression


async def begin(connection: Connection) -> None:
    """Prepare the transaction for sending a table while it is read."""
    await _Q.stream_at_once.execute(connection, most_ms=str(EXPORT_SECONDS_MAX * 1000))


async def csv_rows(connection: Connection, table: Table) -> AsyncGenerator[bytes]:
    """The rows as CSV, in chunks of whole rows, by COPY and therefore at its speed.

    Needs `begin`. A reader that is slow slows it down. Closing the generator before its end
    costs the connection.
    """
    in_order = await _in_order(connection, table)
    await _Q.stream_in_parallel.execute(connection, hashed=str(not in_order))
    sql, parameters = _composed(table, csv=True, in_order=in_order)
    queue: asyncio.Queue[bytes] = asyncio.Queue(_AHEAD)

    async def copy() -> None:
        collected = bytearray()

        async def collect(rows: bytes) -> None:
            collected.extend(rows)
            if len(collected) >= CHUNK_BYTES:
                await queue.put(_ended(collected))
                collected.clear()

        try:
            await connection.copy_from_query(
                sql, *parameters, output=collect, timeout=EXPORT_SECONDS_MAX, format="csv"
            )
        except Exception:
            await queue.put(_END)
            raise
        if collected:
            await queue.put(_ended(collected))
        await queue.put(_END)

    copying = asyncio.create_task(copy(), name="export")
    try:
        while chunk := await queue.get():
            yield chunk
        await copying
    finally:
        if not copying.done():
            connection.terminate()  # the server stops when it next sends; a cancel would race it
            copying.cancel()
            while not queue.empty():  # whatever it still has to put finds room
                queue.get_nowait()
        await asyncio.gather(copying, return_exceptions=True)


async def count_rows(connection: Connection, table: Table) -> int:
    """How many rows the table has."""
    statement = _Q.count_lines if has_lines(table.columns) else _Q.count_orders
    condition = criteria.where(table.store_id, table.criteria)
    sql = statement.sql.replace(_CONDITION, condition.sql)
    return int(await connection.fetchval(sql, *condition.parameters))


async def typed_rows(
    connection: Connection, table: Table
) -> AsyncGenerator[Sequence[Iterable[object]]]:
    """The rows in batches, values in the order of the columns: texts, whole numbers, days, times
    in UTC without a zone, and amounts as binary numbers, which is what spreadsheets have.

    Needs `begin`.
    """
    sql, parameters = _composed(table, csv=False, in_order=True)
    cursor = await connection.cursor(sql, *parameters)
    while batch := await cursor.fetch(BATCH_ROWS):
        yield batch


def _composed(table: Table, *, csv: bool, in_order: bool) -> tuple[str, list[object]]:
    """The statement for the table, and its parameters."""
    lines = has_lines(table.columns)
    statement = _Q.rows_per_line if lines else _Q.rows_per_order
    condition = criteria.where(table.store_id, table.criteria)
    parameters: list[Any] = list(condition.parameters)

    def bound(text: str) -> str:
        parameters.append(text)
        return f"${len(parameters)}::text"

    if csv:
        cells = ", ".join(csv_cell(column, bound) for column in table.columns)
        if len(table.columns) == 1:  # an empty line would be no row at all, but an empty text is
            cells = f"coalesce(({cells})::text, '')"
    else:
        typed = (typed_cell(column, bound, CELL_CHARACTERS_MAX) for column in table.columns)
        cells = ", ".join(typed)
    sql = statement.sql if in_order else statement.sql.partition(_ORDER)[0]
    return sql.replace(_CELLS[lines], cells).replace(_CONDITION, condition.sql), parameters


async def _in_order(connection: Connection, table: Table) -> bool:
    """Whether the rows are to come in the order of time: a large table of orders alone takes twice
    as long in it. Lines cost more than that, and where an index has what is asked for, and not
    much else, in that order, it costs little.
    """
    walk = walks.walk_of(Search(criteria=table.criteria, sort=_IN_TIME))
    if has_lines(table.columns) or (walk is not None and _is_narrow(walk)):
        return True
    return not await _Q.has_more_orders.fetchval(
        connection, store_id=table.store_id, most=SORTED_ORDERS_MAX
    )


def _is_narrow(walk: Walk) -> bool:
    return len(walk.words) == 1 or walk.rest != EVERYTHING


def _ended(rows: bytearray) -> bytes:
    """Whole rows with CRLF at their ends. A line feed between quotes is part of a text, and a
    quote there is doubled: between two quotes that touch there is nothing to be found.
    """
    if b'"' not in rows:
        return bytes(rows.replace(b"\n", b"\r\n"))
    parts = rows.split(b'"')
    parts[::2] = [part.replace(b"\n", b"\r\n") for part in parts[::2]]
    return b'"'.join(parts)
