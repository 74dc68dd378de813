"""What endpoints are to be told: queueing, replaying, reading and forgetting it.

Who tells it is in `store/webhook_lanes.py`, the endpoints are in `store/webhook_endpoints.py`.
"""

from typing import Final

from openorders.store import queries
from openorders.store.database import Connection

DELIVERIES_QUEUED: Final = "openorders_deliveries"
"""The channel on which whoever delivers is woken."""

_Q = queries.load("webhooks")


async def fan_out(connection: Connection, first_position: int, last_position: int) -> int:
    """Queue events for the endpoints that want them, in the transaction that gave the events
    their positions. Returns how many lanes have something new.
    """
    return await _Q.fan_out.fetchval(
        connection, first_position=first_position, last_position=last_position
    )
