"""How many orders a store has and what they come to, without reading orders.

Exact in any snapshot: what is folded and what is not yet are added up. Knows nothing of who may
ask, nor of weeks and months.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

from asyncpg import Record, exceptions
from msgspec import Struct

from openorders.domain.ids import StoreId
from openorders.domain.metrics import WITHOUT_REVENUE, Figures
from openorders.domain.order import Word
from openorders.store import queries
from openorders.store.database import Connection

REBUILD_S: Final = 3600.0
"""How long computing the figures of a store from its orders may take."""

STORES_AT_ONCE: Final = 1_000
"""Of so many stores the changes are folded in one go."""

_Q = queries.load("figures")
_WITHOUT_REVENUE: Final = sorted(word.value for word in WITHOUT_REVENUE)


class Work(Struct, frozen=True):
    """A store with changes to fold, or without figures to fold them into.

    `high` is the last id that any change had taken when this was read.
    """

    store_id: StoreId
    built: bool
    high: int


async def count(
    connection: Connection, store_id: StoreId, words: Collection[str] | None = None
) -> int:
    """How many orders the store has, those with one of the words or (None) all, exactly."""
    wanted = None if words is None else list(words)
    total = await _Q.count_orders.fetchval(connection, store_id=store_id, words=wanted)
    return int(total)


async def by_word(
    connection: Connection, store_id: StoreId, first: date, last: date
) -> Mapping[Word, Figures]:
    """Figures of every word that an order has which was placed on these days of the store."""
    rows = await _Q.figures_by_word.fetch(connection, store_id=store_id, first=first, last=last)
    return {Word(row["word"]): _of_word(row) for row in rows}


async def by_word_and_day(
    connection: Connection, store_id: StoreId, first: date, last: date
) -> tuple[Mapping[Word, Figures], list[tuple[date, Figures]]]:
    """The same, and the figures of each day on which an order was placed, ascending."""
    rows = await _Q.figures_by_word_and_day.fetch(
        connection, store_id=store_id, first=first, last=last, without_revenue=_WITHOUT_REVENUE
    )
    words: dict[Word, Figures] = {}
    days: list[tuple[date, Figures]] = []
    for word, day, orders, earning, revenue in rows:
        figures = Figures(orders, earning, int(revenue))
        if day is None:
            words[Word(word)] = figures
        else:
            days.append((day, figures))
    return words, days


async def find_work(connection: Connection) -> list[Work]:
    """The stores with something to do. Not to be called inside the transaction that folds."""
    rows = await _Q.find_work.fetch(connection, limit=STORES_AT_ONCE)
    return [Work(StoreId(row["store_id"]), row["built"], row["high"]) for row in rows]


async def fold(tx: Connection, work: Work, *, limit: int) -> int:
    """Fold at most `limit` changes of a store into its figures; how many there were.

    In the transaction that is given, which must not have read anything before. 0 when somebody
    else is at it, or when there are no figures yet.
    """
    built = await _Q.take_turn.fetchval(tx, store_id=work.store_id)
    if not built:
        return 0
    changes = await _Q.fold.fetchval(tx, store_id=work.store_id, high=work.high, limit=limit)
    return int(changes)


async def build(tx: Connection, store_id: StoreId) -> bool:
    """Compute the figures of a store that has none; False when somebody else does, or did."""
    if await _Q.take_turn.fetchval(tx, store_id=store_id) is not False:
        return False
    await rebuild(tx, store_id)
    return True


async def rebuild(tx: Connection, store_id: StoreId) -> None:
    """Compute the figures of a store from all its orders, in the transaction that is given.

    Waits for who folds; orders are written meanwhile. A million orders take a second or two, so
    the transaction's time is not limited from here on.
    """
    await _Q.allow_time.execute(tx)
    statement = _Q.rebuild
    arguments = statement.arguments({"store_id": store_id})
    await tx.execute(statement.sql, *arguments, timeout=REBUILD_S)


async def knows_zone(tx: Connection, zone: str) -> bool:
    """Whether the database can tell the days of this time zone; if not, the transaction is over."""
    try:
        await _Q.day_in_zone.fetchval(tx, zone=zone)
    except exceptions.InvalidParameterValueError:
        return False
    return True


def _of_word(row: Record) -> Figures:
    orders = row["orders"]
    earns = row["word"] not in _WITHOUT_REVENUE
    return Figures(orders, orders if earns else 0, int(row["total"]) if earns else 0)
