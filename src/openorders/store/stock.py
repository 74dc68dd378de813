"""Stock that moves for an order, and the ledger that says so."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from openorders.domain.change import MoveKind, StockMove
from openorders.domain.ids import OrderId, StoreId, VariantId
from openorders.store import queries
from openorders.store.database import Connection

_Q = queries.load("stock")


class Short(Struct, frozen=True):
    """A variant of which fewer are left than were wanted."""

    variant_id: VariantId
    left: int


async def move(
    connection: Connection,
    store_id: StoreId,
    order_id: OrderId,
    moves: Sequence[StockMove],
    at: datetime,
) -> Short | None:
    """Make the moves of one order. When a reservation is short, it makes none of that kind."""
    for kind in MoveKind:
        of_kind = [move for move in moves if move.kind is kind]
        if not of_kind:
            continue
        rows = await _Q.move_stock.fetch(
            connection,
            store_id=store_id,
            order_id=order_id,
            kind=kind.value,
            variant_ids=[move.variant_id for move in of_kind],
            quantities=[move.quantity for move in of_kind],
            at=at,
        )
        if rows:
            return Short(VariantId(rows[0]["variant_id"]), rows[0]["available"])
    return None


async def lock(connection: Connection, store_id: StoreId, variant_ids: Sequence[VariantId]) -> None:
    """Lock stock in the order of ids: needed before moving it for several orders at once."""
    await _Q.lock_stock.fetch(connection, store_id=store_id, variant_ids=list(variant_ids))
