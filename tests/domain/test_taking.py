"""Money that staff take: by hand whatever arrives, from a card what is reserved and owed."""

import pytest
from msgspec.structs import replace

from openorders.domain import balance, progress, taking
from openorders.domain.events import EventType
from openorders.domain.ids import OrderId, PaymentId
from openorders.domain.order import Order, PaymentState
from openorders.domain.payment import AttemptState, OperationKind, Payment
from openorders.domain.refusals import (
    AmountNotOwed,
    NothingToCapture,
    PaymentInProgress,
    Reason,
    Refused,
)
from tests.domain.orders import LATER, a_line, a_payment, an_order

RESERVED = AttemptState.AUTHORISED


def with_payments(*payments: Payment) -> Order:
    order = replace(an_order(a_line(1, 1000), asked=True), payments=payments)
    return replace(order, payment=balance.payment_state(order))


def cash(amount: int) -> Payment:
    return taking.by_hand(amount, method="cash", reference="drawer 2", at=LATER.at)


def test_what_arrives_in_parts_pays_the_order_with_the_last() -> None:
    first = taking.record(with_payments(), cash(400), LATER)
    assert (first.order.payment, first.events) == (
        PaymentState.PENDING,
        (EventType.ORDER_UPDATED,),
    )
    last = taking.record(first.order, cash(600), LATER)
    assert (last.order.payment, last.events) == (PaymentState.PAID, (EventType.ORDER_PAID,))
    assert last.order.history[-1].reason == "because"
    assert first.give_backs == last.give_backs == ()


def test_more_than_is_owed_is_written_down_and_goes_back() -> None:
    change = taking.record(with_payments(), cash(1100), LATER)
    assert [(step.kind, step.amount) for step in change.give_backs] == [(OperationKind.REFUND, 100)]
    assert change.order.history[-1].reason == (
        "A payment of 11.00 USD arrived; 1.00 is given back. More was paid than is owed."
    )


def test_money_for_an_order_that_has_ended_goes_back_and_is_shown() -> None:
    ended = progress.cancel(with_payments(), LATER).order
    change = taking.record(ended, cash(1000), LATER)
    assert [step.amount for step in change.give_backs] == [1000]
    assert change.events == (EventType.ORDER_UPDATED,)
    assert change.order.history[-1].reason == (
        "A payment of 10.00 USD arrived; 10.00 is given back. The order had ended."
    )


def test_cash_that_pays_all_lets_go_of_what_is_reserved_or_waits() -> None:
    for state in (RESERVED, AttemptState.PENDING):
        order = with_payments(a_payment(1000, state=state))
        change = taking.record(order, cash(1000), LATER)
        assert [step.kind for step in change.give_backs] == [OperationKind.VOID]
        assert taking.record(order, cash(999), LATER).give_backs == ()


def test_nothing_is_recorded_while_a_gateway_is_being_asked() -> None:
    order = with_payments(a_payment(1000, state=AttemptState.STARTED))
    with pytest.raises(Refused) as refused:
        taking.record(order, cash(1000), LATER)
    assert refused.value.reason == PaymentInProgress(OrderId(7))


def refusal(order: Order, amount: int | None) -> Reason:
    with pytest.raises(Refused) as refused:
        taking.capturable(order, order.payments[-1], amount)
    return refused.value.reason


def test_all_or_a_part_of_what_is_reserved_is_taken() -> None:
    order = with_payments(a_payment(1000, state=RESERVED))
    assert taking.capturable(order, order.payments[0], None) == 1000
    assert taking.capturable(order, order.payments[0], 1) == 1
    assert refusal(order, 1001) == AmountNotOwed(1001, 1000, 2)
    assert refusal(order, 0) == AmountNotOwed(0, 1000, 2)


def test_no_more_is_taken_than_the_order_still_costs() -> None:
    """Lines were cancelled, or a part was paid in another way, after the money was reserved."""
    order = with_payments(a_payment(300), a_payment(1000, number=2, state=RESERVED))
    assert taking.capturable(order, order.payments[-1], None) == 700
    assert refusal(order, 701) == AmountNotOwed(701, 700, 2)
    ended = progress.cancel(order, LATER).order
    assert refusal(ended, None) == NothingToCapture(PaymentId(2))


def test_only_what_is_reserved_can_be_taken() -> None:
    for state in (AttemptState.VOIDED, AttemptState.DECLINED, AttemptState.CAPTURED):
        assert refusal(with_payments(a_payment(500, state=state)), None) == NothingToCapture(
            PaymentId(1)
        )


def test_what_is_being_taken_or_released_is_left_alone() -> None:
    ending = replace(a_payment(1000, state=RESERVED), ending=True)
    assert refusal(with_payments(ending), None) == PaymentInProgress(OrderId(7))


def test_a_payment_that_arrives_late_goes_back_as_far_as_it_is_not_owed() -> None:
    order = with_payments(a_payment(800), a_payment(1000, number=2))
    (step,) = balance.surplus(order, PaymentId(2), 1000, OperationKind.CHARGE)
    assert (step.payment_id, step.kind, step.amount) == (2, OperationKind.REFUND, 800)


def test_a_reservation_that_arrives_late_is_released_when_none_of_it_is_needed() -> None:
    late = a_payment(1000, number=2, state=RESERVED)
    (step,) = balance.surplus(
        with_payments(a_payment(1000), late), late.id, 1000, OperationKind.AUTHORISE
    )
    assert step.kind is OperationKind.VOID
    assert (
        balance.surplus(with_payments(a_payment(1), late), late.id, 1000, OperationKind.AUTHORISE)
        == ()
    )
