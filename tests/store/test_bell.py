"""Waking across processes: soon, not too often, and never at the cost of who rings."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from openorders.domain.ids import StoreId
from openorders.store import bell as bells
from openorders.store.bell import EVENTS_TOLD, Bell, News
from openorders.store.database import Database, opened
from tests.postgres.faults import faulty


class Ear:
    """Counts what it hears on a channel."""

    def __init__(self) -> None:
        self.times = 0
        self.heard = asyncio.Event()

    def hear(self, _payload: str) -> None:
        self.times += 1
        self.heard.set()

    async def next(self) -> None:
        async with asyncio.timeout(60):
            await self.heard.wait()
        self.heard.clear()


@pytest.fixture
async def ear(database: Database) -> AsyncIterator[Ear]:
    ear = Ear()
    async with database.listening(EVENTS_TOLD, ear.hear):
        await ear.next()
        ear.times = 0
        yield ear


async def test_a_bell_sounds_at_once_after_a_silence(
    database: Database, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "_PER_RING_S", 60)
    monkeypatch.setattr(bells, "BETWEEN_RINGS_S", 60)
    bell = Bell()
    async with bell.ringing(database):
        bell.ring()
        await ear.next()
    assert ear.times == 1


async def test_a_bell_that_is_rung_all_the_time_sounds_now_and_then(
    database: Database, ear: Ear
) -> None:
    bell = Bell()
    async with bell.ringing(database):
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(60):
            while (took_s := asyncio.get_running_loop().time() - began) < 0.5 or ear.times < 2:
                for _ in range(20):  # all the time, however slow the machine is
                    bell.ring()
                await asyncio.sleep(0.001)
    assert 2 <= ear.times <= 2 + took_s / bells.BETWEEN_RINGS_S


async def test_the_last_ring_is_heard_although_the_bell_was_silent_just_then(
    database: Database, ear: Ear
) -> None:
    bell = Bell()
    async with bell.ringing(database):
        bell.ring()
        await ear.next()
        bell.ring()
        await ear.next()
    assert ear.times == 2


async def test_a_bell_that_nobody_hangs_up_is_silent(ear: Ear) -> None:
    Bell().ring()
    await asyncio.sleep(0.1)
    assert ear.times == 0


async def test_a_bell_outlives_the_loss_of_the_database(database_url: str, ear: Ear) -> None:
    async with faulty(database_url) as proxy, opened(proxy.url, connections=1) as database:
        bell = Bell()
        async with bell.ringing(database):
            proxy.cut()
            bell.ring()
            async with asyncio.timeout(60):
                while not ear.times:
                    await asyncio.sleep(0.05)
                    bell.ring()


async def test_only_followers_of_the_named_stores_are_woken() -> None:
    news = News()
    with news.following(StoreId(1)) as one, news.following(StoreId(2)) as two:
        assert news.followers == 2
        news.heard("1 12")
        assert (one.is_set(), two.is_set()) == (True, False)
        one.clear()
        news.heard("")
        assert (one.is_set(), two.is_set()) == (True, True)
    assert news.followers == 0
