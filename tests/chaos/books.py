"""What the database says in the end, read past the product, to compare others with."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import asyncpg

Row = asyncpg.Record

_WAITING = """
select
    (
        select count(*) from outbox o where not exists (
            select from event_positions p where p.store_id = o.store_id and p.event_id = o.id
        )
    ) as events,
    (select count(*) from webhook_lanes) as lanes,
    (select count(*) from payment_operations where state = 'started') as operations,
    (select count(*) from pending_orders) as pending
"""

_EVENTS = """
select o.id, o.order_id, o.version, o.type, p.position
from outbox o
left join event_positions p on p.store_id = o.store_id and p.event_id = o.id
where o.store_id = $1
order by p.position
"""

_ORDERS = """
select o.id, o.number, o.total, o.progress, o.payment, o.version,
    coalesce(sum(p.captured), 0)::bigint as captured,
    coalesce(sum(p.refunded), 0)::bigint as refunded,
    count(*) filter (where p.state = 'captured') as captures
from orders o
left join payments p on p.store_id = o.store_id and p.order_id = o.id
where o.store_id = $1
group by o.store_id, o.id
order by o.id
"""

_HURRY = (
    "update payment_operations set due_at = now() where state = 'started'",
    "update webhook_lanes set due_at = now() where claim is null",
)
_END_LEASES = "update webhook_lanes set due_at = now(), claim = null"


@dataclass(frozen=True)
class Books:
    """One store in one database."""

    url: str
    store_id: int

    async def fetch(self, sql: str, *values: Any) -> list[Row]:
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetch(sql, *values)
        finally:
            await connection.close()

    async def events(self) -> list[Row]:
        """All events, in the order of the feed."""
        return await self.fetch(_EVENTS, self.store_id)

    async def orders(self) -> list[Row]:
        """All orders with what was taken and given back for them."""
        return await self.fetch(_ORDERS, self.store_id)

    async def waiting(self) -> dict[str, int]:
        """How much is still to be done, by what it is."""
        return dict((await self.fetch(_WAITING))[0])

    async def quiet(self, *, within_s: float, hurried: bool = False) -> dict[str, int]:
        """Wait until nothing waits; answers what still does. `hurried`: retries are made due."""
        end = time.monotonic() + within_s
        while any((waiting := await self.waiting()).values()) and time.monotonic() < end:
            if hurried:
                for statement in _HURRY:
                    await self.fetch(statement)
            await asyncio.sleep(0.2)
        return waiting

    async def end_leases(self) -> None:
        """Let the time pass after which the dead are known to be dead. No worker may be alive."""
        await self.fetch(_END_LEASES)
