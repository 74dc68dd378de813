"""`openorders catalog`: what a store sells, from a file."""

import io
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final, Self

from cyclopts import App, Parameter

from openorders.cli.failing import CommandFailed
from openorders.cli.showing import AsJson, as_json
from openorders.cli.store import problems_named
from openorders.cli.working import HERE, Where, run

if TYPE_CHECKING:
    from openorders.usecases.context import Services
    from openorders.usecases.keep_catalogue import CatalogueRefusedError, Imported

app: Final = App(name="catalog", help="Bring a store's products, prices and stock up to date.")


@app.command(name="import")
def import_(
    file: Annotated[Path, Parameter(help="A .csv or .json file.")],
    /,
    *,
    store: Annotated[str, Parameter(help="The store that sells it.")],
    json: AsJson = False,
    where: Where = HERE,
) -> None:
    """Import a catalogue, whole or not at all.

    Columns of a CSV file, or fields of a JSON list of objects: `product_id`, `product_name`,
    `price` (needed), `variant_id`, `variant_name`, `sku`, `currency`, `stock`, `available`,
    `image`. Ids are bare numbers. A product's first variant is its default one; without a
    `variant_id` a row means just that. `stock` is what is on hand now; empty means that the
    variant is not counted.

    Every bad row is named with its line, and then nothing is changed. The same file again changes
    nothing; what a file does not mention stays.
    """
    from openorders.usecases import catalogue_file
    from openorders.usecases.catalogue_file import CatalogueFileError
    from openorders.usecases.keep_catalogue import CatalogueRefusedError, import_catalogue

    is_json = _is_json(file)

    async def work(services: "Services") -> "Imported":
        with problems_named(), _opened(file) as raw, _Bar(raw, file) as bar:
            text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
            rows = catalogue_file.rows(text, as_json=is_json)
            return await import_catalogue(services, store, rows, read=bar.read)

    try:
        imported = run(where, work)
    except CatalogueFileError as error:
        raise CommandFailed(f"{file}, {error}. Nothing was changed.") from error
    except CatalogueRefusedError as error:
        raise CommandFailed(_listed(file, error)) from error
    if json:
        as_json(imported)
    else:
        print(_summary(imported))


def _is_json(file: Path) -> bool:
    if file.suffix.lower() not in (".csv", ".json"):
        raise CommandFailed(f"{file} is neither a .csv nor a .json file.", code=2)
    return file.suffix.lower() == ".json"


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.") from error


def _listed(file: Path, error: "CatalogueRefusedError") -> str:
    lines = [f"  line {problem.line}: {problem.what}" for problem in error.problems]
    if error.more:
        lines.append(f"  and {error.more} more.")
    return "\n".join((f"nothing was changed; {file} has problems:", *lines))


def _summary(imported: "Imported") -> str:
    written = imported.written
    products = f"{written.products_added} new and {written.products_changed} changed products"
    variants = f"{written.variants_added} new and {written.variants_changed} changed variants"
    return (
        f"{imported.rows} rows: {products}, {variants}, "
        f"and the stock of {written.stock_changed} variants."
    )


class _Bar:
    """How far a file has been read: a bar on a terminal, else a line now and then."""

    LINE_EVERY_S: Final = 2.0

    def __init__(self, raw: BinaryIO, file: Path) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        self._raw = raw
        self._size = file.stat().st_size
        self._said_at = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]} rows"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("Reading", total=self._size, rows=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def read(self, rows: int) -> None:
        """So many rows were read."""
        done = self._raw.tell()
        doing = "Reading" if done < self._size else "Checking and writing"
        self._bar.update(self._task, completed=done, rows=rows, description=doing)
        now = time.monotonic()
        if self._bar.disable and now - self._said_at >= self.LINE_EVERY_S:
            self._said_at = now
            print(f"{rows} rows, {done * 100 // max(1, self._size)} %", file=sys.stderr)
