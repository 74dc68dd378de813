"""What criteria come down to means what the criteria meant, for every order."""

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from openorders.contracts.basic.translate import words_of as basic_words
from openorders.contracts.commerce.translate import words_of as commerce_words
from openorders.contracts.marketplace.odata import read_options
from openorders.contracts.marketplace.words import STATUSES, words_of
from openorders.domain.narrowing import WORDS, in_minor_units, narrowed, words_where
from openorders.domain.search import (
    EVERYTHING,
    NOTHING,
    Amount,
    And,
    AnyLine,
    Column,
    Compare,
    Comparison,
    Field,
    In,
    LineField,
    Not,
    Or,
    Renamed,
    Search,
    SortKey,
    Value,
    all_of,
    of_customer,
    with_words,
)
from tests.store.criteria_model import matches
from tests.store.criteria_trees import criteria as any_criteria
from tests.store.sample_orders import ORDERS, TIMES

THOROUGH = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORD = Column(field=Field.WORD)
SHOWN = Renamed(field=Field.WORD, words=tuple((word, word[:4]) for word in WORDS))
TOTAL = Amount(field=Field.TOTAL)
UNKNOWN = Value(value=None)


def compared(left, comparison, value):
    return Compare(comparison=comparison, left=left, right=Value(value=value))


def asked_by(odata):
    return read_options([("$filter", odata)], now=TIMES[-1]).search.criteria


def on_words():
    """Conditions that ask about the word alone, in every way there is to ask."""
    texts = st.sampled_from([*WORDS, "comp", "none such"])
    operands = st.sampled_from([WORD, SHOWN]) | texts.map(lambda text: Value(value=text))
    leaves = (
        st.builds(Compare, comparison=st.sampled_from(Comparison), left=operands, right=operands)
        | st.builds(
            Compare, comparison=st.sampled_from(Comparison), left=operands, right=st.just(UNKNOWN)
        )
        | st.builds(In, operand=operands, values=st.lists(texts, max_size=4).map(tuple))
        | st.sampled_from([EVERYTHING, NOTHING, UNKNOWN])
    )

    def larger(inner):
        several = st.lists(inner, max_size=3).map(tuple)
        return (
            st.builds(And, terms=several)
            | st.builds(Or, terms=several)
            | st.builds(Not, term=inner)
            | st.builds(
                Compare,
                comparison=st.sampled_from([Comparison.EQ, Comparison.NE]),
                left=inner,
                right=st.sampled_from([EVERYTHING, NOTHING, UNKNOWN]),
            )
        )

    return st.recursive(leaves, larger, max_leaves=8)


@THOROUGH
@given(wanted=on_words())
def test_criteria_on_the_word_alone_are_the_set_of_words_that_fit(wanted):
    one_of_each = {order.word: order for order in ORDERS}
    fitting = {word for word in WORDS if matches(wanted, one_of_each[word]) is True}
    assert words_where(wanted) == fitting
    assert narrowed(wanted).on_words_alone
    assert narrowed(wanted).words == (None if len(fitting) == len(WORDS) else fitting)


@THOROUGH
@given(wanted=any_criteria())
def test_what_criteria_come_down_to_finds_the_same_orders(wanted):
    anew = narrowed(wanted).criteria
    for order in ORDERS:
        assert (matches(anew, order) is True) == (matches(wanted, order) is True)


@THOROUGH
@given(wanted=any_criteria())
@example(wanted=compared(TOTAL, Comparison.GE, Decimal("75.001")))
@example(wanted=Not(term=In(operand=TOTAL, values=(Decimal("75.005"), 75))))
@example(wanted=AnyLine(condition=compared(Amount(field=LineField.UNIT_PRICE), Comparison.NE, 80)))
def test_sums_in_minor_units_find_the_same_orders_of_one_currency(wanted):
    for order in ORDERS:
        kept = in_minor_units(Search(criteria=wanted), order.minor_digits).criteria
        assert (matches(kept, order) is True) == (matches(wanted, order) is True)


@pytest.mark.parametrize("comparison", Comparison)
@pytest.mark.parametrize("sum_", ["75", "75.00", "75.005", "74.995", "-0.01", "0", "1e37", "-1e37"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_sum_and_a_constant_compare_alike_in_either_unit(comparison, sum_, turned):
    sides = (TOTAL, Value(value=Decimal(sum_)))
    left, right = reversed(sides) if turned else sides
    wanted = Compare(comparison=comparison, left=left, right=right)
    kept = in_minor_units(Search(criteria=wanted), 2).criteria
    assert TOTAL not in (getattr(kept, "left", None), getattr(kept, "right", None))
    for total in (0, 1, 7499, 7500, 7501):
        order = dataclasses.replace(ORDERS[0], minor_digits=2, total=total)
        assert matches(kept, order) is matches(wanted, order)


def test_what_is_sorted_by_sums_is_sorted_by_what_is_kept():
    search = Search(sort=(SortKey(key=TOTAL, descending=True),))
    assert in_minor_units(search, 2).sort == (
        SortKey(key=Column(field=Field.TOTAL), descending=True),
    )


def test_other_conditions_stay_beside_the_words():
    found = narrowed(all_of(with_words({"paid", "shipped"}), of_customer(5)))
    assert found.words == {"paid", "shipped"}
    assert found.rest == of_customer(5)
    assert not found.on_words_alone
    nested = And(terms=(And(terms=(of_customer(5), Not(term=with_words({"paid"})))), EVERYTHING))
    assert narrowed(nested).words == frozenset(WORDS) - {"paid"}
    assert narrowed(nested).rest == of_customer(5)


def test_words_beside_something_else_in_an_alternative_are_not_words_alone():
    assert words_where(Or(terms=(with_words({"paid"}), of_customer(5)))) is None
    assert words_where(AnyLine()) is None


def test_words_that_exclude_each_other_leave_none():
    found = narrowed(all_of(with_words({"paid"}), with_words({"shipped"})))
    assert found.words == frozenset()
    assert found.criteria == NOTHING


@pytest.mark.parametrize(
    ("odata", "words"),
    [
        ("status eq 'pending'", {"created", "paid"}),
        ("status ne 'pending'", set(WORDS) - {"created", "paid"}),
        ("not (status in ('completed', 'cancelled'))", set(WORDS) - {"completed", "cancelled"}),
        ("status eq 'shipped' or 'delivered' eq status", {"shipped", "delivered"}),
        ("status gt 'refunded'", {"shipped"}),
        ("status ne null and (status eq 'paid') ne true", None),
        ("status eq 'no such word'", set()),
    ],
)
def test_what_a_client_says_of_the_status_in_odata_becomes_words(odata, words):
    found = narrowed(asked_by(odata))
    assert found.on_words_alone
    assert found.words == words


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_the_marketplace_is_its_words(status):
    assert narrowed(asked_by(f"status eq '{status}'")).words == words_of(status)


@pytest.mark.parametrize("of", [commerce_words, basic_words])
def test_every_status_of_the_others_is_its_words(of):
    every = [
        of(status) for status in ("pending", "processing", "shipped", "delivered", "cancelled")
    ]
    assert frozenset().union(*every) == frozenset(WORDS)
    for words in every:
        assert narrowed(with_words(words)).words == words


def test_a_filter_of_ten_thousand_terms_is_walked_without_recursion():
    deep = with_words({"paid"})
    for _ in range(10_001):
        deep = Not(term=deep)
    assert words_where(deep) == frozenset(WORDS) - {"paid"}
    assert words_where(in_minor_units(Search(criteria=deep), 2).criteria) == words_where(deep)
