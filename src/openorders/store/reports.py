"""Figures over many orders, summed by the database: it reads rows where we would read orders.

What may take long is given up after a while; `store.figures` has what is kept ready.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from asyncpg import Record, exceptions
from msgspec import Struct

from openorders.domain.ids import CustomerId, StoreId, VariantId
from openorders.domain.metrics import LARGEST_GROUPS, WITHOUT_REVENUE, Figures, Group
from openorders.domain.order import Word
from openorders.store import queries
from openorders.store.database import Connection
from openorders.store.queries import Statement

SECONDS_MAX: Final = 20
"""A statement that reads longer is given up."""

_Q = queries.load("reports")
_WITHOUT_REVENUE: Final = sorted(word.value for word in WITHOUT_REVENUE)


class TooManyOrdersError(Exception):
    """Reading the orders took longer than `SECONDS_MAX`."""


class Counted(Struct, frozen=True, kw_only=True):
    """Which orders are counted: those placed from `start` on and before `end`, of one partner
    or one customer where those are named.
    """

    store_id: StoreId
    start: datetime
    end: datetime
    partner_name: str | None = None
    customer_id: CustomerId | None = None

    def parameters(self) -> dict[str, object]:
        """As every statement of this file takes them."""
        return {
            "store_id": self.store_id,
            "start": self.start,
            "end": self.end,
            "partner_name": self.partner_name,
            "customer_id": self.customer_id,
        }


async def plan_for_the_values(connection: Connection) -> None:
    """Have the statements that follow in this transaction planned for the period they cover."""
    await _Q.plan_for_the_values.execute(connection)


async def by_word(connection: Connection, counted: Counted) -> Mapping[Word, Figures]:
    """Figures of every word that any of the orders has."""
    rows = await _fetch(connection, _Q.figures_by_word, **counted.parameters())
    figures: dict[Word, Figures] = {}
    for row in rows:
        word, orders = Word(row["word"]), int(row["orders"])
        earns = word not in WITHOUT_REVENUE
        figures[word] = Figures(orders, orders if earns else 0, int(row["total"]) if earns else 0)
    return figures


async def first_and_last(
    connection: Connection, counted: Counted
) -> tuple[datetime, datetime] | None:
    """When the first and the last of the orders were placed; None when there are none."""
    row = await _Q.first_and_last.fetchrow(connection, **counted.parameters())
    if row is None or row["first"] is None:
        return None
    return row["first"], row["last"]


async def by_stretch(
    connection: Connection, counted: Counted, beginnings: Sequence[datetime]
) -> list[tuple[int, Figures]]:
    """Figures of the stretches that begin at these ascending instants, by their position.

    Empty stretches are left out.
    """
    rows = await _fetch(
        connection,
        _Q.figures_by_stretch,
        **counted.parameters(),
        beginnings=list(beginnings),
        without_revenue=_WITHOUT_REVENUE,
    )
    return [(int(row["place"]) - 1, _figures(row)) for row in rows]


async def by_customer(connection: Connection, counted: Counted) -> tuple[list[Group], int]:
    """The customers with the largest revenue, and how many customers there are."""
    rows = await _fetch(
        connection,
        _Q.figures_by_customer,
        **counted.parameters(),
        most=LARGEST_GROUPS,
        without_revenue=_WITHOUT_REVENUE,
    )
    return [Group(CustomerId(row["key"]), _figures(row)) for row in rows], _groups_total(rows)


async def by_variant(connection: Connection, counted: Counted) -> tuple[list[Group], int]:
    """The variants with the largest revenue, and how many variants were ordered."""
    rows = await _fetch(
        connection,
        _Q.figures_by_variant,
        **counted.parameters(),
        most=LARGEST_GROUPS,
        without_revenue=_WITHOUT_REVENUE,
    )
    return [Group(VariantId(row["key"]), _figures(row)) for row in rows], _groups_total(rows)


async def _fetch(connection: Connection, statement: Statement, **values: object) -> list[Record]:
    try:
        return await connection.fetch(
            statement.sql, *statement.arguments(values), timeout=SECONDS_MAX
        )
    except (TimeoutError, exceptions.QueryCanceledError) as error:
        raise TooManyOrdersError from error


def _figures(row: Record) -> Figures:
    return Figures(int(row["orders"]), int(row["earning"]), int(row["revenue"]))


def _groups_total(rows: Sequence[Record]) -> int:
    return int(rows[0]["groups_total"]) if rows else 0
