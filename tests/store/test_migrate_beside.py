"""Migrations beside whoever uses their tables: nobody waits for them, and cut off anywhere they
go on where they were.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from openorders.store import migrate, migrate_beside
from openorders.store.database import Connection, connected
from openorders.store.migrate import MigrationError, discover

BESIDE = """-- concurrently: the table is in use
-- Two comments; one has a semicolon.
create index concurrently first_by_n on first (n, m)
    where m > 0;
create unique index concurrently first_by_m on first (m);
drop index concurrently first_by_hand;
"""
PROGRAM = """
import asyncio, pathlib, sys
from openorders.store import migrate
asyncio.run(migrate.migrate(sys.argv[1], pathlib.Path(sys.argv[2])))
"""


@pytest.fixture
async def url(empty_database_url: str, tmp_path: Path) -> str:
    """A database with a filled table, and a folder with a migration beside others to come."""
    (tmp_path / "0001_first.sql").write_text(
        "create table first (n int, m int); create index first_by_hand on first (m);"
    )
    await migrate.migrate(empty_database_url, tmp_path)
    async with connected(empty_database_url) as connection:
        await connection.execute("insert into first select n, n from generate_series(1, 100) n")
    (tmp_path / "0002_beside.sql").write_text(BESIDE)
    return empty_database_url


@asynccontextmanager
async def written(url: str) -> AsyncIterator[None]:
    """A transaction that has written to the table and does not end."""
    async with connected(url) as connection, connection.transaction():
        await connection.execute("update first set n = 1000 where n = 1")
        yield


async def ask(url: str, query: str, *values: object) -> list[object]:
    async with connected(url) as connection:
        return [row[0] for row in await connection.fetch(query, *values)]


async def indexes(url: str, *, valid: bool = True) -> list[object]:
    return await ask(
        url,
        "select indexrelid::regclass::text from pg_index"
        " where indrelid = to_regclass('first') and indisvalid = $1 order by 1",
        valid,
    )


async def until(url: str, query: str) -> None:
    """Wait until a query finds something."""
    async with asyncio.timeout(60):
        while not await ask(url, query):
            await asyncio.sleep(0.02)


def waits_for(index: str) -> str:
    return (
        "select pid from pg_stat_activity where datname = current_database() and pid <>"
        f" pg_backend_pid() and query ~ '^create.* {index} ' and wait_event = 'virtualxid'"
    )


async def test_an_index_is_built_while_rows_are_written(url: str, tmp_path: Path) -> None:
    said: list[str] = []
    async with written(url):
        building = asyncio.create_task(migrate.migrate(url, tmp_path, report=said.append))
        await until(url, waits_for("first_by_n"))
        async with connected(url, statement_s=5) as writer:
            await writer.execute("insert into first values (101, 101)")
        assert not building.done()
    assert [str(one) for one in await building] == ["0002 beside"]
    assert said == [
        "Migrating the database: 0002 beside.",
        "Building the index first_by_n (1 of 3).",
        "Building the index first_by_m (2 of 3).",
        "Dropping the index first_by_hand (3 of 3).",
    ]
    assert await indexes(url) == ["first_by_m", "first_by_n"]
    assert await migrate.migrate(url, tmp_path) == ()


async def test_tables_without_rows_are_done_at_once(
    empty_database_url: str, tmp_path: Path
) -> None:
    said: list[str] = []
    (tmp_path / "0001_first.sql").write_text(
        "create table first (n int, m int); create index first_by_hand on first (m);"
    )
    (tmp_path / "0002_beside.sql").write_text(BESIDE)
    await migrate.migrate(empty_database_url, tmp_path, report=said.append)
    assert len(said) == 2
    assert await indexes(empty_database_url) == ["first_by_m", "first_by_n"]


async def test_other_processes_wait_their_turn_and_hold_nothing_up(
    url: str, tmp_path: Path
) -> None:
    async with written(url):
        started = [asyncio.create_task(migrate.migrate(url, tmp_path)) for _ in range(4)]
        await until(url, waits_for("first_by_n"))
        await asyncio.sleep(0.3)  # the others are asking for their turn meanwhile
    assert sorted(len(one) for one in await asyncio.gather(*started)) == [0, 0, 0, 1]


async def end_the_backend(connection: Connection, pid: int) -> None:
    await connection.execute("select pg_terminate_backend($1)", pid)


async def cancel_the_statement(connection: Connection, pid: int) -> None:
    await connection.execute("select pg_cancel_backend($1)", pid)


@pytest.mark.parametrize("index", ["first_by_n", "first_by_m"])
@pytest.mark.parametrize("cut_off", [end_the_backend, cancel_the_statement])
async def test_what_was_cut_off_goes_on_where_it_was(
    url: str,
    tmp_path: Path,
    index: str,
    cut_off: Callable[[Connection, int], Awaitable[None]],
) -> None:
    if index == "first_by_m":  # the one before it is built already
        async with connected(url) as connection:
            await connection.execute("create index first_by_n on first (n, m) where m > 0")
    async with written(url):
        building = asyncio.create_task(migrate.migrate(url, tmp_path))
        await until(url, waits_for(index))
        async with connected(url) as connection:
            pid = await connection.fetchval(waits_for(index))
            await cut_off(connection, pid)
        with pytest.raises(Exception, match=r"terminat|closed|cancel"):
            await building
        assert await indexes(url, valid=False) == [index]
        assert await ask(url, "select max(number) from schema_migrations") == [1]
    said: list[str] = []
    assert len(await migrate.migrate(url, tmp_path, report=said.append)) == 1
    assert await indexes(url) == ["first_by_m", "first_by_n"]
    assert await indexes(url, valid=False) == []


async def test_a_process_that_is_killed_leaves_the_rest_to_the_next_one(
    url: str, tmp_path: Path
) -> None:
    async with written(url):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, url, str(tmp_path)
        )
        await until(url, waits_for("first_by_n"))
        process.kill()
        await process.wait()
        next_one = asyncio.create_task(migrate.migrate(url, tmp_path))
        await asyncio.sleep(0.3)
        assert not next_one.done()
    assert len(await next_one) == 1
    assert await indexes(url) == ["first_by_m", "first_by_n"]


async def test_a_transaction_that_does_not_end_is_named(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate_beside, "PATIENCE_S", 1)
    async with written(url):
        with pytest.raises(
            MigrationError,
            match=r"0002 beside could not be finished: .* began at .* \(openorders\)\. Try again",
        ):
            await migrate.migrate(url, tmp_path)
        assert await ask(url, "select max(number) from schema_migrations") == [1]
    assert len(await migrate.migrate(url, tmp_path)) == 1
    assert await indexes(url) == ["first_by_m", "first_by_n"]


async def test_a_failure_of_the_index_itself_records_nothing(url: str, tmp_path: Path) -> None:
    async with connected(url) as connection:
        await connection.execute("insert into first values (101, 100)")
    with pytest.raises(Exception, match="could not create unique index"):
        await migrate.migrate(url, tmp_path)
    async with connected(url) as connection:
        await connection.execute("delete from first where n = 101")
    assert len(await migrate.migrate(url, tmp_path)) == 1
    assert await indexes(url) == ["first_by_m", "first_by_n"]


@pytest.mark.parametrize(
    "statement",
    [
        "create index first_by_n on first (n)",
        "alter table first add column late int",
        "create index concurrently on first (n)",
        "update first set n = 1",
    ],
)
def test_a_file_that_does_anything_else_beside_others_is_refused(
    tmp_path: Path, statement: str
) -> None:
    (tmp_path / "0001_beside.sql").write_text(f"-- concurrently: to be quick\n{statement};")
    with pytest.raises(MigrationError, match="0001 is to run beside others, but '"):
        discover(tmp_path)
