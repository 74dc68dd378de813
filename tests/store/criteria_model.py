"""What a criteria tree means, said a second time in plain Python: an independent opinion.

`matches` is three-valued like the tree: True, False or None for unknown.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Context, Decimal, localcontext
from typing import Any

from openorders.domain import search
from openorders.domain.search import Comparison, Field, Function, LineField, Match, Operation

EXACT = Context(prec=60)


@dataclass(frozen=True, kw_only=True)
class SampleLine:
    id: int
    variant_id: int
    unit_price: int
    quantity: int
    state: str = "pending"


@dataclass(frozen=True, kw_only=True)
class SampleOrder:
    id: int
    customer_id: int = 1
    word: str = "created"
    total: int = 7500
    currency: str = "USD"
    minor_digits: int = 2
    payment_method: str | None = None
    partner_name: str | None = None
    created_at: datetime
    updated_at: datetime
    lines: tuple[SampleLine, ...] = field(default=())


def matches(criteria, order):
    """Whether the order fits: True, False or None."""
    with localcontext(EXACT):
        return _value(criteria, order, None)


def found(criteria, orders):
    """The ids of the orders that fit, by id."""
    return [order.id for order in orders if matches(criteria, order) is True]


def sort_value(expression, order):
    """Something to sort by: null comes before everything."""
    with localcontext(EXACT):
        value = _value(expression, order, None)
    return (value is not None, value)


def _value(node, order, line):
    name = type(node).__name__
    return _MEANINGS[name](node, order, line)


def _column(node, order, line) -> Any:
    match node.field:
        case LineField():
            return getattr(line, node.field.name.lower())
        case Field():
            return getattr(order, node.field.name.lower())


def _renamed(node, order, line):
    return dict(node.words)[_column(node, order, line)]


def _negate(node, order, line):
    value = _value(node.operand, order, line)
    return None if value is None else -value


def _arithmetic(node, order, line):
    left, right = _value(node.left, order, line), _value(node.right, order, line)
    if left is None or right is None:
        return None
    whole = isinstance(left, int) and isinstance(right, int)
    if node.operation is Operation.DIV:
        exact = Decimal(left) / Decimal(right)
        return int(exact) if whole else exact
    if node.operation is Operation.MOD:
        rest = Decimal(left) % Decimal(right)  # has the dividend's sign
        return int(rest) if whole else rest
    return {
        Operation.ADD: lambda: left + right,
        Operation.SUB: lambda: left - right,
        Operation.MUL: lambda: left * right,
    }[node.operation]()


def _call(node, order, line):
    value: Any = _value(node.operand, order, line)
    if value is None:
        return None
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
    return {
        Function.LOWER: lambda: str(value).lower(),
        Function.UPPER: lambda: str(value).upper(),
        Function.LENGTH: lambda: len(value),
        Function.YEAR: lambda: value.year,
        Function.MONTH: lambda: value.month,
        Function.DAY: lambda: value.day,
        Function.HOUR: lambda: value.hour,
        Function.DATE: lambda: date(value.year, value.month, value.day),
        Function.WHOLE_SECOND: lambda: value.replace(microsecond=0),
    }[node.function]()


def _compare(node, order, line):
    left, right = _value(node.left, order, line), _value(node.right, order, line)
    if node.comparison is Comparison.EQ:
        return left == right
    if node.comparison is Comparison.NE:
        return left != right
    if left is None or right is None:
        return False
    return {
        Comparison.GT: left > right,
        Comparison.GE: left >= right,
        Comparison.LT: left < right,
        Comparison.LE: left <= right,
    }[node.comparison]


def _in(node, order, line):
    value = _value(node.operand, order, line)
    return value is not None and value in node.values


def _text_match(node, order, line):
    text, part = _value(node.text, order, line), _value(node.part, order, line)
    if text is None or part is None:
        return None
    return {
        Match.CONTAINS: part in text,
        Match.STARTS_WITH: text.startswith(part),
        Match.ENDS_WITH: text.endswith(part),
    }[node.match]


def _and(node, order, line):
    terms = [_value(term, order, line) for term in node.terms]
    return False if False in terms else None if None in terms else True


def _or(node, order, line):
    terms = [_value(term, order, line) for term in node.terms]
    return True if True in terms else None if None in terms else False


def _not(node, order, line):
    term = _value(node.term, order, line)
    return None if term is None else not term


def _any_line(node, order, _):
    if node.condition is None:
        return bool(order.lines)
    return any(_value(node.condition, order, line) is True for line in order.lines)


def _all_lines(node, order, _):
    return all(_value(node.condition, order, line) is True for line in order.lines)


_MEANINGS = {
    search.Value.__name__: lambda node, _, __: node.value,
    search.Column.__name__: _column,
    search.Amount.__name__: lambda node, order, line: Decimal(_column(node, order, line)).scaleb(
        -order.minor_digits
    ),
    search.Identifier.__name__: lambda node, order, line: (
        f"{node.prefix}{_column(node, order, line)}"
    ),
    search.Renamed.__name__: _renamed,
    search.Negate.__name__: _negate,
    search.Arithmetic.__name__: _arithmetic,
    search.Call.__name__: _call,
    search.Compare.__name__: _compare,
    search.In.__name__: _in,
    search.TextMatch.__name__: _text_match,
    search.And.__name__: _and,
    search.Or.__name__: _or,
    search.Not.__name__: _not,
    search.AnyLine.__name__: _any_line,
    search.AllLines.__name__: _all_lines,
}
