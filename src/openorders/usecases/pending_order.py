"""An order whose charge is running: it becomes an order, or it vanishes without a trace.

Settling a charge calls these inside its transaction; nothing else makes or ends a pending order.
"""

from msgspec.structs import replace

from openorders.domain.change import By, MoveKind, moves_of
from openorders.domain.events import EventType
from openorders.domain.ids import OrderId, StoreId
from openorders.domain.order import HistoryEntry, Order, Progress
from openorders.domain.payment import Payment
from openorders.domain.progress import payment_state
from openorders.store import orders, placing, stock
from openorders.store.database import Connection
from openorders.store.placing import Ready


async def finish_pending(
    tx: Connection,
    store_id: StoreId,
    order_id: OrderId,
    payments: tuple[Payment, ...],
    by: By,
) -> Order:
    """Place the order that was held back, now that it is paid. Its stock stays reserved.

    The draft says by its progress whether the order is being processed once it is paid.
    """
    draft = await placing.take_draft(tx, store_id, order_id)
    assert draft is not None, "the pending row was locked by the caller"
    order = replace(draft, payments=payments)
    order = replace(order, payment=payment_state(order))
    events = [EventType.ORDER_CREATED, EventType.ORDER_PAID]
    if order.progress is Progress.PROCESSING:
        entry = HistoryEntry(word=order.word, at=by.at, actor=by.actor, contract=by.contract)
        order = replace(order, history=(*order.history, entry))
        events.append(EventType.ORDER_PROCESSING)
    order = replace(order, updated_at=max(order.created_at, by.at))
    ready = Ready(order=order, events=events)
    outcome = await placing.place(tx, store_id, [ready], reserve=False)
    assert order_id in outcome.placed, "its stock is held and it carries no key"
    stored = await orders.read(tx, store_id, order_id)
    assert stored is not None, "it was written a moment ago"
    return stored


async def drop_pending(tx: Connection, store_id: StoreId, order_id: OrderId, by: By) -> None:
    """Let a declined order go: its stock is free again, its number is spent."""
    draft = await placing.take_draft(tx, store_id, order_id)
    assert draft is not None, "the pending row was locked by the caller"
    await stock.move(tx, store_id, order_id, moves_of(MoveKind.RELEASE, draft.lines), by.at)
