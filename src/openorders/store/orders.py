"""Rows to orders: one order whole, many orders with their lines."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from asyncpg import Record

from openorders.domain.address import Address
from openorders.domain.customer import Customer
from openorders.domain.ids import CustomerId, OrderId, StoreId
from openorders.domain.order import (
    Cancellation,
    Fulfilment,
    HistoryEntry,
    Line,
    Order,
    PaymentState,
    Progress,
    Shipment,
    Tax,
    Totals,
)
from openorders.domain.payment import Payment
from openorders.domain.refund import Refund
from openorders.store import queries, refunds
from openorders.store.database import Connection

T = TypeVar("T")

_Q = queries.load("orders")

_lines = msgspec.json.Decoder(tuple[Line, ...])
_payments = msgspec.json.Decoder(tuple[Payment, ...])
_history = msgspec.json.Decoder(tuple[HistoryEntry, ...])
_taxes = msgspec.json.Decoder(tuple[Tax, ...])
_address = msgspec.json.Decoder(Address)
_shipment = msgspec.json.Decoder(Shipment)
_cancellation = msgspec.json.Decoder(Cancellation)


async def read(connection: Connection, store_id: StoreId, order_id: OrderId) -> Order | None:
    """One order with its lines, payments, refunds and history."""
    row = await _Q.read_order.fetchrow(connection, store_id=store_id, id=order_id)
    return None if row is None else _whole(row)


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


def _whole(row: Record) -> Order:
    payments, history = row["payments"], row["history"]
    return order_of(
        row,
        payments=_payments.decode(payments) if payments else (),
        refunds=refunds.decoded(row["refunds"]),
        history=_history.decode(history) if history else (),
    )


def order_of(
    row: Record,
    *,
    payments: tuple[Payment, ...] = (),
    refunds: tuple[Refund, ...] = (),
    history: tuple[HistoryEntry, ...] = (),
) -> Order:
    """A row of `read_order` or `orders_of_page` as an order."""
    return Order(
        id=OrderId(row["id"]),
        number=row["number"],
        customer=Customer(
            id=CustomerId(row["customer_id"]),
            name=row["customer_name"],
            email=row["customer_email"],
        ),
        partner_name=row["partner_name"],
        customer_reference=row["customer_reference"],
        currency=row["currency"],
        minor_digits=row["minor_digits"],
        totals=Totals(
            subtotal=row["subtotal"],
            discount=row["discount"],
            shipping=row["shipping"],
            taxes=_decoded(_taxes, row["taxes"]) or (),
        ),
        lines=_lines.decode(row["lines"]),
        discount_code=row["discount_code"],
        progress=Progress(row["progress"]),
        payment=PaymentState(row["payment"]),
        fulfilment=Fulfilment(row["fulfilment"]),
        payment_asked=row["payment_asked"],
        shipping_method=row["shipping_method"],
        estimated_delivery=row["estimated_delivery"],
        shipping_address=_decoded(_address, row["shipping_address"]),
        billing_address=_decoded(_address, row["billing_address"]),
        payment_method=row["payment_method"],
        payment_gateway=row["payment_gateway"],
        payment_token=row["payment_token"],
        notes=row["notes"],
        shipment=_decoded(_shipment, row["shipment"]),
        cancellation=_decoded(_cancellation, row["cancellation"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        completed_at=row["completed_at"],
        version=row["version"],
        payments=payments,
        refunds=refunds,
        history=history,
    )


def _decoded(decoder: msgspec.json.Decoder[T], text: str | None) -> T | None:
    return None if text is None or text == "[]" else decoder.decode(text)
