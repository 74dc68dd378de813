"""The one way to come by an order for a caller: what they may not see is not there."""

from openorders.domain.ids import OrderId
from openorders.domain.order import Order
from openorders.domain.refusals import OrderNotFound, Refused
from openorders.store import orders
from openorders.store.database import Connection
from openorders.usecases.context import Context


async def seen(connection: Connection, ctx: Context, order_id: OrderId) -> Order:
    """The order, to be shown. Refuses with `OrderNotFound` also when it is somebody else's."""
    return visible(ctx, order_id, await orders.read(connection, ctx.store_id, order_id))


async def locked(tx: Connection, ctx: Context, order_id: OrderId) -> Order:
    """The order, to be changed until the transaction ends; `If-Match` is checked here."""
    order = visible(ctx, order_id, await orders.lock(tx, ctx.store_id, order_id))
    ctx.require_version(order)
    return order


def visible(ctx: Context, order_id: OrderId, order: Order | None) -> Order:
    """The order that was read under this id, if there is one and the caller may see it."""
    if order is None or not ctx.caller.may_see(order):
        raise Refused(OrderNotFound(order_id))
    return order
