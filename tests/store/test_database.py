"""Connections and transactions: whole or not at all, and honest when nobody can know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from openorders.store.database import (
    Connection,
    Database,
    DatabaseUnavailableError,
    DatabaseUnsuitableError,
    OutcomeUnknownError,
    connected,
    is_connection_loss,
    opened,
)
from openorders.store.database_connect import Session
from tests.postgres.faults import Proxy, faulty


@pytest.fixture
async def proxy(empty_database_url: str) -> AsyncIterator[Proxy]:
    async with connected(empty_database_url) as connection:
        await connection.execute("create table kept (n int primary key)")
    async with faulty(empty_database_url) as between:
        yield between


async def rows_kept(url: str) -> int:
    async with connected(url) as connection:
        return await connection.fetchval("select count(*) from kept")


async def keep(database: Database, number: int) -> None:
    async with database.transaction() as connection:
        await connection.execute("insert into kept values ($1)", number)


async def until_somebody_sleeps(url: str) -> None:
    """Until a statement of the test's has got as far as its `pg_sleep`."""
    async with connected(url) as connection, asyncio.timeout(30):
        while not await connection.fetch(
            "select from pg_stat_activity"
            " where datname = current_database() and wait_event = 'PgSleep'"
        ):
            await asyncio.sleep(0.01)


async def test_a_session_is_set_up_once_and_for_all(empty_database_url: str) -> None:
    async with opened(empty_database_url, statement_s=7) as database:
        for _ in range(2):
            async with database.connection() as connection:
                assert await connection.fetchval("show plan_cache_mode") == "force_generic_plan"
                assert await connection.fetchval("show timezone") == "UTC"
                assert await connection.fetchval("show statement_timeout") == "7s"
                assert await connection.fetchval("show application_name") == "openorders"
        assert database.connections() == (1, 1)


async def test_a_statement_that_runs_too_long_is_stopped(empty_database_url: str) -> None:
    async with opened(empty_database_url, statement_s=1) as database:
        with pytest.raises(asyncpg.QueryCanceledError):
            async with database.connection() as connection:
                await connection.execute("select pg_sleep(60)")
        assert await database.ping()


async def test_a_transaction_is_kept_whole_or_not_at_all(proxy: Proxy) -> None:
    async with opened(proxy.url) as database:
        await keep(database, 1)
        with pytest.raises(ZeroDivisionError):
            async with database.transaction() as connection:
                await connection.execute("insert into kept values (2)")
                raise ZeroDivisionError
        with pytest.raises(asyncpg.UniqueViolationError):
            await keep(database, 1)
    assert await rows_kept(proxy.url) == 1


async def test_a_read_only_transaction_writes_nothing(proxy: Proxy) -> None:
    async with opened(proxy.url) as database:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            async with database.transaction(read_only=True) as connection:
                await connection.execute("insert into kept values (2)")
        assert await database.ping()


async def test_connections_that_died_at_rest_are_replaced_unnoticed(proxy: Proxy) -> None:
    async with opened(proxy.url, connections=3) as database:
        await asyncio.gather(*(keep(database, number) for number in range(3)))
        proxy.cut()
        await asyncio.gather(*(keep(database, number) for number in range(3, 9)))
    assert await rows_kept(proxy.url) == 9


async def test_a_commit_without_an_answer_is_unknown_and_may_have_happened(proxy: Proxy) -> None:
    async with opened(proxy.url) as database:
        with pytest.raises(Exception) as lost:  # noqa: PT011 - which one is the driver's choice
            async with database.transaction() as connection:
                await connection.execute("insert into kept values (1)")
                proxy.answers_lost = True
        assert is_connection_loss(lost.value)
        proxy.heal()
        assert await rows_kept(proxy.url) == 1
        await keep(database, 2)


async def test_a_connection_cut_within_a_transaction_is_told_as_such(proxy: Proxy) -> None:
    async with opened(proxy.url) as database:
        with pytest.raises(Exception) as lost:  # noqa: PT011 - as above
            async with database.transaction() as connection:
                await connection.execute("insert into kept values (1)")
                proxy.cut()
                await connection.execute("insert into kept values (2)")
        assert is_connection_loss(lost.value)
        await keep(database, 3)
    assert await rows_kept(proxy.url) == 1


