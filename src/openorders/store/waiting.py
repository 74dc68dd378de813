"""Payments that wait for their buyer or for a bank: how they begin to, and how that is ended.

Whoever calls holds the order's row, as for everything about payments (`store/payments.py`).
"""

from datetime import datetime

from openorders.domain.ids import OperationId, PaymentId, StoreId
from openorders.store import queries
from openorders.store.database import Connection
from openorders.store.payments import StoredOperation

_Q = queries.load("waiting")


async def await_buyer(
    connection: Connection,
    store_id: StoreId,
    payment_id: PaymentId,
    *,
    reference: str,
    action_url: str | None,
) -> None:
    """Write that a payment waits, and where its buyer is to go; the token is forgotten."""
    waiting = await _Q.await_buyer.fetchval(
        connection,
        store_id=store_id,
        id=payment_id,
        reference=reference,
        action_url=action_url,
    )
    assert waiting is not None, "a settled payment never waits again"


async def close_opening(
    connection: Connection, store_id: StoreId, payment_id: PaymentId, failure: str, now: datetime
) -> None:
    """End the call that opened a payment, when the payment was given up before it was made."""
    await _Q.close_opening.fetchval(
        connection, store_id=store_id, payment_id=payment_id, failure=failure, now=now
    )


async def opening_of(
    connection: Connection, store_id: StoreId, payment_id: PaymentId
) -> OperationId | None:
    """The call that opened a payment."""
    found = await _Q.opening_of.fetchval(connection, store_id=store_id, payment_id=payment_id)
    return None if found is None else OperationId(found)


async def take_look(
    connection: Connection,
    store_id: StoreId,
    payment_id: PaymentId,
    now: datetime,
    *,
    before: datetime,
) -> bool:
    """Whether the caller may ask about a waiting payment now: nobody did since `before`."""
    taken = await _Q.take_look.fetchval(
        connection, store_id=store_id, id=payment_id, now=now, before=before
    )
    return taken is not None


async def open_void(
    connection: Connection, store_id: StoreId, payment_id: PaymentId
) -> OperationId | None:
    """The call by which a payment is being given up already, if it is."""
    found = await _Q.open_void.fetchval(connection, store_id=store_id, payment_id=payment_id)
    return None if found is None else OperationId(found)


async def undo_refund(
    connection: Connection,
    store_id: StoreId,
    operation_id: OperationId,
    failure: str,
    now: datetime,
) -> None:
    """Write that a refund, which the gateway had said was made, has failed after all."""
    undone = await _Q.undo_refund.fetchval(
        connection, store_id=store_id, id=operation_id, failure=failure, now=now
    )
    assert undone is not None, "only what had succeeded is undone"


async def record_lapse(
    connection: Connection, store_id: StoreId, opening: StoredOperation, reason: str, now: datetime
) -> None:
    """Write that the gateway let go of what it had reserved, without being asked."""
    await _Q.record_lapse.execute(
        connection,
        store_id=store_id,
        payment_id=opening.payment_id,
        order_id=opening.order_id,
        amount=opening.amount,
        reason=reason,
        reference=opening.reference,
        now=now,
    )


async def learn_card(
    connection: Connection,
    store_id: StoreId,
    payment_id: PaymentId,
    *,
    card_brand: str,
    card_last_four: str | None,
) -> None:
    """Write which card a payment was made with, where the first news of it did not say."""
    await _Q.learn_card.execute(
        connection,
        store_id=store_id,
        id=payment_id,
        card_brand=card_brand,
        card_last_four=card_last_four,
    )
