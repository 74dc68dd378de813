"""How an order moves along its three axes: start, ship, deliver, complete, cancel, refund.

A client asks for a word and may skip steps; what it skips is done on the way. Progress and
fulfilment never move backward. Payment goes wherever its records go: a reservation lapses, a
refund fails after all (`balance.payment_state`).
"""

from typing import Final

from msgspec.structs import replace

from openorders.domain import balance, pricing, refunding, taking
from openorders.domain import payment as money
from openorders.domain.address import Address
from openorders.domain.balance import payment_state
from openorders.domain.change import By, Change, MoveKind, moves_of, nothing, recorded
from openorders.domain.events import EventType
from openorders.domain.ids import LineId
from openorders.domain.order import (
    Cancellation,
    Fulfilment,
    Line,
    LineState,
    Order,
    Progress,
    Shipment,
    Word,
)
from openorders.domain.refusals import (
    AddressFixed,
    LineNotFound,
    LineNotOpen,
    MoveNotAllowed,
    PaymentInProgress,
    Refused,
    TooLateToCancel,
)

PROGRESS_MOVES: Final = {
    Progress.PLACED: {Progress.PROCESSING, Progress.COMPLETED, Progress.CANCELLED},
    Progress.PROCESSING: {Progress.COMPLETED, Progress.CANCELLED},
    Progress.COMPLETED: frozenset[Progress](),
    Progress.CANCELLED: frozenset[Progress](),
}
FULFILMENT_MOVES: Final = {
    Fulfilment.NONE: {Fulfilment.PART_SHIPPED, Fulfilment.SHIPPED, Fulfilment.DELIVERED},
    Fulfilment.PART_SHIPPED: {Fulfilment.SHIPPED, Fulfilment.DELIVERED},
    Fulfilment.SHIPPED: {Fulfilment.DELIVERED},
    Fulfilment.DELIVERED: frozenset[Fulfilment](),
}
_STEPS: Final = (
    Word.CREATED,
    Word.PAYMENT_PENDING,
    Word.PAID,
    Word.PROCESSING,
    Word.SHIPPED,
    Word.DELIVERED,
    Word.COMPLETED,
)


def advance(order: Order, target: Word, by: By, *, tracking: Shipment | None = None) -> Change:
    """Make the order's word `target`. Refuses what is behind it or cannot be reached."""
    if order.word is target:
        return nothing(order)
    if target is Word.CANCELLED:
        return cancel(order, by)
    if target is Word.REFUNDED:
        return refund_all(order, by)
    _require_ahead(order, target)
    step = {
        Word.PAYMENT_PENDING: _ask_for_payment,
        Word.PAID: _paid_elsewhere,
        Word.PROCESSING: start,
    }.get(target)
    if step is not None:
        return step(order, by)
    return _ship_and_beyond(order, target, by, tracking)


def start(order: Order, by: By) -> Change:
    """Begin to prepare the order."""
    started = replace(order, progress=Progress.PROCESSING)
    return Change(before=order, order=recorded(started, by), events=(EventType.ORDER_PROCESSING,))


def cancel(order: Order, by: By, *, comments: str | None = None) -> Change:
    """End the order before anything was shipped: its stock and its money go back.

    A cancelled order stays as it is. Refuses with `TooLateToCancel` once anything was shipped.
    """
    if order.progress is Progress.CANCELLED:
        return nothing(order)
    if order.progress is Progress.COMPLETED or order.fulfilment is not Fulfilment.NONE:
        raise Refused(TooLateToCancel(order.id, _how_late(order)))
    ended = replace(
        order,
        progress=Progress.CANCELLED,
        lines=_with_state(order.lines, order.open_lines, LineState.CANCELLED),
        cancellation=Cancellation(reason=by.reason, comments=comments, at=by.at),
    )
    ended = replace(ended, payment=payment_state(ended))
    return Change(
        before=order,
        order=recorded(ended, by),
        events=(EventType.ORDER_CANCELLED,),
        moves=moves_of(MoveKind.RELEASE, order.open_lines),
        give_backs=(
            *money.give_back(order.payments, balance.kept(order), reason=by.reason),
            *money.give_up(order.payments, reason=by.reason),
        ),
    )


