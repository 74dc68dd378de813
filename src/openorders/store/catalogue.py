"""A catalogue file's rows into products, variants and stock: loaded together, checked together,
written in a handful of statements however many there are. One transaction, given by the caller.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import IntFlag
from typing import Final

from msgspec import Struct

from openorders.domain.ids import ProductId, StoreId, VariantId
from openorders.store import queries
from openorders.store.database import Connection

_Q = queries.load("catalogue")
_COLUMNS: Final = (
    "store_id",
    "line",
    "product_id",
    "product_name",
    "variant_id",
    "variant_name",
    "sku",
    "price",
    "on_hand",
    "available",
    "image",
    "given",
)


class Given(IntFlag):
    """The optional columns that a row has. One it does not have stays as it was."""

    VARIANT_NAME = 1
    SKU = 2
    IMAGE = 4
    AVAILABLE = 8
    STOCK = 16


class CatalogueRow(Struct, frozen=True, kw_only=True):
    """One variant as a file has it. `price` in minor units; `on_hand` None: not counted."""

    line: int
    product_id: ProductId
    product_name: str
    variant_id: VariantId | None
    variant_name: str | None
    sku: str | None
    price: int
    on_hand: int | None
    available: bool
    image: str | None
    given: Given


class RowProblem(Struct, frozen=True):
    """What is wrong with a row."""

    line: int
    what: str


class Promise(Struct, frozen=True):
    """So many units of a variant that an order holds."""

    order_id: int
    variant_id: int
    quantity: int


class Written(Struct, frozen=True, kw_only=True):
    """What writing the rows came to."""

    products_added: int
    products_changed: int
    variants_added: int
    variants_changed: int
    stock_changed: int


async def take_turn(connection: Connection, store_id: StoreId) -> None:
    """Wait until no other file is being written into this store."""
    await _Q.take_turn.execute(connection, store_id=store_id)


async def load(connection: Connection, store_id: StoreId, rows: Sequence[CatalogueRow]) -> None:
    """Add rows to those that are to be written."""
    await connection.copy_records_to_table(
        "catalogue_rows", records=_records(store_id, rows), columns=_COLUMNS
    )


async def complete(connection: Connection, store_id: StoreId) -> None:
    """All rows are there."""
    await _Q.name_variants.execute(connection, store_id=store_id)
    await _Q.index_rows.execute(connection)


async def row_problems(connection: Connection, store_id: StoreId, limit: int) -> list[RowProblem]:
    """Rows that contradict each other or the catalogue as it is."""
    rows = await _Q.row_problems.fetch(connection, store_id=store_id, limit=limit)
    return [RowProblem(row["line"], row["what"]) for row in rows]


async def hold_stock(connection: Connection, store_id: StoreId) -> tuple[Promise, ...]:
    """Hold the stock of the file's variants until the transaction ends.

    Gives back what orders were promised of variants that begin to be counted now.
    """
    if not await _Q.counts_open_lines.fetchval(connection, store_id=store_id):
        await _Q.lock_stock.fetch(connection, store_id=store_id)
        return ()
    await _Q.hold_stock_still.execute(connection)
    rows = await _Q.promised.fetch(connection, store_id=store_id)
    return tuple(Promise(row["order_id"], row["variant_id"], row["quantity"]) for row in rows)


async def stock_problems(
    connection: Connection, store_id: StoreId, promises: Sequence[Promise], limit: int
) -> list[RowProblem]:
    """Rows that say there is less than orders hold."""
    rows = await _Q.stock_problems.fetch(
        connection,
        store_id=store_id,
        variant_ids=[promise.variant_id for promise in promises],
        quantities=[promise.quantity for promise in promises],
        stock_bit=int(Given.STOCK),
        limit=limit,
    )
    return [
        RowProblem(
            row["line"],
            f"stock: {row['held']} are reserved by orders, and only "
            f"{row['on_hand']} would be there",
        )
        if row["on_hand"] is not None
        else RowProblem(
            row["line"], f"stock: {row['held']} are reserved by orders, so it has to be counted"
        )
        for row in rows
    ]


async def write(
    connection: Connection, store_id: StoreId, promises: Sequence[Promise], now: datetime
) -> Written:
    """Write the rows, which have no problems. What is so already is not touched."""
    products = await _Q.put_products.fetchrow(connection, store_id=store_id, now=now)
    variants = await _Q.put_variants.fetchrow(
        connection,
        store_id=store_id,
        now=now,
        name_bit=int(Given.VARIANT_NAME),
        sku_bit=int(Given.SKU),
        image_bit=int(Given.IMAGE),
        available_bit=int(Given.AVAILABLE),
    )
    assert products is not None, "counts always come"
    assert variants is not None, "counts always come"
    stock_changed = await _Q.put_stock.fetchval(
        connection,
        store_id=store_id,
        now=now,
        variant_ids=[promise.variant_id for promise in promises],
        quantities=[promise.quantity for promise in promises],
        stock_bit=int(Given.STOCK),
    )
    if promises:
        await _Q.reserve_promised.execute(
            connection,
            store_id=store_id,
            now=now,
            order_ids=[promise.order_id for promise in promises],
            variant_ids=[promise.variant_id for promise in promises],
            quantities=[promise.quantity for promise in promises],
        )
    await _Q.clear_rows.execute(connection, store_id=store_id)
    return Written(
        products_added=products["added"],
        products_changed=products["changed"],
        variants_added=variants["added"],
        variants_changed=variants["changed"],
        stock_changed=stock_changed,
    )


def _records(store_id: StoreId, rows: Sequence[CatalogueRow]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        yield (
            store_id,
            row.line,
            row.product_id,
            row.product_name,
            row.variant_id,
            row.variant_name,
            row.sku,
            row.price,
            row.on_hand,
            row.available,
            row.image,
            int(row.given),
        )


async def tell_the_planner(connection: Connection) -> None:
    """Have the planner know what a file has brought in."""
    await _Q.tell_the_planner.execute(connection)
