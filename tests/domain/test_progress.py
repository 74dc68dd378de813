"""How orders move: what each decision changes, and what it refuses."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openorders.domain import progress
from openorders.domain.address import Address
from openorders.domain.change import MoveKind, StockMove
from openorders.domain.events import EventType
from openorders.domain.ids import LineId, OrderId, PaymentId, VariantId
from openorders.domain.order import (
    Cancellation,
    Fulfilment,
    LineState,
    Order,
    PaymentState,
    Progress,
    Shipment,
    Word,
    word_of,
)
from openorders.domain.payment import AttemptState, GiveBack, OperationKind
from openorders.domain.refusals import (
    AddressFixed,
    LineNotFound,
    LineNotOpen,
    MoveNotAllowed,
    NothingToRefund,
    Reason,
    Refused,
    TooLateToCancel,
)
from tests.domain.orders import LATER, a_line, a_payment, an_order, paid

STEPS = [
    Word.CREATED,
    Word.PAYMENT_PENDING,
    Word.PAID,
    Word.PROCESSING,
    Word.SHIPPED,
    Word.DELIVERED,
    Word.COMPLETED,
]


def brought_to(word: Word, order: Order | None = None) -> Order:
    return progress.advance(order or an_order(a_line(1), a_line(2)), word, LATER).order


def refusal_of(order: Order, target: Word) -> Reason:
    with pytest.raises(Refused) as refused:
        progress.advance(order, target, LATER)
    return refused.value.reason


@pytest.mark.parametrize(
    ("state", "payment", "fulfilment", "asked", "word"),
    [
        (Progress.PLACED, PaymentState.NONE, Fulfilment.NONE, False, Word.CREATED),
        (Progress.PLACED, PaymentState.FAILED, Fulfilment.NONE, False, Word.CREATED),
        (Progress.PLACED, PaymentState.PENDING, Fulfilment.NONE, True, Word.PAYMENT_PENDING),
        (Progress.PLACED, PaymentState.FAILED, Fulfilment.NONE, True, Word.PAYMENT_PENDING),
        (Progress.PLACED, PaymentState.AUTHORISED, Fulfilment.NONE, True, Word.PAID),
        (Progress.PLACED, PaymentState.PART_REFUNDED, Fulfilment.NONE, False, Word.PAID),
        (Progress.PROCESSING, PaymentState.NONE, Fulfilment.NONE, True, Word.PROCESSING),
        (Progress.PROCESSING, PaymentState.PAID, Fulfilment.PART_SHIPPED, False, Word.PROCESSING),
        (Progress.PROCESSING, PaymentState.NONE, Fulfilment.SHIPPED, False, Word.SHIPPED),
        (Progress.PROCESSING, PaymentState.PAID, Fulfilment.DELIVERED, False, Word.DELIVERED),
        (Progress.COMPLETED, PaymentState.PAID, Fulfilment.DELIVERED, False, Word.COMPLETED),
        (Progress.COMPLETED, PaymentState.REFUNDED, Fulfilment.DELIVERED, False, Word.REFUNDED),
        (Progress.CANCELLED, PaymentState.REFUNDED, Fulfilment.NONE, True, Word.CANCELLED),
    ],
)
def test_the_first_row_that_fits_is_the_word(
    state: Progress, payment: PaymentState, fulfilment: Fulfilment, asked: bool, word: Word
) -> None:
    assert word_of(state, payment, fulfilment, asked=asked) is word


@pytest.mark.parametrize("moves", [progress.PROGRESS_MOVES, progress.FULFILMENT_MOVES])
def test_every_state_of_an_axis_can_be_reached(moves: dict[str, set[str]]) -> None:
    reached = {next(iter(moves))}
    for _ in moves:
        reached |= {to for state in reached for to in moves[state]}
    assert reached == set(moves)


def test_what_is_completed_or_cancelled_stays_so() -> None:
    assert progress.PROGRESS_MOVES[Progress.COMPLETED] == frozenset()
    assert progress.PROGRESS_MOVES[Progress.CANCELLED] == frozenset()


@pytest.mark.parametrize(("start", "target"), list(product(STEPS, STEPS)))
def test_an_order_moves_forward_and_may_skip_but_never_back(start: Word, target: Word) -> None:
    order = brought_to(start)
    assert order.word is start
    if STEPS.index(target) < STEPS.index(start):
        assert refusal_of(order, target) == MoveNotAllowed(OrderId(7), start, target)
    elif target is start:
        assert progress.advance(order, target, LATER).is_nothing
    else:
        change = progress.advance(order, target, LATER)
        assert change.order.word is target
        assert change.order.version == order.version + 1
        assert [entry.word for entry in change.order.history[len(order.history) :]] == [target]


def test_axes_only_make_allowed_moves_on_the_way() -> None:
    for start, target in product(STEPS, [*STEPS, Word.CANCELLED]):
        order = brought_to(start)
        try:
            after = progress.advance(order, target, LATER).order
        except Refused:
            continue
        assert after.progress in {order.progress, *progress.PROGRESS_MOVES[order.progress]}
        assert after.fulfilment in {order.fulfilment, *progress.FULFILMENT_MOVES[order.fulfilment]}


def test_completing_a_new_order_ships_and_delivers_it_on_the_way() -> None:
    change = progress.advance(an_order(a_line(1, quantity=3)), Word.COMPLETED, LATER)
    assert change.events == (
        EventType.ORDER_SHIPPED,
        EventType.ORDER_DELIVERED,
        EventType.ORDER_COMPLETED,
    )
    assert change.moves == (StockMove(kind=MoveKind.SHIP, variant_id=VariantId(201), quantity=3),)
    assert change.order.completed_at == LATER.at
    assert change.order.lines[0].state is LineState.FULFILLED


def test_shipping_remembers_the_parcel_and_when_it_left() -> None:
    parcel = Shipment(carrier="USPS", tracking_number="1Z", tracking_url="https://t.example/1Z")
    change = progress.advance(an_order(), Word.SHIPPED, LATER, tracking=parcel)
    assert change.order.shipment == replace(parcel, shipped_at=LATER.at)


def test_some_lines_shipped_is_part_shipped_and_the_rest_makes_it_whole() -> None:
    order = an_order(a_line(1), a_line(2))
    half = progress.ship(order, LATER, line_ids=(LineId(1),)).order
    assert (half.fulfilment, half.word) == (Fulfilment.PART_SHIPPED, Word.PROCESSING)
    whole = progress.advance(half, Word.SHIPPED, LATER)
    assert whole.order.fulfilment is Fulfilment.SHIPPED
    assert [move.variant_id for move in whole.moves] == [VariantId(202)]


def test_cancelling_gives_back_the_stock_and_the_money() -> None:
    order = paid(an_order(a_line(1, quantity=2), a_line(2)))
    change = progress.cancel(order, LATER, comments="so be it")
    assert change.order.word is Word.CANCELLED
    assert change.order.totals == order.totals
    assert change.order.cancellation == Cancellation(
        reason="because", comments="so be it", at=LATER.at
    )
    assert {line.state for line in change.order.lines} == {LineState.CANCELLED}
    assert [(move.kind, move.quantity) for move in change.moves] == [
        (MoveKind.RELEASE, 2),
        (MoveKind.RELEASE, 1),
    ]
    assert change.give_backs == (
        GiveBack(payment_id=PaymentId(1), kind=OperationKind.REFUND, amount=3000, reason="because"),
    )


def test_cancelling_voids_what_is_only_authorised() -> None:
    order = replace(an_order(), payments=(a_payment(1000, state=AttemptState.AUTHORISED),))
    assert [step.kind for step in progress.cancel(order, LATER).give_backs] == [OperationKind.VOID]


def test_cancelling_twice_does_nothing_twice() -> None:
    order = progress.cancel(paid(an_order()), LATER).order
    assert progress.cancel(order, LATER).is_nothing


@pytest.mark.parametrize(
    ("reached", "named"),
    [
        (Word.SHIPPED, Word.SHIPPED),
        (Word.DELIVERED, Word.DELIVERED),
        (Word.COMPLETED, Word.DELIVERED),
    ],
)
def test_what_was_shipped_cannot_be_cancelled(reached: Word, named: Word) -> None:
    assert refusal_of(brought_to(reached), Word.CANCELLED) == TooLateToCancel(OrderId(7), named)


def test_a_part_shipped_order_cannot_be_cancelled() -> None:
    half = progress.ship(an_order(a_line(1), a_line(2)), LATER, line_ids=(LineId(1),)).order
    assert refusal_of(half, Word.CANCELLED) == TooLateToCancel(OrderId(7), Word.SHIPPED)


def test_a_cancelled_order_moves_nowhere() -> None:
    order = progress.cancel(an_order(), LATER).order
    for target in (*STEPS, Word.REFUNDED):
        assert refusal_of(order, target) == MoveNotAllowed(OrderId(7), Word.CANCELLED, target)


def test_cancelling_a_line_lowers_the_total_and_refunds_the_difference() -> None:
    order = paid(an_order(a_line(1, unit_price=1000), a_line(2, unit_price=500, quantity=2)))
    change = progress.cancel_lines(order, (LineId(2),), LATER)
    assert change.order.totals.total == 1000
    assert change.order.word is Word.PAID
    assert [step.amount for step in change.give_backs] == [1000]
    assert [(m.kind, m.variant_id, m.quantity) for m in change.moves] == [
        (MoveKind.RELEASE, VariantId(202), 2)
    ]


def test_the_last_line_cancels_the_order_and_leaves_its_total() -> None:
    order = an_order(a_line(1), a_line(2))
    first = progress.cancel_lines(order, (LineId(1),), LATER).order
    last = progress.cancel_lines(first, (LineId(2),), LATER).order
    assert (last.word, last.totals.total) == (Word.CANCELLED, 1000)


def test_lines_that_left_can_neither_be_cancelled_nor_verified() -> None:
    order = brought_to(Word.SHIPPED)
    for decide in (progress.cancel_lines, progress.verify_lines):
        with pytest.raises(Refused) as refused:
            decide(order, (LineId(1),), LATER)
        assert refused.value.reason == LineNotOpen(OrderId(7), LineId(1), "fulfilled")


def test_a_line_of_another_order_is_not_found() -> None:
    with pytest.raises(Refused) as refused:
        progress.cancel_lines(an_order(), (LineId(99),), LATER)
    assert refused.value.reason == LineNotFound(OrderId(7), LineId(99))


def test_verifying_is_remembered_and_repeating_it_writes_nothing() -> None:
    change = progress.verify_lines(an_order(), (LineId(1),), LATER)
    assert change.order.lines[0].state is LineState.VERIFIED
    assert change.events == (EventType.LINE_VERIFIED,)
    assert progress.verify_lines(change.order, (LineId(1),), LATER).is_nothing


def test_only_what_was_captured_can_be_refunded() -> None:
    assert refusal_of(an_order(), Word.REFUNDED) == NothingToRefund(OrderId(7))
    change = progress.advance(paid(an_order()), Word.REFUNDED, LATER)
    assert [step.amount for step in change.give_backs] == [1000]


def test_a_new_address_is_taken_until_the_order_leaves() -> None:
    address = Address(line1="1 New Road", city="Elsewhere")
    change = progress.readdress(an_order(), address, LATER)
    assert change.order.shipping_address == address
    assert progress.readdress(change.order, address, LATER).is_nothing
    for late in (brought_to(Word.SHIPPED), progress.cancel(an_order(), LATER).order):
        with pytest.raises(Refused) as refused:
            progress.readdress(late, address, LATER)
        assert refused.value.reason == AddressFixed(OrderId(7), late.word)


def test_time_never_runs_backward_on_an_order() -> None:
    order = an_order()
    early = replace(LATER, at=order.updated_at - timedelta(hours=5))
    assert progress.start(order, early).order.updated_at == order.updated_at


@pytest.mark.parametrize(
    ("payments", "asked", "state"),
    [
        ((), False, PaymentState.NONE),
        ((), True, PaymentState.PENDING),
        ((a_payment(1000),), True, PaymentState.PAID),
        ((a_payment(400),), True, PaymentState.PENDING),
        ((a_payment(400),), False, PaymentState.PENDING),
        ((a_payment(400, state=AttemptState.AUTHORISED),), False, PaymentState.PENDING),
        ((a_payment(400), a_payment(600, number=2)), True, PaymentState.PAID),
        ((a_payment(1000, refunded=1),), True, PaymentState.PART_REFUNDED),
        ((a_payment(1000, refunded=1000),), True, PaymentState.REFUNDED),
        ((a_payment(1000, state=AttemptState.AUTHORISED),), True, PaymentState.AUTHORISED),
        ((a_payment(1000, state=AttemptState.STARTED),), False, PaymentState.PENDING),
        ((a_payment(1000, state=AttemptState.DECLINED),), True, PaymentState.FAILED),
        ((a_payment(1000, state=AttemptState.DECLINED), a_payment(1000)), True, PaymentState.PAID),
        ((a_payment(1000, state=AttemptState.VOIDED),), True, PaymentState.PENDING),
    ],
)
def test_the_payment_axis_is_what_the_payments_add_up_to(
    payments: tuple[object, ...], asked: bool, state: PaymentState
) -> None:
    order = replace(an_order(asked=asked), payments=payments)  # type: ignore[arg-type]
    assert progress.payment_state(order) is state


@given(st.lists(st.sampled_from([*STEPS, Word.CANCELLED, Word.REFUNDED]), max_size=8))
def test_no_sequence_of_requests_refunds_more_than_was_paid_or_moves_stock_twice(
    targets: list[Word],
) -> None:
    order = paid(an_order(a_line(1, quantity=3), a_line(2)))
    going_back, moved = 0, 0
    for target in targets:
        try:
            change = progress.advance(order, target, LATER)
        except Refused:
            continue
        amount = sum(step.amount for step in change.give_backs)
        going_back += amount
        moved += sum(move.quantity for move in change.moves)
        payment = replace(change.order.payments[0], refunding=going_back)
        order = replace(change.order, payments=(payment,))
    assert going_back <= 4000
    assert moved in (0, 4)
