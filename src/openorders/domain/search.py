"""What is searched for: criteria over orders as a small tree, sort keys and a page.

The tree says what is meant, exactly and with three-valued logic; it knows neither the language
in which a client wrote it nor the one in which a database answers it.

A comparison is always true or false: nothing is greater or less than null, and null equals
null alone. Unknown comes from a null where a condition stands and from matching a null text;
`And`, `Or` and `Not` carry it on, and an order is found only when the whole is true.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, auto
from typing import Final, TypeAlias

from msgspec import Struct


class Field(Enum):
    """What can be asked of an order. TOTAL is in minor units, WORD is the word inside."""

    ID = auto()
    CUSTOMER_ID = auto()
    WORD = auto()
    TOTAL = auto()
    CURRENCY = auto()
    PAYMENT_METHOD = auto()
    CREATED_AT = auto()
    UPDATED_AT = auto()
    PARTNER_NAME = auto()


class LineField(Enum):
    """What can be asked of a line, below `AnyLine` and `AllLines` only. A cancelled line is one."""

    VARIANT_ID = auto()
    QUANTITY = auto()
    UNIT_PRICE = auto()
    STATE = auto()


class Comparison(Enum):
    """Texts are compared by code point, times by instant, numbers exactly."""

    EQ = auto()
    NE = auto()
    GT = auto()
    GE = auto()
    LT = auto()
    LE = auto()


class Match(Enum):
    """Where a text has a part; upper and lower case are different."""

    CONTAINS = auto()
    STARTS_WITH = auto()
    ENDS_WITH = auto()


class Operation(Enum):
    """Of two whole numbers DIV is whole too and truncates; MOD has the dividend's sign."""

    ADD = auto()
    SUB = auto()
    MUL = auto()
    DIV = auto()
    MOD = auto()


class Function(Enum):
    """Functions of one value. Parts of a time are those of UTC."""

    LOWER = auto()
    UPPER = auto()
    LENGTH = auto()
    YEAR = auto()
    MONTH = auto()
    DAY = auto()
    HOUR = auto()
    DATE = auto()
    WHOLE_SECOND = auto()


Scalar: TypeAlias = bool | int | Decimal | str | date | datetime
"""Times carry their zone. A bool is a condition, never a number."""


class Value(Struct, frozen=True, kw_only=True):
    """A constant; None is null, or unknown where a condition stands."""

    value: Scalar | None


class Column(Struct, frozen=True, kw_only=True):
    """A field as it is kept: ids and minor units are whole numbers, which indexes serve."""

    field: Field | LineField


class Amount(Struct, frozen=True, kw_only=True):
    """TOTAL or UNIT_PRICE in major units of the order's currency, an exact decimal."""

    field: Field | LineField


class Identifier(Struct, frozen=True, kw_only=True):
    """The text of an id: `prefix` and the number, as a contract writes it."""

    prefix: str
    field: Field | LineField


class Renamed(Struct, frozen=True, kw_only=True):
    """WORD in a contract's words, as pairs of (inside, shown); every word inside has a pair."""

    field: Field
    words: tuple[tuple[str, str], ...]


class Negate(Struct, frozen=True, kw_only=True):
    """The number with the other sign."""

    operand: "Expression"


class Arithmetic(Struct, frozen=True, kw_only=True):
    """Division by zero and numbers out of range are the asker's error, met while searching."""

    operation: Operation
    left: "Expression"
    right: "Expression"


class Call(Struct, frozen=True, kw_only=True):
    """A function of one value; of null it is null."""

    function: Function
    operand: "Expression"


class Compare(Struct, frozen=True, kw_only=True):
    """Two values of one kind, or one of them null."""

    comparison: Comparison
    left: "Expression"
    right: "Expression"


class In(Struct, frozen=True, kw_only=True):
    """One of several values, all of one kind. Null is in no list."""

    operand: "Expression"
    values: tuple[Scalar, ...]


class TextMatch(Struct, frozen=True, kw_only=True):
    """Whether `text` has `part`; unknown when either is null."""

    match: Match
    text: "Expression"
    part: "Expression"


