"""The one way to come by an order for a caller: what they may not see is not there."""

from openorders.domain.ids import OrderId
from openorders.domain.order import Order
from openorders.domain.refusals import OrderNotFound, Refused
from openorders.store import orders
from openorders.store.database import Connection
from openorders.usecases.context import Context


async def seen(connection: Connection, ctx: Context, order_id: OrderId) -> Order:
    """The order, to be shown. Refuses with `OrderNotFound` also when it is somebody else's."""
    return _visible(ctx, order_id, await orders.read(connection, ctx.store_id, order_id))


async def seen_with_lines(connection: Connection, ctx: Context, order_id: OrderId) -> Order:
    """The same, to be shown without its payments, refunds and history."""
    order = await orders.read_with_lines(connection, ctx.store_id, order_id)
    return _visible(ctx, order_id, order)


async def seen_with_payments(connection: Connection, ctx: Context, order_id: OrderId) -> Order:
    """The same, to be shown without its refunds."""
    order = await orders.read_with_payments(connection, ctx.store_id, order_id)
    return _visible(ctx, order_id, order)


async def locked(tx: Connection, ctx: Context, order_id: OrderId) -> Order:
    """The order, to be changed until the transaction ends; `If-Match` is checked here."""
    order = _visible(ctx, order_id, await orders.lock(tx, ctx.store_id, order_id))
    ctx.require_version(order)
    return order


def _visible(ctx: Context, order_id: OrderId, order: Order | None) -> Order:
    if order is None or not ctx.caller.may_see(order):
        raise Refused(OrderNotFound(order_id))
    return order
