"""Refunds as they were decided, and what became of them.

What became of a refund is never written down with it: it is read from its operations.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from openorders.domain.change import By
from openorders.domain.ids import OperationId, OrderId, RefundId, StoreId
from openorders.domain.refund import Refund, RefundedLine, RefundTerms, state_of
from openorders.store import queries
from openorders.store.database import Connection

_Q = queries.load("refunds")


class StoredRefund(Struct, frozen=True, kw_only=True):
    """A refund as a statement tells it: with how much is under way, and how much has failed."""

    id: RefundId
    amount: int
    started: int
    failed: int
    shipping: int
    goodwill: int
    reason: str | None
    restock: bool
    firm: bool
    at: datetime
    lines: tuple[RefundedLine, ...] = ()

    def told(self) -> Refund:
        """The same with its state."""
        return Refund(
            id=self.id,
            amount=self.amount,
            state=state_of(self.amount, started=self.started, failed=self.failed),
            failed=self.failed,
            lines=self.lines,
            shipping=self.shipping,
            goodwill=self.goodwill,
            reason=self.reason,
            restock=self.restock,
            firm=self.firm,
            at=self.at,
        )


class FoundRefund(Struct, frozen=True, kw_only=True):
    """A refund, with the order it belongs to and the currency of its amounts."""

    refund: Refund
    order_id: OrderId
    currency: str


_lines = msgspec.json.Decoder(tuple[RefundedLine, ...])
_refunds = msgspec.json.Decoder(tuple[StoredRefund, ...])


async def insert(
    connection: Connection,
    store_id: StoreId,
    order_id: OrderId,
    amount: int,
    terms: RefundTerms,
    by: By,
) -> RefundId:
    """Write down a refund, in the transaction that decides it and before its operations."""
    refund_id = await _Q.insert_refund.fetchval(
        connection,
        store_id=store_id,
        order_id=order_id,
        amount=amount,
        shipping=terms.shipping,
        goodwill=terms.goodwill,
        reason=terms.reason,
        restock=terms.restock,
        actor=by.actor,
        contract=by.contract,
        now=by.at,
        lines=msgspec.json.encode(terms.lines).decode(),
    )
    return RefundId(refund_id)


async def make_firm(connection: Connection, store_id: StoreId, ids: Sequence[RefundId]) -> None:
    """Let refunds hold whatever becomes of their calls, in the transaction that decides so."""
    await _Q.make_firm.execute(connection, store_id=store_id, ids=list(ids))


async def of_operations(
    connection: Connection, store_id: StoreId, operation_ids: Sequence[OperationId]
) -> RefundId | None:
    """The refund that operations carry out; None when they give nothing back."""
    refund_id = await _Q.refund_of_operations.fetchval(
        connection, store_id=store_id, ids=list(operation_ids)
    )
    return None if refund_id is None else RefundId(refund_id)


async def page(
    connection: Connection,
    store_id: StoreId,
    order_id: OrderId | None,
    after: RefundId | None,
    limit: int,
) -> tuple[FoundRefund, ...]:
    """Up to `limit` refunds right after one, of one order or of the store, oldest first."""
    if order_id is None:
        rows = await _Q.ids_of_store.fetch(
            connection, store_id=store_id, after=after or 0, limit=limit
        )
    else:
        rows = await _Q.ids_of_order.fetch(
            connection, store_id=store_id, order_id=order_id, after=after or 0, limit=limit
        )
    return await by_id(connection, store_id, [RefundId(row["id"]) for row in rows])


async def by_id(
    connection: Connection, store_id: StoreId, ids: Sequence[RefundId]
) -> tuple[FoundRefund, ...]:
    """Those of the refunds that exist, oldest first."""
    rows = await _Q.refunds_by_id.fetch(connection, store_id=store_id, ids=list(ids))
    return tuple(_found(dict(row)) for row in rows)


def _found(columns: dict[str, Any]) -> FoundRefund:
    order_id, currency = OrderId(columns.pop("order_id")), columns.pop("currency")
    columns["lines"] = _lines.decode(columns["lines"])
    refund = StoredRefund(**columns).told()
    return FoundRefund(refund=refund, order_id=order_id, currency=currency)


def decoded(text: str | None) -> tuple[Refund, ...]:
    """The refunds of an order as `read_orders` tells them."""
    return () if text is None else tuple(refund.told() for refund in _refunds.decode(text))
