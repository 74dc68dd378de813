"""Orders as the database puts them together: one whole, one or many with their lines."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from asyncpg import Record

from openorders.domain.ids import OrderId, StoreId
from openorders.domain.order import Order
from openorders.store import queries, refunds
from openorders.store.database import Connection

_Q = queries.load("orders")

_order = msgspec.json.Decoder(Order)


async def read(connection: Connection, store_id: StoreId, order_id: OrderId) -> Order | None:
    """One order with its lines, payments, refunds and history."""
    row = await _Q.read_order.fetchrow(connection, store_id=store_id, id=order_id)
    if row is None:
        return None
    order = order_of(row)
    returned = refunds.decoded(row["refunds"])
    return replace(order, refunds=returned) if returned else order


async def read_with_lines(
    connection: Connection, store_id: StoreId, order_id: OrderId
) -> Order | None:
    """One order with its lines only, at about half of what the whole of it costs."""
    row = await _Q.read_order_with_lines.fetchrow(connection, store_id=store_id, id=order_id)
    return None if row is None else order_of(row)


async def read_with_payments(
    connection: Connection, store_id: StoreId, order_id: OrderId
) -> Order | None:
    """One order with its lines, payments and history, at about four fifths of it."""
    row = await _Q.read_order_with_payments.fetchrow(connection, store_id=store_id, id=order_id)
    return None if row is None else order_of(row)


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
    """What a statement tells as `it`, as an order: one of `read_order…` or `orders_of_page`."""
    return _order.decode(row["it"])
