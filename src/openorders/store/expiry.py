"""What time ends: orders that nobody paid, and idempotency keys that nobody will ask for again."""

from collections.abc import Sequence
from datetime import datetime

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


async def forget_keys(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete keys that were first used before this time. Returns how many there were."""
    return await _Q.forget_keys.fetchval(connection, before=before, limit=limit)
