"""What waits to be done, as figures with the names that operators see."""

from datetime import datetime

from openorders.store import backlog
from openorders.usecases.context import Services


async def measure_backlog(services: Services) -> dict[str, float]:
    """Counts, and ages and lags in seconds (0 when nothing waits), by the names of the gauges.

    One look for all stores; cheap at any size, but not meant for every scrape.
    """
    now = services.clock()
    async with services.database.connection() as connection:
        operations = await backlog.open_operations(connection)
        pending = await backlog.pending_orders(connection)
        overdue = await backlog.overdue_orders(connection, now)
        mails = await backlog.open_mails(connection)
    return {
        "payment_operations_open": operations.waiting,
        "payment_operations_oldest_seconds": _since(operations.oldest, now),
        "payment_operations_lag_seconds": _since(operations.due, now),
        "pending_orders": pending.waiting,
        "pending_orders_oldest_seconds": _since(pending.oldest, now),
        "overdue_orders": overdue.waiting,
        "mails_waiting": mails.waiting,
        "mails_lag_seconds": _since(mails.due, now),
    }


def _since(then: datetime | None, now: datetime) -> float:
    """Seconds; 0 for a time that is not yet."""
    return 0.0 if then is None else max(0.0, (now - then).total_seconds())
