"""Cancel an order: give back the stock, give back the money, tell those who asked."""

from msgspec import Struct

from openorders.domain import progress
from openorders.domain.ids import OrderId
from openorders.domain.order import Order, Word
from openorders.domain.payment import OperationKind
from openorders.store import changes
from openorders.usecases.answers import Answer, Reply, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.find_order import locked
from openorders.usecases.perform_operations import perform_all


class Cancel(Struct, frozen=True, kw_only=True):
    """`holds` are the words that already show as cancelled in the caller's contract."""

    order_id: OrderId
    reason: str | None = None
    comments: str | None = None
    holds: frozenset[Word] = frozenset({Word.CANCELLED})


class Cancelled(Struct, frozen=True, kw_only=True):
    """The order, and how much of what was paid goes back because of it (minor units)."""

    order: Order
    refund: int


async def cancel_order(ctx: Context, command: Cancel, reply: Reply[Cancelled]) -> Answer:
    """Cancel before anything was shipped; a repeated cancel succeeds and does nothing twice.

    Refuses with `TooLateToCancel`. The gateway is asked after the commit.
    """

    async def work(unit: Unit) -> Answer:
        order = await locked(unit.connection, ctx, command.order_id)
        by = ctx.by(command.reason)
        if order.word in command.holds:
            return reply.done(Cancelled(order=order, refund=_going_back(order)))
        change = progress.cancel(order, by, comments=command.comments)
        operations = await changes.save(unit.connection, ctx.store_id, change, by)
        if operations:
            unit.afterwards.append(lambda: perform_all(ctx.services, ctx.store, operations))
        refund = sum(step.amount for step in change.give_backs if step.kind is OperationKind.REFUND)
        return reply.done(Cancelled(order=change.order, refund=refund))

    return await once(ctx, reply, work)


def _going_back(order: Order) -> int:
    return sum(payment.refunded + payment.refunding for payment in order.payments)
