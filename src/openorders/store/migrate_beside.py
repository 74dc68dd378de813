"""Build and drop indexes beside whoever reads and writes their tables.

PostgreSQL cannot do that inside a transaction, so it may be cut off anywhere: a half-built index
is left behind as invalid, and the next run drops it and builds it anew. Knows what such a file
may say, and nothing of why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, cast

import asyncpg
from msgspec import Struct

from openorders.store import queries
from openorders.store.queries import Connection

PATIENCE_S = 600
"""How long one wait lasts for transactions that began before. Nobody queues behind it, and a
build that gave up would have been for nothing."""

ATTEMPTS: Final = 6
"""How often one statement is begun after it lost a deadlock."""

_MARK = "-- concurrently: "
_COMMENT = re.compile(r"^\s*--[^\n]*\n?", re.MULTILINE)
_STEP = re.compile(
    r"""
      create \s+ (?:unique \s+)? index \s+ concurrently \s+ (?P<built>[a-z][a-z0-9_]*)
        \s+ on \s+ (?P<table>[a-z][a-z0-9_]*) \b .+
    | drop \s+ index \s+ concurrently \s+ (?P<dropped>[a-z][a-z0-9_]*)
    """,
    re.VERBOSE | re.DOTALL,
)
_SQL = queries.load("migrate")


class StepsError(Exception):
    """A file that cannot be run beside others; the message is the end of a sentence."""


class StillInUseError(Exception):
    """A transaction did not end in time; the message is a sentence that names the oldest."""


class Step(Struct, frozen=True, kw_only=True):
    """One statement. `table` is null for an index that is dropped."""

    index: str
    table: str | None
    sql: str

    @property
    def sql_at_once(self) -> str:
        """The same inside a transaction."""
        return self.sql.replace("concurrently ", "if exists " if self.table is None else "", 1)


def is_beside(text: str) -> bool:
    """Whether a file asks for it: its first line says why."""
    return text.startswith(_MARK)


def steps(text: str) -> tuple[Step, ...]:
    """The statements of a file; StepsError for one that does anything else with its tables."""
    found: list[Step] = []
    for piece in _COMMENT.sub("", text).split(";"):
        if not piece.strip():
            continue
        match = _STEP.fullmatch(piece.strip())
        if match is None:
            raise StepsError(
                f"{' '.join(piece.split())[:60]!r} neither creates nor drops an index concurrently"
            )
        index = match["built"] or match["dropped"]
        found.append(Step(index=index, table=match["table"], sql=piece.strip()))
    return tuple(found)


async def are_empty(connection: Connection, todo: Sequence[Step]) -> bool:
    """Whether no table concerned has a row, so that everything is done in no time at once; False
    also where an earlier run has left something behind.
    """
    return await _SQL.are_empty.fetchval(
        connection,
        tables=[step.table for step in todo if step.table is not None],
        built=[step.index for step in todo if step.table is not None],
        dropped=[step.index for step in todo if step.table is None],
    )


async def perform(
    connection: Connection, todo: Sequence[Step], report: Callable[[str], None] | None
) -> None:
    """Take each step that has not been taken. The connection's statements may run for any time.

    StillInUseError when a transaction that began before does not end.
    """
    await _SQL.limit_waits.execute(connection, lock_timeout=f"{PATIENCE_S}s", statement_timeout="0")
    for number, step in enumerate(todo, start=1):
        if report is not None:
            report(f"{'Dropping' if step.table is None else 'Building'} the index {step.index} "
                   f"({number} of {len(todo)}).")  # fmt: skip
        try:
            await _take(connection, step)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            raise StillInUseError(await _who_holds_up(connection)) from None


async def _take(connection: Connection, step: Step) -> None:
    """Take a step, again when it lost a deadlock: what that left is cleared away first."""
    for _ in range(ATTEMPTS - 1):
        with suppress(asyncpg.DeadlockDetectedError):
            await _try(connection, step)
            return
    await _try(connection, step)


async def _try(connection: Connection, step: Step) -> None:
    found = await _SQL.find_index.fetchrow(connection, name=step.index)
    if found is not None and (step.table is None or not found["is_valid"]):
        await connection.execute(cast("str", found["drop"]))
    if step.table is not None and (found is None or not found["is_valid"]):
        await connection.execute(step.sql)


async def _who_holds_up(connection: Connection) -> str:
    oldest = await _SQL.oldest_transaction.fetchrow(connection)
    if oldest is None:
        return "another transaction does not end"
    return (
        f"another transaction does not end; the oldest began at "
        f"{oldest['began']:%Y-%m-%d %H:%M:%S} UTC in process {oldest['pid']} of the database "
        f"({oldest['who'] or 'no name given'})"
    )
