"""The metrics of `marketplace`: a question about days to a period, figures to what is printed."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from msgspec import UNSET

from openorders.contracts.kit import Unreadable
from openorders.contracts.marketplace.ids import format_customer, format_offer
from openorders.contracts.marketplace.requests import GroupBy, MetricsQuery
from openorders.contracts.marketplace.schemas import GroupOut, MetricsOut, StatusCounts
from openorders.contracts.marketplace.words import STATUSES, Status, words_of
from openorders.domain.ids import CustomerId, VariantId
from openorders.domain.metrics import Figures, Group, Grouping, Metrics, Period
from openorders.domain.money import to_decimal
from openorders.domain.store_settings import Store

_GROUPINGS: Final[Mapping[GroupBy, Grouping]] = {
    "status": Grouping.STATUS,
    "day": Grouping.DAY,
    "week": Grouping.WEEK,
    "month": Grouping.MONTH,
    "customer": Grouping.CUSTOMER,
    "offer": Grouping.VARIANT,
}


def to_period(query: MetricsQuery) -> Period:
    """The days that are asked for. Raises `Unreadable` when the last is before the first."""
    start, end = query.start_date, query.end_date
    if start is not None and end is not None and end < start:
        raise Unreadable("endDate", "must not be before startDate", "query")
    return Period(start=start, end=end)


def to_grouping(query: MetricsQuery) -> Grouping | None:
    """What the figures are split by."""
    return None if query.group_by is None else _GROUPINGS[query.group_by]


def costly(query: MetricsQuery) -> str:
    """What to change about a query that takes too long."""
    return (
        "so many days" if query.group_by is None else f"groupBy={query.group_by} over so many days"
    )


def metrics_out(metrics: Metrics, grouping: Grouping | None, store: Store) -> MetricsOut:
    """The figures as they are printed."""
    total, digits = metrics.total, store.minor_digits
    groups = metrics.groups
    if groups is not None and grouping is Grouping.STATUS:
        printed = _by_status(metrics, digits)
    else:
        printed = [
            _group_out(_key(group, grouping), group.figures, digits) for group in groups or ()
        ]
    return MetricsOut(
        total_orders=total.orders,
        total_revenue=to_decimal(total.revenue, digits),
        average_order_value=total.average(digits),
        orders_by_status=StatusCounts(
            pending_payment=_of_status(metrics, "pending_payment").orders,
            pending=_of_status(metrics, "pending").orders,
            processing=_of_status(metrics, "processing").orders,
            shipped=_of_status(metrics, "shipped").orders,
            delivered=_of_status(metrics, "delivered").orders,
            completed=_of_status(metrics, "completed").orders,
            refunded=_of_status(metrics, "refunded").orders,
            cancelled=_of_status(metrics, "cancelled").orders,
        ),
        groups=UNSET if groups is None else printed,
        groups_total=UNSET if metrics.groups_total is None else metrics.groups_total,
    )


def _of_status(metrics: Metrics, status: Status) -> Figures:
    """Several words inside can show as one status."""
    words = words_of(status)
    return sum((figures for word, figures in metrics.by_word.items() if word in words), Figures())


def _by_status(metrics: Metrics, digits: int) -> list[GroupOut]:
    """The statuses that any order has, in the order of an order's life."""
    there = [(status, _of_status(metrics, status)) for status in STATUSES]
    return [_group_out(status, figures, digits) for status, figures in there if figures.orders]


def _group_out(key: str, figures: Figures, digits: int) -> GroupOut:
    return GroupOut(
        key=key,
        total_orders=figures.orders,
        total_revenue=to_decimal(figures.revenue, digits),
        average_order_value=figures.average(digits),
    )


def _key(group: Group, grouping: Grouping | None) -> str:
    key = group.key
    match grouping:
        case Grouping.WEEK if isinstance(key, date):
            year, week, _ = key.isocalendar()
            return f"{year}-W{week:02d}"
        case Grouping.MONTH if isinstance(key, date):
            return f"{key:%Y-%m}"
        case Grouping.CUSTOMER if isinstance(key, int):
            return format_customer(CustomerId(key))
        case Grouping.VARIANT if isinstance(key, int):
            return format_offer(VariantId(key))
        case _:
            return str(key)
