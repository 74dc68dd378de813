"""A piece of a query whose type is known, and what puts pieces together.

Types are checked here, at the place in the text where they fail to fit, and constants are
worked out, so that what remains is for the database alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from openorders.contracts.marketplace.odata.errors import InvalidQuery, Part, shortened
from openorders.contracts.marketplace.odata.fields import Kind
from openorders.contracts.marketplace.odata.lexer import Source
from openorders.domain.search import And, Expression, Not, Or, Scalar, Value


class Operand(Struct, frozen=True):
    """An expression, its kind, and the part of the text it came from (offsets from 0)."""

    expression: Expression
    kind: Kind
    start: int
    end: int

    @property
    def is_constant(self) -> bool:
        return isinstance(self.expression, Value)

    @property
    def constant(self) -> Scalar | None:
        """The value of a constant; None also where it is none."""
        return self.expression.value if isinstance(self.expression, Value) else None

    def spanning(self, start: int, end: int) -> "Operand":
        return replace(self, start=start, end=end)


@dataclass(slots=True)
class Reading:
    """What is known while one option is read: its text, the time, and what will cost most."""

    source: Source
    now: datetime
    _costly: list[tuple[bool, int, int]] = field(default_factory=list[tuple[bool, int, int]])
    _calculations: list[tuple[bool, int, int]] = field(default_factory=list[tuple[bool, int, int]])

    def note_cost(self, start: int, end: int, *, light: bool = False) -> None:
        """No index serves this part. A light one is named only where nothing heavier stands."""
        self._costly.append((light, start, -end))

    def note_calculation(self, start: int, end: int, *, divides: bool) -> None:
        """The orders decide whether this part has a result. A division is named before others."""
        self.note_cost(start, end)
        self._calculations.append((not divides, start, -end))

    def costly(self) -> Part | None:
        """The first part without an index."""
        return self._first(self._costly)

    def calculation(self) -> Part | None:
        """The first part that can fail on an order."""
        return self._first(self._calculations)

    def _first(self, noted: list[tuple[bool, int, int]]) -> Part | None:
        if not noted:
            return None
        _, start, end = min(noted)
        text = shortened(self.source.text[start:-end])
        return Part(option=self.source.option, position=start + 1, text=text)

    def mismatch(self, operand: Operand, expected: str) -> InvalidQuery:
        """The operand is of another kind than its place wants."""
        quoted = shortened(self.source.text[operand.start : operand.end])
        found = f"{operand.kind.value} ({quoted})"
        return self.source.error(operand.start, expected, found)

    def demand(self, operand: Operand, fits: Callable[[Kind], bool], expected: str) -> None:
        """Refuse the operand unless it is null or its kind fits."""
        if operand.kind is not Kind.NULL and not fits(operand.kind):
            raise self.mismatch(operand, expected)

    def demand_condition(self, operand: Operand, hint: str = "") -> None:
        expected = f"a condition that is true or false{hint}"
        self.demand(operand, lambda kind: kind is Kind.CONDITION, expected)


def negation(reading: Reading, start: int, term: Operand) -> Operand:
    """`not` binds more tightly than a comparison, which surprises everybody once."""
    reading.demand_condition(term, " after not (a comparison needs parentheses: not (a eq b))")
    reading.note_cost(start, term.end, light=True)
    match term.expression:
        case Not(term=inner):
            expression = inner
        case _:
            expression = Not(term=term.expression)
    return Operand(expression, Kind.CONDITION, start, term.end)


def conjunction(reading: Reading, left: Operand, right: Operand) -> Operand:
    return _joined(reading, And, left, right)


def disjunction(reading: Reading, left: Operand, right: Operand) -> Operand:
    return _joined(reading, Or, left, right)


def _joined(
    reading: Reading, junction: type[And] | type[Or], left: Operand, right: Operand
) -> Operand:
    """Terms in a row are kept side by side, so that a thousand of them are not nested."""
    terms: list[Expression] = []
    for side in (left, right):
        reading.demand_condition(side)
        inner = side.expression
        terms.extend(inner.terms if isinstance(inner, junction) else (inner,))
    return Operand(junction(terms=tuple(terms)), Kind.CONDITION, left.start, right.end)
