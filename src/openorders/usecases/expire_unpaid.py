"""Cancel orders that nobody paid in the time their store allows; their stock is free again."""

from typing import Final

from openorders.domain import progress
from openorders.domain.change import By
from openorders.domain.ids import OrderId
from openorders.store import changes, expiry, orders, stores
from openorders.usecases.context import Services
from openorders.usecases.perform_operations import perform_all

EXPIRY_LIMIT: Final = 50
"""How many orders one run cancels."""

_REASON: Final = "It was not paid in time."


async def expire_unpaid(services: Services) -> int:
    """Cancel what is overdue, each order in a transaction of its own. Returns how many."""
    expired: list[OrderId] = []
    while len(expired) < EXPIRY_LIMIT:
        order_id = await _expire_one(services)
        if order_id is None:
            break
        expired.append(order_id)
    return len(expired)


async def _expire_one(services: Services) -> OrderId | None:
    now = services.clock()
    async with services.database.transaction() as tx:
        claimed = await expiry.claim_unpaid(tx, now, limit=1)
        if not claimed:
            return None
        store_id, order_id = claimed[0]
        order = await orders.lock(tx, store_id, order_id)
        assert order is not None, "it is locked"
        by = By(actor="expiry", contract="system", at=now, reason=_REASON)
        operations = await changes.save(tx, store_id, progress.cancel(order, by), by)
        store = await stores.read(tx, store_id)
        assert store is not None, "an order has a store"
    await perform_all(services, store, operations)
    return order_id
