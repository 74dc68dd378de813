"""What a gateway's word means for one payment: whether it is news, and how it is written down.

Words may come twice, late and in any order. What wins is settled here, and does not depend on
which came first: money that arrived is there whatever was said before, and a refund that failed
has failed. The caller holds the order's row and the operation's.
"""

from datetime import datetime
from typing import Final

from openorders.domain.payment import AttemptState, OperationKind, OperationState
from openorders.domain.store_settings import Store
from openorders.gateways.payments import Declined, Outcome, Pending, Succeeded
from openorders.store import payments, waiting
from openorders.store.database import Connection
from openorders.store.payments import StoredOperation

GIVEN_UP: Final = Declined(code="given_up", message="The payment was given up.")
"""What has become of the call that opened a payment which was voided before it was made."""

_BEFORE_MONEY: Final = (AttemptState.STARTED, AttemptState.PENDING)


def is_news(operation: StoredOperation, outcome: Outcome) -> bool:
    """Whether an outcome changes what is known of an operation."""
    started = operation.state is OperationState.STARTED
    match outcome:
        case Pending(reference=reference, action_url=action_url):
            known = (operation.reference, operation.action_url)
            waits = operation.payment_state is AttemptState.PENDING
            is_told = waits and known == (reference, action_url)
            return operation.opens_payment and started and not is_told
        case Succeeded():
            return started or (operation.opens_payment and operation.state is OperationState.FAILED)
        case Declined():
            return started or _undoes(operation)


def _undoes(operation: StoredOperation) -> bool:
    """Whether a no takes back what had succeeded: a refund that bounced, a hold that lapsed."""
    if operation.state is not OperationState.SUCCEEDED:
        return False
    lapsed = (
        operation.kind is OperationKind.AUTHORISE
        and operation.payment_state is AttemptState.AUTHORISED
    )
    return lapsed or operation.kind is OperationKind.REFUND


def is_contested(operation: StoredOperation, outcome: Outcome) -> bool:
    """Whether news contradicts what was settled: better to ask the gateway what is true now."""
    return operation.state is not OperationState.STARTED and is_news(operation, outcome)


async def learn(tx: Connection, store: Store, operation: StoredOperation, outcome: Outcome) -> None:
    """Keep what is no news but more than was known: the first word need not name the card."""
    is_known = operation.opens_payment and operation.state is OperationState.SUCCEEDED
    if is_known and isinstance(outcome, Succeeded) and outcome.card_brand is not None:
        await waiting.learn_card(
            tx,
            store.id,
            operation.payment_id,
            card_brand=outcome.card_brand,
            card_last_four=outcome.card_last_four,
        )


async def write(
    tx: Connection, store: Store, operation: StoredOperation, outcome: Outcome, now: datetime
) -> None:
    """Write news of an operation and its payment."""
    match outcome:
        case Pending(reference=reference, action_url=action_url):
            await waiting.await_buyer(
                tx, store.id, operation.payment_id, reference=reference, action_url=action_url
            )
        case Succeeded(reference=reference):
            await payments.settle_operation(
                tx,
                store.id,
                operation.id,
                OperationState.SUCCEEDED,
                reference=reference,
                failure=None,
                now=now,
            )
            await _write_success(tx, store, operation, outcome, now)
        case Declined():
            await _write_failure(tx, store, operation, outcome, now)


async def _write_success(
    tx: Connection, store: Store, operation: StoredOperation, outcome: Succeeded, now: datetime
) -> None:
    state, captured, refunded = operation.payment_state, operation.captured, operation.refunded
    match operation.kind:
        case OperationKind.CHARGE | OperationKind.CAPTURE:
            state, captured = AttemptState.CAPTURED, operation.amount
        case OperationKind.AUTHORISE:
            # A hold that comes about after it was given up is given up again by what follows.
            given_up = state is AttemptState.VOIDED
            state = AttemptState.VOIDED if given_up else AttemptState.AUTHORISED
        case OperationKind.REFUND:
            refunded += operation.amount
        case OperationKind.VOID:
            state = AttemptState.VOIDED if captured == 0 else state
            await _close_opening(tx, store, operation, now)
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


async def _close_opening(
    tx: Connection, store: Store, operation: StoredOperation, now: datetime
) -> None:
    """A payment that was voided while it waited was never made."""
    if operation.payment_state in _BEFORE_MONEY:
        await waiting.close_opening(tx, store.id, operation.payment_id, failure(GIVEN_UP), now)


async def _write_failure(
    tx: Connection, store: Store, operation: StoredOperation, outcome: Declined, now: datetime
) -> None:
    if operation.state is OperationState.SUCCEEDED:
        await _write_undone(tx, store, operation, outcome, now)
        return
    await payments.settle_operation(
        tx,
        store.id,
        operation.id,
        OperationState.FAILED,
        reference=None,
        failure=failure(outcome),
        now=now,
    )
    if operation.opens_payment:
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


async def _write_undone(
    tx: Connection, store: Store, operation: StoredOperation, outcome: Declined, now: datetime
) -> None:
    """What had succeeded has not: the money of a refund is ours again, a reservation is gone."""
    if operation.kind is OperationKind.REFUND:
        await waiting.undo_refund(tx, store.id, operation.id, failure(outcome), now)
        state, refunded = operation.payment_state, operation.refunded - operation.amount
    else:
        await waiting.record_lapse(tx, store.id, operation, outcome.message, now)
        state, refunded = AttemptState.VOIDED, operation.refunded
    await payments.settle_payment(
        tx,
        store.id,
        operation.payment_id,
        state=state,
        captured=operation.captured,
        refunded=refunded,
        now=now,
    )


def failure(outcome: Declined) -> str:
    """A gateway's no as it is kept with the operation."""
    return f"{outcome.code}: {outcome.message}"


def declined_as(kept: str | None) -> Declined:
    """The gateway's no as it was kept."""
    code, _, message = (kept or "").partition(": ")
    return Declined(code=code, message=message)
