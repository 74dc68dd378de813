"""Cancel many orders in one transaction, each with a fate of its own."""

from collections.abc import Mapping, Sequence

from openorders.domain import progress
from openorders.domain.change import By, Change
from openorders.domain.ids import OrderId
from openorders.domain.order import Order
from openorders.domain.refusals import OrderNotFound, Reason, Refused
from openorders.store import changes, orders
from openorders.usecases.answers import Answer, Reply, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.perform_operations import perform_all

Fate = Order | Reason
"""The order as it was cancelled, or why it was not."""


async def cancel_many(
    ctx: Context,
    order_ids: Sequence[OrderId],
    reason: str | None,
    reply: Reply[tuple[Fate, ...]],
) -> Answer:
    """Cancel what can be cancelled; the fates come in the order of the ids.

    An order that is refused spoils nothing for the others: it is somebody else's
    (`OrderNotFound`), was shipped (`TooLateToCancel`), or is of another version than `If-Match`
    allows (`VersionDiffers`). The gateways are asked after the commit.
    """

    async def work(unit: Unit) -> Answer:
        wanted = sorted(set(order_ids))
        found = await orders.lock_many(unit.connection, ctx.store_id, wanted)
        by = ctx.by(reason)
        decisions = {order_id: _decided(ctx, order_id, found, by) for order_id in wanted}
        operations = await changes.save_many(
            unit.connection,
            ctx.store_id,
            [decision for decision in decisions.values() if isinstance(decision, Change)],
            by,
        )
        if operations:
            unit.afterwards.append(lambda: perform_all(ctx.services, ctx.store, operations))
        return reply.done(tuple(_fate(decisions[order_id]) for order_id in order_ids))

    return await once(ctx, reply, work)


def _decided(
    ctx: Context, order_id: OrderId, found: Mapping[OrderId, Order], by: By
) -> Change | Reason:
    order = found.get(order_id)
    if order is None or not ctx.caller.may_see(order):
        return OrderNotFound(order_id)
    try:
        ctx.require_version(order)
        return progress.cancel(order, by)
    except Refused as refused:
        return refused.reason


def _fate(decision: Change | Reason) -> Fate:
    return decision.order if isinstance(decision, Change) else decision
