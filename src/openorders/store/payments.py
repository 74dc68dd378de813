"""Payments and the operations on them: recorded before a gateway is asked, settled after.

Whoever settles holds the order's row (or the pending order's) first, then these rows. That
makes settling the same operation twice have one effect.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from asyncpg import Record
from msgspec import Struct

from openorders.domain.change import By
from openorders.domain.ids import OperationId, OrderId, PaymentId, RefundId, StoreId
from openorders.domain.order import Order
from openorders.domain.payment import (
    AttemptState,
    GiveBack,
    OperationKind,
    OperationState,
    Payment,
)
from openorders.domain.refund import RefundTerms
from openorders.store import queries, refunds
from openorders.store.database import Connection

SWEPT_AFTER: Final = timedelta(seconds=30)
"""An open operation is left to whoever recorded it for so long, then the sweep takes it."""

_Q = queries.load("payments")


class NewAttempt(Struct, frozen=True, kw_only=True):
    """Money to be taken for an order. `token` is what the gateway knows the buyer's card by.

    `customer` is the gateway's name of a buyer whose saved card it is, `return_url` where the
    buyer comes back to when they have to act, `page` asks for the gateway's own page.
    """

    order_id: OrderId
    gateway: str
    method: str
    token: str | None
    amount: int
    currency: str
    kind: OperationKind = OperationKind.CHARGE
    key_digest: bytes | None = None
    return_url: str | None = None
    customer: str | None = None
    page: bool = False


class Attempt(Struct, frozen=True, kw_only=True):
    """An attempt as it was recorded, and the operation that carries it out."""

    payment_id: PaymentId
    operation_id: OperationId
    order_id: OrderId
    state: AttemptState = AttemptState.STARTED
    decline_code: str | None = None
    decline_message: str | None = None


class StoredOperation(Struct, frozen=True, kw_only=True):
    """An operation with what its payment says: all that a call to the gateway needs."""

    id: OperationId
    payment_id: PaymentId
    order_id: OrderId
    kind: OperationKind
    amount: int
    state: OperationState
    reason: str | None
    failure: str | None
    tries: int
    actor: str
    contract: str
    created_at: datetime
    settled_at: datetime | None
    refund_id: RefundId | None
    gateway: str
    token: str | None
    currency: str
    reference: str | None
    payment_amount: int
    payment_state: AttemptState
    captured: int
    refunded: int
    decline_code: str | None
    decline_message: str | None
    action_url: str | None
    return_url: str | None
    customer: str | None
    page: bool

    @property
    def opens_payment(self) -> bool:
        """Whether a buyer stands behind it: a charge or an authorisation."""
        return self.kind in (OperationKind.CHARGE, OperationKind.AUTHORISE)


async def insert_attempt(
    connection: Connection, store_id: StoreId, attempt: NewAttempt, by: By
) -> Attempt | None:
    """Record an attempt before the gateway is asked. None: another one is open."""
    row = await _Q.insert_attempt.fetchrow(
        connection,
        store_id=store_id,
        order_id=attempt.order_id,
        gateway=attempt.gateway,
        method=attempt.method,
        token=attempt.token,
        amount=attempt.amount,
        currency=attempt.currency,
        kind=attempt.kind.value,
        key_digest=attempt.key_digest,
        return_url=attempt.return_url,
        customer=attempt.customer,
        page=attempt.page,
        actor=by.actor,
        contract=by.contract,
        due_at=by.at + SWEPT_AFTER,
        now=by.at,
    )
    if row is None:
        return None
    return Attempt(
        payment_id=PaymentId(row["payment_id"]),
        operation_id=OperationId(row["operation_id"]),
        order_id=attempt.order_id,
    )


async def attempt_of_key(
    connection: Connection, store_id: StoreId, digest: bytes
) -> Attempt | None:
    """The attempt that was begun under an idempotency key."""
    row = await _Q.attempt_of_key.fetchrow(connection, store_id=store_id, digest=digest)
    if row is None:
        return None
    return Attempt(
        payment_id=PaymentId(row["payment_id"]),
        operation_id=OperationId(row["operation_id"]),
        order_id=OrderId(row["order_id"]),
        state=AttemptState(row["state"]),
        decline_code=row["decline_code"],
        decline_message=row["decline_message"],
    )


async def operations_of_key(
    connection: Connection, store_id: StoreId, digest: bytes
) -> tuple[OperationId, ...]:
    """The refunds and voids that were decided under an idempotency key."""
    rows = await _Q.operations_of_key.fetch(connection, store_id=store_id, digest=digest)
    return tuple(OperationId(row["id"]) for row in rows)


async def record_operations(
    connection: Connection,
    store_id: StoreId,
    order_id: OrderId,
    give_backs: Sequence[GiveBack],
    by: By,
    refund_id: RefundId | None = None,
) -> tuple[OperationId, ...]:
    """Record what is to be given back, in the transaction that decided it.

    Money that goes back and is of no refund yet becomes one: nothing goes back without a record.
    """
    going = [step for step in give_backs if step.kind is OperationKind.REFUND]
    if going and refund_id is None:
        amount = sum(step.amount for step in going)
        terms = RefundTerms(reason=going[0].reason)
        refund_id = await refunds.insert(connection, store_id, order_id, amount, terms, by)
    rows = await _Q.insert_operations.fetch(
        connection,
        store_id=store_id,
        order_id=order_id,
        payment_ids=[step.payment_id for step in give_backs],
        kinds=[step.kind.value for step in give_backs],
        amounts=[step.amount for step in give_backs],
        reasons=[step.reason for step in give_backs],
        refund_id=refund_id,
        actor=by.actor,
        contract=by.contract,
        due_at=by.at + SWEPT_AFTER,
        now=by.at,
    )
    return tuple(OperationId(row["id"]) for row in rows)


async def record_capture(
    connection: Connection,
    store_id: StoreId,
    order_id: OrderId,
    payment_id: PaymentId,
    amount: int,
    by: By,
) -> OperationId:
    """Record that so much of an authorisation is to be taken; the caller holds the order."""
    (row,) = await _Q.insert_operations.fetch(
        connection,
        store_id=store_id,
        order_id=order_id,
        payment_ids=[payment_id],
        kinds=[OperationKind.CAPTURE.value],
        amounts=[amount],
        reasons=[by.reason],
        refund_id=None,
        actor=by.actor,
        contract=by.contract,
        due_at=by.at + SWEPT_AFTER,
        now=by.at,
    )
    return OperationId(row["id"])


async def sum_of(connection: Connection, store_id: StoreId, ids: Sequence[OperationId]) -> int:
    """How much operations move, in minor units, those apart that failed."""
    return await _Q.sum_of_operations.fetchval(connection, store_id=store_id, ids=list(ids))


async def stamp_key(
    connection: Connection, store_id: StoreId, ids: Sequence[OperationId], digest: bytes
) -> None:
    """Remember the idempotency key of operations that were recorded a moment ago."""
    await _Q.stamp_key.execute(connection, store_id=store_id, ids=list(ids), digest=digest)


async def record_taken_elsewhere(
    connection: Connection, store_id: StoreId, order: Order, payment: Payment, by: By
) -> PaymentId:
    """Record a payment that staff vouch for; no gateway is ever asked."""
    payment_id = await _Q.insert_taken_elsewhere.fetchval(
        connection,
        store_id=store_id,
        order_id=order.id,
        gateway=payment.gateway,
        method=payment.method,
        amount=payment.captured,
        currency=order.currency,
        reference=payment.reference,
        reason=by.reason,
        actor=by.actor,
        contract=by.contract,
        now=by.at,
    )
    return PaymentId(payment_id)


async def of_order(
    connection: Connection, store_id: StoreId, order_id: OrderId
) -> tuple[Payment, ...]:
    """All attempts to take money for an order, also for one that never became visible."""
    rows = await _Q.payments_of_order.fetch(connection, store_id=store_id, order_id=order_id)
    return tuple(payment_of(row) for row in rows)


async def last_decline(connection: Connection, store_id: StoreId, order_id: OrderId) -> str | None:
    """Why the latest attempt failed, fit for its buyer; None when it did not."""
    return await _Q.last_decline.fetchval(connection, store_id=store_id, order_id=order_id)


async def read_operation(
    connection: Connection, store_id: StoreId, operation_id: OperationId
) -> StoredOperation | None:
    """One operation, to carry it out."""
    row = await _Q.read_operation.fetchrow(connection, store_id=store_id, id=operation_id)
    return None if row is None else _operation_of(row)


async def lock_operation(
    connection: Connection, store_id: StoreId, operation_id: OperationId
) -> StoredOperation | None:
    """One operation, to settle it: its order is locked already."""
    row = await _Q.lock_operation.fetchrow(connection, store_id=store_id, id=operation_id)
    return None if row is None else _operation_of(row)


async def lock_pending(connection: Connection, store_id: StoreId, order_id: OrderId) -> bool:
    """Hold a pending order; False when there is none (any more)."""
    held = await _Q.lock_pending.fetchval(connection, store_id=store_id, order_id=order_id)
    return held is True


async def settle_operation(
    connection: Connection,
    store_id: StoreId,
    operation_id: OperationId,
    state: OperationState,
    *,
    reference: str | None,
    failure: str | None,
    now: datetime,
) -> None:
    """Write what became of a call."""
    settled = await _Q.settle_operation.fetchval(
        connection,
        store_id=store_id,
        id=operation_id,
        state=state.value,
        reference=reference,
        failure=failure,
        now=now,
    )
    assert settled is not None, "a settled operation stays as it is"


async def settle_payment(
    connection: Connection,
    store_id: StoreId,
    payment_id: PaymentId,
    *,
    state: AttemptState,
    captured: int,
    refunded: int,
    now: datetime,
    reference: str | None = None,
    card_brand: str | None = None,
    card_last_four: str | None = None,
    decline_code: str | None = None,
    decline_message: str | None = None,
) -> None:
    """Write what became of a payment; the buyer's token is forgotten."""
    await _Q.settle_payment.fetchval(
        connection,
        store_id=store_id,
        id=payment_id,
        state=state.value,
        captured=captured,
        refunded=refunded,
        reference=reference,
        card_brand=card_brand,
        card_last_four=card_last_four,
        decline_code=decline_code,
        decline_message=decline_message,
        now=now,
    )


