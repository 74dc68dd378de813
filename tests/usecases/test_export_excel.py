"""Excel exports, read back by openpyxl."""

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from openorders.domain.order import Word
from openorders.domain.search import with_words
from openorders.domain.table import LinePart, OrderPart, Part, TableColumn
from openorders.usecases import export_orders
from openorders.usecases.context import Context
from openorders.usecases.export_orders import Export, export_excel
from openorders.usecases.write_workbook import write_workbook
from tests.usecases.placed_orders import PlacedLine, PlacedOrder, some_orders, write
from tests.usecases.test_export_csv import FORMULAS, ID, MIB, NOTES, PLAIN, many, resident
from tests.world import World

AT = datetime(2026, 6, 2, 10, 30, 0, 999_999, tzinfo=UTC)


def column(part: Part, **more: Any) -> TableColumn:
    return TableColumn(name=part.name.lower(), part=part, **more)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def sheets(ctx: Context, *columns: TableColumn, **more: Any) -> list[Any]:
    path = await export_excel(ctx, Export(columns=columns, **more))
    try:
        return list(openpyxl.load_workbook(path))
    finally:
        path.unlink()


def values(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


async def test_numbers_times_and_texts_keep_their_types(world: World) -> None:
    line = PlacedLine(variant=456, unit_price=9999, quantity=3)
    await write(world, [PlacedOrder(id=789, at=AT, lines=(line,), word=Word.PAID)])
    columns = (
        ID,
        column(OrderPart.TOTAL),
        column(OrderPart.CREATED_AT),
        column(OrderPart.VERSION),
        column(OrderPart.WORD),
        column(OrderPart.NOTES),
        column(OrderPart.COMPLETED_AT),
        column(OrderPart.ESTIMATED_DELIVERY),
        column(LinePart.QUANTITY),
        column(LinePart.UNIT_PRICE),
    )
    (sheet,) = await sheets(world.context(), *columns)
    header, row = sheet.iter_rows()
    assert [cell.value for cell in header] == [one.name for one in columns]
    assert [cell.value for cell in row] == [
        *("ord_789", 299.97, datetime(2026, 6, 2, 10, 30), 1, "paid", None, None, None, 3, 99.99),
    ]
    assert [cell.data_type for cell in row] == list("sndnsnnnnn")
    assert row[1].number_format == "0.00"
    assert row[2].number_format == "yyyy-mm-dd hh:mm:ss"


async def test_a_text_is_never_a_formula_or_a_link(world: World) -> None:
    texts = [*FORMULAS, *PLAIN, "http://x.example/", "mailto:x@example.com", "internal:Sheet1!A1"]
    orders = [PlacedOrder(id=n, at=AT, notes=text) for n, text in enumerate(texts, 1)]
    await write(world, orders)
    (sheet,) = await sheets(world.context(), ID, NOTES)
    for row, text in zip(sheet.iter_rows(min_row=2), texts, strict=True):
        cell = row[1]
        assert cell.hyperlink is None
        assert cell.data_type == ("s" if text else "n")
        assert unescape(cell.value or "").replace("\r\n", "\n") == (
            text[:32_767].replace("\r\n", "\n")
        )


async def test_of_no_orders_there_is_the_header(world: World) -> None:
    (sheet,) = await sheets(world.context(), ID, NOTES)
    assert values(sheet)[0] == ["id", "notes"]
    assert sheet["A2"].value is None


async def test_what_is_asked_for_is_what_comes_with_a_row_per_line(world: World) -> None:
    orders = some_orders(2_500, seed=2)
    await write(world, orders)
    (sheet,) = await sheets(
        world.context(), ID, column(LinePart.QUANTITY), criteria=with_words(["shipped"])
    )
    in_order = sorted(orders, key=lambda order: (order.at, order.id))
    assert values(sheet)[1:] == [
        [f"ord_{order.id}", line.quantity]
        for order in in_order
        if order.word is Word.SHIPPED
        for line in order.lines
    ]


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, [0]), (1, [1]), (3, [3]), (4, [3, 1]), (9, [3, 3, 3])]
)
def test_a_further_sheet_takes_what_no_longer_fits(
    tmp_path: Path, count: int, sizes: list[int]
) -> None:
    path = tmp_path / "orders.xlsx"
    rows = ([f"ord_{n}", 10.5] for n in range(count))
    columns = [ID, column(OrderPart.TOTAL)]
    write_workbook(path, columns, rows, row_count=count, minor_digits=2, sheet_rows=3)
    book = openpyxl.load_workbook(path)
    assert [sheet.title for sheet in book] == ["Orders", "Orders 2", "Orders 3"][: len(sizes)]
    told: list[list[Any]] = []
    for sheet, size in zip(book, sizes, strict=True):
        header, *body = values(sheet)
        assert header == ["id", "total"]
        told += body[:size]
    assert told == [[f"ord_{n}", 10.5] for n in range(count)]


async def test_memory_does_not_grow_with_the_number_of_orders(world: World) -> None:
    await many(world, 8_000, 4_000)
    before, most = resident(), 0
    writing = asyncio.ensure_future(export_excel(world.context(), Export(columns=(ID, NOTES))))
    while not writing.done():
        most = max(most, resident())
        await asyncio.sleep(0.01)
    (await writing).unlink()
    assert most - before < 24 * MIB


async def test_the_loop_goes_on_while_a_workbook_is_written(world: World) -> None:
    await many(world, 16_000)
    writing = asyncio.ensure_future(export_excel(world.context(), Export(columns=(ID, NOTES))))
    looks = 0
    while not writing.done():
        await asyncio.sleep(0.001)
        looks += 1
    (await writing).unlink()
    assert looks > 10


async def test_nothing_is_left_of_a_workbook_that_nobody_waits_for(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, left = threading.Event(), threading.Event()

    def slowly(_path: Path, _columns: object, rows: Iterator[object], **_: object) -> None:
        for _row in rows:
            begun.set()
            left.wait(60)

    await many(world, 8_000)
    monkeypatch.setattr(export_orders, "write_workbook", slowly)
    writing = asyncio.ensure_future(export_excel(world.context(), Export(columns=(ID, NOTES))))
    await asyncio.to_thread(begun.wait)
    writing.cancel()
    left.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert left_in(folder) == []
    async with asyncio.timeout(60):
        while len(set(world.database.connections())) > 1:
            await asyncio.sleep(0.01)


async def test_nothing_is_left_of_a_workbook_that_fails(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    await write(world, [PlacedOrder(id=1, at=AT)])
    monkeypatch.setattr(export_orders, "write_workbook", no_room)
    with pytest.raises(OSError, match="no space left"):
        await export_excel(world.context(), Export(columns=(ID,)))
    assert left_in(folder) == []
