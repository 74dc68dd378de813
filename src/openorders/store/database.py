"""The database as the rest of the store uses it: connections, transactions, notifications.

Transactions commit whole or not at all, and say so when they cannot tell. Knows nothing of what
is stored.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import asyncpg

from openorders.store import database_url, queries
from openorders.store.database_connect import (
    Connector,
    DatabaseUnavailableError,
    DatabaseUnsuitableError,
    OutcomeUnknownError,
    Session,
    is_connection_loss,
    ran_out_of_time,
)
from openorders.store.database_listen import Ears
from openorders.store.database_pool import SessionPool, end
from openorders.store.database_url import DatabaseUrlError
from openorders.store.queries import Connection

if TYPE_CHECKING:
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
    "ran_out_of_time",
]

CONNECTIONS = 16
"""A pool's size; measured, more connections place fewer orders."""

STATEMENT_S = 30.0
ACQUIRE_S = 10.0
"""How long a request may wait for a free connection before it is told to come back."""

SNAPSHOT_SHARE = 4
"""One connection in so many may be held by reads that last as long as a client does."""

TRANSACTION_ATTEMPTS = 5

Isolation = Literal["read_committed", "repeatable_read", "serializable"]
T = TypeVar("T")

_LINK_FAILS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
_RETRY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_SQL = queries.load("database")


@asynccontextmanager
async def opened(
    url: str, *, connections: int = CONNECTIONS, statement_s: float = STATEMENT_S
) -> AsyncGenerator[Database, None]:
    """A pool on the database of a `postgresql://` URL, closed at the end.

    DatabaseUrlError for a URL that cannot be honoured, DatabaseUnavailableError when nobody
    answers, DatabaseUnsuitableError when the database refuses or is too old.
    """
    # The server's own limit comes first, as long as it lives.
    connector = _connector(url, statement_s, give_up_s=statement_s + 5)
    pool = SessionPool(connector, size=connections, patience_s=ACQUIRE_S)
    try:
        pool.give_back(await pool.take(), clean=True)
        yield Database(pool, connector)
    finally:
        await pool.close()


@asynccontextmanager
async def connected(
    url: str, *, statement_s: float = STATEMENT_S
) -> AsyncGenerator[Connection, None]:
    """One connection of one's own, for work that changes the session or holds a lock."""
    session = await _connector(url, statement_s).connect()
    try:
        yield session
    finally:
        await end(session)


class Database:
    """A pool of connections. Get one from `opened`."""

    def __init__(self, pool: SessionPool, connector: Connector) -> None:
        self._pool = pool
        self._ears = Ears(connector)
        self._snapshots = asyncio.Semaphore(max(1, pool.size // SNAPSHOT_SHARE))

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection on which each statement is a transaction of its own."""
        return _Lent(self._pool)

    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation = "read_committed", read_only: bool = False
    ) -> AsyncGenerator[Connection, None]:
        """A transaction: committed at the end of the block, rolled back when it raises.

        A connection that turns out to be dead before the transaction began is replaced once. A
        commit is never interrupted; one that is not confirmed raises an error for which
        `is_connection_loss` holds.
        """
        session, transaction = await self._begin(isolation=isolation, read_only=read_only)
        clean = False
        try:
            try:
                yield session
            except Exception:
                with suppress(*_LINK_FAILS):
                    await transaction.rollback()
                    clean = True
                raise
            await _uninterrupted(transaction.commit())
            _refuse_unsure(session)
            clean = True
        except asyncpg.ReadOnlySQLTransactionError:
            session.terminate()
            raise
        finally:
            self._pool.give_back(session, clean=clean)

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[Connection, None]:
        """A transaction that sees one state of everything, and cannot write.

        A snapshot may last as long as a client reads, so all of them together never take more
        than a share of the pool: orders are placed beside any number of exports. Who finds none
        free in time gets a DatabaseUnavailableError.
        """
        try:
            async with asyncio.timeout(ACQUIRE_S):
                await self._snapshots.acquire()
        except TimeoutError:
            raise DatabaseUnavailableError(
                f"All places for long reads were taken for {ACQUIRE_S:.0f} s."
            ) from None
        try:
            async with self.transaction(isolation="repeatable_read", read_only=True) as connection:
                yield connection
        finally:
            self._snapshots.release()

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

    def listening(
        self, channel: str, heard: Callable[[str], None]
    ) -> AbstractAsyncContextManager[None]:
        """Call `heard` with the payload of each notification on the channel, while inside.

        All channels share one connection. It is made again when it is lost; since notifications
        may have been missed, `heard` is then called with an empty payload, as it is at the
        beginning.
        """
        return self._ears.listening(channel, heard)

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
        return self._pool.open, self._pool.free

    async def _begin(self, *, isolation: Isolation, read_only: bool) -> tuple[Session, Transaction]:
        """Begin a transaction, on a second connection when the first turns out to be dead."""
        for attempt in (1, 2):
            session = await self._pool.take()
            transaction = session.transaction(isolation=isolation, readonly=read_only)
            try:
                await transaction.start()
            except BaseException as error:
                self._pool.give_back(session, clean=False)
                if attempt == 2 or not is_connection_loss(error):  # noqa: PLR2004 - the last one
                    raise
            else:
                return session, transaction
        raise AssertionError  # the loop ends above


class _Lent:
    """A session of the pool for the length of a block. Plainer than a generator, since every
    request takes one: a third of the cost.
    """

    __slots__ = ("_pool", "_session")

    _session: Session

    def __init__(self, pool: SessionPool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        self._session = await self._pool.take()
        return self._session

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        session, clean = self._session, False
        try:
            if error is None:
                _refuse_unsure(session)
                clean = True
            elif isinstance(error, Exception) and session.commit_unsure:
                _refuse_unsure(session)  # what an earlier statement wrote
            elif isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                session.terminate()  # its server was demoted; the next one is looked for afresh
        finally:
            self._pool.give_back(session, clean=clean)


def _connector(url: str, statement_s: float, *, give_up_s: float | None = None) -> Connector:
    settings = {"statement_timeout": str(round(statement_s * 1000))}
    return Connector(database_url.parse(url), settings=settings, give_up_s=give_up_s)


def _refuse_unsure(session: Session) -> None:
    """A commit that was not replicated as asked for must not be answered as done."""
    if session.commit_unsure:
        session.terminate()
        raise OutcomeUnknownError("A commit ended without the confirmation of its standby.")


async def _uninterrupted(work: Coroutine[Any, Any, None]) -> None:
    """Finish what has begun, also when we are cancelled meanwhile; then obey."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