async def claim_due(
    connection: Connection, now: datetime, *, again: datetime, limit: int
) -> tuple[tuple[StoreId, OperationId], ...]:
    """Take open operations of any store whose time has come; they are ours until `again`."""
    rows = await _Q.claim_due.fetch(connection, now=now, again=again, limit=limit)
    return tuple((StoreId(row["store_id"]), OperationId(row["id"])) for row in rows)


async def postpone(
    connection: Connection, store_id: StoreId, operation_id: OperationId, due_at: datetime
) -> None:
    """Ask again at `due_at`, since nobody answered."""
    await _Q.postpone_operation.execute(
        connection, store_id=store_id, id=operation_id, due_at=due_at
    )


async def await_payment(
    connection: Connection, store_id: StoreId, order_id: OrderId, now: datetime
) -> None:
    """Let a locked order show that a payment is under way."""
    await _Q.await_payment.execute(connection, store_id=store_id, id=order_id, now=now)


def payment_of(row: Record) -> Payment:
    """A row with a payment's columns, and what is under way for it."""
    return Payment(
        id=PaymentId(row["id"]),
        gateway=row["gateway"],
        method=row["method"],
        amount=row["amount"],
        state=AttemptState(row["state"]),
        captured=row["captured"],
        refunded=row["refunded"],
        refunding=row["refunding"],
        ending=row["ending"],
        reference=row["reference"],
        card_brand=row["card_brand"],
        card_last_four=row["card_last_four"],
        decline_code=row["decline_code"],
        action_url=row["action_url"],
        created_at=row["created_at"],
        settled_at=row["settled_at"],
    )


def _operation_of(row: Record) -> StoredOperation:
    columns = dict(row)
    columns["kind"] = OperationKind(row["kind"])
    columns["state"] = OperationState(row["state"])
    columns["payment_state"] = AttemptState(row["payment_state"])
    return StoredOperation(**columns)
