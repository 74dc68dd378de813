"""Migrations: in order, once, by one process at a time, and never over an edited past."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from openorders.store import migrate
from openorders.store.database import connected
from openorders.store.migrate import MigrationError, discover, pending

FIRST = "create table first (n int);"
SECOND = "alter table first add column m int; create table second (n int);"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text(FIRST)
    (tmp_path / "0002_and_second.sql").write_text(SECOND)
    return tmp_path


async def tables(url: str) -> list[str]:
    async with connected(url) as connection:
        rows = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' order by tablename"
        )
    return [row["tablename"] for row in rows]


async def test_all_files_are_applied_in_order_and_only_once(
    empty_database_url: str, folder: Path
) -> None:
    said: list[str] = []
    applied = await migrate.migrate(empty_database_url, folder, report=said.append)
    assert [migration.number for migration in applied] == [1, 2]
    assert said == [
        "Migrating the database: 0001 first.",
        "Migrating the database: 0002 and second.",
    ]
    assert await tables(empty_database_url) == ["first", "schema_migrations", "second"]
    assert await migrate.migrate(empty_database_url, folder) == ()


async def test_what_is_pending_can_be_asked_without_changing_anything(
    empty_database_url: str, folder: Path
) -> None:
    async with connected(empty_database_url) as connection:
        assert [m.number for m in await pending(connection, folder)] == [1, 2]
    assert await tables(empty_database_url) == []


async def test_a_new_file_is_applied_to_a_filled_database(
    empty_database_url: str, folder: Path
) -> None:
    await migrate.migrate(empty_database_url, folder)
    async with connected(empty_database_url) as connection:
        await connection.execute("insert into first values (1, 2)")
    (folder / "0003_sum.sql").write_text(
        "alter table first add column total int; update first set total = n + m;"
    )
    assert [m.number for m in await migrate.migrate(empty_database_url, folder)] == [3]
    async with connected(empty_database_url) as connection:
        assert await connection.fetchval("select total from first") == 3


async def test_servers_that_start_at_once_migrate_once(
    empty_database_url: str, folder: Path
) -> None:
    (folder / "0003_slow.sql").write_text("select pg_sleep(0.3); create table third ();")
    applied = await asyncio.gather(*(migrate.migrate(empty_database_url, folder) for _ in range(6)))
    assert sorted(len(one) for one in applied) == [0, 0, 0, 0, 0, 3]


async def test_a_file_that_fails_leaves_nothing_of_itself_and_all_before_it(
    empty_database_url: str, folder: Path
) -> None:
    (folder / "0003_broken.sql").write_text("create table third (); select 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate.migrate(empty_database_url, folder)
    assert await tables(empty_database_url) == ["first", "schema_migrations", "second"]
    (folder / "0003_broken.sql").write_text("create table third ();")
    assert [m.number for m in await migrate.migrate(empty_database_url, folder)] == [3]


async def test_an_edited_past_is_refused(empty_database_url: str, folder: Path) -> None:
    await migrate.migrate(empty_database_url, folder)
    (folder / "0001_first.sql").write_text(FIRST + " ")
    with pytest.raises(MigrationError, match="0001 first was edited after it had been applied"):
        await migrate.migrate(empty_database_url, folder)


async def test_a_database_of_a_newer_version_is_refused(
    empty_database_url: str, folder: Path
) -> None:
    await migrate.migrate(empty_database_url, folder)
    (folder / "0002_and_second.sql").unlink()
    with pytest.raises(MigrationError, match="migrated to 0002 by a newer openorders"):
        await migrate.migrate(empty_database_url, folder)


async def test_a_table_in_use_delays_a_migration_and_does_not_fail_it(
    empty_database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_S", 1)
    await migrate.migrate(empty_database_url, folder)
    (folder / "0003_wait.sql").write_text("alter table first add column late int;")
    async with connected(empty_database_url) as connection:
        async with connection.transaction():
            await connection.execute("select 1 from first")
            waiting = asyncio.create_task(migrate.migrate(empty_database_url, folder))
            await asyncio.sleep(1.5)
            assert not waiting.done()
        assert [m.number for m in await waiting] == [3]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("0004_gap.sql", "Migration 0003 is missing"),
        ("0002_twin.sql", "Migration 0003 is missing, or there twice"),
        ("third.sql", "not named like"),
    ],
)
def test_a_folder_with_gaps_twins_or_odd_names_is_refused(
    folder: Path, name: str, complaint: str
) -> None:
    (folder / name).write_text("select 1")
    with pytest.raises(MigrationError, match=complaint):
        discover(folder)


async def test_the_real_migrations_apply_to_an_empty_database(empty_database_url: str) -> None:
    applied = await migrate.migrate(empty_database_url)
    assert applied == discover()
    assert await migrate.migrate(empty_database_url) == ()
