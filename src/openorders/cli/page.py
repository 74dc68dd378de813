"""The page of commands in the documentation, made from their own help."""

import io
from pathlib import Path
from typing import Final

from rich.console import Console

from openorders.cli.program import complete

WIDTH: Final = 96
PAGE: Final = Path("docs/cli.md")

COMMANDS: Final = (
    "serve",
    "worker",
    "store create",
    "store list",
    "store show",
    "store apply",
    "key create",
    "key list",
    "key revoke",
    "catalog import",
    "verify",
    "db migrate",
    "db status",
    "db url",
    "settings",
)

_HEAD: Final = """\
# The command line

One program, `openorders`. In a clone it is `.venv/bin/openorders`.

Every command but `settings` works on a database: the embedded one of a data folder
(`--data-dir`, by default the one that `serve` uses), or one of your own (`--database-url`). It
works beside a running server on the same folder, and without one: then the database is started
for as long as the command runs. A new embedded database gets its tables on the way; one of your
own gets them from `openorders db migrate`, or from a server's start.

What a command was asked for goes to standard output, everything else to standard error. The exit
code is 0 when it was done, 1 when it was not (with a sentence that says why), 2 when the command
line itself makes no sense, 130 when it was ended by Ctrl-C or SIGTERM. Listings print a table, or
JSON with `--json`.

This page is written by `python -m openorders.cli.page`; a test keeps it current.
"""


def as_markdown() -> str:
    """The whole page."""
    parts = [_HEAD]
    for command in COMMANDS:
        parts += [f"\n## {command}\n", f"```text\n{_help(command)}\n```\n"]
    return "\n".join(parts)


def _help(command: str) -> str:
    out = io.StringIO()
    complete().help_print(command.split(), console=Console(file=out, width=WIDTH, no_color=True))
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


if __name__ == "__main__":
    PAGE.write_text(as_markdown(), encoding="utf-8")
