"""Give money back, or release what is only reserved, because staff decided so.

What goes back is recorded with its decision and driven to its end: the gateway is asked right
after the commit, and again by the sweep until it has answered.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from openorders.domain import balance, money, refunding
from openorders.domain.access import Role
from openorders.domain.change import By, Change
from openorders.domain.events import EventType
from openorders.domain.ids import OperationId, OrderId, PaymentId
from openorders.domain.order import Order
from openorders.domain.payment import give_up
from openorders.domain.refund import Refund as DecidedRefund
from openorders.domain.refunding import RefundLine
from openorders.domain.refusals import (
    NothingToRefund,
    NothingToVoid,
    PaymentDeclined,
    PaymentUnsettled,
    Refused,
)
from openorders.store import changes, orders, payments, refunds
from openorders.store.database import Connection
from openorders.usecases.answers import Answer, Later, Reply, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.find_order import locked
from openorders.usecases.pay_order import not_owed
from openorders.usecases.perform_operations import perform
from openorders.usecases.settle_payment import Settled


class Refund(Struct, frozen=True, kw_only=True):
    """Give back what lines and shipping were worth, or an amount, or everything.

    `lines` and `shipping` (major units, or True for all that is left of it) go together;
    `amount`, where it is given with them, must be exactly what they come to. Alone it is an
    amount in major units. With none of the three everything goes back that can. `restock` puts
    the refunded units of shipped lines back on the shelf; an amount alone has none.
    """

    order_id: OrderId
    amount: Decimal | None = None
    lines: tuple[RefundLine, ...] = ()
    shipping: Decimal | Literal[True] | None = None
    reason: str | None = None
    restock: bool = False


class Void(Struct, frozen=True, kw_only=True):
    """Release what is authorised and was not captured, and give up what waits for its buyer: of
    all payments, or of one.
    """

    order_id: OrderId
    payment_id: PaymentId | None = None
    reason: str | None = None


class Returned(Struct, frozen=True, kw_only=True):
    """The order, and how much went back to the buyer (or was released), in minor units.

    `pending` when a gateway has not answered yet: it is asked again until it has. `reference`
    is the gateway's name of the payment; `refund` is None for what was only released.
    """

    order: Order
    amount: int
    reference: str | None
    pending: bool = False
    refund: DecidedRefund | None = None


async def refund_order(ctx: Context, command: Refund, reply: Reply[Returned]) -> Answer:
    """Give money back, never more than was captured and is still here.

    Refuses with `NothingToRefund`, `AmountNotOwed`, `LineNotFound`, `LineNotOpen` for a line that
    was cancelled, `UnitsNotLeft`, or `PaymentDeclined` when the gateway will not do it.
    """

    def decide(order: Order) -> Change:
        return _decided(order, command, ctx.by(command.reason))

    return await _return(ctx, command.order_id, command.reason, decide, reply)


async def void_order(ctx: Context, command: Void, reply: Reply[Returned]) -> Answer:
    """Release the buyer's money that is only reserved. Refuses with `NothingToVoid`."""

    def decide(order: Order) -> Change:
        steps = give_up(order.payments, reason=command.reason, only=command.payment_id)
        if not steps:
            raise Refused(NothingToVoid(order.id))
        return Change(
            before=order, order=order, events=(EventType.ORDER_UPDATED,), give_backs=steps
        )

    return await _return(ctx, command.order_id, command.reason, decide, reply)


def _decided(order: Order, command: Refund, by: By) -> Change:
    if not command.lines and command.shipping is None:
        if command.amount is None:
            return refunding.refund_everything(order, by, restock=command.restock)
        return refunding.refund_amount(order, _minor(order, command.amount), by)
    change = refunding.refund_parts(
        order, command.lines, by, shipping=_shipping(order, command), restock=command.restock
    )
    refund = change.order.refunds[-1]
    if command.amount is not None and _minor(order, command.amount) != refund.amount:
        raise Refused(not_owed(command.amount, refund.amount, order))
    return change


def _shipping(order: Order, command: Refund) -> int:
    if command.shipping is None:
        return 0
    if command.shipping is True:
        return balance.shipping_left(order)
    minor = money.from_decimal(command.shipping, order.minor_digits)
    if minor is None:
        raise Refused(not_owed(command.shipping, balance.shipping_left(order), order, "shipping"))
    return minor


def _minor(order: Order, amount: Decimal) -> int:
    """The amount in minor units; a finer one is no amount of this currency."""
    minor = money.from_decimal(amount, order.minor_digits)
    if minor is None:
        most = balance.kept(order)
        if most == 0:
            raise Refused(NothingToRefund(order.id))
        raise Refused(not_owed(amount, most, order))
    return minor


async def _return(
    ctx: Context,
    order_id: OrderId,
    reason: str | None,
    decide: Callable[[Order], Change],
    reply: Reply[Returned],
) -> Answer:
    ctx.caller.require(Role.ADMIN, Role.SERVICE, to="give money back")

    async def work(unit: Unit) -> Later:
        operation_ids = await refunds_begun(unit.connection, ctx)
        if not operation_ids:
            order = await locked(unit.connection, ctx, order_id)
            operation_ids = await changes.save(
                unit.connection, ctx.store_id, decide(order), ctx.by(reason)
            )
            await remember_refunds(unit.connection, ctx, operation_ids)

        async def finish() -> Answer:
            return reply.done(await carry_out(ctx, order_id, operation_ids))

        return Later(finish)

    return await once(ctx, reply, work)


async def refunds_begun(tx: Connection, ctx: Context) -> tuple[OperationId, ...]:
    """What was decided under this request's key before its answer was lost: to be finished, not
    decided again.
    """
    if ctx.keyed is None:
        return ()
    return await payments.operations_of_key(tx, ctx.store_id, ctx.keyed.digest)


async def remember_refunds(
    tx: Connection, ctx: Context, operation_ids: tuple[OperationId, ...]
) -> None:
    """Let a retry under the same key find what was decided, in the transaction that decides."""
    if ctx.keyed is not None:
        await payments.stamp_key(tx, ctx.store_id, operation_ids, ctx.keyed.digest)


async def carry_out(
    ctx: Context, order_id: OrderId, operation_ids: tuple[OperationId, ...]
) -> Returned:
    """Have operations that are committed done, and say what the order is after them.

    Refuses with `PaymentDeclined` when the gateway will do none of them.
    """
    done: list[Settled] = []
    declined: PaymentDeclined | None = None
    pending = False
    for operation_id in operation_ids:
        try:
            settled = await perform(ctx.services, ctx.store, operation_id)
        except Refused as refused:
            if not isinstance(refused.reason, PaymentUnsettled):
                raise
            pending = True
            continue
        declined = declined or settled.declined
        done.append(settled)
    if declined is not None and all(settled.declined for settled in done) and not pending:
        raise Refused(declined)
    async with ctx.services.database.connection() as connection:
        order = await orders.read(connection, ctx.store_id, order_id)
        amount = await payments.sum_of(connection, ctx.store_id, operation_ids)
        refund_id = await refunds.of_operations(connection, ctx.store_id, operation_ids)
    assert order is not None, "an order with payments is never deleted"
    reference = next((settled.payment.reference for settled in done), None)
    refund = next((refund for refund in order.refunds if refund.id == refund_id), None)
    return Returned(order=order, amount=amount, reference=reference, pending=pending, refund=refund)
