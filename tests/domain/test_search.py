"""The criteria tree: what its constructors promise, and how searches are ordered."""

from datetime import UTC, datetime

from openorders.domain.search import (
    EVERYTHING,
    AllLines,
    And,
    AnyLine,
    Arithmetic,
    Column,
    Compare,
    Comparison,
    Field,
    In,
    LineField,
    Negate,
    Not,
    Operation,
    Or,
    Search,
    SortKey,
    Value,
    all_of,
    created_between,
    of_customer,
    of_partner,
    operands,
    with_words,
)

ID = Column(field=Field.ID)
TOTAL = Column(field=Field.TOTAL)
MORNING = datetime(2026, 6, 2, 8, tzinfo=UTC)
NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)


def equal(left, right):
    return Compare(comparison=Comparison.EQ, left=left, right=right)


def test_without_sort_keys_orders_come_by_id():
    assert Search().total_order == (SortKey(key=ID),)


def test_the_id_breaks_ties_in_the_direction_of_the_last_key():
    newest = SortKey(key=Column(field=Field.CREATED_AT), descending=True)
    cheapest = SortKey(key=TOTAL)
    assert Search(sort=(newest,)).total_order == (newest, SortKey(key=ID, descending=True))
    assert Search(sort=(newest, cheapest)).total_order == (newest, cheapest, SortKey(key=ID))


def test_keys_after_the_id_change_nothing_and_are_dropped():
    by_id = SortKey(key=ID, descending=True)
    assert Search(sort=(by_id, SortKey(key=TOTAL))).total_order == (by_id,)


def test_all_of_nothing_is_everything():
    assert all_of() == EVERYTHING
    assert all_of(EVERYTHING, EVERYTHING) == EVERYTHING


def test_all_of_one_criterion_is_that_one():
    assert all_of(EVERYTHING, of_customer(5)) == of_customer(5)


def test_all_of_several_criteria_asks_for_each():
    assert all_of(of_customer(5), of_partner("Barrel")) == And(
        terms=(of_customer(5), of_partner("Barrel"))
    )


def test_words_are_asked_for_in_a_stable_order():
    assert with_words({"shipped", "paid"}) == In(
        operand=Column(field=Field.WORD), values=("paid", "shipped")
    )


def test_a_period_includes_its_start_and_not_its_end():
    at = Column(field=Field.CREATED_AT)
    since = Compare(comparison=Comparison.GE, left=at, right=Value(value=MORNING))
    until = Compare(comparison=Comparison.LT, left=at, right=Value(value=NOON))
    assert created_between(MORNING, NOON) == And(terms=(since, until))
    assert created_between(MORNING, None) == since
    assert created_between(None, NOON) == until
    assert created_between(None, None) == EVERYTHING


def test_operands_are_the_expressions_right_below():
    one = Value(value=1)
    same = equal(ID, one)
    sum_ = Arithmetic(operation=Operation.ADD, left=TOTAL, right=one)
    assert operands(ID) == ()
    assert operands(Negate(operand=TOTAL)) == (TOTAL,)
    assert operands(sum_) == (TOTAL, one)
    assert operands(same) == (ID, one)
    assert operands(In(operand=ID, values=(1,))) == (ID,)
    assert operands(Not(term=same)) == (same,)
    assert operands(Or(terms=(same, same))) == (same, same)
    assert operands(AnyLine()) == ()
    assert operands(AnyLine(condition=same)) == (same,)
    line = equal(Column(field=LineField.QUANTITY), one)
    assert operands(AllLines(condition=line)) == (line,)
