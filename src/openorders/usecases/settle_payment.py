"""Settle what a gateway said, in one place: answers to our calls, the sweep, and notices that
arrive by themselves all come through here.

The order's row is locked before anything is read, so the same news twice has one effect.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from openorders.domain import money, progress
from openorders.domain.change import By, Change, recorded
from openorders.domain.events import EventType
from openorders.domain.ids import OperationId
from openorders.domain.order import Order, PaymentState, Progress
from openorders.domain.payment import (
    AttemptState,
    GiveBack,
    OperationKind,
    OperationState,
    Payment,
    refundable,
)
from openorders.domain.refusals import PaymentDeclined
from openorders.domain.store_settings import Store
from openorders.gateways.payments import Declined, Outcome, Succeeded
from openorders.store import changes, orders, payments
from openorders.store.database import Connection
from openorders.store.payments import StoredOperation
from openorders.usecases.context import Services
from openorders.usecases.pending_order import drop_pending, finish_pending

NEVER_ARRIVED: Final = Declined(
    code="not_processed", message="The payment could not be processed. You were not charged."
)
"""Our own verdict on a charge that the gateway has never heard of. It can turn out wrong."""

_TOO_LATE: Final = PaymentDeclined(
    "too_late", "The payment took too long. What was charged is given back."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How an operation stands now.

    `order` is None when the payment has none: a declined charge of an order that was not
    visible yet. `follow_ups` are further operations this led to, to be performed after it.
    """

    payment: Payment
    order: Order | None
    declined: PaymentDeclined | None = None
    follow_ups: tuple[OperationId, ...] = ()


Within = Callable[[Connection, Settled], Awaitable[None]]


async def settle(
    services: Services,
    store: Store,
    operation_id: OperationId,
    outcome: Outcome | None,
    *,
    within: Within | None = None,
) -> Settled:
    """Write down an outcome and everything that follows from it; None only tells what is known.

    `within` runs in the same transaction, also when there was no news.
    """
    async with services.database.transaction() as tx:
        settled = await _settle(tx, store, operation_id, outcome, services.clock())
        if within is not None:
            await within(tx, settled)
    return settled


async def _settle(
    tx: Connection, store: Store, operation_id: OperationId, outcome: Outcome | None, now: datetime
) -> Settled:
    known = await payments.read_operation(tx, store.id, operation_id)
    assert known is not None, "operations are never deleted"
    order = await orders.lock(tx, store.id, known.order_id)
    pending = order is None and await payments.lock_pending(tx, store.id, known.order_id)
    if order is None and not pending:
        order = await orders.lock(tx, store.id, known.order_id)
    operation = await payments.lock_operation(tx, store.id, operation_id)
    assert operation is not None, "operations are never deleted"
    if outcome is None or not _is_news(operation, outcome):
        return await _as_it_is(tx, store, operation, order)
    await _write(tx, store, operation, outcome, now)
    taken = await payments.of_order(tx, store.id, operation.order_id)
    by = By(actor=operation.actor, contract=operation.contract, at=now, reason=operation.reason)
    if pending:
        order = await _settle_pending(tx, store, operation, outcome, taken, by)
        return _settled(operation, taken, order, outcome)
    if order is None:
        return await _settle_without_order(tx, store, operation, outcome, taken, by)
    change = _change(order, operation, outcome, taken, by)
    follow_ups = await changes.save(tx, store.id, change, by)
    return _settled(operation, taken, change.order, outcome, follow_ups)


def _is_news(operation: StoredOperation, outcome: Outcome) -> bool:
    """Open operations wait for news; our own verdict gives way to the gateway's yes."""
    if operation.state is OperationState.STARTED:
        return True
    return (
        operation.state is OperationState.FAILED
        and operation.failure == _failure(NEVER_ARRIVED)
        and isinstance(outcome, Succeeded)
    )


async def _write(
    tx: Connection, store: Store, operation: StoredOperation, outcome: Outcome, now: datetime
) -> None:
    succeeded = isinstance(outcome, Succeeded)
    await payments.settle_operation(
        tx,
        store.id,
        operation.id,
        OperationState.SUCCEEDED if succeeded else OperationState.FAILED,
        reference=outcome.reference if succeeded else None,
        failure=None if succeeded else _failure(outcome),
        now=now,
    )
    if succeeded:
        await _write_success(tx, store, operation, outcome, now)
    elif operation.opens_payment:
        await payments.settle_payment(
            tx,
            store.id,
            operation.payment_id,
            state=AttemptState.DECLINED,
            captured=0,
            refunded=0,
            now=now,
            decline_code=outcome.code,
            decline_message=outcome.message,
        )


async def _write_success(
    tx: Connection, store: Store, operation: StoredOperation, outcome: Succeeded, now: datetime
) -> None:
    state, captured, refunded = operation.payment_state, operation.captured, operation.refunded
    match operation.kind:
        case OperationKind.CHARGE | OperationKind.CAPTURE:
            state, captured = AttemptState.CAPTURED, operation.amount
        case OperationKind.AUTHORISE:
            state = AttemptState.AUTHORISED
        case OperationKind.REFUND:
            refunded += operation.amount
        case OperationKind.VOID:
            state = AttemptState.VOIDED
    await payments.settle_payment(
        tx,
        store.id,
        operation.payment_id,
        state=state,
        captured=captured,
        refunded=refunded,
        now=now,
        reference=outcome.reference if operation.opens_payment else None,
        card_brand=outcome.card_brand,
        card_last_four=outcome.card_last_four,
    )


