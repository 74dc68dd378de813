"""Waking across processes: whoever told something rings, whoever follows the feed is woken.

Only ever makes things sooner: what is not rung for, or not heard, is found by looking now and
then. Knows nothing of events.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from openorders import logs
from openorders.domain.ids import StoreId
from openorders.store import queries
from openorders.store.database import Database

EVENTS_TOLD: Final = "openorders_events"
"""The channel on which a bell is heard: there may be events without a position."""

EVENTS_SEQUENCED: Final = "openorders_sequenced"
"""The channel on which the sequencer says which stores have new positions, after its commit."""

BETWEEN_RINGS_S: Final = 0.2
"""How long a bell that is rung all the time is silent in between."""

_PER_RING_S: Final = 0.02
"""One that is rung now and then is silent for so long after each time."""

_Q = queries.load("events")

_log = logs.Logger(__name__)


class Bell:
    """Rung after each commit that may have told something; free when it sounded a moment ago.

    Without `ringing` around it, as in a command or a test, it is silent.
    """

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._times = 0

    def ring(self) -> None:
        """Wake the sequencers soon. Never waits, never raises."""
        self._times += 1
        self._rung.set()

    @asynccontextmanager
    async def ringing(self, database: Database) -> AsyncGenerator[None, None]:
        """Let it sound while inside: at once after a silence, else when a pause is over that is
        the longer the more often it was rung, up to `BETWEEN_RINGS_S`.
        """
        task = asyncio.create_task(self._sound(database), name="bell")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _sound(self, database: Database) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            pause_s = min(BETWEEN_RINGS_S, self._times * _PER_RING_S)
            self._times = 0
            try:
                async with database.connection() as connection:
                    await _Q.ring.execute(connection)
            except Exception as error:  # noqa: BLE001 - who waits for the bell looks now and then too
                _log.warning("bell_not_heard", error=repr(error))
            await asyncio.sleep(pause_s)


class News:
    """Wakes those in this process who follow a store's events, when there are new ones."""

    def __init__(self) -> None:
        self._followers: dict[asyncio.Event, StoreId] = {}

    @property
    def followers(self) -> int:
        """How many follow in this process, of all stores."""
        return len(self._followers)

    @contextmanager
    def following(self, store_id: StoreId) -> Generator[asyncio.Event]:
        """Set whenever the store may have new events; to be cleared before looking."""
        woken = asyncio.Event()
        self._followers[woken] = store_id
        try:
            yield woken
        finally:
            del self._followers[woken]

    def heard(self, payload: str) -> None:
        """Take what the sequencer said: numbers of stores, or nothing for any of them."""
        named = set(payload.split())
        for woken, store_id in self._followers.items():
            if not named or str(store_id) in named:
                woken.set()