class And(Struct, frozen=True, kw_only=True):
    """All of the terms; true of none."""

    terms: tuple["Expression", ...]


class Or(Struct, frozen=True, kw_only=True):
    """Any of the terms; false of none."""

    terms: tuple["Expression", ...]


class Not(Struct, frozen=True, kw_only=True):
    """The opposite; unknown stays unknown."""

    term: "Expression"


class AnyLine(Struct, frozen=True, kw_only=True):
    """At least one line fits; without a condition, there is a line at all."""

    condition: "Expression | None" = None


class AllLines(Struct, frozen=True, kw_only=True):
    """No line fails to fit, and unknown is a failure."""

    condition: "Expression"


Expression: TypeAlias = (
    Value
    | Column
    | Amount
    | Identifier
    | Renamed
    | Negate
    | Arithmetic
    | Call
    | Compare
    | In
    | TextMatch
    | And
    | Or
    | Not
    | AnyLine
    | AllLines
)
"""Criteria are an expression that is true, false or unknown of an order."""

EVERYTHING: Final = Value(value=True)
NOTHING: Final = Value(value=False)


class SortKey(Struct, frozen=True, kw_only=True):
    """Null comes before everything, and after everything when descending."""

    key: Expression
    descending: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """`limit` orders after the first `offset`; both are bounded by who asks."""

    limit: int
    offset: int = 0


class Search(Struct, frozen=True, kw_only=True):
    """A page of what fits, or all of it without a page."""

    criteria: Expression = EVERYTHING
    sort: tuple[SortKey, ...] = ()
    page: Page | None = None

    @property
    def total_order(self) -> tuple[SortKey, ...]:
        """The sort keys with the id as the last one, which falls as the key before it falls."""
        by_id = Column(field=Field.ID)
        for position, key in enumerate(self.sort):
            if key.key == by_id:
                return self.sort[: position + 1]
        falls = bool(self.sort) and self.sort[-1].descending
        return (*self.sort, SortKey(key=by_id, descending=falls))


def operands(expression: Expression) -> tuple[Expression, ...]:
    """The expressions right below. Trees can be deep: walk them with a list, not by recursion."""
    below: tuple[Expression, ...] = ()
    match expression:
        case Value() | Column() | Amount() | Identifier() | Renamed():
            pass
        case Negate(operand=operand) | Call(operand=operand) | In(operand=operand):
            below = (operand,)
        case Arithmetic(left=left, right=right) | Compare(left=left, right=right):
            below = (left, right)
        case TextMatch(text=text, part=part):
            below = (text, part)
        case And(terms=terms) | Or(terms=terms):
            below = terms
        case Not(term=term):
            below = (term,)
        case AnyLine(condition=condition):
            below = () if condition is None else (condition,)
        case AllLines(condition=condition):
            below = (condition,)
    return below


def all_of(*criteria: Expression) -> Expression:
    """Every one of the criteria holds."""
    wanted = tuple(one for one in criteria if one != EVERYTHING)
    if not wanted:
        return EVERYTHING
    return wanted[0] if len(wanted) == 1 else And(terms=wanted)


def with_words(words: Iterable[str]) -> Expression:
    """The order's word (inside) is one of these."""
    return In(operand=Column(field=Field.WORD), values=tuple(sorted(words)))


def of_customer(customer_id: int) -> Expression:
    """The customer's own orders."""
    return _equals(Field.CUSTOMER_ID, customer_id)


def of_partner(name: str) -> Expression:
    """The partner's own orders."""
    return _equals(Field.PARTNER_NAME, name)


def created_between(start: datetime | None, end: datetime | None) -> Expression:
    """Created at `start` or later and before `end`; None leaves that side open."""
    at = Column(field=Field.CREATED_AT)
    sides: list[Expression] = []
    if start is not None:
        sides.append(Compare(comparison=Comparison.GE, left=at, right=Value(value=start)))
    if end is not None:
        sides.append(Compare(comparison=Comparison.LT, left=at, right=Value(value=end)))
    return all_of(*sides)


def _equals(what: Field, value: Scalar) -> Expression:
    return Compare(comparison=Comparison.EQ, left=Column(field=what), right=Value(value=value))
