"""Forget what was written to whom when the operator need not know it any more."""

from typing import Final

from openorders.store import mails
from openorders.usecases.context import Services

FORGET_LIMIT: Final = 1_000
"""How many mails one run empties."""


async def forget_mails(services: Services) -> int:
    """Empty a batch of old mails: address and texts go, that they were sent stays. Returns how
    many there were.
    """
    before = services.clock() - services.mails_kept_for
    async with services.database.connection() as connection:
        return await mails.forget(connection, before, limit=FORGET_LIMIT)
