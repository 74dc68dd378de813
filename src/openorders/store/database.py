"""The database as the rest of the store uses it: connections, transactions, notifications.

Transactions commit whole or not at all, and say so when they cannot tell. Knows nothing of what
is stored.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, cast

import asyncpg

from openorders.store import database_url, queries
from openorders.store.database_connect import (
    Connector,
    DatabaseUnavailableError,
    DatabaseUnsuitableError,
    OutcomeUnknownError,
    Session,
    is_connection_loss,
)
from openorders.store.database_url import DatabaseUrlError
from openorders.store.queries import Connection

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy
    from asyncpg.transaction import Transaction

__all__ = [
    "Connection",
    "Database",
    "DatabaseUnavailableError",
    "DatabaseUnsuitableError",
    "DatabaseUrlError",
    "OutcomeUnknownError",
    "connected",
    "is_connection_loss",
    "opened",
]

CONNECTIONS = 16
"""A pool's size; measured, more connections place fewer orders."""

STATEMENT_S = 30.0
ACQUIRE_S = 10.0
"""How long a request may wait for a free connection before it is told to come back."""

TRANSACTION_ATTEMPTS = 5

Isolation = Literal["read_committed", "repeatable_read", "serializable"]
Pooled: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
T = TypeVar("T")

_LISTEN_CHECK_S = 30
_LISTEN_PAUSE_S_MAX = 5.0
_RETRY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_SQL = queries.load("database")
_log = logging.getLogger(__name__)


@asynccontextmanager
async def opened(
    url: str, *, connections: int = CONNECTIONS, statement_s: float = STATEMENT_S
) -> AsyncGenerator[Database, None]:
    """A pool on the database of a `postgresql://` URL, closed at the end.

    DatabaseUrlError for a URL that cannot be honoured, DatabaseUnavailableError when nobody
    answers, DatabaseUnsuitableError when the database refuses or is too old.
    """
    connector = _connector(url, statement_s)

    async def connect(*_: object, **__: object) -> Session:
        return await connector.connect()

    pool = await asyncpg.create_pool(
        connect=connect,
        connection_class=Session,
        min_size=1,
        max_size=connections,
        max_queries=0x7FFFFFFF,  # connections are replaced when they break, not by count
        max_inactive_connection_lifetime=0,
        command_timeout=statement_s + 5,  # the server's own limit comes first, if it still lives
    )
    try:
        yield Database(pool, connector)
    finally:
        try:
            await asyncio.wait_for(pool.close(), timeout=ACQUIRE_S)
        except TimeoutError:
            pool.terminate()


@asynccontextmanager
async def connected(
    url: str, *, statement_s: float = STATEMENT_S
) -> AsyncGenerator[Connection, None]:
    """One connection of one's own, for work that changes the session or holds a lock."""
    session = await _connector(url, statement_s).connect()
    try:
        yield session
    finally:
        await _close(session)


