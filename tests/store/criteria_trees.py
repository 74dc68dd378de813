"""Random criteria trees of every kind of node, always well typed.

Divisors are chosen so that quotients end, since a database rounds those that do not.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from openorders.domain.search import (
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
    Negate,
    Not,
    Operation,
    Or,
    Renamed,
    TextMatch,
    Value,
)
from tests.store import sample_orders

WORDS = tuple((word, f"{word[:4]}_x") for word in sample_orders.WORDS)
TEXTS = (
    *(text for text in sample_orders.TEXTS if text is not None),
    *sample_orders.WORDS,
    *sample_orders.STATES,
    "USD",
    "ord_5",
    "9",
    "_",
    "%",
    "ship_x",
    "O'Hara",
)
NULL = Value(value=None)


def _short(strategy):
    """The same, but with a name that fits on a line: Hypothesis complains of long ones."""

    @st.composite
    def drawn(draw):
        return draw(strategy)

    return drawn()


def _values(samples):
    return st.sampled_from(samples).map(lambda value: Value(value=value))


def texts(*, of_line):
    columns = [
        Column(field=Field.WORD),
        Column(field=Field.CURRENCY),
        Column(field=Field.PAYMENT_METHOD),
        Column(field=Field.PARTNER_NAME),
        Identifier(prefix="ord_", field=Field.ID),
        Identifier(prefix="CUST", field=Field.CUSTOMER_ID),
        Renamed(field=Field.WORD, words=WORDS),
    ]
    if of_line:
        columns += [
            Column(field=LineField.STATE),
            Identifier(prefix="offer_", field=LineField.VARIANT_ID),
        ]
    plain = st.sampled_from(columns) | _values(TEXTS)
    cased = st.builds(
        Call, function=st.sampled_from([Function.LOWER, Function.UPPER]), operand=plain
    )
    return _short(plain | cased)


def wholes(*, of_line):
    columns = [
        Column(field=Field.ID),
        Column(field=Field.CUSTOMER_ID),
        Column(field=Field.TOTAL),
    ]
    if of_line:
        columns += [
            Column(field=LineField.QUANTITY),
            Column(field=LineField.UNIT_PRICE),
            Column(field=LineField.VARIANT_ID),
        ]
    small = st.integers(-12, 120).map(lambda number: Value(value=number))
    of_text = st.builds(Call, function=st.just(Function.LENGTH), operand=texts(of_line=of_line))
    parts = (Function.YEAR, Function.MONTH, Function.DAY, Function.HOUR)
    of_time = st.builds(Call, function=st.sampled_from(parts), operand=instants())
    leaves = st.sampled_from(columns) | small | of_text | of_time
    divisors = _values([1, 2, 3, 7, -4])
    if of_line:
        by_quantity = st.just(Column(field=LineField.QUANTITY))
        return _with_arithmetic(leaves, small, divisors | by_quantity)
    return _with_arithmetic(leaves, small, divisors)


def decimals(*, of_line):
    amounts = [Amount(field=Field.TOTAL)]
    if of_line:
        amounts.append(Amount(field=LineField.UNIT_PRICE))
    samples = ("75.00", "75.005", "0", "-0.01", "1E+2", "99.9900", "12345.6789")
    small = _values([Decimal(text) for text in samples])
    divisors = _values([Decimal(text) for text in ("2", "-4", "0.5", "2.50", "8")])
    return _with_arithmetic(st.sampled_from(amounts) | small, small, divisors)


def _with_arithmetic(leaves, factors, divisors):
    def larger(inner):
        sums = st.sampled_from([Operation.ADD, Operation.SUB])
        quotients = st.sampled_from([Operation.DIV, Operation.MOD])
        return (
            st.builds(Negate, operand=inner)
            | st.builds(Arithmetic, operation=sums, left=inner, right=inner)
            | st.builds(Arithmetic, operation=st.just(Operation.MUL), left=inner, right=factors)
            | st.builds(Arithmetic, operation=quotients, left=inner, right=divisors)
        )

    # Ids near 2^63 would leave the range of a bigint: only the smaller ones are calculated with.
    calculable = leaves.filter(lambda leaf: leaf != Column(field=Field.ID))
    return _short(leaves | st.recursive(calculable, larger, max_leaves=4))


def instants():
    columns = [Column(field=Field.CREATED_AT), Column(field=Field.UPDATED_AT)]
    times = [*sample_orders.TIMES, datetime(2026, 6, 2, 10, 30, tzinfo=UTC)]
    times += [time + timedelta(seconds=1) for time in sample_orders.TIMES]
    plain = st.sampled_from(columns) | _values(times)
    seconds = st.builds(Call, function=st.just(Function.WHOLE_SECOND), operand=plain)
    return plain | seconds


def dates():
    of_time = st.builds(Call, function=st.just(Function.DATE), operand=instants())
    return of_time | _values([date(2026, 1, 1), date(2026, 6, 2), date(2025, 12, 31)])


def _comparable(*, of_line):
    numbers = wholes(of_line=of_line), decimals(of_line=of_line)
    kinds = [texts(of_line=of_line), st.one_of(numbers), instants(), dates()]
    pairs = [st.tuples(kind, kind) for kind in kinds]
    pairs += [st.tuples(kind, st.just(NULL)) for kind in kinds]
    return _short(st.one_of(pairs).flatmap(st.permutations))


def _comparisons(*, of_line):
    def compare(comparison, pair):
        return Compare(comparison=comparison, left=pair[0], right=pair[1])

    return st.builds(compare, st.sampled_from(Comparison), _comparable(of_line=of_line))


def _memberships(*, of_line):
    return (
        st.builds(
            In,
            operand=texts(of_line=of_line),
            values=st.lists(st.sampled_from(TEXTS), max_size=4).map(tuple),
        )
        | st.builds(
            In,
            operand=wholes(of_line=of_line),
            values=st.lists(st.sampled_from([1, 2, 5, 7500, 2**62]), max_size=4).map(tuple),
        )
        | st.builds(
            In,
            operand=decimals(of_line=of_line),
            values=st.lists(
                st.sampled_from([Decimal(75), Decimal("99.99"), Decimal("0.500")]), max_size=4
            ).map(tuple),
        )
        | st.builds(
            In,
            operand=instants(),
            values=st.lists(st.sampled_from(sample_orders.TIMES), max_size=4).map(tuple),
        )
    )


def _leaves(*, of_line):
    text_matches = st.builds(
        TextMatch,
        match=st.sampled_from(Match),
        text=texts(of_line=of_line),
        part=texts(of_line=of_line),
    )
    constants = _values([True, False, None])
    simple = _comparisons(of_line=of_line) | _memberships(of_line=of_line) | text_matches
    # Conditions are values too, and can be compared.
    compared = st.builds(
        Compare,
        comparison=st.sampled_from([Comparison.EQ, Comparison.NE]),
        left=text_matches,
        right=text_matches | constants,
    )
    return _short(simple | compared | constants)


def _joined(leaves, max_leaves):
    def larger(inner):
        several = st.lists(inner, max_size=3).map(tuple)
        return (
            st.builds(And, terms=several)
            | st.builds(Or, terms=several)
            | st.builds(Not, term=inner)
        )

    return _short(st.recursive(leaves, larger, max_leaves=max_leaves))


def criteria():
    """Conditions over orders, with conditions over lines inside."""
    of_lines = _joined(_leaves(of_line=True), 4)
    lambdas = (
        st.builds(AnyLine, condition=of_lines)
        | st.builds(AllLines, condition=of_lines)
        | st.just(AnyLine())
    )
    return _joined(_leaves(of_line=False) | lambdas, 6)


def sortable():
    """Expressions of which the order of orders can depend."""
    return texts(of_line=False) | wholes(of_line=False) | decimals(of_line=False) | instants()
