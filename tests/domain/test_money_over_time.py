"""Whatever happens to an order's money, in whatever order: never a cent more or less.

Two machines do anything that buyers, staff and banks can do. With a bank that always gives back
what it is asked to, what the store keeps is exactly what an independent opinion says the order
costs its buyer. With one that refuses refunds, at once or days later, what the store keeps beyond
that is never more than what was refused, and giving that back makes it exact again.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from msgspec.structs import replace

from openorders.domain import balance, progress, refunding, taking
from openorders.domain.change import By, Change
from openorders.domain.order import Fulfilment, Line, LineState, Order, PaymentState, Progress
from openorders.domain.payment import AttemptState, OperationKind, OperationState, Payment
from openorders.domain.refunding import RefundLine
from openorders.domain.refusals import Refused
from openorders.domain.store_settings import DiscountCode, ShippingMethod, StorePolicy, TaxRate
from tests.domain.money_book import MoneyBook
from tests.domain.orders import a_line, an_order

POLICY = StorePolicy(
    taxes=(
        TaxRate(name="State", rate=Decimal("0.06")),
        TaxRate(name="City", rate=Decimal("0.0425")),
    )
)
CHARGE, AUTHORISE, REFUND = OperationKind.CHARGE, OperationKind.AUTHORISE, OperationKind.REFUND


class Money(RuleBasedStateMachine):
    """An order of a few lines, its buyer, its staff, and a bank that does what it is asked."""

    book: MoneyBook
    goodwill: int
    was_paid: bool

    @initialize(
        lines=st.lists(
            st.tuples(st.sampled_from([0, 1, 50, 333, 999]), st.sampled_from([1, 3, 4, 7])),
            min_size=2,
            max_size=3,
        ),
        percent=st.sampled_from([None, "33.3", "20", "100"]),
        shipping=st.sampled_from([0, 1, 599]),
        tenths=st.sampled_from([0, 3, 10, 10, 10]),
    )
    def place(
        self, lines: list[tuple[int, int]], percent: str | None, shipping: int, tenths: int
    ) -> None:
        """An order, and how much of it is paid from the start."""
        order = an_order(
            *(a_line(number, price, units) for number, (price, units) in enumerate(lines, 1)),
            policy=POLICY,
            shipping=ShippingMethod(code="standard", cost=shipping, days=1),
            discount=DiscountCode(code="OFF", percent=Decimal(percent)) if percent else None,
            asked=True,
        )
        self.book = MoneyBook(replace(order, payment=balance.payment_state(order)))
        self.goodwill = 0
        self.was_paid = False
        if amount := order.totals.total * tenths // 10:
            self.book.settle(self.book.attempt(CHARGE, amount), succeeded=True)

    @property
    def order(self) -> Order:
        return self.book.order

    def some_line(self, which: int) -> Line:
        return self.order.lines[which % len(self.order.lines)]

    def decided(self, decide: Callable[[By], Change]) -> Change | None:
        """What was decided and is written down; None when it was refused and nothing changed."""
        before = self.order
        try:
            change = decide(self.book.by())
        except Refused:
            assert self.order is before
            return None
        self.book.save(change)
        return change

    # What buyers do.

    @precondition(lambda self: balance.owed(self.order) > 0 and not self.has_open_attempt)
    @rule(tenths=st.sampled_from([1, 5, 10, 10]), kind=st.sampled_from([CHARGE, AUTHORISE]))
    def pay(self, tenths: int, kind: OperationKind) -> None:
        self.book.attempt(kind, max(1, balance.owed(self.order) * tenths // 10))

    @precondition(lambda self: not self.has_open_attempt)
    @rule(amount=st.integers(1, 3000))
    def pay_what_nobody_asked_for(self, amount: int) -> None:
        """A charge that was given up arrives after all."""
        self.book.settle(self.book.attempt(CHARGE, amount), succeeded=True)

    # What staff do.

    @precondition(lambda self: balance.owed(self.order) > 0)
    @rule(amount=st.integers(1, 9000))
    def record_cash(self, amount: int) -> None:
        payment = taking.by_hand(amount, method="cash", reference=None, at=self.book.clock.at)
        self.decided(lambda by: taking.record(self.order, payment, by))

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 5), amount=st.none() | st.integers(1, 3000))
    def capture(self, which: int, amount: int | None) -> None:
        payment = self.held[which % len(self.held)]
        try:
            taken = taking.capturable(self.order, payment, amount)
        except Refused:
            return
        self.book.capture(payment.id, taken)

    @precondition(lambda self: balance.kept(self.order) > 0)
    @rule(tenths=st.integers(0, 10), more=st.integers(0, 2))
    def refund_an_amount(self, tenths: int, more: int) -> None:
        kept, price = balance.kept(self.order), balance.price_of(self.order)
        amount = kept * tenths // 10 + more
        change = self.decided(lambda by: refunding.refund_amount(self.order, amount, by))
        assert (change is not None) == (0 < amount <= kept)
        if change is not None and kept >= price:
            self.goodwill += max(0, amount - (kept - price))

    @precondition(lambda self: balance.kept(self.order) > 0)
    @rule(
        lines=st.lists(st.tuples(st.integers(0, 2), st.none() | st.integers(1, 3)), max_size=2),
        shipping=st.sampled_from([0, 0, 1, 300, 599]),
        restock=st.booleans(),
    )
    def refund_anything(
        self, lines: list[tuple[int, int | None]], shipping: int, restock: bool
    ) -> None:
        self.refund_parts(
            *(RefundLine(line_id=self.some_line(n).id, quantity=units) for n, units in lines),
            shipping=shipping,
            restock=restock,
        )

    @precondition(lambda self: balance.kept(self.order) > 0)
    @rule(which=st.integers(0, 2), units=st.integers(0, 6), restock=st.booleans())
    def refund_units(self, which: int, units: int, restock: bool) -> None:
        line = self.some_line(which)
        left = line.quantity - balance.refunded_of(self.order, line)[0]
        if left:
            asked = RefundLine(line_id=line.id, quantity=1 + units % left)
            self.refund_parts(asked, restock=restock)

    def refund_parts(self, *asked: RefundLine, shipping: int = 0, restock: bool) -> None:
        before, owed = self.order, balance.owed(self.order)
        change = self.decided(
            lambda by: refunding.refund_parts(
                self.order, asked, by, shipping=shipping, restock=restock
            )
        )
        if change is None:
            return
        refund = change.order.refunds[-1]
        worth = sum(entry.amount for entry in refund.lines) + refund.shipping
        covered = balance.kept(before) == balance.price_of(before) >= worth
        assert refund.amount == worth if covered else 0 < refund.amount <= worth
        assert owed == 0 or balance.owed(self.order) == 0, "it gave back what is still owed"

    @precondition(lambda self: balance.kept(self.order) > 0)
    @rule(restock=st.booleans())
    def refund_everything(self, restock: bool) -> None:
        self.decided(lambda by: refunding.refund_everything(self.order, by, restock=restock))
        assert balance.kept(self.order) == balance.price_of(self.order) == 0

    @rule(which=st.integers(0, 2), surely=st.integers(0, 4))
    def cancel_a_line(self, which: int, surely: int) -> None:
        """Not too often, either: a line that is cancelled can no longer be refunded."""
        if surely != 3:
            return
        line = self.some_line(which)
        rest = line.share - balance.refunded_of(self.order, line)[1]
        change = self.decided(lambda by: progress.cancel_lines(self.order, (line.id,), by))
        if change is not None and change.order.progress is not Progress.CANCELLED:
            assert sum(step.amount for step in change.give_backs) <= rest

    @precondition(lambda self: self.order.progress is not Progress.CANCELLED)
    @rule(which=st.integers(0, 2))
    def ship_a_line(self, which: int) -> None:
        line = self.some_line(which)
        self.decided(lambda by: progress.ship(self.order, by, line_ids=(line.id,)))

    @precondition(lambda self: self.order.fulfilment is Fulfilment.NONE)
    @rule(surely=st.integers(0, 9))
    def cancel(self, surely: int) -> None:
        """Seldom, since little happens after it."""
        if surely == 7:
            self.decided(lambda by: progress.cancel(self.order, by))

    # What the bank does.

    @precondition(lambda self: self.book.open)
    @rule()
    def answer_all(self) -> None:
        for operation in self.book.open:
            self.book.settle(operation, succeeded=True)

    @precondition(lambda self: self.book.open)
    @rule(which=st.integers(0, 9))
    def answer(self, which: int) -> None:
        self.book.settle(self.book.open[which % len(self.book.open)], succeeded=True)

    @precondition(lambda self: any(one.kind is not REFUND for one in self.book.open))
    @rule(which=st.integers(0, 9))
    def decline(self, which: int) -> None:
        asked = [one for one in self.book.open if one.kind is not REFUND]
        self.book.settle(asked[which % len(asked)], succeeded=False)

    # What always holds.

    @property
    def has_open_attempt(self) -> bool:
        return any(payment.is_open for payment in self.order.payments)

    @property
    def held(self) -> list[Payment]:
        return [one for one in self.order.payments if one.state is AttemptState.AUTHORISED]

    @invariant()
    def no_payment_gives_back_more_than_it_took(self) -> None:
        for payment in self.order.payments:
            assert 0 <= payment.refunded + payment.refunding <= payment.captured <= payment.amount

    @invariant()
    def the_books_say_what_the_bank_says(self) -> None:
        taken = self.book.done(CHARGE, OperationKind.CAPTURE)
        assert sum(payment.captured for payment in self.order.payments) == taken
        assert sum(payment.refunded for payment in self.order.payments) == self.book.done(REFUND)

    @invariant()
    def nothing_is_kept_beyond_the_price_but_what_a_bank_refused(self) -> None:
        assert balance.outstanding(self.order) <= self.book.failed
        assert not (balance.outstanding(self.order) and balance.owed(self.order))

    @invariant()
    def no_line_gives_back_more_than_its_share(self) -> None:
        for line in self.order.lines:
            units, amount = balance.refunded_of(self.order, line)
            assert units <= line.quantity
            assert 0 <= amount <= line.share
        assert 0 <= balance.shipping_left(self.order) <= self.order.totals.shipping

    @invariant()
    def the_total_is_that_of_the_lines_that_are_left(self) -> None:
        if self.order.progress is not Progress.CANCELLED:
            left = sum(line.share for line in _live(self.order))
            assert self.order.totals.total == left + self.order.totals.shipping

    @invariant()
    def what_was_paid_in_full_is_never_given_back_too_far(self) -> None:
        covers = balance.kept(self.order) >= balance.price_of(self.order)
        assert covers or not self.was_paid
        self.was_paid = self.was_paid or (covers and not self.order.refunds)

    @invariant()
    def no_more_units_come_back_than_were_shipped(self) -> None:
        for line in self.order.lines:
            back = self.book.returned.get(line.variant_id, 0)
            assert back <= (line.quantity if line.state is LineState.FULFILLED else 0)

    @invariant()
    def the_payment_axis_says_what_the_money_says(self) -> None:
        word, kept = self.order.payment, balance.kept(self.order)
        if word is PaymentState.PAID:
            going_back = sum(payment.refunding for payment in self.order.payments)
            assert balance.owed(self.order) <= going_back
        if word in (PaymentState.PENDING, PaymentState.NONE, PaymentState.FAILED):
            assert kept < self.order.totals.total
        if word is PaymentState.REFUNDED:
            assert kept == 0
        if word is PaymentState.PART_REFUNDED:
            assert self.book.done(REFUND)


class MoneyOfASoundBank(Money):
    """Every refund is done: the price is what an independent opinion says, to the cent."""

    @invariant()
    def what_is_kept_is_exactly_what_the_order_costs(self) -> None:
        if balance.kept(self.order) >= balance.price_of(self.order):
            assert balance.kept(self.order) == self.opinion()

    def opinion(self) -> int:
        """What is left of the order, each line by its units, less what was given as goodwill."""
        order = self.order
        if order.progress is Progress.CANCELLED:
            return 0
        gone = {entry.line_id: 0 for refund in order.refunds for entry in refund.lines}
        for refund in order.refunds:
            for entry in refund.lines:
                gone[entry.line_id] += entry.quantity
        lines = sum(_rest(line, gone.get(line.id, 0)) for line in _live(order))
        shipping = order.totals.shipping - sum(refund.shipping for refund in order.refunds)
        return max(0, lines + shipping - self.goodwill)


class MoneyOfABankThatRefuses(Money):
    """Refunds fail: at once, or after the bank had said yes."""

    @precondition(lambda self: any(one.kind is REFUND for one in self.book.open))
    @rule(which=st.integers(0, 20))
    def refuse_a_refund(self, which: int) -> None:
        going = [one for one in self.book.open if one.kind is REFUND]
        self.book.settle(going[which % len(going)], succeeded=False)

    @precondition(lambda self: self.book.done(REFUND))
    @rule(which=st.integers(0, 20))
    def refuse_a_refund_after_all(self, which: int) -> None:
        done = [
            one
            for one in self.book.operations.values()
            if one.kind is REFUND and one.state is OperationState.SUCCEEDED
        ]
        self.book.settle(done[which % len(done)], succeeded=False)

    @rule()
    def give_back_what_was_refused(self) -> None:
        """Trying again lowers no price: it makes the books exact."""
        spare, price = balance.outstanding(self.order), balance.price_of(self.order)
        if spare:
            change = refunding.refund_amount(self.order, spare, self.book.by())
            self.book.save(change)
            assert balance.price_of(self.order) == price == balance.kept(self.order)


def _live(order: Order) -> list[Line]:
    return [line for line in order.lines if line.state is not LineState.CANCELLED]


def _rest(line: Line, gone: int) -> int:
    """What the units that are left cost: the share less the rounded part of those that went."""
    share = line.subtotal - line.discount_share + sum(line.tax_shares)
    part = Decimal(share) * gone / line.quantity
    return share - int(part.quantize(Decimal(1), rounding="ROUND_HALF_EVEN"))


MoneyOfASoundBank.TestCase.settings = MoneyOfABankThatRefuses.TestCase.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None
)
TestMoneyOfASoundBank = MoneyOfASoundBank.TestCase
TestMoneyOfABankThatRefuses = MoneyOfABankThatRefuses.TestCase
