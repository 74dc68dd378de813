"""Forget idempotency keys that no client will retry any more."""

from datetime import timedelta
from typing import Final

from openorders.store import expiry
from openorders.usecases.context import Services

KEPT_FOR: Final = timedelta(hours=48)
"""The contracts promise at least 24 hours."""

FORGET_LIMIT: Final = 1_000
"""How many keys one run deletes."""


async def forget_keys(services: Services) -> int:
    """Delete a batch of old keys with their answers. Returns how many there were."""
    before = services.clock() - KEPT_FOR
    async with services.database.connection() as connection:
        return await expiry.forget_keys(connection, before=before, limit=FORGET_LIMIT)