def cancel_lines(order: Order, line_ids: tuple[LineId, ...], by: By) -> Change:
    """Take lines out: stock goes back, the total falls by their shares, so does what was paid.

    Exactly the share of a line goes back, less what was refunded of it before. With the last
    open line of an order of which nothing was shipped, the order is cancelled and keeps its
    total. Lines that are cancelled already stay as they are.
    """
    wanted = tuple(_line(order, line_id) for line_id in dict.fromkeys(line_ids))
    lines = tuple(line for line in wanted if line.state is not LineState.CANCELLED)
    for line in lines:
        if not line.is_open:
            raise Refused(LineNotOpen(order.id, line.id, line.state))
    if not lines:
        return nothing(order)
    if len(lines) == len(order.open_lines) and order.fulfilment is Fulfilment.NONE:
        return cancel(order, by)
    totals = pricing.without(order.totals, lines)
    kept = replace(order, lines=_with_state(order.lines, lines, LineState.CANCELLED), totals=totals)
    kept = replace(kept, fulfilment=_fulfilment_of(kept), payment=payment_state(kept))
    shares = sum(line.share - balance.refunded_of(order, line)[1] for line in lines)
    surplus = min(shares, balance.outstanding(kept))
    return Change(
        before=order,
        order=recorded(kept, by),
        events=(EventType.LINE_CANCELLED,),
        moves=moves_of(MoveKind.RELEASE, lines),
        give_backs=money.give_back(order.payments, surplus, reason=by.reason),
    )


def verify_lines(order: Order, line_ids: tuple[LineId, ...], by: By) -> Change:
    """Mark lines as checked. Verified lines stay as they are."""
    wanted = tuple(_line(order, line_id) for line_id in dict.fromkeys(line_ids))
    lines = tuple(line for line in wanted if line.state is not LineState.VERIFIED)
    for line in lines:
        if not line.is_open:
            raise Refused(LineNotOpen(order.id, line.id, line.state))
    if not lines:
        return nothing(order)
    checked = replace(order, lines=_with_state(order.lines, lines, LineState.VERIFIED))
    return Change(before=order, order=recorded(checked, by), events=(EventType.LINE_VERIFIED,))


def ship(
    order: Order,
    by: By,
    *,
    line_ids: tuple[LineId, ...] | None = None,
    tracking: Shipment | None = None,
) -> Change:
    """Send lines (all that are open, unless named) on their way; their stock leaves with them."""
    lines = order.open_lines
    if line_ids is not None:
        lines = tuple(_line(order, line_id) for line_id in dict.fromkeys(line_ids))
    for line in lines:
        if not line.is_open:
            raise Refused(LineNotOpen(order.id, line.id, line.state))
    sent = replace(
        order,
        progress=Progress.PROCESSING,
        lines=_with_state(order.lines, lines, LineState.FULFILLED),
        shipment=replace(tracking or Shipment(), shipped_at=by.at),
    )
    return Change(
        before=order,
        order=recorded(replace(sent, fulfilment=_fulfilment_of(sent)), by),
        events=(EventType.ORDER_SHIPPED,),
        moves=moves_of(MoveKind.SHIP, lines),
    )


def refund_all(order: Order, by: By) -> Change:
    """Give back everything that was captured. The goods are another matter: cancel for those."""
    if order.progress is Progress.CANCELLED:
        raise Refused(MoveNotAllowed(order.id, order.word, Word.REFUNDED))
    return refunding.refund_everything(order, by)


def readdress(order: Order, address: Address, by: By) -> Change:
    """Send the order elsewhere, as long as nothing was shipped and it has not ended."""
    if order.shipping_address == address:
        return nothing(order)
    ended = order.progress in (Progress.COMPLETED, Progress.CANCELLED)
    if ended or order.fulfilment is not Fulfilment.NONE:
        raise Refused(AddressFixed(order.id, order.word))
    moved = recorded(replace(order, shipping_address=address), by)
    return Change(before=order, order=moved, events=(EventType.ORDER_UPDATED,))


