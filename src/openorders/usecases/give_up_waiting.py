"""Give up a payment that waits for its buyer: decide it here, have it done after the commit."""

from typing import Final

from openorders.domain.change import By
from openorders.domain.ids import OperationId, OrderId, StoreId
from openorders.domain.payment import AttemptState, GiveBack, OperationKind, Payment
from openorders.domain.store_settings import Store
from openorders.store import orders, payments, waiting
from openorders.store.database import Connection
from openorders.store.payments import StoredOperation
from openorders.usecases.context import Services

_NOBODY_CAME: Final = "The buyer did not come back."


async def give_up_waiting(
    services: Services, store: Store, operation: StoredOperation
) -> tuple[OperationId, ...]:
    """Decide that the payment an operation opened has waited long enough.

    Answers what to perform; nothing when the payment has stopped waiting.
    """
    async with services.database.transaction() as tx:
        order = await orders.lock(tx, store.id, operation.order_id)
        if order is None:
            await payments.lock_pending(tx, store.id, operation.order_id)
        taken = await payments.of_order(tx, store.id, operation.order_id)
        waits = [payment for payment in taken if payment.id == operation.payment_id]
        by = By(actor="sweep", contract="system", at=services.clock(), reason=_NOBODY_CAME)
        return await give_up(tx, store.id, operation.order_id, tuple(waits), by)


async def give_up(
    tx: Connection, store_id: StoreId, order_id: OrderId, taken: tuple[Payment, ...], by: By
) -> tuple[OperationId, ...]:
    """Record that the gateway is to give up what waits among the payments of a locked order.

    What is being given up already is found again instead of decided twice.
    """
    steps: list[GiveBack] = []
    for payment in taken:
        if payment.state is not AttemptState.PENDING:
            continue
        known = await waiting.open_void(tx, store_id, payment.id)
        if known is not None:
            return (known,)
        steps.append(
            GiveBack(
                payment_id=payment.id,
                kind=OperationKind.VOID,
                amount=payment.amount,
                reason=by.reason,
            )
        )
    if not steps:
        return ()
    return await payments.record_operations(tx, store_id, order_id, steps, by)
