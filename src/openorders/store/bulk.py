"""Filling stores with orders that have a past: rows by the hundred, a statement per table.

For a database nobody uses yet. What is written must be consistent by itself: nothing is priced,
reserved or decided here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from openorders.domain.customer import Customer
from openorders.domain.ids import OperationId, OrderId, PaymentId, RefundId, StoreId, VariantId
from openorders.domain.order import Order
from openorders.domain.payment import OperationKind, Payment
from openorders.store import queries
from openorders.store.database import Connection

_Q = queries.load("bulk")


class ReservedIds(Struct, frozen=True, kw_only=True):
    """Numbers for one payment and its refund, in our books and in the sandbox's."""

    payment_id: PaymentId
    charge_id: OperationId
    giving_back_id: OperationId
    refund_id: RefundId
    sandbox_id: int


class StockedVariant(Struct, frozen=True, kw_only=True):
    """A variant to be sold, `on_hand` of which are there and `reserved` promised."""

    id: VariantId
    product_id: int
    name: str | None
    sku: str | None
    image: str | None
    price: int
    available: bool
    on_hand: int
    reserved: int


class Movement(Struct, frozen=True, kw_only=True):
    """Stock that moved; `order_id` is None for goods that came in."""

    kind: str
    order_id: OrderId | None
    variant_ids: tuple[VariantId, ...]
    quantities: tuple[int, ...]
    at: datetime


class DoneOperation(Struct, frozen=True, kw_only=True):
    """Something a gateway was asked for, and did."""

    id: OperationId
    payment_id: PaymentId
    order_id: OrderId
    kind: OperationKind
    amount: int
    reference: str
    actor: str
    contract: str
    at: datetime
    reason: str | None = None
    refund_id: RefundId | None = None


class Told(Struct, frozen=True, kw_only=True):
    """An event, with the order as it was right then."""

    type: str
    order: Order
    at: datetime


async def take_turn(connection: Connection) -> None:
    """Wait until nobody else fills this database."""
    await _Q.take_turn.execute(connection)


async def reserve_ids(connection: Connection, count: int) -> list[ReservedIds]:
    """Numbers for that many payments."""
    rows = await _Q.reserve_ids.fetch(connection, count=count)
    return [ReservedIds(**dict(row)) for row in rows]


async def begin_ids_after(connection: Connection, lasts: Mapping[str, int]) -> None:
    """Let new things be numbered above these, by the names of their sequences."""
    await _Q.begin_ids_after.execute(connection, names=list(lasts), lasts=list(lasts.values()))


async def begin_order_numbers_after(connection: Connection, store_id: StoreId, last: int) -> None:
    """Let the store's next order have the number after this one."""
    await _Q.begin_order_numbers_after.execute(connection, store_id=store_id, last=last)


async def add_customers(
    connection: Connection, store_id: StoreId, customers: Sequence[Customer], now: datetime
) -> None:
    """Register customers with numbers of their own."""
    await _Q.add_customers.execute(connection, store_id=store_id, rows=_json(customers), now=now)


async def add_catalogue(
    connection: Connection,
    store_id: StoreId,
    products: Mapping[int, str],
    variants: Sequence[StockedVariant],
    now: datetime,
) -> None:
    """Products by their numbers, and their variants: the first of each is the default."""
    defaults = {variant.product_id: variant.id for variant in reversed(variants)}
    rows = [
        {"id": number, "name": name, "default_variant_id": defaults[number]}
        for number, name in products.items()
    ]
    await _Q.add_products.execute(connection, store_id=store_id, rows=_json(rows), now=now)
    await _Q.add_variants.execute(connection, store_id=store_id, rows=_json(variants), now=now)
    stocked = [
        {"variant_id": one.id, "on_hand": one.on_hand, "reserved": one.reserved} for one in variants
    ]
    await _Q.add_stock.execute(connection, store_id=store_id, rows=_json(stocked))


async def add_movements(
    connection: Connection, store_id: StoreId, movements: Sequence[Movement]
) -> None:
    """Write the ledger that the stock came from."""
    await _Q.add_movements.execute(connection, store_id=store_id, rows=_json(movements))


async def add_orders(connection: Connection, store_id: StoreId, orders: Sequence[Order]) -> None:
    """Write orders with their lines and their history."""
    rows = [_order_row(order) for order in orders]
    await _Q.add_orders.execute(connection, store_id=store_id, rows=_json(rows))
    lines = [
        {"order_id": order.id, "position": position, **msgspec.to_builtins(line)}
        for order in orders
        for position, line in enumerate(order.lines, 1)
    ]
    await _Q.add_lines.execute(connection, store_id=store_id, rows=_json(lines))
    history = [
        {"order_id": order.id, "position": position, **msgspec.to_builtins(entry)}
        for order in orders
        for position, entry in enumerate(order.history, 1)
    ]
    await _Q.add_history.execute(connection, store_id=store_id, rows=_json(history))


async def add_payments(
    connection: Connection,
    store_id: StoreId,
    payments: Sequence[tuple[Order, Payment, int]],
    operations: Sequence[DoneOperation],
) -> None:
    """Write money that was taken, in our books and, under its number there, in the sandbox's."""
    rows = [
        {
            **msgspec.to_builtins(payment),
            "order_id": order.id,
            "currency": order.currency,
            "sandbox_id": sandbox_id,
        }
        for order, payment, sandbox_id in payments
    ]
    await _Q.add_payments.execute(connection, store_id=store_id, rows=_json(rows))
    await _Q.add_sandbox_charges.execute(connection, store_id=store_id, rows=_json(rows))
    done = {operation.refund_id: operation for operation in operations}
    refunds = [
        {
            **msgspec.to_builtins(refund),
            "order_id": order.id,
            "actor": done[refund.id].actor,
            "contract": done[refund.id].contract,
        }
        for order, _, _ in payments
        for refund in order.refunds
    ]
    await _Q.add_refunds.execute(connection, store_id=store_id, rows=_json(refunds))
    await _Q.add_operations.execute(connection, store_id=store_id, rows=_json(operations))


async def add_events(connection: Connection, store_id: StoreId, events: Sequence[Told]) -> None:
    """Write what was told to the outside, in this order."""
    await _Q.add_events.execute(
        connection,
        store_id=store_id,
        order_ids=[told.order.id for told in events],
        versions=[told.order.version for told in events],
        types=[told.type for told in events],
        payloads=[msgspec.json.encode(told.order) for told in events],
        times=[told.at for told in events],
    )


def _order_row(order: Order) -> dict[str, Any]:
    """The columns of an order: its fields, but for the totals and the customer."""
    fields: dict[str, Any] = {
        name: getattr(order, name)
        for name in Order.__struct_fields__
        if name not in ("customer", "totals", "lines", "payments", "refunds", "history")
    }
    totals = order.totals
    return {
        **fields,
        "customer_id": order.customer.id,
        "subtotal": totals.subtotal,
        "discount": totals.discount,
        "shipping": totals.shipping,
        "tax": totals.tax,
        "total": totals.total,
        "taxes": totals.taxes,
    }


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