async def _settle_pending(
    tx: Connection,
    store: Store,
    operation: StoredOperation,
    outcome: Outcome,
    taken: tuple[Payment, ...],
    by: By,
) -> Order | None:
    if isinstance(outcome, Succeeded):
        return await finish_pending(tx, store.id, operation.order_id, taken, by)
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
    back = _back(operation, operation.amount, "There is no order for this payment any more.")
    follow_ups = await payments.record_operations(tx, store.id, operation.order_id, (back,), by)
    return replace(_settled(operation, taken, None, outcome, follow_ups), declined=_TOO_LATE)


def _change(
    before: Order,
    operation: StoredOperation,
    outcome: Outcome,
    taken: tuple[Payment, ...],
    by: By,
) -> Change:
    """What the news makes of an order that everybody can see."""
    order = replace(before, payments=taken)
    order = replace(order, payment=progress.payment_state(order))
    give_backs = _surplus(before, operation, outcome, taken)
    remark = _remark(order, operation, outcome, give_backs)
    if remark is not None or order.word is not before.word:
        order = recorded(order, replace(by, reason=remark or by.reason))
    else:
        order = replace(order, version=order.version + 1, updated_at=max(by.at, order.updated_at))
    return Change(
        before=before,
        order=order,
        events=(_event(order, operation, outcome),),
        give_backs=give_backs,
    )


def _surplus(
    before: Order, operation: StoredOperation, outcome: Outcome, taken: tuple[Payment, ...]
) -> tuple[GiveBack, ...]:
    """What arrived and is not owed (any more) goes back to where it came from."""
    if isinstance(outcome, Declined):
        return ()
    ended = before.progress is Progress.CANCELLED or before.payment is PaymentState.REFUNDED
    reason = "The order had ended." if ended else "More was paid than is owed."
    match operation.kind:
        case OperationKind.AUTHORISE:
            return (_back(operation, operation.amount, reason),) if ended else ()
        case OperationKind.CHARGE | OperationKind.CAPTURE:
            keep = 0 if ended else before.totals.total
            too_much = min(refundable(taken) - keep, operation.amount)
            return (_back(operation, too_much, reason),) if too_much > 0 else ()
        case OperationKind.REFUND | OperationKind.VOID:
            return ()


def _back(operation: StoredOperation, amount: int, reason: str) -> GiveBack:
    void = operation.kind is OperationKind.AUTHORISE
    return GiveBack(
        payment_id=operation.payment_id,
        kind=OperationKind.VOID if void else OperationKind.REFUND,
        amount=amount,
        reason=reason,
    )


def _remark(
    order: Order,
    operation: StoredOperation,
    outcome: Outcome,
    give_backs: tuple[GiveBack, ...],
) -> str | None:
    """What staff must see although the order's word may stay the same."""
    amount = money.to_decimal(operation.amount, order.minor_digits)
    if isinstance(outcome, Declined) and not operation.opens_payment:
        failed = f"A {operation.kind} of {amount} {order.currency} failed"
        return f"{failed}: {outcome.message}"
    if give_backs:
        arrived = f"A payment of {amount} {order.currency} arrived"
        back = money.to_decimal(give_backs[0].amount, order.minor_digits)
        return f"{arrived}; {back} is given back. {give_backs[0].reason}"
    return None


def _event(order: Order, operation: StoredOperation, outcome: Outcome) -> EventType:
    succeeded = isinstance(outcome, Succeeded)
    if operation.opens_payment and not succeeded:
        return EventType.ORDER_PAYMENT_FAILED
    if operation.kind is OperationKind.REFUND and succeeded:
        return EventType.ORDER_REFUNDED
    settled = order.payment in (PaymentState.PAID, PaymentState.AUTHORISED)
    if operation.opens_payment and settled and order.progress is not Progress.CANCELLED:
        return EventType.ORDER_PAID
    return EventType.ORDER_UPDATED


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
    )


async def _as_it_is(
    tx: Connection, store: Store, operation: StoredOperation, order: Order | None
) -> Settled:
    taken = await payments.of_order(tx, store.id, operation.order_id)
    declined = None
    if operation.state is OperationState.FAILED:
        code, _, message = (operation.failure or "").partition(": ")
        declined = PaymentDeclined(code, message)
    elif operation.opens_payment and operation.payment_state is AttemptState.CAPTURED and not order:
        declined = _TOO_LATE
    return Settled(payment=_payment(operation, taken), order=order, declined=declined)


def _payment(operation: StoredOperation, taken: tuple[Payment, ...]) -> Payment:
    return next(payment for payment in taken if payment.id == operation.payment_id)


def _failure(outcome: Declined) -> str:
    return f"{outcome.code}: {outcome.message}"
