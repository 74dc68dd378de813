"""What time ends: orders that nobody paid, and idempotency keys that nobody will ask for again."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from openorders.domain.ids import OrderId, StoreId
from openorders.store import queries
from openorders.store.database import Connection

_Q = queries.load("expiry")


async def find_unpaid(
    connection: Connection, now: datetime, passed_over: Sequence[OrderId]
) -> tuple[StoreId, OrderId] | None:
    """The order of any store whose time to be paid was over first, those apart that were passed
    over.
    """
    row = await _Q.find_unpaid.fetchrow(connection, now=now, passed_over=list(passed_over))
    return None if row is None else (StoreId(row["store_id"]), OrderId(row["id"]))


class Forgotten(NamedTuple):
    """How many, and when the last one was first used; None where there was none."""

    keys: int
    until: datetime | None


async def forget_keys(
    connection: Connection, *, since: datetime, before: datetime, limit: int
) -> Forgotten:
    """Delete keys that were first used between these times, the oldest first."""
    row = await _Q.forget_keys.fetchrow(connection, since=since, before=before, limit=limit)
    assert row is not None, "it is an aggregate"
    return Forgotten(row["forgotten"], row["until"])
