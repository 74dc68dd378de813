"""Write rows into an Excel workbook on disk, in constant memory. Blocks: call it in a thread."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openorders.domain.table import TableColumn
from openorders.store.export_cells import Kind, kind_of

if TYPE_CHECKING:
    from rustpy_xlsxwriter import Format

SHEET_ROWS_MAX: Final = 1_048_575
"""What fits on one sheet below its header."""

Row = Iterable[object]


def write_workbook(
    path: Path,
    columns: Sequence[TableColumn],
    rows: Iterator[Row],
    *,
    row_count: int,
    minor_digits: int,
    sheet_rows: int = SHEET_ROWS_MAX,
) -> None:
    """Write the `row_count` rows on as many sheets as they need, each with the header.

    Numbers and times keep their types. A text stays one whatever it looks like: its cell is
    formatted as text too, so that it is not calculated when somebody edits it.
    """
    # Here, since few ever ask for a workbook.
    from rustpy_xlsxwriter import FastExcel

    names = [column.name for column in columns]
    formats = [_format(column, minor_digits) for column in columns]
    workbook = FastExcel(path).format(bold_headers=True).freeze(row=1)
    # A sheet takes its header from its first row; without any, an empty row lends it.
    source = rows if row_count else iter([[None] * len(names)])
    for number in range(max(1, -(-row_count // sheet_rows))):
        workbook.sheet(  # pyright: ignore[reportUnknownMemberType] - its stubs leave tuples open
            f"Orders {number + 1}" if number else "Orders",
            (dict(zip(names, row, strict=True)) for row in islice(source, sheet_rows)),
            column_formats=formats,
        )
    workbook.save()


def _format(column: TableColumn, minor_digits: int) -> "Format":
    from rustpy_xlsxwriter import Format

    match kind_of(column.part):
        case Kind.AMOUNT:
            shown = f"0.{'0' * minor_digits}" if minor_digits else "0"
        case Kind.WHOLE:
            shown = "0"
        case Kind.MOMENT:
            shown = "yyyy-mm-dd hh:mm:ss"
        case Kind.DAY:
            shown = "yyyy-mm-dd"
        case Kind.TEXT | Kind.WORD | Kind.PREFIXED:
            shown = "@"
    return Format().set_num_format(shown)
