"""Give each committed event its position in the feed, once, and hand it to who waits for it."""

from typing import Final

from openorders.store import events, webhooks
from openorders.store.bell import EVENTS_SEQUENCED, EVENTS_TOLD
from openorders.store.database import Connection
from openorders.usecases.context import Services

__all__ = ["EVENTS_SEQUENCED", "EVENTS_TOLD", "SEQUENCE_LIMIT", "sequence"]

SEQUENCE_LIMIT: Final = 1_000
"""How many events one step gives a position."""


async def sequence(services: Services) -> int:
    """One step of the sequencer. Returns how many events were given a position.

    Any number of processes may try: one gives, the others find nothing to do.
    """
    async with services.database.connection() as connection:
        if not await events.has_news(connection):
            return 0

    async def step(tx: Connection) -> int:
        given = await events.give_positions(tx, limit=SEQUENCE_LIMIT)
        if given is None or given.count == 0:
            return 0
        await webhooks.fan_out(tx, given.first, given.last)
        return given.count

    return await services.database.run(step)
