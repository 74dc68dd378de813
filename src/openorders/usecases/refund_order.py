"""Give money back, or release what is only reserved, because staff decided so.

What goes back is recorded with its decision and driven to its end: the gateway is asked right
after the commit, and again by the sweep until it has answered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from openorders.domain import money, progress
from openorders.domain.access import Role
from openorders.domain.change import Change
from openorders.domain.events import EventType
from openorders.domain.ids import OperationId, OrderId
from openorders.domain.order import Order
from openorders.domain.payment import give_up, refundable
from openorders.domain.refusals import (
    AmountNotOwed,
    NothingToRefund,
    NothingToVoid,
    PaymentDeclined,
    PaymentUnsettled,
    Refused,
)
from openorders.store import changes, orders, payments
from openorders.store.database import Connection
from openorders.usecases.answers import Answer, Later, Reply, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.find_order import locked
from openorders.usecases.pay_order import in_minor
from openorders.usecases.perform_operations import perform
from openorders.usecases.settle_payment import Settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Give back `amount` (major units), or everything that can be given back."""

    order_id: OrderId
    amount: Decimal | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    """Release what is authorised and was not captured."""

    order_id: OrderId
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The order, and how much went back to the buyer (or was released), in minor units.

    `pending` when a gateway has not answered yet: it is asked again until it has. `reference`
    is the gateway's name of the payment.
    """

    order: Order
    amount: int
    reference: str | None
    pending: bool = False


async def refund_order(ctx: Context, command: Refund, reply: Reply[Returned]) -> Answer:
    """Give money back, never more than was captured and is still here.

    Refuses with `NothingToRefund`, `AmountNotOwed`, or `PaymentDeclined` when the gateway will
    not do it.
    """

    def decide(order: Order) -> Change:
        amount = _wanted(order, command.amount)
        return progress.refund(order, amount, ctx.by(command.reason))

    return await _return(ctx, command.order_id, command.reason, decide, reply)


async def void_order(ctx: Context, command: Void, reply: Reply[Returned]) -> Answer:
    """Release the buyer's money that is only reserved. Refuses with `NothingToVoid`."""

    def decide(order: Order) -> Change:
        steps = give_up(order.payments, reason=command.reason)
        if not steps:
            raise Refused(NothingToVoid(order.id))
        return Change(
            before=order, order=order, events=(EventType.ORDER_UPDATED,), give_backs=steps
        )

    return await _return(ctx, command.order_id, command.reason, decide, reply)


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


def _wanted(order: Order, amount: Decimal | None) -> int:
    most = refundable(order.payments)
    if most == 0:
        raise Refused(NothingToRefund(order.id))
    if amount is None:
        return most
    wanted = money.from_decimal(amount, order.minor_digits)
    if wanted is None or not 0 < wanted <= most:
        raise Refused(AmountNotOwed(in_minor(amount, order), most, order.minor_digits))
    return wanted


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
    assert order is not None, "an order with payments is never deleted"
    reference = next((settled.payment.reference for settled in done), None)
    return Returned(order=order, amount=amount, reference=reference, pending=pending)
