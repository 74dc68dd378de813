"""Giving back by line, by shipping, by amount: exact shares, and nothing that is gone already."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from openorders.domain import balance, progress, refunding
from openorders.domain.change import MoveKind
from openorders.domain.ids import LineId, OrderId, RefundId, VariantId
from openorders.domain.order import Order, PaymentState
from openorders.domain.payment import AttemptState, OperationKind
from openorders.domain.refund import RefundedLine, RefundState, state_of
from openorders.domain.refunding import RefundLine
from openorders.domain.refusals import (
    AmountNotOwed,
    LineNotFound,
    LineNotOpen,
    NothingToRefund,
    Reason,
    Refused,
    UnitsNotLeft,
)
from openorders.domain.store_settings import DiscountCode, ShippingMethod, StorePolicy, TaxRate
from tests.domain.money_book import MoneyBook
from tests.domain.orders import LATER, a_line, a_payment, an_order, paid

TAXED = StorePolicy(taxes=(TaxRate(name="State", rate=Decimal("0.06")),))
POST = ShippingMethod(code="standard", cost=599, days=1)


def an_odd_order() -> Order:
    """Three units at 3.33 and one at 10.00, a third off, taxed: nothing divides evenly."""
    order = an_order(
        a_line(1, 333, 3),
        a_line(2, 1000),
        policy=TAXED,
        shipping=POST,
        discount=DiscountCode(code="THIRD", percent=Decimal("33.3")),
    )
    return paid(order)


def a_book(order: Order | None = None) -> MoneyBook:
    return MoneyBook(order or an_odd_order())


def give_back(
    book: MoneyBook, *lines: tuple[int, int | None], shipping: int = 0, restock: bool = False
) -> int:
    """Decide a refund, have the bank do it, and say how much it was."""
    asked = tuple(RefundLine(line_id=LineId(line), quantity=units) for line, units in lines)
    change = refunding.refund_parts(
        book.order, asked, book.by(), shipping=shipping, restock=restock
    )
    for operation in book.save(change):
        book.settle(operation, succeeded=True)
    return change.order.refunds[-1].amount


def refusal(book: MoneyBook, *lines: tuple[int, int | None], shipping: int = 0) -> Reason:
    before = book.order
    with pytest.raises(Refused) as refused:
        give_back(book, *lines, shipping=shipping)
    assert book.order is before
    return refused.value.reason


def test_the_units_of_a_line_give_back_its_share_to_the_cent() -> None:
    book = a_book()
    line = book.order.lines[0]
    parts = [give_back(book, (1, 1)) for _ in range(3)]
    assert (line.share, parts) == (726, [242, 242, 242])
    assert sum(parts) == line.share


@pytest.mark.parametrize(("price", "units"), [(100, 7), (1, 3), (1999, 4)])
def test_the_last_unit_takes_what_rounding_has_left(price: int, units: int) -> None:
    order = paid(an_order(a_line(1, price, units), policy=TAXED))
    book, back = a_book(order), 0
    for _ in range(units):
        back += give_back(book, (1, 1))
    assert back == order.lines[0].share == balance.refunded_of(book.order, order.lines[0])[1]
    assert book.order.payment is PaymentState.REFUNDED


def test_all_that_is_left_of_a_line_needs_no_number() -> None:
    book = a_book()
    first = give_back(book, (1, 2))
    assert first + give_back(book, (1, None)) == book.order.lines[0].share
    assert refusal(book, (1, None)) == UnitsNotLeft(OrderId(7), LineId(1), 0)


def test_more_units_than_are_left_are_refused() -> None:
    book = a_book()
    give_back(book, (1, 2))
    assert refusal(book, (1, 2)) == UnitsNotLeft(OrderId(7), LineId(1), 1)
    assert refusal(book, (1, 0)) == UnitsNotLeft(OrderId(7), LineId(1), 1)


def test_a_line_that_is_named_twice_is_one_request() -> None:
    book = a_book()
    give_back(book, (1, 1), (1, 1))
    (entry,) = book.order.refunds[-1].lines
    assert entry.quantity == 2
    assert refusal(book, (1, 1), (1, 1)) == UnitsNotLeft(OrderId(7), LineId(1), 1)


def test_lines_and_shipping_together_are_everything() -> None:
    book = a_book()
    total = book.order.totals.total
    assert give_back(book, (1, None), (2, None), shipping=599) == total
    assert (balance.kept(book.order), book.order.payment) == (0, PaymentState.REFUNDED)


def test_shipping_goes_back_in_parts_and_never_twice() -> None:
    book = a_book()
    assert give_back(book, shipping=500) == 500
    assert refusal(book, shipping=100) == AmountNotOwed(100, 99, 2, of="shipping")
    assert refusal(book, shipping=-1) == AmountNotOwed(-1, 99, 2, of="shipping")
    assert give_back(book, shipping=99) == 99


def test_a_line_of_another_order_and_a_cancelled_one_are_refused() -> None:
    book = a_book()
    assert refusal(book, (9, 1)) == LineNotFound(OrderId(7), LineId(9))
    book.save(progress.cancel_lines(book.order, (LineId(2),), LATER))
    assert refusal(book, (2, 1)) == LineNotOpen(OrderId(7), LineId(2), "cancelled")


def test_a_refund_of_nothing_is_refused() -> None:
    assert refusal(a_book()) == NothingToRefund(OrderId(7))
    assert refusal(a_book(an_order()), (1, None)) == NothingToRefund(OrderId(7))


def test_a_cancelled_line_gives_back_what_was_not_refunded_of_it() -> None:
    book = a_book()
    first = give_back(book, (1, 1))
    change = progress.cancel_lines(book.order, (LineId(1),), LATER)
    assert first + change.give_backs[0].amount == book.order.lines[0].share


def test_a_cancelled_line_gives_back_its_share_also_after_goodwill() -> None:
    book = a_book(paid(an_order(a_line(1), a_line(2))))
    book.save(refunding.refund_amount(book.order, 300, book.by()))
    change = progress.cancel_lines(book.order, (LineId(1),), LATER)
    assert [step.amount for step in change.give_backs] == [1000]
    assert balance.price_of(change.order) == 700


def test_goodwill_beyond_what_stays_is_not_given_back_again() -> None:
    book = a_book(paid(an_order(a_line(1), a_line(2))))
    book.save(refunding.refund_amount(book.order, 1500, book.by()))
    change = progress.cancel_lines(book.order, (LineId(1),), LATER)
    assert [step.amount for step in change.give_backs] == [500]
    assert balance.price_of(change.order) == 0


def test_a_cancelled_line_does_not_try_again_what_a_bank_refused() -> None:
    """Its own rest goes back, not what of another line is still outstanding."""
    payments = (a_payment(1500), a_payment(1500, number=2))
    order = replace(an_order(a_line(1, 2000), a_line(2, 500, 2)), payments=payments)
    book = a_book(replace(order, payment=PaymentState.PAID))
    asked = (RefundLine(line_id=LineId(1)),)
    first, second = book.save(refunding.refund_parts(book.order, asked, book.by()))
    book.settle(first, succeeded=False)
    book.settle(second, succeeded=True)
    give_back(book, (2, 1))
    change = progress.cancel_lines(book.order, (LineId(2),), LATER)
    assert [step.amount for step in change.give_backs] == [500]
    assert balance.outstanding(change.order) == 2000


def test_an_amount_is_no_more_than_is_kept() -> None:
    book = a_book(paid(an_order()))
    for amount in (0, -1, 1001):
        with pytest.raises(Refused) as refused:
            refunding.refund_amount(book.order, amount, LATER)
        assert refused.value.reason == AmountNotOwed(amount, 1000, 2)


def test_a_line_of_an_order_paid_in_part_gives_back_only_what_is_not_owed() -> None:
    """Of 20.00, 12.00 were paid; what stays costs 10.00."""
    order = replace(an_order(a_line(1), a_line(2), asked=True), payments=(a_payment(1200),))
    book = a_book(order)
    assert give_back(book, (1, None)) == 200
    assert (balance.owed(book.order), book.order.payment) == (0, PaymentState.PART_REFUNDED)


def test_an_amount_of_an_order_paid_in_part_is_a_payment_given_back() -> None:
    """It is owed again: nobody gets a discount by paying in another way."""
    order = replace(an_order(asked=True), payments=(a_payment(400),))
    book = a_book(order)
    book.save(refunding.refund_amount(order, 400, LATER))
    assert (balance.kept(book.order), balance.owed(book.order)) == (0, 1000)
    assert book.order.payment is PaymentState.PENDING


def test_everything_ends_the_order_also_when_it_was_paid_in_part() -> None:
    order = replace(an_order(asked=True), payments=(a_payment(400),))
    book = a_book(order)
    (operation,) = book.save(refunding.refund_everything(order, LATER))
    book.settle(operation, succeeded=True)
    assert (balance.owed(book.order), book.order.payment) == (0, PaymentState.REFUNDED)


def test_the_latest_payment_is_given_back_first() -> None:
    payments = (a_payment(600), a_payment(400, number=2))
    order = replace(an_order(), payments=payments, payment=PaymentState.PAID)
    steps = refunding.refund_amount(order, 500, LATER).give_backs
    assert [(step.payment_id, step.amount) for step in steps] == [(2, 400), (1, 100)]


def test_a_refund_that_failed_never_happened_and_can_be_asked_for_again() -> None:
    book = a_book()
    change = refunding.refund_parts(
        book.order, (RefundLine(line_id=LineId(1)),), book.by(), shipping=599
    )
    (operation,) = book.save(change)
    book.settle(operation, succeeded=False)
    (refund,) = book.order.refunds
    assert (refund.state, refund.failed) == (RefundState.FAILED, refund.amount)
    assert book.order.payment is PaymentState.PAID
    assert give_back(book, (1, None), shipping=599) == refund.amount


def test_a_refund_that_fails_days_later_leaves_the_order_paid_again() -> None:
    book = a_book()
    give_back(book, (1, None), (2, None), shipping=599)
    (done,) = [one for one in book.operations.values() if one.kind is OperationKind.REFUND]
    book.settle(done, succeeded=False)
    assert book.order.payment is PaymentState.PAID
    assert balance.price_of(book.order) == book.order.totals.total


def test_the_part_of_a_refund_that_failed_is_still_to_be_given_back() -> None:
    """The line stays refunded; an amount makes good for the failed part before it is goodwill."""
    payments = (a_payment(600), a_payment(400, number=2))
    book = a_book(replace(an_order(), payments=payments, payment=PaymentState.PAID))
    change = refunding.refund_parts(book.order, (RefundLine(line_id=LineId(1)),), book.by())
    first, second = book.save(change)
    book.settle(first, succeeded=True)
    book.settle(second, succeeded=False)
    assert book.order.refunds[0].state is RefundState.PART_FAILED
    assert balance.outstanding(book.order) == 600
    again = refunding.refund_amount(book.order, 600, book.by()).order.refunds[-1]
    assert (again.amount, again.goodwill) == (600, 0)


def test_what_was_made_good_in_another_way_is_not_owed_again_when_the_rest_fails_too() -> None:
    """A card refuses 6.00 of a line's 10.00, the buyer gets them in cash; days later the other
    card's 4.00 come back, too. The goods are back, so the buyer owes nothing.
    """
    payments = (a_payment(600), a_payment(400, number=2))
    book = a_book(replace(an_order(), payments=payments, payment=PaymentState.PAID))
    asked = (RefundLine(line_id=LineId(1)),)
    first, second = book.save(refunding.refund_parts(book.order, asked, book.by()))
    book.settle(first, succeeded=True)
    book.settle(second, succeeded=False)
    for operation in book.save(refunding.refund_amount(book.order, 600, book.by())):
        book.settle(operation, succeeded=True)
    book.settle(book.operations[first.id], succeeded=False)
    assert (book.order.refunds[0].state, book.order.refunds[0].firm) == (RefundState.FAILED, True)
    assert (balance.owed(book.order), balance.outstanding(book.order)) == (0, 400)
    assert book.order.payment is PaymentState.PART_REFUNDED


@pytest.mark.parametrize(
    ("started", "failed", "state"),
    [
        (0, 0, RefundState.SUCCEEDED),
        (1, 0, RefundState.STARTED),
        (1, 9, RefundState.STARTED),
        (0, 9, RefundState.PART_FAILED),
        (0, 10, RefundState.FAILED),
    ],
)
def test_a_refund_stands_as_its_calls_do(started: int, failed: int, state: RefundState) -> None:
    assert state_of(10, started=started, failed=failed) is state


def shipped_book() -> MoneyBook:
    order = paid(an_order(a_line(1, 1000, 3), a_line(2)))
    return a_book(progress.ship(order, LATER, line_ids=(LineId(1),)).order)


def test_shipped_units_go_back_on_the_shelf_when_staff_say_so() -> None:
    book = shipped_book()
    change = refunding.refund_parts(
        book.order, (RefundLine(line_id=LineId(1), quantity=2),), LATER, restock=True
    )
    (move,) = change.moves
    assert (move.kind, move.variant_id, move.quantity) == (MoveKind.RETURN, VariantId(201), 2)
    give_back(book, (1, 2))
    assert book.returned == {}


def test_what_never_left_cannot_come_back() -> None:
    book = shipped_book()
    give_back(book, (2, 1), restock=True)
    assert book.returned == {}
    assert book.order.refunds[0].lines == (
        RefundedLine(line_id=LineId(2), quantity=1, amount=1000),
    )


def test_everything_brings_back_all_that_was_shipped_and_is_not_back_yet() -> None:
    book = shipped_book()
    give_back(book, (1, 1), restock=True)
    book.save(refunding.refund_everything(book.order, book.by(), restock=True))
    assert book.returned == {VariantId(201): 3}


def test_units_whose_refund_failed_are_not_put_on_the_shelf_twice() -> None:
    book = shipped_book()
    asked = (RefundLine(line_id=LineId(1), quantity=1),)
    (operation,) = book.save(refunding.refund_parts(book.order, asked, book.by(), restock=True))
    book.settle(operation, succeeded=False)
    give_back(book, (1, 1), restock=True)
    assert book.returned == {VariantId(201): 1}
    give_back(book, (1, 1), restock=True)
    assert book.returned == {VariantId(201): 2}


def test_refunds_of_earlier_releases_are_neither_owed_again_nor_given_back_twice() -> None:
    """They are known by their payments alone: 3.00 of 20.00 went back, nobody knows what for."""
    payments = (a_payment(2000, refunded=300),)
    order = replace(an_order(a_line(1), a_line(2)), payments=payments)
    order = replace(order, payment=balance.payment_state(order))
    assert (order.payment, balance.owed(order)) == (PaymentState.PART_REFUNDED, 0)
    change = progress.cancel_lines(order, (LineId(1),), LATER)
    assert sum(step.amount for step in change.give_backs) == 1000
    book = a_book(order)
    book.save(refunding.refund_everything(order, LATER))
    assert balance.kept(book.order) == 0


def test_a_refund_is_numbered_by_whoever_writes_it_down() -> None:
    book = a_book()
    change = refunding.refund_amount(book.order, 1, LATER)
    assert change.order.refunds[-1].id == RefundId(0)
    book.save(change)
    assert book.order.refunds[-1].id == RefundId(1)
    assert book.order.payments[0].state is AttemptState.CAPTURED
