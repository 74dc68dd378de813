"""Writing decisions: the order, its lines, history, stock, money and events, all or nothing.

The orders are locked by the caller (`store.orders.lock`), in the transaction that is given.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from openorders.domain.change import By, Change
from openorders.domain.ids import OperationId, StoreId
from openorders.domain.order import Order
from openorders.store import payments, queries, refunds, stock
from openorders.store.database import Connection

_Q = queries.load("changes")


async def save(
    connection: Connection, store_id: StoreId, change: Change, by: By
) -> tuple[OperationId, ...]:
    """Write one change. Gives back the gateway operations to perform after the commit."""
    return await save_many(connection, store_id, [change], by)


async def save_many(
    connection: Connection, store_id: StoreId, changes: Sequence[Change], by: By
) -> tuple[OperationId, ...]:
    """Write changes of several orders at once; those of nothing are passed over."""
    real = [change for change in changes if not change.is_nothing]
    if not real:
        return ()
    await _save_orders(connection, store_id, real)
    await _save_lines(connection, store_id, real)
    await _add_history(connection, store_id, real)
    await _move_stock(connection, store_id, real, by)
    operations: list[OperationId] = []
    for place, change in enumerate(real):
        paid = await _add_payment(connection, store_id, change, by)
        real[place], recorded = await _give_back(connection, store_id, paid, by)
        operations += recorded
    await _add_events(connection, store_id, real, by)
    return tuple(operations)


async def _save_orders(
    connection: Connection, store_id: StoreId, changes: Sequence[Change]
) -> None:
    touched = [change for change in changes if change.order is not change.before]
    rows = [_row(change.before, change.order) for change in touched]
    saved = await _Q.save_orders.fetch(connection, store_id=store_id, rows=_json(rows))
    assert len(saved) == len(touched), "an order was changed without its lock"


async def _save_lines(connection: Connection, store_id: StoreId, changes: Sequence[Change]) -> None:
    changed = [
        (change.order.id, line.id, line.state.value)
        for change in changes
        for before, line in zip(change.before.lines, change.order.lines, strict=True)
        if before.state is not line.state
    ]
    if changed:
        order_ids, ids, states = zip(*changed, strict=True)
        await _Q.save_lines.execute(
            connection,
            store_id=store_id,
            order_ids=list(order_ids),
            ids=list(ids),
            states=list(states),
        )


async def _add_history(
    connection: Connection, store_id: StoreId, changes: Sequence[Change]
) -> None:
    rows = [
        {"order_id": change.order.id, "position": position, **msgspec.to_builtins(entry)}
        for change in changes
        for position, entry in enumerate(change.order.history, 1)
        if position > len(change.before.history)
    ]
    if rows:
        await _Q.add_history.execute(connection, store_id=store_id, rows=_json(rows))


async def _move_stock(
    connection: Connection, store_id: StoreId, changes: Sequence[Change], by: By
) -> None:
    moving = [change for change in changes if change.moves]
    if len(moving) > 1:
        variants = sorted({move.variant_id for change in moving for move in change.moves})
        await stock.lock(connection, store_id, variants)
    for change in moving:
        short = await stock.move(connection, store_id, change.order.id, change.moves, by.at)
        assert short is None, "what was reserved is there to be moved"


async def _add_payment(connection: Connection, store_id: StoreId, change: Change, by: By) -> Change:
    """Write down the payment that staff vouch for, if the change brings one: it gets its id."""
    known = len(change.before.payments)
    if len(change.order.payments) == known:
        return change
    (payment,) = change.order.payments[known:]
    payment_id = await payments.record_taken_elsewhere(
        connection, store_id, change.order, payment, by
    )
    numbered = replace(payment, id=payment_id)
    order = replace(change.order, payments=(*change.order.payments[:known], numbered))
    steps = tuple(
        replace(step, payment_id=payment_id) if step.payment_id == payment.id else step
        for step in change.give_backs
    )
    return replace(change, order=order, give_backs=steps)


async def _give_back(
    connection: Connection, store_id: StoreId, change: Change, by: By
) -> tuple[Change, tuple[OperationId, ...]]:
    """Write down what goes back, with the refund that says why, if the change brings one."""
    if not change.give_backs:
        return change, ()
    order, known, refund_id = change.order, len(change.before.refunds), None
    if len(order.refunds) > known:
        (refund,) = order.refunds[known:]
        firm = [
            now.id
            for before, now in zip(change.before.refunds, order.refunds, strict=False)
            if now.firm and not before.firm
        ]
        if firm:
            await refunds.make_firm(connection, store_id, firm)
        refund_id = await refunds.insert(connection, store_id, order.id, refund.amount, refund, by)
        order = replace(order, refunds=(*order.refunds[:known], replace(refund, id=refund_id)))
    recorded = await payments.record_operations(
        connection, store_id, order.id, change.give_backs, by, refund_id
    )
    return replace(change, order=order), recorded


async def _add_events(
    connection: Connection, store_id: StoreId, changes: Sequence[Change], by: By
) -> None:
    told = [(change.order, event.value) for change in changes for event in change.events]
    payloads = {change.order.id: msgspec.json.encode(change.order) for change in changes}
    await _Q.add_events.execute(
        connection,
        store_id=store_id,
        order_ids=[order.id for order, _ in told],
        versions=[order.version for order, _ in told],
        types=[event for _, event in told],
        payloads=[payloads[order.id] for order, _ in told],
        times=[by.at] * len(told),
    )


def _row(before: Order, order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "known_version": before.version,
        "progress": order.progress,
        "payment": order.payment,
        "fulfilment": order.fulfilment,
        "payment_asked": order.payment_asked,
        "subtotal": order.totals.subtotal,
        "discount": order.totals.discount,
        "shipping": order.totals.shipping,
        "tax": order.totals.tax,
        "total": order.totals.total,
        "taxes": order.totals.taxes,
        "shipping_address": order.shipping_address,
        "shipment": order.shipment,
        "cancellation": order.cancellation,
        "payment_method": order.payment_method,
        "payment_gateway": order.payment_gateway,
        "updated_at": order.updated_at,
        "completed_at": order.completed_at,
        "version": order.version,
    }


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
