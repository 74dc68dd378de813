"""How much waits to be done, in all stores together: figures for operators.

Every statement reads a bounded number of rows from an index that holds nothing but what waits, so
that looking costs the same whatever is in the tables.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asyncpg import Record

from openorders.store import queries
from openorders.store.database import Connection
from openorders.store.queries import Statement

MOST: Final = 10_001
"""Nothing is counted further than this."""

_Q = queries.load("backlog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits somewhere: how many, since when the oldest, and when the first was due."""

    waiting: int
    oldest: datetime | None = None
    due: datetime | None = None


async def open_operations(connection: Connection) -> Queue:
    """Calls to gateways whose outcome is not known."""
    return await _queue(_Q.open_operations, connection)


async def pending_orders(connection: Connection) -> Queue:
    """Orders whose charge is running."""
    return await _queue(_Q.pending_orders, connection)


async def overdue_orders(connection: Connection, now: datetime) -> Queue:
    """Orders that nobody paid in the time their store allows."""
    return await _queue(_Q.overdue_orders, connection, now=now)


async def open_mails(connection: Connection) -> Queue:
    """Mails that are to be sent."""
    return await _queue(_Q.open_mails, connection)


async def _queue(statement: Statement, connection: Connection, **values: object) -> Queue:
    row: Record | None = await statement.fetchrow(connection, most=MOST, **values)
    assert row is not None, "an aggregate always has a row"
    return Queue(**dict(row))
