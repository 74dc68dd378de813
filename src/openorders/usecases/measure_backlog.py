"""What waits to be done, as figures with the names that operators see."""

from datetime import datetime, timedelta
from typing import Final

from openorders.store import backlog
from openorders.store.database import Connection
from openorders.usecases.context import Services

LATELY: Final = timedelta(hours=24)
"""How long what was given up is counted."""


async def measure_backlog(services: Services) -> dict[str, float]:
    """Counts, and ages and lags in seconds (0 when nothing waits), by the names of the gauges.

    One look for all stores; cheap at any size, but not meant for every scrape.
    """
    now = services.clock()
    async with services.database.connection() as connection:
        return {
            **await _told(connection, now),
            **await _paid(connection, now),
            **await _written(connection, now),
            **await _counted(connection),
        }


async def _told(connection: Connection, now: datetime) -> dict[str, float]:
    events = await backlog.unsequenced_events(connection)
    deliveries = await backlog.waiting_deliveries(connection)
    trouble = await backlog.troubled_endpoints(connection)
    return {
        "events_unsequenced": events.waiting,
        "events_unsequenced_oldest_seconds": _since(events.oldest, now),
        "deliveries_waiting": deliveries.waiting,
        "deliveries_retrying_orders": deliveries.retried,
        "deliveries_oldest_seconds": _since(deliveries.oldest, now),
        "deliveries_lag_seconds": _since(deliveries.due, now),
        "webhook_endpoints_off": trouble.off,
        "webhook_endpoints_failing": trouble.failing,
        "webhook_endpoints_failing_seconds": _since(trouble.failing_since, now),
    }


async def _paid(connection: Connection, now: datetime) -> dict[str, float]:
    operations = await backlog.open_operations(connection)
    refused = await backlog.refused_refunds(connection, now - LATELY)
    pending = await backlog.pending_orders(connection)
    overdue = await backlog.overdue_orders(connection, now)
    return {
        "payment_operations_open": operations.waiting,
        "payment_operations_oldest_seconds": _since(operations.oldest, now),
        "payment_operations_lag_seconds": _since(operations.due, now),
        "refunds_refused": refused.waiting,
        "pending_orders": pending.waiting,
        "pending_orders_oldest_seconds": _since(pending.oldest, now),
        "overdue_orders": overdue.waiting,
    }


async def _written(connection: Connection, now: datetime) -> dict[str, float]:
    mails = await backlog.open_mails(connection)
    given_up = await backlog.given_up_mails(connection, now - LATELY)
    return {
        "mails_waiting": mails.waiting,
        "mails_lag_seconds": _since(mails.due, now),
        "mails_given_up": given_up.waiting,
    }


async def _counted(connection: Connection) -> dict[str, float]:
    unfolded = await backlog.unfolded_changes(connection)
    return {"figure_changes_waiting": unfolded.changes, "figures_missing_stores": unfolded.unbuilt}


def _since(then: datetime | None, now: datetime) -> float:
    """Seconds; 0 for a time that is not yet."""
    return 0.0 if then is None else max(0.0, (now - then).total_seconds())
