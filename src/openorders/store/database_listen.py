"""Notifications of the database: one connection for all channels that a process listens to.

Made when the first channel is asked for, again when it is lost, and closed with the last one.
Knows nothing of what is notified.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import asyncpg
from msgspec import Struct

from openorders.store import queries
from openorders.store.database_connect import (
    Connector,
    DatabaseUnavailableError,
    DatabaseUnsuitableError,
    Session,
)
from openorders.store.database_pool import end

CHECK_S = 30
"""How often a quiet connection is asked whether it still lives."""

_PAUSE_S = 0.1
_PAUSE_S_MAX = 5.0
_LINK_FAILS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
_SQL = queries.load("database")
_log = logging.getLogger(__name__)


class _Listener(Struct, frozen=True, eq=False):
    """One who listens; twins with the same function come and go one at a time."""

    heard: Callable[[str], None]


class Ears:
    """What listens for one `Database`."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._listeners: dict[str, set[_Listener]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(
        self, channel: str, heard: Callable[[str], None]
    ) -> AsyncGenerator[None, None]:
        """Call `heard` with the payload of each notification on the channel, while inside.

        The connection is made again when it is lost; since notifications may have been missed,
        `heard` is then called with an empty payload, as it is at the beginning.
        """
        listener = _Listener(heard)
        self._listeners.setdefault(channel, set()).add(listener)
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="listen")
        try:
            yield
        finally:
            self._listeners[channel].remove(listener)
            if not self._listeners[channel]:
                del self._listeners[channel]
            self._changed.set()
            if not self._listeners:
                task, self._task = self._task, None
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        pause_s = _PAUSE_S
        while True:
            try:
                session = await self._connector.connect()
            except (DatabaseUnavailableError, DatabaseUnsuitableError) as error:
                _log.warning("cannot listen to the database: %s", error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _PAUSE_S_MAX)
                continue
            began = time.monotonic()
            try:
                await self._hear(session)
            except _LINK_FAILS as error:
                _log.warning("the connection that listens was lost: %s", error)
            finally:
                await end(session)
            if time.monotonic() - began > _PAUSE_S_MAX:
                pause_s = _PAUSE_S
            # A server that lets us in and not listen is not asked again and again without a rest.
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _PAUSE_S_MAX)

    async def _hear(self, session: Session) -> None:
        """Pass notifications on until the connection ends, looking now and then whether it lives.

        Only this task speaks on the session, which can do one thing at a time.
        """
        ended = asyncio.Event()

        def lost(_session: object) -> None:
            ended.set()
            self._changed.set()

        session.add_termination_listener(lost)
        told: set[_Listener] = set()
        channels: set[str] = set()
        while not ended.is_set():
            self._changed.clear()
            wanted = {channel: set(those) for channel, those in self._listeners.items()}
            for channel in wanted.keys() - channels:
                await session.add_listener(channel, self._pass_on)
            for channel in channels - wanted.keys():
                await session.remove_listener(channel, self._pass_on)
            channels = set(wanted)
            everybody = {one for those in wanted.values() for one in those}
            for listener in everybody - told:
                listener.heard("")
            told = everybody
            try:
                async with asyncio.timeout(CHECK_S):  # `wait_for` may forget that it was cancelled
                    await self._changed.wait()
            except TimeoutError:
                await _SQL.ping.fetchval(session)

    def _pass_on(self, _session: object, _pid: int, channel: str, payload: object) -> None:
        for listener in tuple(self._listeners.get(channel, ())):
            listener.heard(str(payload))
