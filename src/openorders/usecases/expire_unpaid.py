"""Cancel orders that nobody paid in the time their store allows; their stock is free again."""

from typing import Final

from openorders import logs
from openorders.domain import progress
from openorders.domain.change import By
from openorders.domain.ids import OrderId, StoreId
from openorders.domain.order import Order, Word
from openorders.domain.payment import AttemptState
from openorders.store import changes, expiry, orders, stores
from openorders.usecases.context import Services
from openorders.usecases.perform_operations import perform_all

EXPIRY_LIMIT: Final = 50
"""How many orders one run cancels."""

_REASON: Final = "It was not paid in time."

_log = logs.Logger(__name__)


async def expire_unpaid(services: Services) -> int:
    """Cancel what is overdue, each order in a transaction of its own. Returns how many."""
    expired = 0
    passed_over: list[OrderId] = []
    while expired + len(passed_over) < EXPIRY_LIMIT:
        async with services.database.connection() as connection:
            overdue = await expiry.find_unpaid(connection, services.clock(), passed_over)
        if overdue is None:
            break
        if await _expired(services, *overdue):
            expired += 1
        else:
            passed_over.append(overdue[1])
    return expired


async def _expired(services: Services, store_id: StoreId, order_id: OrderId) -> bool:
    try:
        return await _expire(services, store_id, order_id)
    except Exception:  # noqa: BLE001 - one order that cannot be cancelled holds up no other
        _log.exception("expiry_failed", store=store_id, order=order_id)
        return False


async def _expire(services: Services, store_id: StoreId, order_id: OrderId) -> bool:
    """Cancel the order unless somebody began to pay it, or ended it, a moment ago."""
    async with services.database.transaction() as tx:
        order = await orders.lock(tx, store_id, order_id)
        store = await stores.read(tx, store_id)
        assert order is not None, "orders are never deleted"
        assert store is not None, "an order has a store"
        if order.word is not Word.PAYMENT_PENDING or _is_being_paid(order):
            return False
        by = By(actor="expiry", contract="system", at=services.clock(), reason=_REASON)
        operations = await changes.save(tx, store_id, progress.cancel(order, by), by)
    services.bell.ring()
    await perform_all(services, store, operations)
    return True


def _is_being_paid(order: Order) -> bool:
    return any(payment.state is AttemptState.STARTED for payment in order.payments)