def _require_ahead(order: Order, target: Word) -> None:
    current = order.word
    ahead = current in _STEPS and target in _STEPS
    if not ahead or _STEPS.index(target) <= _STEPS.index(current):
        raise Refused(MoveNotAllowed(order.id, current, target))


def _ask_for_payment(order: Order, by: By) -> Change:
    asked = replace(order, payment_asked=True)
    asked = replace(asked, payment=payment_state(asked))
    return Change(
        before=order, order=recorded(asked, by), events=(EventType.ORDER_PAYMENT_REQUESTED,)
    )


def _paid_elsewhere(order: Order, by: By) -> Change:
    if any(payment.is_open for payment in order.payments):
        raise Refused(PaymentInProgress(order.id))
    payment = taking.by_hand(
        balance.owed(order),
        method=order.payment_method or money.MANUAL_GATEWAY,
        reference=f"{money.MANUAL_GATEWAY}-{order.id}-{order.version + 1}",
        at=by.at,
    )
    paid = replace(order, payments=(*order.payments, payment))
    paid = replace(paid, payment=payment_state(paid))
    return Change(before=order, order=recorded(paid, by), events=(EventType.ORDER_PAID,))


def _ship_and_beyond(order: Order, target: Word, by: By, tracking: Shipment | None) -> Change:
    change = Change(before=order, order=order)
    if order.fulfilment in (Fulfilment.NONE, Fulfilment.PART_SHIPPED):
        change = ship(order, by, tracking=tracking)
    elif tracking is not None:
        change = replace(change, order=_tracked(order, tracking))
    if target is Word.SHIPPED:
        return change
    if change.order.fulfilment is not Fulfilment.DELIVERED:
        delivered = replace(change.order, fulfilment=Fulfilment.DELIVERED)
        change = _then(change, delivered, EventType.ORDER_DELIVERED, by)
    if target is Word.COMPLETED:
        completed = replace(change.order, progress=Progress.COMPLETED, completed_at=by.at)
        change = _then(change, completed, EventType.ORDER_COMPLETED, by)
    return change


def _tracked(order: Order, tracking: Shipment) -> Order:
    """The parcel with what became known of it only after it was sent."""
    sent = order.shipment or Shipment()
    known = Shipment(
        carrier=tracking.carrier or sent.carrier,
        tracking_number=tracking.tracking_number or sent.tracking_number,
        tracking_url=tracking.tracking_url or sent.tracking_url,
        shipped_at=sent.shipped_at,
    )
    return replace(order, shipment=known)


def _then(change: Change, order: Order, event: EventType, by: By) -> Change:
    """The next step of the same change. A step that was skipped over leaves no history."""
    base = replace(order, history=change.before.history, version=change.before.version)
    return replace(change, order=recorded(base, by), events=(*change.events, event))


def _fulfilment_of(order: Order) -> Fulfilment:
    live = [line for line in order.lines if line.state is not LineState.CANCELLED]
    sent = [line for line in live if line.state is LineState.FULFILLED]
    if not sent:
        return Fulfilment.NONE
    return Fulfilment.SHIPPED if len(sent) == len(live) else Fulfilment.PART_SHIPPED


def _how_late(order: Order) -> Word:
    delivered = order.fulfilment is Fulfilment.DELIVERED or order.progress is Progress.COMPLETED
    return Word.DELIVERED if delivered else Word.SHIPPED


def _line(order: Order, line_id: LineId) -> Line:
    for line in order.lines:
        if line.id == line_id:
            return line
    raise Refused(LineNotFound(order.id, line_id))


def _with_state(
    lines: tuple[Line, ...], changed: tuple[Line, ...], state: LineState
) -> tuple[Line, ...]:
    ids = {line.id for line in changed}
    return tuple(replace(line, state=state) if line.id in ids else line for line in lines)
