"""The embedded database as the server and commands meet it: started, shared, killed, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from openorders.store import embedded, embedded_process
from openorders.store.database import connected, opened
from openorders.store.embedded_folder import open_folder

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
KINDS = [None, *INSTALLED[-1:]]  # the wheel's programs, and those of the machine where it has some

A_SERVER = """
import asyncio, pathlib, sys
from openorders.store import embedded
async def serve():
    async with embedded.running(pathlib.Path(sys.argv[1])) as database:
        print(database.pid, flush=True)
        await asyncio.Event().wait()
asyncio.run(serve())
"""


@pytest.fixture
def folder(temporary_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A place for a data folder that does not exist yet; whatever still runs in it is ended."""
    path = temporary_folder / f"embedded-{abs(hash(request.node.name)):x}"
    yield path
    if path.exists():
        embedded_process.stop(open_folder(path))


@asynccontextmanager
async def a_server(folder: Path) -> AsyncIterator[tuple[Process, int]]:
    """A server in a process of its own, and its database's process id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", A_SERVER, folder, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield process, int(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def write_a_row(url: str) -> None:
    async with connected(url) as connection:
        await connection.execute("create table if not exists kept (n int)")
        await connection.execute("insert into kept values (1)")


async def rows_kept(url: str) -> int:
    async with connected(url) as connection:
        return await connection.fetchval("select count(*) from kept")


async def a_new_database(folder: Path, old_pid: int) -> None:
    async with asyncio.timeout(60):
        while (found := embedded_process.running(open_folder(folder))) is None or (
            found.pid == old_pid or not found.ready
        ):
            await asyncio.sleep(0.02)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("bindir", KINDS, ids=["wheel", "installed"][: len(KINDS)])
async def test_a_new_folder_becomes_a_database_that_only_its_owner_can_use(
    folder: Path, bindir: Path | None
) -> None:
    said: list[str] = []
    async with embedded.running(folder, bindir=bindir, report=said.append) as database:
        async with connected(database.url) as connection:
            assert await connection.fetchval("select lower('ÄRGER') || upper('é')") == "ärgerÉ"
            assert await connection.fetchval("select 'B' < 'a'")
            assert not await connection.fetchval(
                "select rolsuper from pg_roles where rolname = current_user"
            )
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host=database.host, user="openorders", database="openorders", password="guess"
            )
    assert "Creating the database" in said[0]
    assert database.password not in repr(database)
    assert mode(folder) == mode(folder / "postgres") == mode(folder / "run") == 0o700
    assert mode(folder / "password") == 0o600


@pytest.mark.parametrize("bindir", KINDS, ids=["wheel", "installed"][: len(KINDS)])
async def test_a_database_that_dies_is_started_again_with_all_that_was_committed(
    folder: Path, bindir: Path | None
) -> None:
    async with (
        embedded.running(folder, bindir=bindir) as database,
        opened(database.url) as pool,
    ):
        await write_a_row(database.url)
        os.kill(database.pid, signal.SIGKILL)
        await a_new_database(folder, database.pid)
        async with pool.connection() as connection:
            assert await connection.fetchval("select count(*) from kept") == 1
    assert embedded_process.running(open_folder(folder)) is None


async def test_durability_is_never_traded_for_speed(folder: Path) -> None:
    async with embedded.running(folder) as database:
        async with opened(database.url) as pool:
            assert await pool.weak_settings() == ()
        weaker = f"{database.url}&options=-c%20synchronous_commit%3Doff"
        async with opened(weaker) as pool:
            assert await pool.weak_settings() == ("synchronous_commit",)


async def test_a_second_server_on_the_same_folder_is_refused_and_told_who_has_it(
    folder: Path,
) -> None:
    async with embedded.running(folder):
        begun = time.monotonic()
        with pytest.raises(embedded.EmbeddedDatabaseError, match=f"process {os.getpid()}"):
            async with embedded.running(folder):
                pass
        assert time.monotonic() - begun < embedded._ITS_WORKERS_S, "nobody is waited for to end"


async def test_a_command_uses_the_database_of_the_running_server(folder: Path) -> None:
    async with embedded.running(folder) as database:
        async with embedded.attach(folder) as beside:
            assert beside == database
        assert embedded_process.running(open_folder(folder)) is not None


async def test_a_command_without_a_server_starts_a_database_for_the_moment(folder: Path) -> None:
    async with embedded.attach(folder) as database:
        await write_a_row(database.url)
    assert embedded_process.running(open_folder(folder)) is None
    async with embedded.attach(folder) as database:
        assert await rows_kept(database.url) == 1


async def test_a_database_stays_until_the_last_of_its_users_is_done(folder: Path) -> None:
    command = embedded.attach(folder)
    database = await command.__aenter__()
    async with embedded.running(folder) as same:
        assert same.pid == database.pid
        await command.__aexit__(None, None, None)
        await write_a_row(same.url)
        late = embedded.attach(folder)
        await late.__aenter__()
    assert await rows_kept(database.url) == 1
    await late.__aexit__(None, None, None)
    assert embedded_process.running(open_folder(folder)) is None


async def test_the_database_of_a_killed_server_is_taken_over(folder: Path) -> None:
    async with a_server(folder) as (process, pid):
        async with embedded.attach(folder) as database:
            await write_a_row(database.url)
        process.kill()
        async with embedded.running(folder) as database:
            assert database.pid == pid
            assert await rows_kept(database.url) == 1
    assert embedded_process.running(open_folder(folder)) is None


async def test_a_folder_where_everything_was_killed_recovers(folder: Path) -> None:
    async with a_server(folder) as (process, pid):
        async with embedded.attach(folder) as database:
            await write_a_row(database.url)
        process.kill()
        os.kill(pid, signal.SIGKILL)
        async with embedded.running(folder) as database:
            assert database.pid != pid
            assert await rows_kept(database.url) == 1


async def test_an_interrupted_server_stops_its_database_cleanly(folder: Path) -> None:
    async with a_server(folder) as (process, _):
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 60)
    assert embedded_process.running(open_folder(folder)) is None
    assert not (folder / "postgres" / "postmaster.pid").exists()
    assert "database system is shut down" in (folder / "postgres.log").read_text()


async def test_a_stale_process_id_that_now_is_somebody_elses_does_not_matter(folder: Path) -> None:
    async with embedded.running(folder):
        pass
    stale = f"{os.getpid()}\n{folder}/postgres\n1\n5432\n{folder}/run\n\n0 0\nready\n"
    (folder / "postgres" / "postmaster.pid").write_text(stale)
    async with embedded.running(folder) as database:
        assert database.pid != os.getpid()
        await write_a_row(database.url)


async def test_a_start_that_was_cut_off_leaves_nothing_half_made(folder: Path) -> None:
    begun = open_folder(folder)
    begun.make(begun.path / "postgres.part")
    (folder / "postgres.part" / "PG_VERSION").write_text("18\n")
    async with embedded.running(folder) as database:
        await write_a_row(database.url)
    assert not (folder / "postgres.part").exists()


async def test_a_cancelled_start_leaves_no_database_running(folder: Path) -> None:
    async def serve() -> None:
        async with embedded.running(folder):
            pass

    task = asyncio.create_task(serve())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert embedded_process.running(open_folder(folder)) is None


async def test_a_path_too_long_for_a_socket_is_served_on_loopback(folder: Path) -> None:
    async with embedded.running(folder.with_name("x" * 100)) as database:
        assert database.host == "127.0.0.1"
        os.kill(database.pid, signal.SIGKILL)
        await a_new_database(database.folder, database.pid)
        await write_a_row(database.url)  # on the same port, or those who know it would be lost


async def test_a_database_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(embedded.EmbeddedDatabaseError, match="no_such_setting"):
        async with embedded.running(folder, settings={"no_such_setting": "1"}):
            pass


async def test_the_operators_own_settings_win(folder: Path) -> None:
    async with embedded.running(folder):
        pass
    with (folder / "postgres" / "postgresql.conf").open("a") as conf:
        conf.write("work_mem = 13MB\n")
    async with embedded.running(folder) as database, connected(database.url) as connection:
        assert await connection.fetchval("show work_mem") == "13MB"
