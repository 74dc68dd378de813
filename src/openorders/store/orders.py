"""Orders as the database puts them together: one whole, one or many with their lines."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final

import msgspec
from asyncpg import Record
from msgspec.structs import replace

from openorders.domain.ids import OrderId, StoreId
from openorders.domain.order import Order
from openorders.store import queries, refunds
from openorders.store.database import Connection

_Q = queries.load("orders")

_order = msgspec.json.Decoder(Order)
_orders = msgspec.json.Decoder(list[Order])


class Depth(Enum):
    """How much of an order is read: with its lines, with payments and history, with refunds too.

    The lines alone cost about half of the whole.
    """

    LINES = "lines"
    PAYMENTS = "payments"
    WHOLE = "whole"


_IN_ONE_DOCUMENT: Final = {
    Depth.LINES: _Q.read_orders_with_lines,
    Depth.PAYMENTS: _Q.read_orders_with_payments,
}


async def read(connection: Connection, store_id: StoreId, order_id: OrderId) -> Order | None:
    """One order with its lines, payments, refunds and history."""
    return (await read_many(connection, store_id, [order_id], Depth.WHOLE)).get(order_id)


async def read_many(
    connection: Connection, store_id: StoreId, order_ids: Iterable[OrderId], depth: Depth
) -> dict[OrderId, Order]:
    """Those of the orders that exist, in no order. An id may be named twice."""
    ids = list(order_ids)
    if depth is Depth.WHOLE:
        rows = await _Q.read_orders.fetch(connection, store_id=store_id, ids=ids)
        return {order.id: order for order in map(_with_refunds, rows)}
    found = await _IN_ONE_DOCUMENT[depth].fetchval(connection, store_id=store_id, ids=ids)
    return {order.id: order for order in (_orders.decode(found) if found else ())}


async def lock(connection: Connection, store_id: StoreId, order_id: OrderId) -> Order | None:
    """One order to be changed: nobody else changes it until the transaction ends."""
    await _Q.lock_orders.fetch(connection, store_id=store_id, ids=[order_id])
    return await read(connection, store_id, order_id)


async def lock_many(
    connection: Connection, store_id: StoreId, order_ids: Sequence[OrderId]
) -> dict[OrderId, Order]:
    """Those of the orders that exist, locked in the order of their ids."""
    rows = await _Q.lock_orders.fetch(connection, store_id=store_id, ids=list(order_ids))
    found: dict[OrderId, Order] = {}
    for row in rows:
        order = await read(connection, store_id, OrderId(row["id"]))
        if order is not None:
            found[order.id] = order
    return found


def order_of(row: Record) -> Order:
    """What a statement tells as `it`, as an order: `read_orders` or `orders_of_page`."""
    return _order.decode(row["it"])


def _with_refunds(row: Record) -> Order:
    order, returned = order_of(row), refunds.decoded(row["refunds"])
    return replace(order, refunds=returned) if returned else order
