"""Settle what a gateway said, in one place: answers to our calls, the sweep, and notices that
arrive by themselves all come through here.

The order's row is locked before anything is read, so the same news twice has one effect.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain.change import By
from openorders.domain.ids import OperationId
from openorders.domain.order import Order
from openorders.domain.payment import AttemptState, OperationKind, OperationState, Payment
from openorders.domain.refusals import PaymentDeclined
from openorders.domain.store_settings import Store
from openorders.gateways.payments import Declined, Outcome, Succeeded
from openorders.store import changes, notices, orders, payments, waiting
from openorders.store.database import Connection
from openorders.store.payments import StoredOperation
from openorders.usecases import payment_news, send_mail
from openorders.usecases.context import Services
from openorders.usecases.payment_change import back, change_of
from openorders.usecases.pending_order import drop_pending, finish_pending

NEVER_ARRIVED: Final = Declined(
    code="not_processed", message="The payment could not be processed. You were not charged."
)
"""Our own verdict on a charge that the gateway has never heard of. It can turn out wrong."""

_TOO_LATE: Final = PaymentDeclined(
    "too_late", "The payment took too long. What was charged is given back."
)


class Settled(Struct, frozen=True, kw_only=True):
    """How an operation stands now.

    `order` is None when the payment has none: a declined charge of an order that was not
    visible yet. `follow_ups` are further operations this led to, to be performed after it.
    """

    payment: Payment
    order: Order | None
    declined: PaymentDeclined | None = None
    follow_ups: tuple[OperationId, ...] = ()
    may_wait: bool = False
    """Whether a buyer was there to act when the payment was asked for."""

    @property
    def waits(self) -> bool:
        """Whether the payment waits for its buyer, or for a bank."""
        return self.payment.state is AttemptState.PENDING


Within = Callable[[Connection, Settled], Awaitable[None]]


async def settle(
    services: Services,
    store: Store,
    operation_id: OperationId,
    outcome: Outcome | None,
    *,
    notice_id: str | None = None,
    within: Within | None = None,
) -> Settled:
    """Write down an outcome and everything that follows from it; None only tells what is known.

    An outcome that came with a notice is passed over when that notice has had its effect.
    `within` runs in the same transaction, also when there was no news.
    """
    async with services.database.transaction() as tx:
        held = await _hold(tx, store, operation_id)
        now = services.clock()
        if notice_id is not None:
            gateway = held.operation.gateway
            if not await notices.remember(tx, store.id, gateway, notice_id, now):
                outcome = None
        settled = await _settle(tx, store, held, outcome, now)
        if within is not None:
            await within(tx, settled)
    services.bell.ring()
    return settled


class _Held(Struct, frozen=True):
    """An operation with the order it is for, both locked. `pending` when the order is not visible
    yet.
    """

    operation: StoredOperation
    order: Order | None
    pending: bool


async def _hold(tx: Connection, store: Store, operation_id: OperationId) -> _Held:
    known = await payments.read_operation(tx, store.id, operation_id)
    assert known is not None, "operations are never deleted"
    order = await orders.lock(tx, store.id, known.order_id)
    pending = order is None and await payments.lock_pending(tx, store.id, known.order_id)
    if order is None and not pending:
        order = await orders.lock(tx, store.id, known.order_id)
    operation = await payments.lock_operation(tx, store.id, operation_id)
    assert operation is not None, "operations are never deleted"
    return _Held(operation, order, pending)


async def _settle(
    tx: Connection, store: Store, held: _Held, outcome: Outcome | None, now: datetime
) -> Settled:
    operation, order = held.operation, held.order
    if outcome is None or not payment_news.is_news(operation, outcome):
        if outcome is not None:
            await payment_news.learn(tx, store, operation, outcome)
        return await _as_it_is(tx, store, operation, order)
    await payment_news.write(tx, store, operation, outcome, now)
    taken = await payments.of_order(tx, store.id, operation.order_id)
    by = By(actor=operation.actor, contract=operation.contract, at=now, reason=operation.reason)
    if held.pending:
        order = await _settle_pending(tx, store, operation, outcome, taken, by)
        return _settled(operation, taken, order, outcome)
    if order is None:
        return await _settle_without_order(tx, store, operation, outcome, taken, by)
    since = await orders.read(tx, store.id, order.id)
    assert since is not None, "it is locked"
    change = change_of(order, since, operation, outcome, by)
    follow_ups = await changes.save(tx, store.id, change, by)
    if operation.kind is OperationKind.REFUND and isinstance(outcome, Succeeded):
        await send_mail.keep_promise(tx, store, operation, change.order, by)
    paid_meanwhile = await _to_be_asked_about(tx, store, operation, outcome)
    return _settled(operation, taken, change.order, outcome, (*follow_ups, *paid_meanwhile))


async def _to_be_asked_about(
    tx: Connection, store: Store, operation: StoredOperation, outcome: Outcome
) -> tuple[OperationId, ...]:
    """A payment that waited and could not be given up has most likely been made meanwhile."""
    waited = operation.payment_state is AttemptState.PENDING
    if not (waited and operation.kind is OperationKind.VOID and isinstance(outcome, Declined)):
        return ()
    opening = await waiting.opening_of(tx, store.id, operation.payment_id)
    return () if opening is None else (opening,)


async def _settle_pending(
    tx: Connection,
    store: Store,
    operation: StoredOperation,
    outcome: Outcome,
    taken: tuple[Payment, ...],
    by: By,
) -> Order | None:
    if operation.opens_payment and isinstance(outcome, Succeeded):
        return await finish_pending(tx, store.id, operation.order_id, taken, by)
    is_over = isinstance(outcome, Declined if operation.opens_payment else Succeeded)
    if is_over:  # It was declined, or given up while it waited.
        await drop_pending(tx, store.id, operation.order_id, by)
    return None


async def _settle_without_order(
    tx: Connection,
    store: Store,
    operation: StoredOperation,
    outcome: Outcome,
    taken: tuple[Payment, ...],
    by: By,
) -> Settled:
    """Money for an order that was let go: it is given back."""
    if not (operation.opens_payment and isinstance(outcome, Succeeded)):
        return _settled(operation, taken, None, outcome)
    step = back(operation, operation.amount, "There is no order for this payment any more.")
    follow_ups = await payments.record_operations(tx, store.id, operation.order_id, (step,), by)
    return replace(_settled(operation, taken, None, outcome, follow_ups), declined=_TOO_LATE)


def _settled(
    operation: StoredOperation,
    taken: tuple[Payment, ...],
    order: Order | None,
    outcome: Outcome,
    follow_ups: tuple[OperationId, ...] = (),
) -> Settled:
    declined = (
        PaymentDeclined(outcome.code, outcome.message) if isinstance(outcome, Declined) else None
    )
    return Settled(
        payment=_payment(operation, taken),
        order=order,
        declined=declined,
        follow_ups=follow_ups,
        may_wait=_may_wait(operation),
    )


async def _as_it_is(
    tx: Connection, store: Store, operation: StoredOperation, order: Order | None
) -> Settled:
    taken = await payments.of_order(tx, store.id, operation.order_id)
    declined = None
    if operation.state is OperationState.FAILED:
        kept = payment_news.declined_as(operation.failure)
        declined = PaymentDeclined(kept.code, kept.message)
    elif operation.opens_payment and operation.state is OperationState.SUCCEEDED and not order:
        declined = _TOO_LATE
    return Settled(
        payment=_payment(operation, taken),
        order=order,
        declined=declined,
        may_wait=_may_wait(operation),
    )


def _may_wait(operation: StoredOperation) -> bool:
    return operation.page or operation.return_url is not None


def _payment(operation: StoredOperation, taken: tuple[Payment, ...]) -> Payment:
    return next(payment for payment in taken if payment.id == operation.payment_id)
