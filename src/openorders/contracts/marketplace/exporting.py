"""The exports of `marketplace`: columns and filters by the names clients give them."""

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from openorders.contracts.kit import Unreadable
from openorders.contracts.marketplace.columns import COLUMNS, DEFAULT
from openorders.contracts.marketplace.ids import read_customer
from openorders.contracts.marketplace.requests import ExportIn, FiltersIn
from openorders.contracts.marketplace.words import words_of
from openorders.domain.metrics import Period
from openorders.domain.search import (
    EVERYTHING,
    Expression,
    all_of,
    created_between,
    of_customer,
    with_words,
)
from openorders.domain.store_settings import Store
from openorders.domain.table import TableColumn
from openorders.usecases.export_orders import Export

CSV: Final = "text/csv; charset=utf-8; header=present"
EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_NAME_MAX: Final = 40


def to_export(body: ExportIn, store: Store) -> Export:
    """What of which orders. Raises `Unreadable` for a column or a customer that cannot be."""
    return Export(
        columns=_columns(DEFAULT if body.columns is None else body.columns),
        criteria=_criteria(body.filters or FiltersIn(), store),
    )


def _columns(names: Sequence[str]) -> tuple[TableColumn, ...]:
    for position, name in enumerate(names):
        at = f"columns[{position}]"
        if name not in COLUMNS:
            shown = name if name.isprintable() and len(name) <= _NAME_MAX else "that name"
            raise Unreadable(at, f"names no column: there is no {shown}")
        if name in names[:position]:
            raise Unreadable(at, f"must not name {name} again")
    return tuple(COLUMNS[name] for name in names)


def _criteria(filters: FiltersIn, store: Store) -> Expression:
    start, end = filters.start_date, filters.end_date
    if start is not None and end is not None and end < start:
        raise Unreadable("filters.endDate", "must not be before startDate")
    customer = filters.customer_id
    period = EVERYTHING
    if start is not None or end is not None:
        period = created_between(*Period(start=start, end=end).instants(ZoneInfo(store.time_zone)))
    return all_of(
        EVERYTHING if filters.status is None else with_words(words_of(filters.status)),
        EVERYTHING
        if customer is None
        else of_customer(read_customer(customer, "filters.customerId")),
        period,
    )