class Database:
    """A pool of connections. Get one from `opened`."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], connector: Connector) -> None:
        self._pool = pool
        self._connector = connector

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection, None]:
        """A connection on which each statement is a transaction of its own."""
        connection = await self._acquire()
        try:
            yield connection
            _refuse_unsure(connection)
        except asyncpg.ReadOnlySQLTransactionError:
            connection.terminate()  # its server was demoted; the next one is looked for afresh
            raise
        finally:
            await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation = "read_committed", read_only: bool = False
    ) -> AsyncGenerator[Connection, None]:
        """A transaction: committed at the end of the block, rolled back when it raises.

        A connection that turns out to be dead before the transaction began is replaced once. A
        commit is never interrupted; one that is not confirmed raises an error for which
        `is_connection_loss` holds.
        """
        connection, transaction = await self._begin(isolation=isolation, read_only=read_only)
        try:
            try:
                yield connection
            except BaseException:
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await _uninterrupted(transaction.rollback())
                raise
            await _uninterrupted(transaction.commit())
            _refuse_unsure(connection)
        except asyncpg.ReadOnlySQLTransactionError:
            connection.terminate()
            raise
        finally:
            await self._pool.release(connection)

    async def run(
        self, work: Callable[[Connection], Awaitable[T]], *, isolation: Isolation = "read_committed"
    ) -> T:
        """Do the work in a transaction, again a few times when it lost against another one."""
        for attempt in range(1, TRANSACTION_ATTEMPTS):
            try:
                async with self.transaction(isolation=isolation) as connection:
                    return await work(connection)
            except _RETRY:
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - to part twins
        async with self.transaction(isolation=isolation) as connection:
            return await work(connection)

    @asynccontextmanager
    async def listening(
        self, channel: str, heard: Callable[[str], None]
    ) -> AsyncGenerator[None, None]:
        """Call `heard` with the payload of each notification on the channel, while inside.

        The connection is made again when it is lost; since notifications may have been missed,
        `heard` is then called with an empty payload, as it is at the beginning.
        """
        task = asyncio.create_task(self._listen(channel, heard), name=f"listen-{channel}")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def weak_settings(self) -> tuple[str, ...]:
        """The settings that are off though orders are lost without them in a power cut."""
        async with self.connection() as connection:
            rows = await _SQL.weak_settings.fetch(connection)
        return tuple(row["name"] for row in rows)

    async def ping(self, *, timeout_s: float = 2.0) -> bool:
        """Whether the database answers in time."""
        try:
            async with asyncio.timeout(timeout_s), self.connection() as connection:
                await _SQL.ping.fetchval(connection)
        except Exception as error:
            if is_connection_loss(error):
                return False
            raise
        return True

    def connections(self) -> tuple[int, int]:
        """How many connections are open, and how many of them are idle."""
        return self._pool.get_size(), self._pool.get_idle_size()

    async def _acquire(self) -> Pooled:
        try:
            return await self._pool.acquire(timeout=ACQUIRE_S)
        except TimeoutError:
            raise DatabaseUnavailableError(
                f"All connections to the database were busy for {ACQUIRE_S:.0f} s."
            ) from None

    async def _begin(self, *, isolation: Isolation, read_only: bool) -> tuple[Pooled, Transaction]:
        connection = await self._acquire()
        transaction = connection.transaction(isolation=isolation, readonly=read_only)
        try:
            await transaction.start()
        except BaseException as error:
            await self._pool.release(connection)
            if not isinstance(error, Exception) or not is_connection_loss(error):
                raise
        else:
            return connection, transaction
        connection = await self._acquire()
        transaction = connection.transaction(isolation=isolation, readonly=read_only)
        try:
            await transaction.start()
        except BaseException:
            await self._pool.release(connection)
            raise
        return connection, transaction

    async def _listen(self, channel: str, heard: Callable[[str], None]) -> None:
        pause_s = 0.1
        while True:
            try:
                session = await self._connector.connect()
            except (DatabaseUnavailableError, DatabaseUnsuitableError) as error:
                _log.warning("cannot listen to the database: %s", error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LISTEN_PAUSE_S_MAX)
                continue
            pause_s = 0.1
            try:
                await _hear(session, channel, heard)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                _log.warning("the connection that listens was lost: %s", error)
            finally:
                await _close(session)


async def _hear(session: Session, channel: str, heard: Callable[[str], None]) -> None:
    """Pass notifications on until the connection ends, looking now and then whether it lives."""
    ended = asyncio.Event()
    session.add_termination_listener(lambda _: ended.set())
    await session.add_listener(channel, lambda _who, _pid, _channel, text: heard(str(text)))
    heard("")
    while not ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), timeout=_LISTEN_CHECK_S)
            return
        await _SQL.ping.fetchval(session)


def _connector(url: str, statement_s: float) -> Connector:
    return Connector(
        database_url.parse(url), settings={"statement_timeout": str(round(statement_s * 1000))}
    )


def _refuse_unsure(connection: Pooled) -> None:
    """A commit that was not replicated as asked for must not be answered as done."""
    if cast("Session", connection).commit_unsure:
        connection.terminate()
        raise OutcomeUnknownError("A commit ended without the confirmation of its standby.")


async def _uninterrupted(work: Coroutine[Any, Any, None]) -> None:
    """Finish what has begun, also when we are cancelled meanwhile; then obey."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _close(session: Session) -> None:
    try:
        await session.close(timeout=2)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        session.terminate()
