"""Criteria on a real PostgreSQL give the orders that the plain Python model finds."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openorders.domain.ids import StoreId
from openorders.domain.search import (
    EVERYTHING,
    NOTHING,
    AllLines,
    Amount,
    And,
    AnyLine,
    Arithmetic,
    Call,
    Column,
    Compare,
    Comparison,
    Field,
    Function,
    Identifier,
    In,
    LineField,
    Match,
    Not,
    Operation,
    Or,
    Page,
    Search,
    SortKey,
    TextMatch,
    Value,
    created_between,
    of_customer,
    of_partner,
    with_words,
)
from openorders.store import criteria
from tests.store.criteria_model import found, matches, sort_value
from tests.store.criteria_trees import criteria as any_criteria
from tests.store.criteria_trees import sortable
from tests.store.sample_orders import ORDERS, OTHER_STORE, STORE, OrderBook

THOROUGH = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
UNKNOWN = Value(value=None)
METHOD = Column(field=Field.PAYMENT_METHOD)
TOTAL = Amount(field=Field.TOTAL)
NEWEST = SortKey(key=Column(field=Field.CREATED_AT), descending=True)


@pytest.fixture(scope="module")
def book(module_database_url: str) -> Iterator[OrderBook]:
    book = OrderBook(module_database_url)
    try:
        book.fill()
        yield book
    finally:
        book.close()


def compared(left, comparison, value):
    return Compare(comparison=comparison, left=left, right=Value(value=value))


def ids(book, wanted, store=STORE):
    return book.ids(criteria.ids(StoreId(store), Search(criteria=wanted)))


def expect(book, wanted):
    """The database and the model agree; tells the ids."""
    expected = found(wanted, ORDERS)
    assert ids(book, wanted) == expected
    assert book.ids(criteria.count(StoreId(STORE), wanted)) == [len(expected)]
    return expected


@THOROUGH
@given(wanted=any_criteria())
def test_any_criteria_find_the_same_orders_as_plain_python(book, wanted):
    expect(book, wanted)


@THOROUGH
@given(
    keys=st.lists(st.builds(SortKey, key=sortable(), descending=st.booleans()), max_size=3),
    limit=st.integers(0, 50),
    offset=st.integers(0, 50),
)
def test_any_sort_keys_order_and_cut_pages_as_plain_python_does(book, keys, limit, offset):
    search = Search(sort=tuple(keys), page=Page(limit=limit, offset=offset))
    expected = list(ORDERS)
    for key in reversed(search.total_order):
        expected.sort(key=lambda order: sort_value(key.key, order), reverse=key.descending)
    page = book.ids(criteria.ids(StoreId(STORE), search))
    assert page == [order.id for order in expected][offset : offset + limit]


def test_the_sample_is_worth_searching(book):
    assert ids(book, EVERYTHING) == [order.id for order in ORDERS]
    assert len({order.word for order in ORDERS}) == 9
    assert ids(book, NOTHING) == []


def test_another_stores_orders_are_never_found(book):
    assert ids(book, EVERYTHING, OTHER_STORE) == [5]
    assert ids(book, AnyLine(), OTHER_STORE) == []
    assert ids(book, Or(terms=(EVERYTHING, UNKNOWN)), 3) == []


def test_plain_filters_find_what_they_name(book):
    assert expect(book, with_words({"paid", "shipped"}))
    assert expect(book, with_words({"refunded"}))
    assert expect(book, with_words(())) == []
    assert expect(book, of_customer(123))
    assert expect(book, of_partner("O'Hara"))
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    assert expect(book, created_between(start, end))


def test_amounts_are_compared_exactly_in_the_currency_of_each_order(book):
    equal, more = Comparison.EQ, Comparison.GT
    assert expect(book, compared(TOTAL, equal, Decimal("75.00")))
    assert expect(book, compared(TOTAL, equal, Decimal("7.5")))
    assert expect(book, compared(TOTAL, equal, Decimal("75.005"))) == []
    above = {
        text: set(expect(book, compared(TOTAL, more, Decimal(text))))
        for text in ("75.00", "75.005", "75.01")
    }
    assert above["75.01"] < above["75.005"] == above["75.00"]


def test_ids_as_text_are_compared_character_by_character(book):
    order_id = Identifier(prefix="ord_", field=Field.ID)
    after = expect(book, compared(order_id, Comparison.GT, "ord_5"))
    assert {9, 50, 51, 789} <= set(after)
    assert not {5, 10, 100, 2000} & set(after)


def test_what_looks_like_a_pattern_is_only_text(book):
    for part in ("%", "_", "\\", "a_b%c\\", "_b%"):
        hits = expect(book, TextMatch(match=Match.CONTAINS, text=METHOD, part=Value(value=part)))
        assert hits
        assert len(hits) < len(ORDERS) / 2


def test_every_text_has_the_empty_text_but_null_has_none(book):
    nothing = Value(value="")
    with_method = [order.id for order in ORDERS if order.payment_method is not None]
    for match in Match:
        wanted = TextMatch(match=match, text=METHOD, part=nothing)
        assert expect(book, wanted) == with_method
        assert expect(book, Not(term=wanted)) == []


def test_nothing_compares_with_null_except_that_null_equals_null(book):
    assert expect(book, compared(METHOD, Comparison.EQ, None))
    assert expect(book, compared(METHOD, Comparison.NE, None))
    greater = compared(METHOD, Comparison.GT, "a")
    assert len(expect(book, greater)) + len(expect(book, Not(term=greater))) == len(ORDERS)
    other = compared(METHOD, Comparison.NE, "credit_card")
    without = {order.id for order in ORDERS if order.payment_method is None}
    assert without <= set(expect(book, other))
    itself = Compare(comparison=Comparison.EQ, left=METHOD, right=METHOD)
    assert len(expect(book, itself)) == len(ORDERS)


def test_unknown_is_dropped_however_it_is_turned(book):
    for wanted in (UNKNOWN, Not(term=UNKNOWN), And(terms=(EVERYTHING, UNKNOWN))):
        assert expect(book, wanted) == []
    assert len(expect(book, Or(terms=(UNKNOWN, EVERYTHING)))) == len(ORDERS)


def test_all_lines_holds_of_an_order_without_lines_and_any_line_does_not(book):
    cheap = compared(Amount(field=LineField.UNIT_PRICE), Comparison.LT, 80)
    without = {order.id for order in ORDERS if not order.lines}
    assert without <= set(expect(book, AllLines(condition=cheap)))
    assert not without & set(expect(book, AnyLine(condition=cheap)))
    assert not without & set(expect(book, AnyLine()))


def test_a_condition_on_lines_can_ask_about_their_order(book):
    price = Amount(field=LineField.UNIT_PRICE)
    assert expect(
        book,
        AnyLine(condition=Compare(comparison=Comparison.EQ, left=price, right=TOTAL)),
    )


def test_cancelled_lines_are_lines(book):
    cancelled = compared(Column(field=LineField.STATE), Comparison.EQ, "cancelled")
    assert expect(book, AnyLine(condition=cancelled))


def test_parts_of_a_time_are_those_of_utc_whatever_the_session_says(book):
    midnight = compared(
        Call(function=Function.HOUR, operand=Column(field=Field.CREATED_AT)),
        Comparison.EQ,
        0,
    )
    new_year = In(
        operand=Call(function=Function.DATE, operand=Column(field=Field.CREATED_AT)),
        values=(datetime(2026, 1, 1, tzinfo=UTC).date(),),
    )
    book.execute("set time zone 'Asia/Tokyo'")
    try:
        assert expect(book, midnight)
        assert expect(book, new_year)
    finally:
        book.execute("reset time zone")


@pytest.mark.parametrize("operation", [Operation.DIV, Operation.MOD])
@pytest.mark.parametrize("dividend", [1, Decimal(1)])
def test_a_division_by_a_zero_that_an_order_brings_about_has_its_own_error(
    book, operation, dividend
):
    ratio = Arithmetic(operation=operation, left=Value(value=dividend), right=TOTAL)
    with pytest.raises(asyncpg.DivisionByZeroError):
        ids(book, compared(ratio, Comparison.GT, 0))


def test_a_number_out_of_range_has_its_own_error(book):
    large = Value(value=2**63 - 1)
    product = Arithmetic(operation=Operation.MUL, left=large, right=Column(field=Field.ID))
    with pytest.raises(asyncpg.NumericValueOutOfRangeError):
        ids(book, compared(product, Comparison.GT, 0))


def test_a_row_of_two_thousand_additions_is_no_deeper_than_the_stack(book):
    total = Column(field=Field.TOTAL)
    for _ in range(2_000):
        total = Arithmetic(operation=Operation.ADD, left=total, right=Value(value=1))
    wanted = compared(total, Comparison.EQ, 9_500)
    assert ids(book, wanted) == [order.id for order in ORDERS if order.total == 7_500]


def test_a_thousand_alternatives_are_one_flat_condition(book):
    wanted = Or(terms=(NOTHING,) * 1_000 + (compared(METHOD, Comparison.EQ, "100%"),))
    assert expect(book, wanted)


def test_a_page_names_its_place_and_only_its_orders_are_joined(book):
    statement = criteria.page_then(
        StoreId(STORE),
        Search(criteria=with_words({"paid"}), sort=(NEWEST,), page=Page(limit=3, offset=1)),
        "select o.id, page.place, o.word from page"
        " join orders o on o.store_id = $1 and o.id = page.id order by page.place",
    )
    paid = [order for order in ORDERS if order.word == "paid"]
    paid.sort(key=lambda order: (order.created_at, order.id), reverse=True)
    assert [tuple(row) for row in book.rows(statement)] == [
        (order.id, place, "paid") for place, order in enumerate(paid[1:4], 1)
    ]


def test_chosen_orders_come_in_the_order_they_were_chosen_in(book):
    statement = criteria.these_then(
        StoreId(STORE),
        [100, 5, 789],
        "select page.id, page.place from page where $1::bigint = 1 order by page.place",
    )
    assert [tuple(row) for row in book.rows(statement)] == [(100, 1), (5, 2), (789, 3)]


def test_a_clients_text_never_becomes_sql():
    hostile = "'; drop table orders; --"
    wanted = And(
        terms=(
            compared(METHOD, Comparison.EQ, hostile),
            TextMatch(match=Match.CONTAINS, text=METHOD, part=Value(value=hostile)),
            compared(Identifier(prefix=hostile, field=Field.ID), Comparison.GT, hostile),
            In(operand=METHOD, values=(hostile, "other")),
        )
    )
    statement = criteria.ids(StoreId(STORE), Search(criteria=wanted, page=Page(limit=1)))
    assert "drop" not in statement.sql
    assert "where o.store_id = $1::bigint and" in statement.sql
    assert statement.parameters[0] == STORE
    assert hostile in statement.parameters


def test_the_model_knows_unknown(book):
    with_null = next(order for order in ORDERS if order.payment_method is None)
    wanted = TextMatch(match=Match.CONTAINS, text=METHOD, part=Value(value="a"))
    assert matches(wanted, with_null) is None
