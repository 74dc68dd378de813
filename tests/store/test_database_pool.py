"""The pool of sessions: never too many, none lost, none handed on in the middle of something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from openorders.store import database_url
from openorders.store.database_connect import Connector, DatabaseUnavailableError
from openorders.store.database_pool import SessionPool
from tests.postgres.faults import faulty


@asynccontextmanager
async def a_pool(url: str, *, size: int, patience_s: float = 5) -> AsyncIterator[SessionPool]:
    connector = Connector(database_url.parse(url), settings={"application_name": "pooled"})
    pool = SessionPool(connector, size=size, patience_s=patience_s)
    try:
        yield pool
    finally:
        await pool.close()


async def test_many_share_few_sessions(empty_database_url: str) -> None:
    most = 0

    async def one_use(pool: SessionPool, number: int) -> int:
        nonlocal most
        session = await pool.take()
        most = max(most, pool.open)
        try:
            return await session.fetchval("select $1::int from pg_sleep(0.001)", number)
        finally:
            pool.give_back(session, clean=True)

    async with a_pool(empty_database_url, size=3) as pool:
        answers = await asyncio.gather(*(one_use(pool, number) for number in range(60)))
        assert answers == list(range(60))
        assert (most, pool.open, pool.free) == (3, 3, 3)


async def test_who_waits_too_long_is_told_and_takes_nothing_along(empty_database_url: str) -> None:
    async with a_pool(empty_database_url, size=1, patience_s=0.05) as pool:
        session = await pool.take()
        with pytest.raises(DatabaseUnavailableError, match=r"busy for 0\.05 s"):
            await pool.take()
        pool.give_back(session, clean=True)
        assert await pool.take() is session
        pool.give_back(session, clean=True)


async def test_a_session_that_reaches_somebody_who_just_left_is_passed_on(
    empty_database_url: str,
) -> None:
    async with a_pool(empty_database_url, size=1) as pool:
        session = await pool.take()
        leaves, stays = (asyncio.create_task(pool.take()) for _ in range(2))
        await asyncio.sleep(0)
        pool.give_back(session, clean=True)
        leaves.cancel()
        assert await stays is session
        pool.give_back(session, clean=True)
        assert (pool.open, pool.free) == (1, 1)


async def test_a_broken_session_gives_its_place_to_the_next(empty_database_url: str) -> None:
    async with a_pool(empty_database_url, size=1) as pool:
        session = await pool.take()
        waiting = asyncio.create_task(pool.take())
        await asyncio.sleep(0)
        session.terminate()
        pool.give_back(session, clean=True)
        fresh = await waiting
        assert fresh is not session
        assert await fresh.fetchval("select 1") == 1
        pool.give_back(fresh, clean=True)


async def test_a_place_is_not_lost_when_nobody_could_be_connected(empty_database_url: str) -> None:
    async with (
        faulty(empty_database_url) as proxy,
        a_pool(f"{proxy.url}?connect_timeout=1", size=1) as pool,
    ):
        proxy.silent = True
        for _ in range(2):
            with pytest.raises(DatabaseUnavailableError, match="cannot be reached"):
                await pool.take()
        proxy.heal()
        session = await pool.take()
        pool.give_back(session, clean=True)


async def test_what_was_left_unfinished_is_ended_before_the_next_use(
    empty_database_url: str,
) -> None:
    async with a_pool(empty_database_url, size=1) as pool:
        session = await pool.take()
        await session.execute("create table kept (n int)")
        await session.execute("begin")
        await session.execute("insert into kept values (1)")
        with pytest.raises(TimeoutError):
            await session.execute("select pg_sleep(30)", timeout=0.1)
        pool.give_back(session, clean=False)
        again = await pool.take()
        assert again is session
        assert await again.fetchval("select count(*) from kept") == 0
        assert (
            await again.fetchval(
                "select count(*) from pg_stat_activity"
                " where application_name = 'pooled' and state = 'active'"
            )
            == 1
        )
        pool.give_back(again, clean=True)


async def test_a_session_that_cannot_be_restored_is_replaced(empty_database_url: str) -> None:
    async with faulty(empty_database_url) as proxy, a_pool(proxy.url, size=1) as pool:
        session = await pool.take()
        await session.execute("begin")
        proxy.answers_lost = True
        pool.give_back(session, clean=False)
        async with asyncio.timeout(30):
            while pool.open:  # what it was asked to end has not been answered
                await asyncio.sleep(0.01)
        proxy.heal()
        fresh = await pool.take()
        assert fresh is not session
        assert await fresh.fetchval("select 1") == 1
        pool.give_back(fresh, clean=True)
