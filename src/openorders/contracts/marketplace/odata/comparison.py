"""Comparisons and `in`: sides that fit each other, and constants brought into the order's terms.

An id, a status word and a shown second are texts and times of this contract; compared with a
constant they become what the order book keeps, which its indexes serve.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from openorders.contracts.marketplace.odata.fields import Kind
from openorders.contracts.marketplace.odata.operand import Operand, Reading
from openorders.domain.ids import ID_MAX
from openorders.domain.search import (
    EVERYTHING,
    NOTHING,
    Amount,
    And,
    Call,
    Column,
    Compare,
    Comparison,
    Expression,
    Field,
    Function,
    Identifier,
    In,
    LineField,
    Not,
    Or,
    Renamed,
    Scalar,
    Value,
)

COMPARISONS: Final = {
    "eq": Comparison.EQ,
    "ne": Comparison.NE,
    "gt": Comparison.GT,
    "ge": Comparison.GE,
    "lt": Comparison.LT,
    "le": Comparison.LE,
}
_MIRRORED: Final = {
    Comparison.GT: Comparison.LT,
    Comparison.GE: Comparison.LE,
    Comparison.LT: Comparison.GT,
    Comparison.LE: Comparison.GE,
}
_EQUALITY: Final = (Comparison.EQ, Comparison.NE)
_SECOND: Final = timedelta(seconds=1)
_INDEXED: Final = frozenset(
    {
        Field.ID,
        Field.CUSTOMER_ID,
        Field.WORD,
        Field.TOTAL,
        Field.CREATED_AT,
        Field.UPDATED_AT,
        LineField.VARIANT_ID,
    }
)


def comparison(reading: Reading, operator: Comparison, left: Operand, right: Operand) -> Operand:
    """Both sides of one kind; numbers with numbers; a bare date counts as its midnight in UTC."""
    start, end = left.start, right.end
    left, right = _fitting(reading, left, right)
    if left.is_constant and not right.is_constant:
        left, right, operator = right, left, _MIRRORED.get(operator, operator)
    expression = _compared(operator, left, right)
    if operator is Comparison.NE or not _is_served(expression):
        reading.note_cost(start, end, light=True)
    return Operand(expression, Kind.CONDITION, start, end)


def membership(reading: Reading, operand: Operand, values: Sequence[Operand], end: int) -> Operand:
    """One of the values, which are constants; null equals null."""
    fitting = [_fitting(reading, operand, value)[1] for value in values]
    constants = [value.constant for value in fitting if value.kind is not Kind.NULL]
    terms: list[Expression] = []
    if operand.kind is Kind.NULL:
        terms.append(NOTHING if len(constants) == len(values) else EVERYTHING)
    else:
        terms.append(_one_of(operand, [one for one in constants if one is not None]))
        if len(constants) < len(values):
            null = Value(value=None)
            terms.append(Compare(comparison=Comparison.EQ, left=operand.expression, right=null))
    expression = terms[0] if len(terms) == 1 else Or(terms=tuple(terms))
    if not _is_served(expression):
        reading.note_cost(operand.start, end, light=True)
    return Operand(expression, Kind.CONDITION, operand.start, end)


def _fitting(reading: Reading, left: Operand, right: Operand) -> tuple[Operand, Operand]:
    left, right = _promoted(left, right.kind), _promoted(right, left.kind)
    kinds = {left.kind, right.kind}
    if left.kind is right.kind or Kind.NULL in kinds:
        return left, right
    if left.kind.is_number and right.kind.is_number:
        return left, right
    wrong, other = (left, right) if left.is_constant else (right, left)
    raise reading.mismatch(wrong, f"{other.kind.value} to compare with")


def _promoted(operand: Operand, other: Kind) -> Operand:
    value = operand.constant
    if operand.kind is Kind.DATE and other is Kind.INSTANT and isinstance(value, date):
        midnight = Value(value=datetime.combine(value, time(), UTC))
        return Operand(midnight, Kind.INSTANT, operand.start, operand.end)
    return operand


def _compared(operator: Comparison, left: Operand, right: Operand) -> Expression:
    if Kind.NULL in (left.kind, right.kind):
        return _compared_to_null(operator, left, right)
    value = right.constant
    match left.expression:
        case Identifier() | Renamed() if operator in _EQUALITY and isinstance(value, str):
            found = _one_of(left, [value])
            return found if operator is Comparison.EQ else _opposite(found)
        case Call(function=Function.WHOLE_SECOND, operand=at) if isinstance(value, datetime):
            return _compared_seconds(operator, at, value)
        case _:
            return Compare(comparison=operator, left=left.expression, right=right.expression)


def _compared_to_null(operator: Comparison, left: Operand, right: Operand) -> Expression:
    other = right if left.kind is Kind.NULL else left
    if operator not in _EQUALITY:
        return NOTHING
    if other.is_constant:
        both = other.kind is Kind.NULL
        return EVERYTHING if both == (operator is Comparison.EQ) else NOTHING
    return Compare(comparison=operator, left=other.expression, right=Value(value=None))


def _compared_seconds(operator: Comparison, at: Expression, value: datetime) -> Expression:
    """As of the second shown, but asked of the time kept: 10:30:00 is the second that begins."""
    begins = value.replace(microsecond=0)
    after = _next_second(begins)
    first = begins if begins == value else after  # the first second that is not before value
    match operator:
        case Comparison.LT:
            found = _before(at, first)
        case Comparison.LE:
            found = _before(at, after)
        case Comparison.GT:
            found = _opposite(_before(at, after))
        case Comparison.GE:
            found = _opposite(_before(at, first))
        case Comparison.EQ:
            found = _within(at, begins, after) if begins == value else NOTHING
        case Comparison.NE:
            found = _opposite(_within(at, begins, after)) if begins == value else EVERYTHING
    return found


def _next_second(begins: datetime) -> datetime | None:
    try:
        return begins + _SECOND
    except OverflowError:
        return None


def _within(at: Expression, begins: datetime, after: datetime | None) -> Expression:
    since = Compare(comparison=Comparison.GE, left=at, right=Value(value=begins))
    until = _before(at, after)
    return And(terms=(since, until)) if isinstance(until, Compare) else since


def _before(at: Expression, end: datetime | None) -> Expression:
    if end is None:  # beyond the last year
        return EVERYTHING
    return Compare(comparison=Comparison.LT, left=at, right=Value(value=end))


def _opposite(found: Expression) -> Expression:
    match found:
        case Value(value=bool(value)):
            return Value(value=not value)
        case Compare(comparison=Comparison.LT, left=left, right=right):
            return Compare(comparison=Comparison.GE, left=left, right=right)
        case _:
            return Not(term=found)


def _one_of(operand: Operand, values: Sequence[Scalar]) -> Expression:
    match operand.expression:
        case Identifier(prefix=prefix, field=field):
            texts = [value for value in values if isinstance(value, str)]
            numbers = {_number(prefix, text) for text in texts} - {None}
            return _in(Column(field=field), sorted(n for n in numbers if n is not None))
        case Renamed(field=field, words=words):
            inside = [word for word, shown in words if shown in values]
            return _in(Column(field=field), sorted(inside))
        case Call(function=Function.WHOLE_SECOND, operand=at):
            instants = [value for value in values if isinstance(value, datetime)]
            seconds = [_compared_seconds(Comparison.EQ, at, value) for value in instants]
            return Or(terms=tuple(seconds))
        case expression:
            return _in(expression, _alike(values))


def _in(expression: Expression, values: Sequence[Scalar]) -> Expression:
    return In(operand=expression, values=tuple(values)) if values else NOTHING


def _alike(values: Sequence[Scalar]) -> Sequence[Scalar]:
    """Whole numbers become decimals where a decimal is among them: an array has one type."""
    if not any(isinstance(value, Decimal) for value in values):
        return values
    return [Decimal(value) if isinstance(value, int) else value for value in values]


def _number(prefix: str, text: str) -> int | None:
    """The id that is written like this, in its one canonical form."""
    digits = text.removeprefix(prefix)
    if digits == text or len(digits) > len(str(ID_MAX)) or not digits.isascii():
        return None
    if not digits.isdigit() or digits.startswith("0") or int(digits) > ID_MAX:
        return None
    return int(digits)


def _is_served(found: Expression) -> bool:
    match found:
        case Value():
            return True
        case Compare(left=Column(field=field)) | In(operand=Column(field=field)):
            return field in _INDEXED
        case Compare(left=Amount(field=field), right=Value()) | In(operand=Amount(field=field)):
            return field in _INDEXED
        case And(terms=terms) | Or(terms=terms):
            return all(isinstance(term, Compare | And | Value) for term in terms)
        case _:
            return False
