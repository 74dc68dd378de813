"""How commands show what they found: a table for people, JSON for programs."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeAlias

import msgspec
from cyclopts import Parameter

AsJson: TypeAlias = Annotated[
    bool, Parameter(name="--json", negative=(), help="Print JSON, for programs.")
]

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def as_json(value: object) -> None:
    """Print a value as JSON, two spaces deep; decimals keep their digits."""
    print(msgspec.json.format(_encoder.encode(value), indent=2).decode())


def as_table(rows: Sequence[Mapping[str, object]], columns: Sequence[str], nothing: str) -> None:
    """Print rows below each other; None and what is missing stays empty."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print(nothing)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row.get(column))) for column in columns))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 200)
    console.print(table)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
