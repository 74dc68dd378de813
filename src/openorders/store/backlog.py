"""How much waits to be done, in all stores together: figures for operators.

Every statement reads a bounded number of rows from an index that holds little but what waits, so
that looking costs the same whatever is in the tables.
"""

from datetime import datetime
from typing import Final

from asyncpg import Record
from msgspec import Struct

from openorders.store import queries
from openorders.store.database import Connection
from openorders.store.queries import Statement

MOST: Final = 10_001
"""Nothing is counted further than this."""

LOOKED_AT: Final = 1_000
"""Of so many lanes the oldest event is looked up."""

_Q = queries.load("backlog")


class Queue(Struct, frozen=True, kw_only=True):
    """What waits somewhere: how many, since when the oldest, and when the first was due.

    `retried` counts those whose last try failed.
    """

    waiting: int
    oldest: datetime | None = None
    due: datetime | None = None
    retried: int = 0


class Trouble(Struct, frozen=True, kw_only=True):
    """Endpoints that fail, or were switched off because they did."""

    off: int
    failing: int
    failing_since: datetime | None


class Unfolded(Struct, frozen=True, kw_only=True):
    """Changes that are to be folded into figures, and stores that have no figures yet."""

    changes: int
    unbuilt: int


async def open_operations(connection: Connection) -> Queue:
    """Calls to gateways whose outcome is not known."""
    return await _queue(_Q.open_operations, connection)


async def refused_refunds(connection: Connection, since: datetime) -> Queue:
    """Refunds that a gateway refused for good since then."""
    return await _queue(_Q.refused_refunds, connection, since=since)


async def pending_orders(connection: Connection) -> Queue:
    """Orders whose charge is running."""
    return await _queue(_Q.pending_orders, connection)


async def overdue_orders(connection: Connection, now: datetime) -> Queue:
    """Orders that nobody paid in the time their store allows."""
    return await _queue(_Q.overdue_orders, connection, now=now)


async def open_mails(connection: Connection) -> Queue:
    """Mails that are to be sent."""
    return await _queue(_Q.open_mails, connection)


async def given_up_mails(connection: Connection, since: datetime) -> Queue:
    """Mails that were given up since then."""
    return await _queue(_Q.given_up_mails, connection, since=since)


async def unsequenced_events(connection: Connection) -> Queue:
    """Events without a place in the feed."""
    return await _queue(_Q.unsequenced_events, connection)


async def waiting_deliveries(connection: Connection) -> Queue:
    """Events that active endpoints are still to be told; `retried` counts orders."""
    return await _queue(_Q.waiting_deliveries, connection, looked_at=LOOKED_AT)


async def troubled_endpoints(connection: Connection) -> Trouble:
    """Webhook endpoints that need somebody's attention."""
    return Trouble(**dict(await _one(_Q.troubled_endpoints, connection)))


async def unfolded_changes(connection: Connection) -> Unfolded:
    """What happened to orders and is to be folded into the figures."""
    row = await _one(_Q.unfolded_changes, connection)
    return Unfolded(changes=int(row["changes"]), unbuilt=row["unbuilt"])


async def _queue(statement: Statement, connection: Connection, **values: object) -> Queue:
    return Queue(**dict(await _one(statement, connection, **values)))


async def _one(statement: Statement, connection: Connection, **values: object) -> Record:
    row = await statement.fetchrow(connection, most=MOST, **values)
    assert row is not None, "an aggregate always has a row"
    return row
