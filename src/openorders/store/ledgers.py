"""Recomputing from the ledgers what is kept elsewhere for speed, and finding where they differ.

Every statement finds nothing in a sound database. Amounts are minor units, as text.
"""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Final

from msgspec import Struct

from openorders.domain.ids import StoreId
from openorders.store import queries
from openorders.store.database import Connection
from openorders.store.queries import Statement

_Q = queries.load("ledgers")
_FIGURES = queries.load("figures")
_FETCHED_AT_ONCE: Final = 500


class Subject(StrEnum):
    """What a difference is about."""

    VARIANT = "variant"
    ORDER = "order"
    PAYMENT = "payment"
    STORE = "store"


class Difference(Struct, frozen=True, kw_only=True):
    """`what` of a thing is `found` where the ledger says `expected`."""

    subject: Subject
    id: int
    what: str
    expected: str
    found: str


_CHECKS: Final[dict[str, tuple[tuple[Subject, Statement], ...]]] = {
    "stock": (
        (Subject.VARIANT, _Q.stock_differences),
        (Subject.ORDER, _Q.reservation_differences),
    ),
    "totals": ((Subject.ORDER, _Q.total_differences),),
    "payments": (
        (Subject.PAYMENT, _Q.payment_differences),
        (Subject.ORDER, _Q.money_differences),
        (Subject.ORDER, _Q.refund_differences),
    ),
    "states": ((Subject.ORDER, _Q.state_differences),),
    "figures": ((Subject.STORE, _FIGURES.figure_differences),),
}

CHECKS: Final = tuple(_CHECKS)
"""The names of the checks, in the order in which they make sense."""


async def differences(
    connection: Connection, store_id: StoreId, check: str
) -> AsyncIterator[Difference]:
    """The differences that one of `CHECKS` finds in a store, inside a transaction."""
    for subject, statement in _CHECKS[check]:
        rows = statement.cursor(connection, prefetch=_FETCHED_AT_ONCE, store_id=store_id)
        async for row in rows:
            yield Difference(
                subject=subject,
                id=row["id"],
                what=row["what"],
                expected=row["expected"],
                found=row["found"],
            )
