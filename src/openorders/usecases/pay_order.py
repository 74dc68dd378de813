"""Take the payment of an order that is there already.

The attempt is recorded and committed, the gateway is asked, its answer is settled. A retry
under the same idempotency key goes on with the same attempt.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final

from openorders.domain import money
from openorders.domain.ids import OrderId
from openorders.domain.order import Order, PaymentState, Progress
from openorders.domain.payment import AttemptState, Payment, owed
from openorders.domain.refusals import (
    AlreadyPaid,
    AmountNotOwed,
    NotPayable,
    PaymentInProgress,
    Refused,
    UnknownGateway,
)
from openorders.domain.store_settings import GatewaySettings, Store
from openorders.store import payments
from openorders.store.database import Connection
from openorders.store.payments import Attempt
from openorders.usecases import charge_order
from openorders.usecases.answers import Answer, Later, Reply, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.find_order import locked
from openorders.usecases.settle_payment import Settled

_PAID: Final = (PaymentState.PAID, PaymentState.AUTHORISED, PaymentState.PART_REFUNDED)
_LARGEST: Final = Decimal(money.AMOUNT_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """`token` names the buyer's card at the gateway. `amount`, where given, in major units, must
    be exactly what is owed.
    """

    order_id: OrderId
    token: str | None
    method: str | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """The order, and the payment that was made."""

    order: Order
    payment: Payment


async def pay_order(ctx: Context, command: Pay, reply: Reply[Paid]) -> Answer:
    """Take what is owed for an order, once.

    Refuses with `AlreadyPaid`, `NotPayable`, `AmountNotOwed`, `PaymentInProgress` while another
    attempt is open, `PaymentDeclined` when the gateway says no (the order stays payable), and
    `PaymentUnsettled` while its answer is not known.
    """

    async def work(unit: Unit) -> Later:
        attempt = await charge_order.begun(unit.connection, ctx)
        if attempt is None:
            attempt = await _begin(unit.connection, ctx, command)
        return charge_order.finish(ctx, attempt, lambda settled: _answer(settled, reply))

    return await once(ctx, reply, work)


def amount_owed(order: Order) -> int:
    """What is to be paid now, in minor units. Refuses when that is nothing, or never will be."""
    if order.progress is Progress.CANCELLED or order.payment is PaymentState.REFUNDED:
        raise Refused(NotPayable(order.id, order.word))
    amount = owed(order.totals.total, order.payments)
    if order.payment in _PAID or amount == 0:
        raise Refused(AlreadyPaid(order.id))
    return amount


def gateway_of(store: Store, order: Order) -> GatewaySettings:
    """The gateway that the order names, else the store's default."""
    gateway = store.gateway(order.payment_gateway)
    if gateway is None:
        raise Refused(UnknownGateway(order.payment_gateway or ""))
    return gateway


async def _begin(tx: Connection, ctx: Context, command: Pay) -> Attempt:
    order, due = await locked_and_owing(tx, ctx, command.order_id)
    _require_owed(order, due, command.amount)
    attempt = await charge_order.begin(
        tx,
        ctx,
        order,
        gateway=gateway_of(ctx.store, order).name,
        token=command.token,
        method=command.method,
        amount=due,
    )
    await payments.await_payment(tx, ctx.store_id, order.id, ctx.now())
    return attempt


async def locked_and_owing(tx: Connection, ctx: Context, order_id: OrderId) -> tuple[Order, int]:
    """An order to be paid now, and what it owes. Refuses while an attempt is open."""
    order = await locked(tx, ctx, order_id)
    if any(payment.state is AttemptState.STARTED for payment in order.payments):
        raise Refused(PaymentInProgress(order.id))
    return order, amount_owed(order)


def _require_owed(order: Order, due: int, amount: Decimal | None) -> None:
    if amount is not None and money.from_decimal(amount, order.minor_digits) != due:
        raise Refused(AmountNotOwed(in_minor(amount, order), due, order.minor_digits))


def in_minor(amount: Decimal, order: Order) -> int:
    """An amount that is refused, as near as minor units can say it."""
    amount = max(-_LARGEST, min(_LARGEST, amount))
    return int(amount.scaleb(order.minor_digits).to_integral_value(ROUND_DOWN))


def _answer(settled: Settled, reply: Reply[Paid]) -> Answer:
    if settled.declined is not None:
        return reply.refused(settled.declined)
    assert settled.order is not None, "only pending orders vanish, and this one was visible"
    return reply.done(Paid(order=settled.order, payment=settled.payment))
