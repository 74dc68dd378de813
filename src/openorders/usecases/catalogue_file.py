"""Reading a catalogue file, CSV or JSON, a row at a time: what it holds, and on which line.

Memory does not grow with the file. Knows nothing of what the columns mean.
"""

import csv
import itertools
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NoReturn, TextIO, cast

from msgspec import Struct
from msgspec.structs import replace

COLUMNS: Final = (
    "product_id",
    "product_name",
    "variant_id",
    "variant_name",
    "sku",
    "price",
    "currency",
    "stock",
    "available",
    "image",
)
REQUIRED: Final = ("product_id", "product_name", "price")

_CHUNK_CHARS: Final = 64 * 1024
_OBJECT_CHARS_MAX: Final = 256 * 1024
_BLANK: Final = " \t\r\n"


class CatalogueFileError(Exception):
    """The file as a whole cannot be read; the message names the line."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")


class FileRow(Struct, frozen=True):
    """A row as it stands in the file. Values are texts, in JSON also numbers and flags; a column
    that is not there is missing. `problem` is set where the row is no row; `entry` counts the
    rows of a list and is set where the line alone does not tell which row it is.
    """

    line: int
    values: dict[str, object]
    problem: str | None = None
    entry: int | None = None


def rows(stream: TextIO, *, as_json: bool) -> Iterator[FileRow]:
    """The rows of a file that is opened without newline translation.

    Raises `CatalogueFileError` for what makes all of it unreadable.
    """
    line = 1
    try:
        for row in _json_rows(stream) if as_json else _csv_rows(stream):
            line = row.line
            yield row
    except UnicodeDecodeError as error:
        raise CatalogueFileError(line, "from here on the file is not UTF-8 text") from error


def _csv_rows(stream: TextIO) -> Iterator[FileRow]:
    first = stream.readline()
    header = _header(first)
    reader = csv.reader(stream, delimiter=_delimiter(first), strict=True)
    line = 2
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise CatalogueFileError(line, f"not readable as CSV ({error})") from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _csv_row(line, header, cells)
        line = reader.line_num + 2


def _csv_row(line: int, header: list[str], cells: list[str]) -> FileRow:
    if len(cells) != len(header):
        problem = f"has {len(cells)} cells where the first line has {len(header)}"
        return FileRow(line, {}, problem)
    return FileRow(line, dict(zip(header, (cell.strip() for cell in cells), strict=True)))


def _delimiter(first: str) -> str:
    """A comma, or the semicolon that spreadsheets write where the comma divides decimals."""
    return ";" if ";" in first and "," not in first else ","


def _header(first: str) -> list[str]:
    try:
        cells = [*csv.reader([first], delimiter=_delimiter(first), strict=True)]
    except csv.Error as error:
        raise CatalogueFileError(1, f"not readable as CSV ({error})") from error
    names = [cell.strip().lower() for row in cells for cell in row]
    if not any(names):
        raise CatalogueFileError(1, f"must name the columns: {', '.join(COLUMNS)}")
    for name in names:
        if name not in COLUMNS:
            known = ", ".join(COLUMNS)
            raise CatalogueFileError(1, f"{name!r} is no column of a catalogue; there are {known}")
        if names.count(name) > 1:
            raise CatalogueFileError(1, f"names the column {name} twice")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise CatalogueFileError(1, f"lacks the column {missing[0]}")
    return names


def _json_rows(stream: TextIO) -> Iterator[FileRow]:
    text = _JsonText(stream)
    if text.peek() != "[":
        raise CatalogueFileError(text.line, "must be a list of objects: [{...}, ...]")
    text.skip()
    if text.peek() == "]":
        text.skip()
    else:
        before = 0
        for count in itertools.count(1):
            line = (text.peek(), text.line)[1]
            yield replace(_json_row(line, text.value()), entry=count if line == before else None)
            before = line
            after = text.peek()
            text.skip()
            if after == "]":
                break
            if after != ",":
                raise CatalogueFileError(text.line, "expected a comma or the end of the list")
    if text.peek():
        raise CatalogueFileError(text.line, "there is more after the end of the list")


def _json_row(line: int, value: object) -> FileRow:
    if not isinstance(value, dict):
        return FileRow(line, {}, "must be an object")
    values = cast("dict[str, object]", value)
    for name in values:
        if name not in COLUMNS:
            return FileRow(line, {}, f"{name!r} is no column of a catalogue")
    return FileRow(line, values)


class _JsonText:
    """JSON text that is read as far as it is needed, and knows its line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._buffer = ""
        self._at = 0
        self._ended = False
        self._decoder = json.JSONDecoder(
            parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once
        )
        self.line = 1

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            while self._at < len(self._buffer):
                if self._buffer[self._at] not in _BLANK:
                    return self._buffer[self._at]
                self._move(self._at + 1)
            if not self._more():
                return ""

    def skip(self) -> None:
        """Go past the character that was peeked at."""
        self._move(min(self._at + 1, len(self._buffer)))

    def value(self) -> object:
        """The value that begins here."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                too_long = len(self._buffer) - self._at > _OBJECT_CHARS_MAX
                if too_long or not self._more():
                    line = self.line + self._buffer.count("\n", self._at, error.pos)
                    raise CatalogueFileError(line, f"not valid JSON ({error.msg})") from error
            except (ValueError, RecursionError) as error:
                raise CatalogueFileError(self.line, f"not valid JSON ({error})") from error
            else:
                if end == len(self._buffer) and self._more():
                    continue  # a number may go on
                self._move(end)
                return value

    def _move(self, to: int) -> None:
        self.line += self._buffer.count("\n", self._at, to)
        self._at = to

    def _more(self) -> bool:
        if self._ended:
            return False
        chunk = self._stream.read(_CHUNK_CHARS)
        self._ended = not chunk
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return not self._ended


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("an object names a field twice")
    return fields


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
