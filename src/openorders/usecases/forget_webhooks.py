"""Forget what is left of webhook endpoints that were removed."""

from datetime import timedelta
from typing import Final

from openorders.store import webhooks
from openorders.store.webhooks import FORGET_LIMIT
from openorders.usecases.context import Services

__all__ = ["FORGET_LIMIT", "forget_webhooks"]

AFTER: Final = timedelta(hours=1)
"""By then nothing of a removed endpoint is under way any more."""


async def forget_webhooks(services: Services) -> int:
    """Delete some of what removed endpoints were told. Returns how much that was."""
    before = services.clock() - AFTER
    async with services.database.connection() as connection:
        return await webhooks.forget_removed(connection, before)
