"""Named SQL statements, read from the `.sql` files of this package once.

A file holds statements that each begin with `-- name: place_order`, then comment lines that say
what it answers and which index serves it, then the statement, its parameters written `:name`.
Knows nothing of what the statements say; the typed module beside each file does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
from msgspec import Struct

if TYPE_CHECKING:
    from asyncpg.cursor import CursorFactory

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
"""What statements run on."""

HERE = Path(__file__).parent

_HEAD = re.compile(r"^-- name:[ \t]*(?P<name>.*?)[ \t]*$", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NOTE = re.compile(r"(?:\s*--[^\n]*\n)*")
_PIECES = re.compile(
    r"""
    (?=[-/eE'"$:;])  # what any of them begins with: most characters are none, and quickly passed by
    (?:
      (?P<text> --[^\n]*
              | /\*.*?\*/
              | (?<![\w$])[eE]'(?:[^'\\]|''|\\.)*'
              | '(?:[^']|'')*'
              | "(?:[^"]|"")*"
              | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)
              | ::
              | :=
      )
    | :(?P<parameter>[a-z_][a-z0-9_]*)
    | (?P<refused>\$\d+|;)
    )
    """,
    re.VERBOSE | re.DOTALL,
)


class QueryFileError(Exception):
    """A `.sql` file that breaks the rules above; the message names the file and the statement."""


class Statement(Struct, frozen=True):
    """One statement. Its methods are the driver's, with parameters given by name."""

    name: str
    sql: str
    """As PostgreSQL takes it, with `$1`, `$2`, … for the parameters."""
    parameters: tuple[str, ...]
    """Their names in the order of their numbers, each once."""
    note: str
    """The sentences above the statement."""

    async def execute(self, connection: Connection, **values: object) -> str:
        """Run for the effect; answers PostgreSQL's status, like `UPDATE 1`."""
        return await connection.execute(self.sql, *self.arguments(values))

    async def fetch(self, connection: Connection, **values: object) -> list[asyncpg.Record]:
        return await connection.fetch(self.sql, *self.arguments(values))

    async def fetchrow(self, connection: Connection, **values: object) -> asyncpg.Record | None:
        return await connection.fetchrow(self.sql, *self.arguments(values))

    async def fetchval(self, connection: Connection, **values: object) -> Any:  # noqa: ANN401 - the caller knows the column
        return await connection.fetchval(self.sql, *self.arguments(values))

    async def executemany(
        self, connection: Connection, rows: Iterable[Mapping[str, object]]
    ) -> None:
        """Run once per row, sent together and committed together."""
        await connection.executemany(self.sql, [self.arguments(row) for row in rows])

    def cursor(
        self, connection: Connection, *, prefetch: int, **values: object
    ) -> CursorFactory[asyncpg.Record]:
        """Rows as an asynchronous iterator, `prefetch` at a time; inside a transaction only."""
        return connection.cursor(self.sql, *self.arguments(values), prefetch=prefetch)

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """The values in the statement's order; TypeError unless they are exactly its parameters."""
        try:
            ordered = [values[name] for name in self.parameters]
        except KeyError:
            ordered = []
        if len(ordered) != len(values) or len(ordered) != len(self.parameters):
            missing = sorted(set(self.parameters) - set(values))
            unknown = sorted(set(values) - set(self.parameters))
            raise TypeError(f"statement {self.name}: missing {missing}, unknown {unknown}")
        return ordered


class Queries:
    """The statements of one file, each an attribute of its name."""

    def __init__(self, path: Path, statements: Mapping[str, Statement]) -> None:
        self._path = path
        self._statements = statements

    def __getattr__(self, name: str) -> Statement:
        try:
            return self._statements[name]
        except KeyError:
            raise AttributeError(
                f"{self._path.name} has no statement {name}; it has {', '.join(self._statements)}"
            ) from None

    def __iter__(self) -> Iterator[Statement]:
        return iter(self._statements.values())


@cache
def load(name: str, folder: Path = HERE) -> Queries:
    """Read `<name>.sql`; raises QueryFileError for what cannot be meant."""
    path = folder / f"{name}.sql"
    text = path.read_text(encoding="utf-8")
    heads = list(_HEAD.finditer(text))
    preamble = text[: heads[0].start()] if heads else text
    if not heads or _NOTE.sub("", preamble, count=1).strip():
        raise QueryFileError(f"{path.name}: a statement stands before the first `-- name:` line")
    statements: dict[str, Statement] = {}
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        body = text[head.end() + 1 : after.start() if after else len(text)]
        statement = _statement(path, head["name"], body)
        if statement.name in statements:
            raise QueryFileError(f"{path.name}: {statement.name} is there twice")
        statements[statement.name] = statement
    return Queries(path, statements)


def load_all(folder: Path = HERE) -> dict[str, Queries]:
    """Every `.sql` file of the folder, by its name without the ending."""
    return {path.stem: load(path.stem, folder) for path in sorted(folder.glob("*.sql"))}


def _statement(path: Path, name: str, body: str) -> Statement:
    if not _NAME.fullmatch(name) or hasattr(Queries, name):
        raise QueryFileError(f"{path.name}: {name!r} cannot be a statement's name")
    noted = _NOTE.match(body)
    note = noted.group(0) if noted else ""
    text = body[len(note) :].strip().removesuffix(";").rstrip()
    if not text:
        raise QueryFileError(f"{path.name}: {name} is empty")
    sentences = " ".join(line.strip().removeprefix("--").strip() for line in note.splitlines())
    sql, parameters = _numbered(path, name, text)
    return Statement(name=name, sql=sql, parameters=parameters, note=sentences.strip())


def _numbered(path: Path, name: str, text: str) -> tuple[str, tuple[str, ...]]:
    """Replace `:name` by `$n`, outside of literals, quoted names, comments and casts."""
    numbers: dict[str, int] = {}

    def replaced(piece: re.Match[str]) -> str:
        if piece["refused"]:
            what = "two statements" if piece["refused"] == ";" else "a numbered parameter"
            raise QueryFileError(f"{path.name}: {name} holds {what}")
        if piece["parameter"]:
            return f"${numbers.setdefault(piece['parameter'], len(numbers) + 1)}"
        return piece["text"]

    return _PIECES.sub(replaced, text), tuple(numbers)
