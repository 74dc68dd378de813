"""What an order costs its buyer, what the store keeps of it, and what follows from the two.

The price is the total less what refunds took off it. What is kept beyond the price is given back;
what the price is beyond that is owed. Everything is computed from the records of payments and
refunds of an order that was read whole, in minor units.
"""

from fractions import Fraction

from openorders.domain.ids import PaymentId
from openorders.domain.order import Line, LineState, Order, PaymentState, Progress
from openorders.domain.payment import (
    AttemptState,
    GiveBack,
    OperationKind,
    captured,
    refundable,
)


def price_of(order: Order) -> int:
    """What the order costs its buyer in the end: nothing once it is cancelled."""
    if order.progress is Progress.CANCELLED:
        return 0
    return _price(order)


def kept(order: Order) -> int:
    """What was captured, and neither went back nor is on its way back."""
    return refundable(order.payments)


def owed(order: Order) -> int:
    """What is still to be paid; what is reserved on cards counts as paid."""
    return max(0, price_of(order) - kept(order) - _authorised(order))


def outstanding(order: Order) -> int:
    """What should have gone back and did not, because a gateway refused."""
    return max(0, kept(order) - price_of(order))


def surplus(
    order: Order, payment_id: PaymentId, arrived: int, kind: OperationKind
) -> tuple[GiveBack, ...]:
    """What just arrived with a payment and is not owed (any more): it goes back there.

    `order` is how things are with it. An authorisation is given up when none of it is needed;
    one that is too large is kept, since less than all of it can be captured.
    """
    reason = "More was paid than is owed."
    if price_of(order) == 0:
        reason = "The order had ended."
    if kind is OperationKind.AUTHORISE:
        spare = kept(order) + _authorised(order) - price_of(order)
        if spare < arrived:
            return ()
        return (
            GiveBack(payment_id=payment_id, kind=OperationKind.VOID, amount=arrived, reason=reason),
        )
    too_much = min(outstanding(order), arrived)
    if kind not in (OperationKind.CHARGE, OperationKind.CAPTURE) or too_much == 0:
        return ()
    return (
        GiveBack(payment_id=payment_id, kind=OperationKind.REFUND, amount=too_much, reason=reason),
    )


def payment_state(order: Order) -> PaymentState:
    """What the payments add up to, against what the order costs its buyer now.

    The same table of rows as `money_differences` in the ledgers. Money that is on its way back
    still counts as here, until the gateway has said yes. A cancelled order costs nothing once
    anything was taken for it; before that its state stays what it was.
    """
    taken = captured(order.payments)
    given_back = sum(payment.refunded for payment in order.payments)
    is_over = order.progress is Progress.CANCELLED and taken > 0
    price = 0 if is_over else _price(order)
    if taken - given_back >= price:
        if not given_back:
            return PaymentState.PAID
        return PaymentState.REFUNDED if given_back >= taken else PaymentState.PART_REFUNDED
    held = taken - given_back + _authorised(order)
    if held >= price:
        return PaymentState.AUTHORISED
    return _unpaid_state(order, in_part=held > 0)


def worth(line: Line, units: int) -> int:
    """What the first `units` of a line are worth, rounded half-even: all of them, its share."""
    return round(Fraction(line.share * units, line.quantity))


def refunded_of(order: Order, line: Line) -> tuple[int, int]:
    """How many units of a line were refunded, and with how much money."""
    entries = [
        entry
        for refund in order.refunds
        if refund.holds
        for entry in refund.lines
        if entry.line_id == line.id
    ]
    return sum(entry.quantity for entry in entries), sum(entry.amount for entry in entries)


def shipping_left(order: Order) -> int:
    """What of the shipping was not refunded yet."""
    gone = sum(refund.shipping for refund in order.refunds if refund.holds)
    return order.totals.shipping - gone


def _price(order: Order) -> int:
    """The total, less what refunds took off it. A cancelled line is no longer in the total, so
    neither is what was refunded of it.
    """
    cancelled = {line.id for line in order.lines if line.state is LineState.CANCELLED}
    lowered = _unrecorded(order)
    for refund in order.refunds:
        if refund.holds:
            lowered += refund.shipping + refund.goodwill
            lowered += sum(entry.amount for entry in refund.lines if entry.line_id not in cancelled)
    return max(0, order.totals.total - lowered)


def _unrecorded(order: Order) -> int:
    """What releases before refunds were recorded gave back: why is not known any more, so it is
    neither owed again nor given back twice.
    """
    moved = sum(payment.refunded + payment.refunding for payment in order.payments)
    return moved - sum(refund.given_back for refund in order.refunds)


def _authorised(order: Order) -> int:
    return sum(
        payment.amount for payment in order.payments if payment.state is AttemptState.AUTHORISED
    )


def _unpaid_state(order: Order, *, in_part: bool) -> PaymentState:
    if any(payment.is_open for payment in order.payments):
        return PaymentState.PENDING
    if order.payments and order.payments[-1].state is AttemptState.DECLINED:
        return PaymentState.FAILED
    return PaymentState.PENDING if order.payment_asked or in_part else PaymentState.NONE
