"""What staff see of an order's money: every attempt, every call to a gateway, every refund."""

from openorders.domain.access import Role
from openorders.domain.ids import OrderId, PaymentId, RefundId
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import PaymentNotFound, RefundNotFound, Refused
from openorders.store import payment_pages, refunds
from openorders.store.payment_pages import FoundPayment
from openorders.store.refunds import FoundRefund
from openorders.usecases.context import Context
from openorders.usecases.find_order import seen

PaymentView = FoundPayment
RefundView = FoundRefund


async def list_payments(
    ctx: Context,
    order_id: OrderId | None = None,
    *,
    after: PaymentId | None = None,
    limit: int,
    state: AttemptState | None = None,
) -> tuple[PaymentView, ...]:
    """Up to `limit` payments right after one, of an order or of the store, oldest first.

    Refuses with `OrderNotFound`. Attempts whose order never came to be are in the store's list.
    """
    _require_staff(ctx)
    async with ctx.services.database.connection() as connection:
        if order_id is not None:
            await seen(connection, ctx, order_id)
        return await payment_pages.page(connection, ctx.store_id, order_id, after, limit, state)


async def read_payment(ctx: Context, payment_id: PaymentId) -> PaymentView:
    """One payment. Refuses with `PaymentNotFound`."""
    _require_staff(ctx)
    async with ctx.services.database.connection() as connection:
        found = await payment_pages.by_id(connection, ctx.store_id, [payment_id])
    if not found:
        raise Refused(PaymentNotFound(payment_id))
    return found[0]


async def list_refunds(
    ctx: Context,
    order_id: OrderId | None = None,
    *,
    after: RefundId | None = None,
    limit: int,
) -> tuple[RefundView, ...]:
    """Up to `limit` refunds right after one, of an order or of the store, oldest first.

    Refuses with `OrderNotFound`.
    """
    _require_staff(ctx)
    async with ctx.services.database.connection() as connection:
        if order_id is not None:
            await seen(connection, ctx, order_id)
        return await refunds.page(connection, ctx.store_id, order_id, after, limit)


async def read_refund(ctx: Context, refund_id: RefundId) -> RefundView:
    """One refund. Refuses with `RefundNotFound`."""
    _require_staff(ctx)
    async with ctx.services.database.connection() as connection:
        found = await refunds.by_id(connection, ctx.store_id, [refund_id])
    if not found:
        raise Refused(RefundNotFound(refund_id))
    return found[0]


def _require_staff(ctx: Context) -> None:
    ctx.caller.require(Role.ADMIN, Role.SERVICE, to="see payments")
