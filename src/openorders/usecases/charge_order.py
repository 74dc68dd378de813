"""The charge that comes with an order: begun with it, finished after the commit.

A retry under the same idempotency key finds what was begun and finishes that, never a second
charge.
"""

from openorders.domain.order import Order
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import PaymentDeclined, PaymentInProgress, Refused
from openorders.store import orders, payments
from openorders.store.database import Connection
from openorders.store.payments import Attempt, NewAttempt
from openorders.usecases.answers import Answer, Later, Reply, keep
from openorders.usecases.context import Context
from openorders.usecases.perform_operations import perform
from openorders.usecases.settle_payment import Settled

DEFAULT_METHOD = "credit_card"


async def begun(tx: Connection, ctx: Context) -> Attempt | None:
    """The attempt that was begun under this request's key before, if any."""
    if ctx.keyed is None:
        return None
    return await payments.attempt_of_key(tx, ctx.store_id, ctx.keyed.digest)


async def begin(tx: Connection, ctx: Context, order: Order, token: str) -> Attempt:
    """Record the charge of a pending order, in the transaction that holds it."""
    assert order.payment_gateway is not None, "a charge needs a gateway"
    attempt = await payments.insert_attempt(
        tx,
        ctx.store_id,
        NewAttempt(
            order_id=order.id,
            gateway=order.payment_gateway,
            method=order.payment_method or DEFAULT_METHOD,
            token=token,
            amount=order.totals.total,
            currency=order.currency,
            key_digest=ctx.keyed.digest if ctx.keyed else None,
        ),
        ctx.by(),
    )
    if attempt is None:
        raise Refused(PaymentInProgress(order.id))
    return attempt


def finish(ctx: Context, attempt: Attempt, reply: Reply[Order]) -> Later:
    """Ask the gateway once the attempt is committed; the answer is kept where it is settled."""

    async def ask() -> Answer:
        if attempt.state is not AttemptState.STARTED:
            return await _settled_before(ctx, attempt, reply)
        answers: list[Answer] = []

        async def within(tx: Connection, settled: Settled) -> None:
            answers.append(_answer(settled, reply))
            await keep(tx, ctx, answers[-1])

        await perform(ctx.services, ctx.store, attempt.operation_id, within=within)
        return answers[-1]

    return Later(ask)


async def _settled_before(ctx: Context, attempt: Attempt, reply: Reply[Order]) -> Answer:
    if attempt.state is AttemptState.DECLINED:
        code, message = attempt.decline_code or "declined", attempt.decline_message or ""
        return reply.refused(PaymentDeclined(code, message))
    async with ctx.services.database.connection() as connection:
        order = await orders.read(connection, ctx.store_id, attempt.order_id)
    assert order is not None, "a charge that succeeded made its order visible"
    return reply.done(order)


def _answer(settled: Settled, reply: Reply[Order]) -> Answer:
    if settled.declined is not None:
        return reply.refused(settled.declined)
    assert settled.order is not None, "a charge that succeeded made its order visible"
    return reply.done(settled.order)
