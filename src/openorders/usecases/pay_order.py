"""Take the payment of an order that is there already, all that is owed or a part of it.

The attempt is recorded and committed, the gateway is asked, its answer is settled. A retry
under the same idempotency key goes on with the same attempt.
"""

from decimal import ROUND_DOWN, Decimal
from typing import Final, Literal

from msgspec import Struct

from openorders.domain import balance, money
from openorders.domain.ids import MethodId, OrderId
from openorders.domain.order import Order, PaymentState, Progress
from openorders.domain.payment import AttemptState, Payment
from openorders.domain.refusals import (
    AlreadyPaid,
    AmountNotOwed,
    NotPayable,
    PaymentDeclined,
    PaymentInProgress,
    Refused,
    UnknownGateway,
)
from openorders.domain.store_settings import GatewaySettings, Store
from openorders.store.database import Connection
from openorders.usecases import charge_order
from openorders.usecases.answers import Answer, Later, Reply, once
from openorders.usecases.charge_order import NewCharge
from openorders.usecases.context import Context, Unit
from openorders.usecases.find_order import locked
from openorders.usecases.settle_payment import Settled

ATTEMPTS_MAX: Final = 100
"""How often the payment of one order may be tried. Who tries more cards than that is not paying,
and each try is remembered with its order.
"""

_TOO_MANY: Final = PaymentDeclined(
    "too_many_attempts", "This order was tried to be paid too often. Please contact the shop."
)
_LARGEST: Final = Decimal(money.AMOUNT_MAX)


class Pay(Struct, frozen=True, kw_only=True):
    """`token` names the buyer's card at the gateway, unless they pay with a `saved_method` or on
    the gateway's own `page`.

    `amount`, where given, in major units, must be exactly what is owed, or with `part` at most
    that. `gateway` is another than the order names. `return_url` is where the buyer comes back to
    when their bank or the page has sent them on; without one a card that asks for that is declined.
    """

    order_id: OrderId
    token: str | None
    method: str | None = None
    amount: Decimal | None = None
    gateway: str | None = None
    saved_method: MethodId | None = None
    part: bool = False
    return_url: str | None = None
    page: bool = False


class Paid(Struct, frozen=True, kw_only=True):
    """The order, and the payment that was made."""

    order: Order
    payment: Payment


async def pay_order(ctx: Context, command: Pay, reply: Reply[Paid]) -> Answer:
    """Take what is owed for an order, once. The payment may wait for its buyer (`action_url`).

    Refuses with `AlreadyPaid`, `NotPayable`, `AmountNotOwed`, `UnknownGateway`, `MethodNotFound`,
    `PaymentInProgress` while another attempt is open, `PaymentDeclined` when the gateway says no
    (the order stays payable), and `PaymentUnsettled` while its answer is not known.
    """

    async def decide(tx: Connection, ctx: Context) -> NewCharge:
        order, due = await locked_and_owing(tx, ctx, command.order_id)
        if len(order.payments) >= ATTEMPTS_MAX:
            raise Refused(_TOO_MANY)
        return NewCharge(
            order=order,
            amount=_amount(order, due, command),
            gateway=_gateway(ctx.store, order, command).name,
            token=command.token,
            method=command.method,
            saved_method=command.saved_method,
            return_url=command.return_url,
            page=command.page,
        )

    async def work(unit: Unit) -> Later:
        return await charge_order.charge(unit, ctx, decide, lambda settled: _answer(settled, reply))

    return await once(ctx, reply, work)


def amount_owed(order: Order) -> int:
    """What is to be paid now, in minor units. Refuses when that is nothing, or never will be."""
    if order.progress is Progress.CANCELLED or order.payment is PaymentState.REFUNDED:
        raise Refused(NotPayable(order.id, order.word))
    amount = balance.owed(order)
    if amount == 0:
        raise Refused(AlreadyPaid(order.id))
    return amount


def gateway_of(store: Store, order: Order) -> GatewaySettings:
    """The gateway that the order names, else the store's default."""
    return _known(store, order.payment_gateway)


async def locked_and_owing(tx: Connection, ctx: Context, order_id: OrderId) -> tuple[Order, int]:
    """An order to be paid now, and what it owes. Refuses while a gateway is being asked."""
    order = await locked(tx, ctx, order_id)
    if any(payment.state is AttemptState.STARTED for payment in order.payments):
        raise Refused(PaymentInProgress(order.id))
    return order, amount_owed(order)


def _gateway(store: Store, order: Order, command: Pay) -> GatewaySettings:
    return _known(store, command.gateway or order.payment_gateway)


def _known(store: Store, name: str | None) -> GatewaySettings:
    gateway = store.gateway(name)
    if gateway is None:
        raise Refused(UnknownGateway(name or ""))
    return gateway


def _amount(order: Order, due: int, command: Pay) -> int:
    if command.amount is None:
        return due
    amount = money.from_decimal(command.amount, order.minor_digits)
    is_part = amount is not None and command.part and 0 < amount < due
    if amount is None or not (amount == due or is_part):
        raise Refused(not_owed(command.amount, due, order))
    return amount


def not_owed(
    amount: Decimal, owed: int, order: Order, of: Literal["order", "shipping"] = "order"
) -> AmountNotOwed:
    """Why an amount is refused, as near as minor units can say it."""
    minor = max(-_LARGEST, min(_LARGEST, amount)).scaleb(order.minor_digits)
    asked = int(minor.to_integral_value(ROUND_DOWN))
    return AmountNotOwed(asked, owed, order.minor_digits, of, finer=asked != minor)


def _answer(settled: Settled, reply: Reply[Paid]) -> Answer:
    if settled.declined is not None:
        return reply.refused(settled.declined)
    assert settled.order is not None, "only pending orders vanish, and this one was visible"
    return reply.done(Paid(order=settled.order, payment=settled.payment))
