"""A pool of sessions that costs next to nothing to take from and to give back to.

The driver's own pool makes two tasks and asks the server something for each use, which is more
than a whole statement costs. Ours hands a free session over directly and cleans up only after
those who left in the middle of something. Knows nothing of transactions.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, cast

import asyncpg

from openorders.store.database_connect import Connector, DatabaseUnavailableError, Session

RESTORE_S = 5.0
"""How long a session may take to end what its last user left, before it is replaced."""

CLOSE_S = 10.0
"""How long to wait at the end for sessions that are still in use."""


class SessionPool:
    """At most `size` sessions; who finds none free waits `patience_s` for one."""

    def __init__(self, connector: Connector, *, size: int, patience_s: float) -> None:
        self._connector = connector
        self._size = size
        self._patience_s = patience_s
        self._free: list[Session] = []
        self._taken: set[Session] = set()
        self._places = 0  # taken by sessions, and by those who are being connected
        self._waiting: deque[asyncio.Future[Session | None]] = deque()
        self._restoring: set[asyncio.Task[None]] = set()
        self._returned = asyncio.Event()

    @property
    def size(self) -> int:
        return self._size

    @property
    def open(self) -> int:
        return len(self._free) + len(self._taken)

    @property
    def free(self) -> int:
        return len(self._free)

    async def take(self) -> Session:
        """A session for the caller alone; the one used last, so that few stay warm.

        DatabaseUnavailableError when the database cannot be reached, or all are busy too long.
        """
        while self._free:
            session = self._free.pop()
            if not session.is_closed():
                self._taken.add(session)
                return session
            self._places -= 1
        if self._places < self._size:
            self._places += 1
            return await self._connect()
        return await self._wait() or await self._connect()

    def give_back(self, session: Session, *, clean: bool) -> None:
        """Return a session; unless it is clean, whatever runs on it is ended first."""
        if not clean and not session.is_closed():
            task = asyncio.get_running_loop().create_task(self._restore(session))
            self._restoring.add(task)
            task.add_done_callback(self._restoring.discard)
            return
        self._taken.discard(session)
        if session.is_closed():
            self._pass_on_place()
        elif waiter := self._next_waiter():
            self._taken.add(session)
            waiter.set_result(session)
        else:
            self._free.append(session)
        self._returned.set()

    async def close(self) -> None:
        """Wait a while for those who still use a session, then end them all."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                while self._taken:
                    self._returned.clear()
                    await self._returned.wait()
        for task in self._restoring:
            task.cancel()
        await asyncio.gather(*self._restoring, return_exceptions=True)
        for session in self._taken:
            session.terminate()
        await asyncio.gather(*(end(session) for session in self._free))
        self._free.clear()

    async def _connect(self) -> Session:
        """Fill a place that is already counted."""
        try:
            session = await self._connector.connect()
        except BaseException:
            self._pass_on_place()
            raise
        self._taken.add(session)
        return session

    async def _wait(self) -> Session | None:
        """A session that somebody returns, or None for the place of one that broke."""
        waiter: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._patience_s):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():
                self._hand_over(waiter.result())
            waiter.cancel()
            if isinstance(error, TimeoutError):
                raise DatabaseUnavailableError(
                    f"All connections to the database were busy for {self._patience_s:g} s."
                ) from None
            raise

    def _hand_over(self, received: Session | None) -> None:
        """Pass on what reached a waiter that had just given up."""
        if received is None:
            self._pass_on_place()
        else:
            self.give_back(received, clean=True)

    def _pass_on_place(self) -> None:
        if waiter := self._next_waiter():
            waiter.set_result(None)
        else:
            self._places -= 1

    def _next_waiter(self) -> asyncio.Future[Session | None] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    async def _restore(self, session: Session) -> None:
        """Wait for the end of a cancelled statement, roll back; replace a session that cannot."""
        protocol = cast("Any", session)._protocol  # noqa: SLF001 - as the driver's own pool does
        try:
            async with asyncio.timeout(RESTORE_S):
                if protocol._is_cancelling():  # noqa: SLF001 - as above
                    await protocol._wait_for_cancellation()  # noqa: SLF001 - as above
                await session.reset()
        except (
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            OSError,
        ):
            session.terminate()
        except BaseException:
            session.terminate()
            raise
        finally:
            self.give_back(session, clean=True)


async def end(session: Session) -> None:
    """Say goodbye to the server, or hang up when it does not listen."""
    try:
        await session.close(timeout=2)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        session.terminate()
