"""Forget idempotency keys that no client will retry any more."""

from datetime import UTC, datetime, timedelta
from typing import Final

from openorders.store import expiry
from openorders.usecases.context import Services

KEPT_FOR: Final = timedelta(hours=48)
"""The contracts promise at least 24 hours."""

BATCH: Final = 1_000
"""How many keys one statement deletes."""

FORGET_LIMIT: Final = 20 * BATCH
"""How many keys one run deletes."""

_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def forget_keys(services: Services) -> int:
    """Delete some old keys with their answers. Returns how many there were.

    Each batch begins where the last one ended: while a transaction that began before stays open,
    what was deleted since is still in the index, and would be walked over by every batch.
    """
    before, since = services.clock() - KEPT_FOR, _EVER
    forgotten = 0
    while forgotten < FORGET_LIMIT:
        async with services.database.connection() as connection:
            batch = await expiry.forget_keys(connection, since=since, before=before, limit=BATCH)
        forgotten += batch.keys
        if batch.keys < BATCH or batch.until is None:
            break
        since = batch.until
    return forgotten
