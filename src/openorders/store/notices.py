"""Which notices of gateways have had their effect."""

from datetime import datetime

from openorders.domain.ids import StoreId
from openorders.store import queries
from openorders.store.database import Connection

_Q = queries.load("notices")


async def remember(
    connection: Connection, store_id: StoreId, gateway: str, notice_id: str, now: datetime
) -> bool:
    """Write, in the transaction of its effect, that a notice came. False: it has come before."""
    new = await _Q.remember_notice.fetchval(
        connection, store_id=store_id, gateway=gateway, notice_id=notice_id, now=now
    )
    return new is True


async def forget(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete notices that came before this time. Returns how many there were."""
    return await _Q.forget_notices.fetchval(connection, before=before, limit=limit)
