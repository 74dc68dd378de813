"""Orders as the rows of a table: CSV rendered by the database itself, or typed values.

Like `criteria` it composes SQL, and only from constants of its own and numbers of parameters:
which cells a row has is the asker's choice. Rows come from one snapshot, the oldest order first.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from openorders.domain.ids import StoreId
from openorders.domain.search import Expression
from openorders.domain.table import TableColumn, has_lines
from openorders.store import criteria, queries
from openorders.store.database import Connection
from openorders.store.export_cells import csv_cell, typed_cell

EXPORT_SECONDS_MAX: Final = 900
"""A table that is not finished by then, because its reader is so slow, is broken off: for as long
as it is sent its snapshot keeps vacuum from what was changed since.
"""

CHUNK_BYTES: Final = 64 * 1024
"""About so much of a table is handed on at a time."""

BATCH_ROWS: Final = 1_000
"""Typed rows in memory at once."""

CELL_CHARACTERS_MAX: Final = 32_767
"""A spreadsheet cell holds no more; longer texts are cut there, and only there."""

_AHEAD: Final = 4
_CELLS: Final = {False: "/* cells */ o.id", True: "/* cells */ l.id"}
_CONDITION: Final = "/* condition */"
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_UNESCAPED: Final = {
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
    b"\\": b"\\",
}
_END: Final = b""
_Q = queries.load("exports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
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
    sql, parameters = _composed(table, csv=True)
    queue: asyncio.Queue[bytes] = asyncio.Queue(_AHEAD)

    async def copy() -> None:
        collected = bytearray()

        async def collect(rows: bytes) -> None:
            collected.extend(rows)
            if len(collected) >= CHUNK_BYTES:
                await queue.put(_plain(collected))
                collected.clear()

        try:
            await connection.copy_from_query(
                sql, *parameters, output=collect, timeout=EXPORT_SECONDS_MAX
            )
        except Exception:
            await queue.put(_END)
            raise
        if collected:
            await queue.put(_plain(collected))
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
    sql, parameters = _composed(table, csv=False)
    cursor = await connection.cursor(sql, *parameters)
    while batch := await cursor.fetch(BATCH_ROWS):
        yield batch


def _composed(table: Table, *, csv: bool) -> tuple[str, list[object]]:
    """The statement for the table, and its parameters."""
    lines = has_lines(table.columns)
    statement = _Q.rows_per_line if lines else _Q.rows_per_order
    condition = criteria.where(table.store_id, table.criteria)
    parameters: list[Any] = list(condition.parameters)

    def bound(text: str) -> str:
        parameters.append(text)
        return f"${len(parameters)}::text"

    if csv:
        cells = " || ',' || ".join(csv_cell(column, bound) for column in table.columns)
        if len(table.columns) == 1:  # an empty line would be no row at all
            cells = f"coalesce(nullif({cells}, ''), '\"\"')"
    else:
        typed = (typed_cell(column, bound, CELL_CHARACTERS_MAX) for column in table.columns)
        cells = ", ".join(typed)
    sql = statement.sql.replace(_CELLS[lines], cells).replace(_CONDITION, condition.sql)
    return sql, parameters


def _plain(rows: bytearray) -> bytes:
    """Rows of COPY's text format as they are meant. A line feed that is part of a text is escaped
    there, so that every plain one ends a row.
    """
    lines = bytes(rows).replace(b"\n", b"\r\n")
    if b"\\" not in lines:
        return lines
    return _ESCAPED.sub(lambda found: _UNESCAPED[found[1]], lines)
