"""Payments to be looked at by staff: page by page, each with the calls that were made for it."""

from collections.abc import Sequence
from typing import Final

from asyncpg import Record
from msgspec import Struct

from openorders.domain.ids import OperationId, OrderId, PaymentId, StoreId
from openorders.domain.payment import (
    AttemptState,
    Operation,
    OperationKind,
    OperationState,
    Payment,
)
from openorders.store import queries
from openorders.store.database import Connection
from openorders.store.payments import payment_of

OPERATIONS_MAX: Final = 100
"""How many of a payment's operations are told: the latest."""

_Q = queries.load("payment_pages")


class FoundPayment(Struct, frozen=True, kw_only=True):
    """A payment, the order it belongs to, the currency of its amounts, and its operations."""

    payment: Payment
    order_id: OrderId
    currency: str
    operations: tuple[Operation, ...]


async def page(
    connection: Connection,
    store_id: StoreId,
    order_id: OrderId | None,
    after: PaymentId | None,
    limit: int,
    state: AttemptState | None,
) -> tuple[FoundPayment, ...]:
    """Up to `limit` payments right after one, of one order or of the store, oldest first."""
    rows = await _ids(connection, store_id, order_id, after or 0, limit, state)
    return await by_id(connection, store_id, [PaymentId(row["id"]) for row in rows])


async def by_id(
    connection: Connection, store_id: StoreId, ids: Sequence[PaymentId]
) -> tuple[FoundPayment, ...]:
    """Those of the payments that exist, oldest first."""
    rows = await _Q.payments_by_id.fetch(connection, store_id=store_id, ids=list(ids))
    made = await _Q.operations_of_payments.fetch(
        connection, store_id=store_id, ids=list(ids), limit=OPERATIONS_MAX
    )
    operations: dict[int, list[Operation]] = {}
    for row in made:
        operations.setdefault(row["payment_id"], []).append(_operation_of(row))
    return tuple(
        FoundPayment(
            payment=payment_of(row),
            order_id=OrderId(row["order_id"]),
            currency=row["currency"],
            operations=tuple(operations.get(row["id"], ())),
        )
        for row in rows
    )


async def _ids(
    connection: Connection,
    store_id: StoreId,
    order_id: OrderId | None,
    after: int,
    limit: int,
    state: AttemptState | None,
) -> list[Record]:
    word = None if state is None else state.value
    if order_id is not None:
        return await _Q.ids_of_order.fetch(
            connection, store_id=store_id, order_id=order_id, after=after, state=word, limit=limit
        )
    if word is None:
        return await _Q.ids_of_store.fetch(connection, store_id=store_id, after=after, limit=limit)
    return await _Q.ids_in_state.fetch(
        connection, store_id=store_id, state=word, after=after, limit=limit
    )


def _operation_of(row: Record) -> Operation:
    columns = dict(row)
    columns["id"] = OperationId(row["id"])
    columns["kind"] = OperationKind(row["kind"])
    columns["state"] = OperationState(row["state"])
    return Operation(**columns)
