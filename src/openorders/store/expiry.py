"""What time ends: orders that nobody paid, and idempotency keys that nobody will ask for again."""

from datetime import datetime

from openorders.domain.ids import OrderId, StoreId
from openorders.store import queries
from openorders.store.database import Connection

_Q = queries.load("expiry")


async def claim_unpaid(
    connection: Connection, now: datetime, *, limit: int
) -> tuple[tuple[StoreId, OrderId], ...]:
    """Orders of any store whose time to be paid is over, held until the transaction ends."""
    rows = await _Q.claim_unpaid.fetch(connection, now=now, limit=limit)
    return tuple((StoreId(row["store_id"]), OrderId(row["id"])) for row in rows)


async def forget_keys(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete keys that were first used before this time. Returns how many there were."""
    return await _Q.forget_keys.fetchval(connection, before=before, limit=limit)
