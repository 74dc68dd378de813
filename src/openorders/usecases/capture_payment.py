"""Take what was only reserved on a buyer's card, or part of it, because staff decided so."""

from decimal import Decimal

from msgspec import Struct

from openorders.domain import money, taking
from openorders.domain.access import Role
from openorders.domain.ids import OperationId, PaymentId
from openorders.domain.order import Order
from openorders.domain.payment import Payment
from openorders.domain.refusals import PaymentNotFound, Refused
from openorders.store import payment_pages, payments
from openorders.store.database import Connection
from openorders.usecases.answers import Answer, Later, Reply, keep, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.find_order import locked
from openorders.usecases.pay_order import Paid, not_owed
from openorders.usecases.perform_operations import perform
from openorders.usecases.settle_payment import Settled


class CapturePayment(Struct, frozen=True, kw_only=True):
    """Take `amount` (major units) of an authorisation, else all of it that is owed."""

    payment_id: PaymentId
    amount: Decimal | None = None
    reason: str | None = None


async def capture_payment(ctx: Context, command: CapturePayment, reply: Reply[Paid]) -> Answer:
    """Take what is reserved; what is not taken, the gateway releases.

    Refuses with `PaymentNotFound`, `NothingToCapture`, `AmountNotOwed`, `PaymentInProgress` while
    the payment is being captured or released, `PaymentDeclined` when the gateway says no (it
    stays reserved), and `PaymentUnsettled` while its answer is not known: it is asked again.
    """
    ctx.caller.require(Role.ADMIN, Role.SERVICE, to="capture payments")

    async def work(unit: Unit) -> Later:
        operation_id = await _begun(unit.connection, ctx)
        if operation_id is None:
            operation_id = await _begin(unit.connection, ctx, command)
        return Later(lambda: _finish(ctx, operation_id, reply))

    return await once(ctx, reply, work)


async def _begun(tx: Connection, ctx: Context) -> OperationId | None:
    """The capture that was begun under this request's key before its answer was lost."""
    if ctx.keyed is None:
        return None
    return next(iter(await payments.operations_of_key(tx, ctx.store_id, ctx.keyed.digest)), None)


async def _begin(tx: Connection, ctx: Context, command: CapturePayment) -> OperationId:
    order, payment = await _locked(tx, ctx, command.payment_id)
    amount = None if command.amount is None else _minor(order, payment, command.amount)
    amount = taking.capturable(order, payment, amount)
    operation_id = await payments.record_capture(
        tx, ctx.store_id, order.id, payment.id, amount, ctx.by(command.reason)
    )
    if ctx.keyed is not None:
        await payments.stamp_key(tx, ctx.store_id, [operation_id], ctx.keyed.digest)
    return operation_id


async def _locked(tx: Connection, ctx: Context, payment_id: PaymentId) -> tuple[Order, Payment]:
    """The payment as it is under its order's lock."""
    found = await payment_pages.by_id(tx, ctx.store_id, [payment_id])
    if not found:
        raise Refused(PaymentNotFound(payment_id))
    order = await locked(tx, ctx, found[0].order_id)
    return order, next(payment for payment in order.payments if payment.id == payment_id)


async def _finish(ctx: Context, operation_id: OperationId, reply: Reply[Paid]) -> Answer:
    answers: list[Answer] = []

    async def within(tx: Connection, settled: Settled) -> None:
        answers.append(_answer(settled, reply))
        await keep(tx, ctx, answers[-1])

    await perform(ctx.services, ctx.store, operation_id, within=within)
    return answers[-1]


def _answer(settled: Settled, reply: Reply[Paid]) -> Answer:
    if settled.declined is not None:
        return reply.refused(settled.declined)
    assert settled.order is not None, "what is captured belongs to an order that was locked"
    return reply.done(Paid(order=settled.order, payment=settled.payment))


def _minor(order: Order, payment: Payment, amount: Decimal) -> int:
    minor = money.from_decimal(amount, order.minor_digits)
    if minor is None:
        raise Refused(not_owed(amount, payment.amount, order))
    return minor
