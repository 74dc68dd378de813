"""What commands make of the faults they meet, and of being ended."""

import asyncio
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from openorders.cli.failing import INTERRUPTED
from openorders.cli.working import sentences
from openorders.store import embedded, embedded_process
from openorders.store.database import connected
from openorders.store.embedded_folder import open_folder
from tests.cli.program import PATIENCE_S, command, environment

SLOW_STOCK = """
alter table stock rename to stock_as_it_is;
create view stock as select s.* from (select pg_sleep(600)) as slow, stock_as_it_is s;
"""
SLEEPING = "select 1 from pg_stat_activity where wait_event = 'PgSleep'"


@pytest.fixture
def folder(temporary_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A place for a data folder; whatever still runs in it is ended."""
    path = temporary_folder / f"ended-{request.node.callspec.id}"
    yield path
    embedded_process.stop(open_folder(path))


def test_a_reader_who_has_enough_is_no_fault_of_the_database():
    with pytest.raises(BrokenPipeError), sentences():
        raise BrokenPipeError


@pytest.mark.parametrize(
    ("how", "deaf_to"),
    [
        pytest.param(signal.SIGTERM, (), id="sigterm"),
        # As a shell that is no terminal's starts what it puts into the background.
        pytest.param(signal.SIGTERM, (signal.SIGINT,), id="sigterm-in-the-background"),
        pytest.param(signal.SIGINT, (), id="ctrl-c"),
    ],
)
async def test_a_command_that_is_ended_ends_the_database_that_it_started(
    folder: Path, tmp_path: Path, how: signal.Signals, deaf_to: Sequence[signal.Signals]
):
    def begin() -> None:
        for ignored in deaf_to:
            signal.signal(ignored, signal.SIG_IGN)

    async with embedded.running(folder) as database:
        create = command("store", "create", "shop", "--currency", "USD", "--data-dir", folder)
        creating = await asyncio.create_subprocess_exec(*create, env=environment(tmp_path))
        assert await creating.wait() == 0
        async with connected(database.url) as connection:
            await connection.execute(SLOW_STOCK)
    verifying = await asyncio.create_subprocess_exec(
        *command("verify", "--data-dir", folder), env=environment(tmp_path), preexec_fn=begin
    )
    async with asyncio.timeout(PATIENCE_S):
        while not await looks_into_the_stock(folder):
            await asyncio.sleep(0.05)
        verifying.send_signal(how)
        assert await verifying.wait() == INTERRUPTED
    assert embedded_process.running(open_folder(folder)) is None


async def looks_into_the_stock(folder: Path) -> bool:
    """Whether the database is there, and somebody waits for the stock."""
    found = embedded_process.running(open_folder(folder))
    if found is None or not found.ready:
        return False
    url = embedded.facts(open_folder(folder), found).url
    async with connected(url) as connection:
        return bool(await connection.fetch(SLEEPING))
