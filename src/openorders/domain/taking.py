"""Decisions about money that comes in by the hands of staff: taken elsewhere, or captured."""

from datetime import datetime

from msgspec.structs import replace

from openorders.domain import balance
from openorders.domain import payment as money
from openorders.domain.change import By, Change, recorded
from openorders.domain.events import EventType
from openorders.domain.ids import UNNUMBERED, PaymentId
from openorders.domain.money import to_decimal
from openorders.domain.order import Order, PaymentState, Progress
from openorders.domain.payment import AttemptState, GiveBack, OperationKind, Payment
from openorders.domain.refusals import (
    AmountNotOwed,
    NothingToCapture,
    PaymentInProgress,
    Refused,
)


def by_hand(amount: int, *, method: str, reference: str | None, at: datetime) -> Payment:
    """Money that was taken elsewhere, and is here already."""
    return Payment(
        id=PaymentId(UNNUMBERED),
        gateway=money.MANUAL_GATEWAY,
        method=method,
        amount=amount,
        state=AttemptState.CAPTURED,
        captured=amount,
        reference=reference,
        created_at=at,
        settled_at=at,
    )


def record(order: Order, payment: Payment, by: By) -> Change:
    """Write down money that staff have in their hands, for whatever order: it is there.

    What is not owed (any more) goes back by hand. Once everything is paid, what is only reserved
    and what waits for its buyer is given up. Refuses with `PaymentInProgress` while a gateway is
    being asked, since its answer may bring the same money.
    """
    if any(attempt.state is AttemptState.STARTED for attempt in order.payments):
        raise Refused(PaymentInProgress(order.id))
    after = replace(order, payments=(*order.payments, payment))
    after = replace(after, payment=balance.payment_state(after))
    back = balance.surplus(after, payment.id, payment.amount, OperationKind.CHARGE)
    is_covered = balance.kept(after) >= balance.price_of(after)
    spare = money.give_up(order.payments, reason=by.reason) if is_covered else ()
    remark = _remark(order, payment, back)
    is_news = after.payment is PaymentState.PAID and order.payment is not PaymentState.PAID
    is_paid = is_news and order.progress is not Progress.CANCELLED
    return Change(
        before=order,
        order=recorded(after, replace(by, reason=remark or by.reason)),
        events=(EventType.ORDER_PAID if is_paid else EventType.ORDER_UPDATED,),
        give_backs=(*back, *spare),
    )


def capturable(order: Order, payment: Payment, amount: int | None) -> int:
    """How much of an authorisation is taken: `amount`, else all of it that is owed.

    What is not taken is released by the gateway. Refuses with `PaymentInProgress` while another
    capture or its release is under way, with `NothingToCapture` when nothing is reserved or
    nothing of it is owed any more, with `AmountNotOwed` for more than that.
    """
    if payment.ending:
        raise Refused(PaymentInProgress(order.id))
    most = min(payment.amount, max(0, balance.price_of(order) - balance.kept(order)))
    if payment.state is not AttemptState.AUTHORISED or most == 0:
        raise Refused(NothingToCapture(payment.id))
    if amount is None:
        return most
    if not 0 < amount <= most:
        raise Refused(AmountNotOwed(amount, most, order.minor_digits))
    return amount


def _remark(order: Order, payment: Payment, back: tuple[GiveBack, ...]) -> str | None:
    if not back:
        return None
    amount = to_decimal(payment.amount, order.minor_digits)
    returned = to_decimal(back[0].amount, order.minor_digits)
    arrived = f"A payment of {amount} {order.currency} arrived"
    return f"{arrived}; {returned} is given back. {back[0].reason}"
