"""Write down money that staff have in their hands: a bank transfer, cash, a cheque."""

from decimal import Decimal

from msgspec import Struct

from openorders.domain import balance, money, taking
from openorders.domain.access import Role
from openorders.domain.ids import OrderId
from openorders.domain.order import Order
from openorders.domain.refusals import Refused
from openorders.store import changes, orders
from openorders.usecases.answers import Answer, Reply, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.find_order import locked
from openorders.usecases.pay_order import Paid, not_owed
from openorders.usecases.perform_operations import perform_all


class RecordPayment(Struct, frozen=True, kw_only=True):
    """`amount` (major units) was taken by `method`, in the store's own word ("bank_transfer").

    `reference` is what it can be found by elsewhere, as on a statement of account.
    """

    order_id: OrderId
    amount: Decimal
    method: str
    reference: str | None = None
    reason: str | None = None


async def record_payment(ctx: Context, command: RecordPayment, reply: Reply[Paid]) -> Answer:
    """Record a payment by hand, as often as staff say so: only an idempotency key tells twins.

    Any amount may have arrived, for an order in any state: what is not owed (any more) goes back,
    by hand as it came, and the history says so. Refuses with `PaymentInProgress` while a gateway
    is being asked, and with `AmountNotOwed` what is no amount.
    """
    ctx.caller.require(Role.ADMIN, Role.SERVICE, to="record payments")

    async def work(unit: Unit) -> Answer:
        order = await locked(unit.connection, ctx, command.order_id)
        by = ctx.by(command.reason)
        payment = taking.by_hand(
            _minor(order, command.amount),
            method=command.method,
            reference=command.reference,
            at=by.at,
        )
        change = taking.record(order, payment, by)
        operations = await changes.save(unit.connection, ctx.store_id, change, by)
        if operations:
            unit.afterwards.append(lambda: perform_all(ctx.services, ctx.store, operations))
        recorded = await orders.read(unit.connection, ctx.store_id, order.id)
        assert recorded is not None, "it is locked"
        return reply.done(Paid(order=recorded, payment=recorded.payments[-1]))

    return await once(ctx, reply, work)


def _minor(order: Order, amount: Decimal) -> int:
    minor = money.from_decimal(amount, order.minor_digits)
    if minor is None or minor <= 0:
        raise Refused(not_owed(amount, balance.owed(order), order))
    return minor
