"""Export orders as a table: CSV that is sent while it is read, or a complete Excel workbook.

Either is one snapshot of what the caller may see, and takes no more memory for a million orders
than for one. The oldest order comes first, unless that would hold up a large CSV.
"""

import asyncio
import os
import tempfile
import threading
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain.search import EVERYTHING, Expression
from openorders.domain.table import OrderPart, TableColumn
from openorders.store import exports
from openorders.store.exports import Table
from openorders.usecases.context import Context
from openorders.usecases.read_orders import scope
from openorders.usecases.write_workbook import Row, write_workbook


class Export(Struct, frozen=True, kw_only=True):
    """What of which orders. `columns` is not empty, its names are the header and need no quotes."""

    columns: tuple[TableColumn, ...]
    criteria: Expression = EVERYTHING


async def export_csv(ctx: Context, export: Export) -> AsyncGenerator[bytes]:
    """The table as CSV (RFC 4180, UTF-8 without a mark), the header at once.

    Texts that a spreadsheet would calculate have an apostrophe in front. To end an export early,
    close the generator.
    """
    async with ctx.services.database.snapshot() as connection:
        await exports.begin(connection)
        rows = exports.csv_rows(connection, _table(ctx, export))
        try:
            yield f"{','.join(column.name for column in export.columns)}\r\n".encode()
            async for chunk in rows:
                yield chunk
        finally:
            await rows.aclose()


async def export_excel(ctx: Context, export: Export) -> Path:
    """The table as a workbook in a temporary file, which belongs to the caller from then on.

    Amounts, whole numbers, times (in UTC) and days keep their types; texts stay texts.
    """
    descriptor, name = tempfile.mkstemp(prefix="openorders-export-", suffix=".xlsx")
    os.close(descriptor)
    path = Path(name)
    try:
        await _write(ctx, _table(ctx, export), path)
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise
    return path


async def _write(ctx: Context, table: Table, path: Path) -> None:
    left = threading.Event()
    loop = asyncio.get_running_loop()
    async with ctx.services.database.snapshot() as connection:
        await exports.begin(connection)
        count = await exports.count_rows(connection, table)
        batches = exports.typed_rows(connection, table)
        writing = asyncio.create_task(
            asyncio.to_thread(
                write_workbook,
                path,
                table.columns,
                _pulled(batches, loop, left),
                row_count=count,
                minor_digits=ctx.store.minor_digits,
            )
        )
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # A thread cannot be stopped from outside; without rows it soon ends by itself.
            left.set()
            await asyncio.gather(writing, return_exceptions=True)
            raise


def _pulled(
    batches: AsyncGenerator[Sequence[Row]], loop: asyncio.AbstractEventLoop, left: threading.Event
) -> Iterator[Row]:
    """The rows for a thread that may wait, fetched by the loop that owns the connection: a batch
    is on its way while the one before it is written.
    """

    async def following() -> Sequence[Row]:
        async for batch in batches:
            return batch
        return ()

    coming = asyncio.run_coroutine_threadsafe(following(), loop)
    while batch := coming.result():
        if left.is_set():
            break
        coming = asyncio.run_coroutine_threadsafe(following(), loop)
        yield from batch


def _table(ctx: Context, export: Export) -> Table:
    """The columns and orders for this caller; order numbers are shown with the store's prefix."""
    prefix = ctx.store.number_prefix
    return Table(
        store_id=ctx.store_id,
        columns=tuple(
            replace(column, prefix=prefix) if column.part is OrderPart.NUMBER else column
            for column in export.columns
        ),
        criteria=scope(ctx, export.criteria),
    )
