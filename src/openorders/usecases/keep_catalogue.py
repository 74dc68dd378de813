"""Keep the catalogue: bring a store's products, variants and stock to what a file says.

All of a file or nothing: with one bad row nothing is changed, and the same file again changes
nothing. What the file does not mention stays.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from msgspec import Struct

from openorders.domain.store_settings import Store
from openorders.store import catalogue, stores
from openorders.store.catalogue import CatalogueRow, RowProblem, Written
from openorders.store.database import Connection
from openorders.usecases import catalogue_row
from openorders.usecases.catalogue_file import FileRow
from openorders.usecases.context import Services
from openorders.usecases.keep_stores import store_named

BATCH_ROWS: Final = 1000
PROBLEMS_MAX: Final = 1000
"""So many bad rows are named; of the others only the number is told."""


class Imported(Struct, frozen=True, kw_only=True):
    """What a file came to. `rows` is how many it has."""

    rows: int
    written: Written


class CatalogueRefusedError(Exception):
    """Rows are wrong, and nothing was changed. `more` counts the problems beyond those listed."""

    def __init__(self, problems: list[RowProblem], more: int) -> None:
        super().__init__(f"{len(problems) + more} problems")
        self.problems = problems
        self.more = more


async def import_catalogue(
    services: Services,
    store_name: str,
    rows: Iterable[FileRow],
    *,
    read: Callable[[int], None] | None = None,
) -> Imported:
    """Write a file's rows. `read` is told now and then how many rows were read.

    Raises `StoreUnknownError`, `CatalogueFileError` and `CatalogueRefusedError`.
    """
    async with services.database.transaction() as connection:
        named = await store_named(connection, store_name)
        await catalogue.take_turn(connection, named.id)
        # Read again: while its turn was awaited, the store may have got another currency.
        store = await stores.read(connection, named.id)
        assert store is not None, "a store is never deleted"
        problems = _Problems()
        count = await _load(connection, store, rows, problems, read)
        await catalogue.complete(connection, store.id)
        problems.add(await catalogue.row_problems(connection, store.id, PROBLEMS_MAX))
        promises = await catalogue.hold_stock(connection, store.id)
        problems.add(await catalogue.stock_problems(connection, store.id, promises, PROBLEMS_MAX))
        problems.raise_if_any()
        written = await catalogue.write(connection, store.id, promises, services.clock())
        await catalogue.tell_the_planner(connection)
    return Imported(rows=count, written=written)


async def _load(
    connection: Connection,
    store: Store,
    rows: Iterable[FileRow],
    problems: "_Problems",
    read: Callable[[int], None] | None,
) -> int:
    count = 0
    source = iter(rows)
    while batch := list(islice(source, BATCH_ROWS)):
        count += len(batch)
        await catalogue.load(connection, store.id, list(_good(batch, store, problems)))
        if read is not None:
            read(count)
    return count


def _good(batch: list[FileRow], store: Store, problems: "_Problems") -> Iterator[CatalogueRow]:
    for file_row in batch:
        row = catalogue_row.read(file_row, store)
        if isinstance(row, CatalogueRow):
            yield row
        else:
            problems.add(row)


class _Problems:
    """The first problems, and how many there were."""

    def __init__(self) -> None:
        self._kept: list[RowProblem] = []
        self._more = 0

    def add(self, found: list[RowProblem]) -> None:
        room = PROBLEMS_MAX - len(self._kept)
        self._kept += found[:room]
        self._more += max(0, len(found) - room)

    def raise_if_any(self) -> None:
        if self._kept:
            kept = sorted(self._kept, key=lambda problem: problem.line)
            raise CatalogueRefusedError(kept, self._more)
