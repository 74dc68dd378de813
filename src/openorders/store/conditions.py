"""Conditions to SQL: the one place that puts expressions together from parts.

Every part is a constant of this file or the number of a bound parameter; no text of a client's
ever becomes SQL. Each parameter says its type, since plans are made without looking at values.
It knows the columns of orders and lines, and nothing of what a client wrote.

What a search can run into while it runs, and its asker is to be told: SQLSTATE 22012 (division
by zero), 22003 (a number out of range), 54001 (too deep) and 57014 (out of time).
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from msgspec import Struct

from openorders.domain import search
from openorders.domain.ids import StoreId
from openorders.domain.search import (
    Comparison,
    Expression,
    Field,
    Function,
    LineField,
    Match,
    Operation,
    Scalar,
    SortKey,
)


class Statement(Struct, frozen=True):
    """SQL and the values of `$1`, `$2`, … in it. `$1` is always the store."""

    sql: str
    parameters: tuple[object, ...]


class _Part(Struct, frozen=True):
    """A piece of SQL, and what has to be known to put it into a larger one."""

    sql: str
    nullable: bool = False
    text: bool = False


_COLUMNS: Final = {
    Field.ID: _Part("o.id"),
    Field.CUSTOMER_ID: _Part("o.customer_id"),
    Field.WORD: _Part("o.word", text=True),
    Field.TOTAL: _Part("o.total"),
    Field.CURRENCY: _Part("o.currency", text=True),
    Field.PAYMENT_METHOD: _Part("o.payment_method", nullable=True, text=True),
    Field.CREATED_AT: _Part("o.created_at"),
    Field.UPDATED_AT: _Part("o.updated_at"),
    Field.PARTNER_NAME: _Part("o.partner_name", nullable=True, text=True),
    LineField.VARIANT_ID: _Part("l.variant_id"),
    LineField.QUANTITY: _Part("l.quantity::bigint"),
    LineField.UNIT_PRICE: _Part("l.unit_price"),
    LineField.STATE: _Part("l.state", text=True),
}
# A minor unit in major ones. Multiplying is exact, where dividing would have to round.
_UNIT: Final = (
    "case o.minor_digits when 2 then 0.01 when 0 then 1 when 3 then 0.001"
    " when 4 then 0.0001 else 0.1 end"
)
_SIGNS: Final = {
    Comparison.EQ: "=",
    Comparison.NE: "<>",
    Comparison.GT: ">",
    Comparison.GE: ">=",
    Comparison.LT: "<",
    Comparison.LE: "<=",
}
_OPERATIONS: Final = {
    Operation.ADD: "+",
    Operation.SUB: "-",
    Operation.MUL: "*",
    Operation.DIV: "/",
    Operation.MOD: "%",
}
_FUNCTIONS: Final = {
    Function.LOWER: "lower({})",
    Function.UPPER: "upper({})",
    Function.LENGTH: "char_length({})::bigint",
    Function.YEAR: "extract(year from {} at time zone 'UTC')::bigint",
    Function.MONTH: "extract(month from {} at time zone 'UTC')::bigint",
    Function.DAY: "extract(day from {} at time zone 'UTC')::bigint",
    Function.HOUR: "extract(hour from {} at time zone 'UTC')::bigint",
    Function.DATE: "({} at time zone 'UTC')::date",
    Function.WHOLE_SECOND: "date_trunc('second', {})",
}
# No pattern is built, so there is nothing in a client's text to escape.
_MATCHES: Final = {
    Match.CONTAINS: "strpos({text}, {part}) > 0",
    Match.STARTS_WITH: "starts_with({text}, {part})",
    Match.ENDS_WITH: "right({text}, char_length({part})) = {part}",
}
_JOINS_MAX: Final = 4
_LINES: Final = "select from order_lines l where l.store_id = $1::bigint and l.order_id = o.id"


class Composer:
    """Collects the parameters while parts are rendered, each part after what is below it."""

    def __init__(self, store_id: StoreId) -> None:
        self._parameters: list[object] = [store_id]
        self._joins = 0

    def statement(self, sql: str) -> Statement:
        """The SQL with the parameters of all that was rendered into it."""
        return Statement(sql, tuple(self._parameters))

    def condition(self, criteria: Expression) -> str:
        """What is added to a condition by `and`; empty when everything fits."""
        if criteria == search.EVERYTHING:
            return ""
        return f" and {self._part(criteria).sql}"

    def sort(self, key: SortKey) -> tuple[str, str]:
        """What to sort by for the key, and which way."""
        part = self._part(key.key, exact=True)
        collation = ' collate "C"' if part.text else ""
        falling = " desc" if key.descending else ""
        # The default is the other way round; where no null can be, an index serves the default.
        nulls = "" if not part.nullable else " nulls last" if falling else " nulls first"
        return f"{part.sql}{collation}", f"{falling}{nulls}"

    def _part(self, expression: Expression, *, exact: bool = False) -> _Part:
        """Render by a list of what is still to do, since a filter can be nested deeply.

        Where `exact` is false, null does as well as false, which leaves comparisons in the
        plain form that indexes serve.
        """
        todo: list[tuple[Expression, bool, bool]] = [(expression, exact, False)]
        done: list[_Part] = []
        while todo:
            node, strictly, ready = todo.pop()
            below = search.operands(node)
            if ready or not below:
                first = len(done) - len(below)
                parts = done[first:]
                del done[first:]
                done.append(self._render(node, parts, exact=strictly))
                continue
            todo.append((node, strictly, True))
            inner = _exact_below(node, exact=strictly)
            todo.extend((child, inner, False) for child in reversed(below))
        return done[0]

    def _render(self, node: Expression, parts: Sequence[_Part], *, exact: bool) -> _Part:
        match node:
            case search.Value(value=value):
                part = self._value(value)
            case search.Column(field=column):
                part = _COLUMNS[column]
            case search.Amount(field=column):
                part = _Part(f"({_COLUMNS[column].sql} * {_UNIT})")
            case search.Identifier(prefix=prefix, field=column):
                number = _COLUMNS[column].sql
                part = _Part(f"({self.bound(prefix)} || {number}::text)", text=True)
            case search.Renamed(field=column, words=words):
                part = self._renamed(_COLUMNS[column], words)
            case search.Negate() | search.Arithmetic() | search.Call():
                part = _computed(node, parts)
            case search.Compare():
                part = _compared(node, parts[0], parts[1], exact=exact)
            case search.In(values=values):
                part = self._one_of(parts[0], values, exact=exact)
            case search.AnyLine():
                condition = f" and {parts[0].sql}" if parts else ""
                part = self._exists(f"exists ({_LINES}{condition})")
            case search.AllLines():
                part = self._exists(f"not exists ({_LINES} and {parts[0].sql} is not true)")
            case _:
                part = _combined(node, parts)
        return part

    def _exists(self, sql: str) -> _Part:
        """The first few may become joins; planning two hundred joins would take seconds."""
        self._joins += 1
        return _Part(f"({sql})" if self._joins <= _JOINS_MAX else f"(({sql}) is true)")

    def _value(self, value: Scalar | None) -> _Part:
        if value is None:
            return _Part("null::boolean", nullable=True)
        if isinstance(value, bool):
            return _Part("true" if value else "false")
        return _Part(self.bound(value), text=isinstance(value, str))

    def _renamed(self, column: _Part, words: tuple[tuple[str, str], ...]) -> _Part:
        cases = " ".join(
            f"when {self.bound(inside)} then {self.bound(shown)}" for inside, shown in words
        )
        return _Part(f"(case {column.sql} {cases} end)", column.nullable, text=True)

    def _one_of(self, operand: _Part, values: tuple[Scalar, ...], *, exact: bool) -> _Part:
        if not values:
            return _never(operand)
        if len(values) == 1:
            sql = f"({operand.sql} = {self.bound(values[0])})"
        else:
            self._parameters.append(list(values))
            array = f"${len(self._parameters)}::{_type_of(values[0])}[]"
            sql = f"({operand.sql} = any({array}))"
        return _two_valued(_Part(sql, operand.nullable), exact=exact)

    def bound(self, value: Scalar) -> str:
        """A new parameter with this value, as it stands in the SQL."""
        self._parameters.append(value)
        return f"${len(self._parameters)}::{_type_of(value)}"


def _exact_below(node: Expression, *, exact: bool) -> bool:
    match node:
        case search.And() | search.Or():
            return exact
        case search.AnyLine() | search.AllLines():
            return False
        case _:
            return True


def _computed(
    node: search.Negate | search.Arithmetic | search.Call, parts: Sequence[_Part]
) -> _Part:
    nullable = any(part.nullable for part in parts)
    match node:
        case search.Negate():
            return _Part(f"(- {parts[0].sql})", nullable)
        case search.Arithmetic(operation=operation):
            return _Part(f"({parts[0].sql} {_OPERATIONS[operation]} {parts[1].sql})", nullable)
        case search.Call(function=function):
            text = function in (Function.LOWER, Function.UPPER)
            return _Part(_FUNCTIONS[function].format(parts[0].sql), nullable, text)


def _combined(node: Expression, parts: Sequence[_Part]) -> _Part:
    nullable = any(part.nullable for part in parts)
    match node:
        case search.TextMatch(match=kind):
            sql = _MATCHES[kind].format(text=parts[0].sql, part=parts[1].sql)
        case search.And():
            sql = " and ".join(part.sql for part in parts) or "true"
        case search.Or():
            sql = " or ".join(part.sql for part in parts) or "false"
        case search.Not():
            sql = f"not {parts[0].sql}"
        case _:
            raise AssertionError(node)
    return _Part(f"({sql})", nullable)


def _compared(node: search.Compare, left: _Part, right: _Part, *, exact: bool) -> _Part:
    null = search.Value(value=None)
    if null in (node.left, node.right):
        return _compared_to_null(node.comparison, left if node.right == null else right)
    sign = _SIGNS[node.comparison]
    nullable = left.nullable or right.nullable
    if node.comparison is Comparison.NE and nullable:
        return _Part(f"({left.sql} is distinct from {right.sql})")
    if node.comparison is Comparison.EQ and left.nullable and right.nullable:
        return _Part(f"({left.sql} is not distinct from {right.sql})")
    ordered = node.comparison not in (Comparison.EQ, Comparison.NE)
    collation = ' collate "C"' if ordered and left.text else ""
    part = _Part(f"({left.sql} {sign} {right.sql}{collation})", nullable)
    return _two_valued(part, exact=exact)


def _compared_to_null(comparison: Comparison, other: _Part) -> _Part:
    match comparison:
        case Comparison.EQ:
            return _Part(f"({other.sql} is null)")
        case Comparison.NE:
            return _Part(f"({other.sql} is not null)")
        case _:
            return _never(other)


def _never(operand: _Part) -> _Part:
    # The operand stays, since a parameter that nothing mentions has no type.
    return _Part(f"({operand.sql} is null and false)")


def _two_valued(part: _Part, *, exact: bool) -> _Part:
    if part.nullable and exact:
        return _Part(f"coalesce({part.sql}, false)")
    return _Part(part.sql)


def _type_of(value: Scalar) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "bigint"
        case Decimal():
            return "numeric"
        case str():
            return "text"
        case datetime():
            return "timestamptz"
        case date():
            return "date"
