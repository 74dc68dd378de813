"""Bring a database's tables to what this code expects: numbered files, forward only.

Each file of `migrations/` is applied once, in order, in a transaction of its own, by one process
at a time. One whose first line is `-- concurrently: why` only creates and drops indexes, and does
it beside whoever uses their tables, statement by statement: cut off anywhere, it goes on where it
was. Knows nothing of what the files say.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import asyncpg
from msgspec import Struct

from openorders.store import database, migrate_beside, queries
from openorders.store.migrate_beside import Step
from openorders.store.queries import Connection

MIGRATIONS = Path(__file__).parent / "migrations"

TURN_S = 300
"""How long to wait for another process that is migrating."""

LOCK_S = 5
"""How long one migration waits for tables in use before it lets the others go first."""

ATTEMPTS = 6

_NAME = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_PAUSE_S = 1
_TURN_PAUSE_S = 0.2
_SQL = queries.load("migrate")


class MigrationError(Exception):
    """Files and database do not fit together; the message is a sentence for the operator."""


class Migration(Struct, frozen=True, kw_only=True):
    number: int
    name: str
    sql: str
    checksum: str
    beside: tuple[Step, ...] = ()
    """What it does beside others instead, where its tables have rows."""

    def __str__(self) -> str:
        return f"{self.number:04} {self.name.replace('_', ' ')}"


def discover(folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """The migrations of a folder, in order; MigrationError for a gap, a twin or an odd name."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name} is not named like 0001_first_tables.sql.")
        text = path.read_text(encoding="utf-8")
        number = int(match["number"])
        if number != len(found) + 1:
            raise MigrationError(f"Migration {len(found) + 1:04} is missing, or there twice.")
        found.append(_read(number, match["name"], text))
    return tuple(found)


def _read(number: int, name: str, text: str) -> Migration:
    checksum = hashlib.sha256(text.encode()).hexdigest()
    if not migrate_beside.is_beside(text):
        return Migration(number=number, name=name, sql=text, checksum=checksum)
    try:
        beside = migrate_beside.steps(text)
    except migrate_beside.StepsError as error:
        raise MigrationError(
            f"Migration {number:04} is to run beside others, but {error}."
        ) from None
    at_once = "".join(f"{step.sql_at_once};\n" for step in beside)
    return Migration(number=number, name=name, sql=at_once, checksum=checksum, beside=beside)


async def pending(connection: Connection, folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """What is still to be applied.

    MigrationError when the database is newer than this code, or when a file was edited after it
    had been applied.
    """
    return _pending(discover(folder), await _applied(connection))


async def migrate(
    url: str, folder: Path = MIGRATIONS, *, report: Callable[[str], None] | None = None
) -> tuple[Migration, ...]:
    """Apply what is pending and answer what that was; safe from many processes at once.

    MigrationError as for `pending`, and when tables stay in use for too long.
    """
    async with database.connected(url) as connection:
        if not await pending(connection, folder):
            return ()
        await _take_turn(connection)
        await _SQL.create_record.execute(connection)
        todo = await pending(connection, folder)
        for migration in todo:
            if report is not None:
                report(f"Migrating the database: {migration}.")
            if migration.beside and not await migrate_beside.are_empty(
                connection, migration.beside
            ):
                await _apply_beside(connection, migration, report)
            else:
                await _apply_patiently(connection, migration)
        return todo


async def _applied(connection: Connection) -> list[asyncpg.Record]:
    if not await _SQL.has_record.fetchval(connection):
        return []
    return await _SQL.applied.fetch(connection)


def _pending(
    known: Sequence[Migration], applied: Sequence[asyncpg.Record]
) -> tuple[Migration, ...]:
    if len(applied) > len(known):
        raise MigrationError(
            f"The database was migrated to {applied[-1]['number']:04} by a newer openorders; this "
            f"one knows {len(known):04}. Start a version at least as new."
        )
    for migration, record in zip(known, applied, strict=False):
        if (migration.number, migration.checksum) != (record["number"], record["checksum"]):
            raise MigrationError(
                f"Migration {migration} was edited after it had been applied to this database. "
                "Restore the file, and put the change into a new one."
            )
    return tuple(known[len(applied) :])


async def _take_turn(connection: Connection) -> None:
    until = time.monotonic() + TURN_S
    while not await _SQL.try_lock.fetchval(connection):  # let go when the connection ends
        if time.monotonic() >= until:
            raise MigrationError(
                f"Another process has been migrating this database for {TURN_S} s."
            )
        await asyncio.sleep(_TURN_PAUSE_S)
    await _limit_waits(connection, seconds=LOCK_S)


async def _limit_waits(connection: Connection, *, seconds: int) -> None:
    await _SQL.limit_waits.execute(connection, lock_timeout=f"{seconds}s", statement_timeout="0")


async def _apply_patiently(connection: Connection, migration: Migration) -> None:
    """Apply one migration, again after a pause when tables are in use: nobody queues behind it."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await _apply(connection, migration)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(_PAUSE_S)
    try:
        await _apply(connection, migration)
    except asyncpg.LockNotAvailableError:
        raise MigrationError(
            f"Migration {migration} could not be applied: tables are in use by a transaction that "
            "does not end. Try again when it has."
        ) from None


async def _apply_beside(
    connection: Connection, migration: Migration, report: Callable[[str], None] | None
) -> None:
    try:
        await migrate_beside.perform(connection, migration.beside, report)
    except migrate_beside.StillInUseError as error:
        raise MigrationError(
            f"Migration {migration} could not be finished: {error}. Try again when it has ended; "
            "what is built stays."
        ) from None
    await _limit_waits(connection, seconds=LOCK_S)
    await _record(connection, migration)


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await _record(connection, migration)


async def _record(connection: Connection, migration: Migration) -> None:
    await _SQL.record.execute(
        connection, number=migration.number, name=migration.name, checksum=migration.checksum
    )
