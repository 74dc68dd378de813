"""Decisions about giving money back: everything, an amount, or what lines and shipping were worth.

A refund of lines or shipping gives back exactly their shares, the last unit of a line what is left
of it, and never more than the buyer paid beyond what the order costs them now.
"""

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain import balance
from openorders.domain import payment as money
from openorders.domain.change import By, Change, MoveKind, StockMove, recorded
from openorders.domain.events import EventType
from openorders.domain.ids import UNNUMBERED, LineId, RefundId
from openorders.domain.order import Line, LineState, Order, Progress
from openorders.domain.refund import Refund, RefundedLine, RefundState, RefundTerms
from openorders.domain.refusals import (
    AmountNotOwed,
    LineNotFound,
    LineNotOpen,
    NothingToRefund,
    Refused,
    UnitsNotLeft,
)


class RefundLine(Struct, frozen=True, kw_only=True):
    """A line to be refunded: so many units, or whatever is left of it."""

    line_id: LineId
    quantity: int | None = None


def refund_everything(order: Order, by: By, *, restock: bool = False) -> Change:
    """Give back all that is kept; the buyer owes nothing any more. Refuses `NothingToRefund`."""
    lines = tuple(RefundLine(line_id=line.id) for line in order.lines if _is_left(order, line))
    terms = _terms(order, lines, shipping=_shipping_left(order), by=by, restock=restock)
    return _refund(order, balance.kept(order), terms, by)


def refund_amount(order: Order, amount: int, by: By) -> Change:
    """Give back `amount`. Refuses `NothingToRefund` and `AmountNotOwed`.

    First what should have gone back before and did not. The rest is goodwill and lowers the
    price; but while something is still to be paid, it is a payment that is given back, to be
    paid in another way.
    """
    kept, price = balance.kept(order), balance.price_of(order)
    if kept == 0:
        raise Refused(NothingToRefund(order.id))
    if not 0 < amount <= kept:
        raise Refused(AmountNotOwed(amount, kept, order.minor_digits))
    goodwill = max(0, amount - (kept - price)) if kept >= price else 0
    return _refund(order, amount, RefundTerms(goodwill=goodwill, reason=by.reason), by)


def refund_parts(
    order: Order,
    lines: tuple[RefundLine, ...],
    by: By,
    *,
    shipping: int = 0,
    restock: bool = False,
) -> Change:
    """Give back what lines and `shipping` were worth; shipped units can go back on the shelf.

    Refuses `LineNotFound`, `LineNotOpen` for a cancelled line (its money went back already),
    `UnitsNotLeft`, `AmountNotOwed` for more shipping than is left, and `NothingToRefund` when
    the buyer has paid nothing beyond what the rest of the order costs.
    """
    left = _shipping_left(order)
    if not 0 <= shipping <= left:
        raise Refused(AmountNotOwed(shipping, left, order.minor_digits, "shipping"))
    terms = _terms(order, _merged(lines), shipping=shipping, by=by, restock=restock)
    asked = sum(line.amount for line in terms.lines) + shipping
    lowered = _with_refund(order, 0, terms, by)
    return _refund(order, min(asked, balance.outstanding(lowered)), terms, by)


def _refund(order: Order, amount: int, terms: RefundTerms, by: By) -> Change:
    if amount == 0:
        raise Refused(NothingToRefund(order.id))
    steps = money.give_back(order.payments, amount, reason=by.reason)
    after = _with_refund(order, amount, terms, by)
    if amount > terms.lowers_price_by and balance.outstanding(order):
        after = replace(after, refunds=(*map(_firm, order.refunds), after.refunds[-1]))
    after = replace(after, payments=money.under_way(order.payments, steps))
    after = replace(after, payment=balance.payment_state(after))
    return Change(
        before=order,
        order=after if after.payment is order.payment else recorded(after, by),
        events=(EventType.ORDER_UPDATED,),
        moves=_moves(order, terms),
        give_backs=steps,
    )


def _firm(refund: Refund) -> Refund:
    """A refund in whose place money goes back now, if it is one."""
    made_good = refund.holds and refund.lowers_price_by > refund.given_back
    return replace(refund, firm=True) if made_good else refund


def _with_refund(order: Order, amount: int, terms: RefundTerms, by: By) -> Order:
    refund = Refund(
        id=RefundId(UNNUMBERED),
        amount=amount,
        state=RefundState.STARTED,
        lines=terms.lines,
        shipping=terms.shipping,
        goodwill=terms.goodwill,
        reason=terms.reason,
        restock=terms.restock,
        at=by.at,
    )
    return replace(order, refunds=(*order.refunds, refund))


def _terms(
    order: Order, lines: tuple[RefundLine, ...], *, shipping: int, by: By, restock: bool
) -> RefundTerms:
    return RefundTerms(
        lines=tuple(_refunded(order, line, restock=restock) for line in lines),
        shipping=shipping,
        reason=by.reason,
        restock=restock,
    )


def _merged(lines: tuple[RefundLine, ...]) -> tuple[RefundLine, ...]:
    """A line that is named twice is one request for the units of both."""
    quantities: dict[LineId, int | None] = {}
    for line in lines:
        known = quantities.get(line.line_id, 0)
        both = None if known is None or line.quantity is None else known + line.quantity
        quantities[line.line_id] = both
    return tuple(RefundLine(line_id=id_, quantity=number) for id_, number in quantities.items())


def _refunded(order: Order, asked: RefundLine, *, restock: bool) -> RefundedLine:
    line = next((line for line in order.lines if line.id == asked.line_id), None)
    if line is None:
        raise Refused(LineNotFound(order.id, asked.line_id))
    if line.state is LineState.CANCELLED:
        raise Refused(LineNotOpen(order.id, line.id, line.state))
    units, amount = balance.refunded_of(order, line)
    left = line.quantity - units
    quantity = left if asked.quantity is None else asked.quantity
    if not (0 < quantity <= left or (asked.quantity is None and _is_left(order, line))):
        raise Refused(UnitsNotLeft(order.id, line.id, left))
    returned = quantity if restock and line.state is LineState.FULFILLED else 0
    return RefundedLine(
        line_id=line.id,
        quantity=quantity,
        amount=max(0, balance.worth(line, units + quantity) - amount),
        returned=returned,
        restocked=max(0, returned - _back_already(order, line)),
    )


def _is_left(order: Order, line: Line) -> bool:
    units, amount = balance.refunded_of(order, line)
    is_live = line.state is not LineState.CANCELLED
    return is_live and (units < line.quantity or amount < line.share)


def _shipping_left(order: Order) -> int:
    return 0 if order.progress is Progress.CANCELLED else balance.shipping_left(order)


def _back_already(order: Order, line: Line) -> int:
    """Units that came back for refunds which then failed, and that no refund has counted since."""
    entries = [
        (refund, entry)
        for refund in order.refunds
        for entry in refund.lines
        if entry.line_id == line.id
    ]
    on_hand = sum(entry.restocked for _, entry in entries)
    return on_hand - sum(entry.returned for refund, entry in entries if refund.holds)


def _moves(order: Order, terms: RefundTerms) -> tuple[StockMove, ...]:
    variants = {line.id: line.variant_id for line in order.lines}
    return tuple(
        StockMove(
            kind=MoveKind.RETURN, variant_id=variants[entry.line_id], quantity=entry.restocked
        )
        for entry in terms.lines
        if entry.restocked
    )