async def test_refusals_of_a_statement_are_no_connection_loss() -> None:
    for error in (asyncpg.UniqueViolationError("x"), ValueError("closed"), KeyError()):
        assert not is_connection_loss(error)
    for error in (
        asyncpg.ConnectionDoesNotExistError("x"),
        asyncpg.InternalClientError("cannot switch to state 12"),
        asyncpg.InterfaceError("cannot perform operation: connection is closed"),
        asyncpg.AdminShutdownError("x"),
        ConnectionResetError(),
        TimeoutError(),
        OutcomeUnknownError(),
        DatabaseUnavailableError(),
    ):
        assert is_connection_loss(error)


async def test_a_silent_first_host_does_not_keep_us_from_the_second(proxy: Proxy) -> None:
    async with faulty(proxy.url) as silent:
        silent.silent = True
        both = proxy.url.replace("127.0.0.1", f"127.0.0.1:{silent.port},127.0.0.1")
        begun = time.monotonic()
        async with opened(f"{both}?connect_timeout=1", connections=2) as database:
            assert time.monotonic() - begun >= 1
            assert silent.accepted == 1
            await asyncio.gather(keep(database, 1), keep(database, 2))
            assert database.connections() == (2, 2)
            assert silent.accepted == 1  # the good one is tried first from now on


async def test_a_database_that_nobody_serves_is_unavailable() -> None:
    with pytest.raises(DatabaseUnavailableError, match="cannot be reached"):
        async with opened("postgresql://u:p@127.0.0.1:1/x?connect_timeout=1"):
            pass


async def test_a_wrong_password_is_said_at_once(empty_database_url: str) -> None:
    parts = urlsplit(empty_database_url)
    place = parts.netloc.rpartition("@")[2]
    wrong = urlunsplit(parts._replace(netloc=f"nobody-we-know:guess@{place}"))
    begun = time.monotonic()
    with pytest.raises(DatabaseUnsuitableError, match="refuses"):
        async with opened(wrong):
            pass
    assert time.monotonic() - begun < 2


async def test_a_database_that_comes_back_soon_is_waited_for(proxy: Proxy) -> None:
    async with opened(proxy.url) as database:
        proxy.silent = True
        proxy.cut()
        waiting = asyncio.create_task(keep(database, 1))
        await asyncio.sleep(0.3)
        proxy.heal()
        proxy.cut()
        await waiting
    assert await rows_kept(proxy.url) == 1


async def test_a_lost_race_is_run_again(proxy: Proxy) -> None:
    async with opened(proxy.url) as database:
        await keep(database, 1)

        async def one_more(connection: Connection) -> None:
            total = await connection.fetchval("select sum(n) from kept")
            await asyncio.sleep(0.02)
            await connection.execute("insert into kept values ($1)", total + 1)

        await asyncio.gather(*(database.run(one_more, isolation="serializable") for _ in range(4)))
    assert await rows_kept(proxy.url) == 5


async def test_a_commit_is_not_interrupted_by_a_caller_who_leaves(proxy: Proxy) -> None:
    async with connected(proxy.url) as connection:
        await connection.execute(
            "create function slow() returns trigger language plpgsql as "
            "'begin perform pg_sleep(1); return null; end'"
        )
        await connection.execute(
            "create constraint trigger at_commit after insert on kept "
            "deferrable initially deferred for each row execute function slow()"
        )
    async with opened(proxy.url) as database:
        task = asyncio.create_task(keep(database, 1))
        await until_somebody_sleeps(proxy.url)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await rows_kept(proxy.url) == 1


async def test_a_caller_who_leaves_before_the_commit_leaves_nothing(proxy: Proxy) -> None:
    async with opened(proxy.url) as database:

        async def slowly() -> None:
            async with database.transaction() as connection:
                await connection.execute("insert into kept values (1)")
                await connection.execute("select pg_sleep(60)")

        task = asyncio.create_task(slowly())
        await until_somebody_sleeps(proxy.url)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await database.ping()
    assert await rows_kept(proxy.url) == 0


