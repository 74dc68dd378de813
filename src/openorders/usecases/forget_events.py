"""Forget events that are older than the operator keeps them, with what was told of them."""

from typing import Final

from openorders.store import events, webhooks
from openorders.store.database import Connection
from openorders.usecases.context import Services

FORGET_LIMIT: Final = 1_000
"""How many events one run forgets."""


async def forget_events(services: Services) -> int:
    """Delete a batch of old events with their deliveries. Returns how many events there were.

    A feed is only ever cut at its beginning, and says so to a reader who comes too late.
    """
    before = services.clock() - services.events_kept_for

    async def step(tx: Connection) -> int:
        aged = await events.find_aged(tx, before, limit=FORGET_LIMIT)
        if aged:
            await webhooks.forget(
                tx, [one.store_id for one in aged], [one.event_id for one in aged]
            )
            await events.forget(tx, aged)
        return len(aged)

    return await services.database.run(step)
