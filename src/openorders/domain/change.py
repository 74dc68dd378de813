"""A decision about an order: what it becomes, and everything that follows from it.

A decision is a plain function that either raises `Refused` or returns a `Change`; the store
writes all of a change in one transaction, or nothing of it.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain.events import EventType
from openorders.domain.ids import VariantId
from openorders.domain.order import HistoryEntry, Line, Order
from openorders.domain.payment import GiveBack


class MoveKind(StrEnum):
    """How stock moves: `receive` and `correct` change what is on hand, `reserve` and `release`
    what is promised, `ship` takes promised units away, `return` brings shipped units back.
    """

    RECEIVE = "receive"
    CORRECT = "correct"
    RESERVE = "reserve"
    RELEASE = "release"
    SHIP = "ship"
    RETURN = "return"


class StockMove(Struct, frozen=True, kw_only=True):
    """So many units of a variant, moved for this order."""

    kind: MoveKind
    variant_id: VariantId
    quantity: int


class By(Struct, frozen=True, kw_only=True):
    """Who changes an order, when, through which contract, and why."""

    actor: str
    contract: str
    at: datetime
    reason: str | None = None


class Change(Struct, frozen=True, kw_only=True):
    """`order` as it is from now on; `before` is what it was. A change of nothing has no events.

    Payments that staff vouch for and refunds that were decided are added to `order` unnumbered.
    """

    before: Order
    order: Order
    events: tuple[EventType, ...] = ()
    moves: tuple[StockMove, ...] = ()
    give_backs: tuple[GiveBack, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to write."""
        return not self.events


def nothing(order: Order) -> Change:
    """What was asked for already holds."""
    return Change(before=order, order=order)


def moves_of(kind: MoveKind, lines: Iterable[Line]) -> tuple[StockMove, ...]:
    """The same move for every line."""
    return tuple(
        StockMove(kind=kind, variant_id=line.variant_id, quantity=line.quantity) for line in lines
    )


def recorded(order: Order, by: By) -> Order:
    """The order with its new word in the history, touched now, one version on."""
    entry = HistoryEntry(
        word=order.word, at=by.at, actor=by.actor, contract=by.contract, reason=by.reason
    )
    return replace(
        order,
        history=(*order.history, entry),
        updated_at=max(by.at, order.updated_at),
        version=order.version + 1,
    )