async def test_a_commit_that_its_standby_did_not_confirm_is_not_answered_as_done(
    proxy: Proxy,
) -> None:
    """The server marks such a commit only in a notice, by the function that gave it."""
    async with opened(proxy.url) as database:
        with pytest.raises(OutcomeUnknownError):
            async with database.transaction() as connection:
                assert isinstance(connection, Session)
                connection._process_log_message({"R": "SyncRepWaitForLSN"}, "commit")
        assert await database.ping()


async def test_nor_is_one_that_was_followed_by_a_statement_that_failed(proxy: Proxy) -> None:
    async with opened(proxy.url) as database:
        with pytest.raises(OutcomeUnknownError):
            async with database.connection() as connection:
                assert isinstance(connection, Session)
                connection._process_log_message({"R": "SyncRepWaitForLSN"}, "insert")
                await connection.execute("select 1 / 0")
        assert await database.ping()


async def test_notifications_are_heard_also_after_the_connection_was_lost(proxy: Proxy) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with opened(proxy.url) as database, database.listening("news", heard.put_nowait):
        async with asyncio.timeout(60):
            assert await heard.get() == ""
            async with database.connection() as connection:
                await connection.execute("select pg_notify('news', 'one')")
            assert await heard.get() == "one"
            proxy.cut()
            assert await heard.get() == ""
            async with database.connection() as connection:
                await connection.execute("select pg_notify('news', 'two')")
            assert await heard.get() == "two"


async def test_all_channels_share_one_connection_and_come_and_go(database_url: str) -> None:
    news: asyncio.Queue[str] = asyncio.Queue()
    weather: asyncio.Queue[str] = asyncio.Queue()
    twin: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.timeout(60), opened(database_url) as database:

        async def tell(channel: str, text: str) -> None:
            async with database.connection() as connection:
                await connection.execute("select pg_notify($1, $2)", channel, text)

        async def listeners() -> int:
            async with database.connection() as connection:
                return await connection.fetchval(
                    "select count(*) from pg_stat_activity where datname = current_database() "
                    "and pid <> pg_backend_pid() and backend_type = 'client backend'"
                )

        async with database.listening("news", news.put_nowait):
            assert await news.get() == ""
            async with (
                database.listening("weather", weather.put_nowait),
                database.listening("news", twin.put_nowait),
            ):
                assert await weather.get() == await twin.get() == ""
                assert await listeners() == 1
                await tell("weather", "rain")
                await tell("news", "one")
                assert [await weather.get(), await news.get(), await twin.get()] == [
                    "rain", "one", "one",
                ]  # fmt: skip
            await tell("weather", "sun")
            await tell("news", "two")
            assert await news.get() == "two"
            assert weather.empty()
            assert twin.empty()
        assert news.empty()
        while await listeners():  # the server takes a moment to see that somebody hung up
            await asyncio.sleep(0.01)


async def test_a_pool_that_is_used_up_says_so(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openorders.store.database.ACQUIRE_S", 0.2)
    async with opened(proxy.url, connections=1) as database, database.connection():
        with pytest.raises(DatabaseUnavailableError, match="busy"):
            await keep(database, 1)


async def test_long_reads_leave_connections_for_those_who_place(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openorders.store.database.ACQUIRE_S", 0.05)
    async with opened(database_url, connections=8) as pool, pool.snapshot(), pool.snapshot():
        with pytest.raises(DatabaseUnavailableError, match="long reads"):
            async with pool.snapshot():
                raise AssertionError
        async with pool.connection() as connection:
            assert await connection.fetchval("select 1") == 1


async def test_a_server_that_lets_nobody_listen_is_not_asked_without_a_rest(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    refused: list[float] = []

    async def refuse(*_: object) -> None:
        refused.append(loop.time())
        raise asyncpg.FeatureNotSupportedError("cannot execute LISTEN during recovery")

    monkeypatch.setattr(Session, "add_listener", refuse)
    async with opened(empty_database_url) as database, database.listening("news", print):
        async with asyncio.timeout(30):
            while len(refused) < 3:
                await asyncio.sleep(0.01)
    rests = [later - earlier for earlier, later in pairwise(refused)]
    assert rests[0] >= 0.09
    assert rests[1] >= 0.19, "it rests longer and longer"
