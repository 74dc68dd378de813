"""What news of a payment makes of its order: its state, its history, what goes back, what is told.

Pure: what is given is what was read under the order's lock.
"""

from msgspec.structs import replace

from openorders.domain import balance, money
from openorders.domain.change import By, Change, recorded
from openorders.domain.events import EventType
from openorders.domain.order import Order, PaymentState, Progress
from openorders.domain.payment import (
    AttemptState,
    GiveBack,
    OperationKind,
    OperationState,
    give_up,
)
from openorders.gateways.payments import Declined, Outcome, Pending, Succeeded
from openorders.store.payments import StoredOperation


def change_of(
    before: Order, since: Order, operation: StoredOperation, outcome: Outcome, by: By
) -> Change:
    """What is to be made of an order: `before` the news, and read again `since` it was written.

    `operation` is as it was before.
    """
    order = replace(since, payment=balance.payment_state(since))
    give_backs = _given_back(order, operation, outcome)
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


def back(operation: StoredOperation, amount: int, reason: str) -> GiveBack:
    """Give back what an operation has brought: release a reservation, refund what was taken."""
    void = operation.kind is OperationKind.AUTHORISE
    return GiveBack(
        payment_id=operation.payment_id,
        kind=OperationKind.VOID if void else OperationKind.REFUND,
        amount=amount,
        reason=reason,
    )


def _given_back(order: Order, operation: StoredOperation, outcome: Outcome) -> tuple[GiveBack, ...]:
    """What arrived and is not owed (any more) goes back to where it came from."""
    declined = isinstance(outcome, Declined)
    if declined and operation.kind is OperationKind.CAPTURE:
        ended = order.progress is Progress.CANCELLED
        return give_up(order.payments, reason="The order had ended.") if ended else ()
    if not isinstance(outcome, Succeeded):
        return ()
    late = operation.payment_state is AttemptState.VOIDED
    if operation.kind is OperationKind.AUTHORISE and late:
        return (back(operation, operation.amount, "The payment had been given up."),)
    return balance.surplus(order, operation.payment_id, operation.amount, operation.kind)


def _remark(
    order: Order,
    operation: StoredOperation,
    outcome: Outcome,
    give_backs: tuple[GiveBack, ...],
) -> str | None:
    """What staff must see although the order's word may stay the same."""
    amount = money.to_decimal(operation.amount, order.minor_digits)
    if isinstance(outcome, Declined):
        return _no_remark(order, operation, outcome)
    if give_backs:
        arrived = f"A payment of {amount} {order.currency} arrived"
        given_back = money.to_decimal(give_backs[0].amount, order.minor_digits)
        return f"{arrived}; {given_back} is given back. {give_backs[0].reason}"
    return None


def _no_remark(order: Order, operation: StoredOperation, outcome: Declined) -> str | None:
    amount = money.to_decimal(operation.amount, order.minor_digits)
    undone = operation.state is OperationState.SUCCEEDED
    if operation.opens_payment:
        lapsed = f"A reservation of {amount} {order.currency} has lapsed: {outcome.message}"
        return lapsed if undone else None
    if operation.kind is OperationKind.VOID and operation.payment_state is AttemptState.VOIDED:
        return None  # It was given up twice, and is.
    later = " after all" if undone else ""
    return f"A {operation.kind} of {amount} {order.currency} failed{later}: {outcome.message}"


def _event(order: Order, operation: StoredOperation, outcome: Outcome) -> EventType:
    if isinstance(outcome, Pending):
        return EventType.ORDER_UPDATED
    succeeded = isinstance(outcome, Succeeded)
    if operation.opens_payment and not succeeded:
        return EventType.ORDER_PAYMENT_FAILED
    if operation.kind is OperationKind.REFUND and succeeded:
        return EventType.ORDER_REFUNDED
    settled = order.payment in (PaymentState.PAID, PaymentState.AUTHORISED)
    if operation.opens_payment and settled and order.progress is not Progress.CANCELLED:
        return EventType.ORDER_PAID
    return EventType.ORDER_UPDATED
