"""Which searches an index answers in its own order, and which have to be planned for their values.

A walk reads as many entries of one index as are skipped and shown, whatever the values: that is
every list the contracts document. Anything else is planned each time for what it asks. It knows
the indexes of orders, and writes no SQL.
"""

from typing import Final

from msgspec import Struct

from openorders.domain import search
from openorders.domain.narrowing import WORDS, Narrowed, narrowed
from openorders.domain.search import (
    AllLines,
    Amount,
    And,
    AnyLine,
    Column,
    Compare,
    Comparison,
    Expression,
    Field,
    Identifier,
    In,
    LineField,
    Renamed,
    Search,
    SortKey,
    Value,
)

_BY_ID: Final = Column(field=Field.ID)
_OF_EVERY_WORD: Final = frozenset({Field.UPDATED_AT, Field.TOTAL})
"""Their indexes begin with the word: in order are the orders of one word."""

_OF_WORDS: Final = frozenset({Field.ID, Field.CREATED_AT}) | _OF_EVERY_WORD
_OWNERS: Final = frozenset({Field.CUSTOMER_ID, Field.PARTNER_NAME})
_TIMES: Final = frozenset({Field.ID, Field.CREATED_AT, Field.UPDATED_AT})
"""What rises with time, so that whoever asks for one of them asks for a stretch of the others."""


class Walk(Struct, frozen=True, kw_only=True):
    """Read an index of orders in order: one for each of the words, or one at all without any."""

    words: tuple[str, ...]
    rest: Expression
    by: tuple[Field, ...]
    descending: bool
    sorted: bool = False
    """The orders are one buyer's, and the index has them in another order."""


def walk_of(wanted: Search) -> Walk | None:
    """The walk that answers the search; None when there is none.

    For the orders of one customer or partner the order may also be made by sorting: those are as
    many as one buyer has.
    """
    by = _order_of(wanted.total_order)
    if by is None:
        return None
    found = narrowed(wanted.criteria)
    asked = _asked(found.rest)
    if asked is None or found.words == frozenset():
        return None
    descending = wanted.total_order[0].descending
    in_time = by[0] is Field.CREATED_AT
    if asked & _OWNERS:
        return Walk(words=(), rest=found.criteria, by=by, descending=descending, sorted=not in_time)
    if asked and not in_time:
        return None
    words: tuple[str, ...] = ()
    if found.words is not None:
        words = tuple(sorted(found.words))
    elif by[0] in _OF_EVERY_WORD:
        words = WORDS
    return Walk(words=words, rest=found.rest, by=by, descending=descending)


def is_in_stretches(wanted: Search) -> bool:
    """Whether those that fit may lie close together in the order that is asked for.

    An index in that order would then be read almost to its end before the first of them, which
    no statistics tell. Finding them all and sorting costs the same wherever they lie.
    """
    found = narrowed(wanted.criteria)
    if found.words is not None and len(found.words) > 1:
        return True
    first = wanted.total_order[0].key
    sorted_by = {first.field} if isinstance(first, Column) else set[Field | LineField]()
    return bool((_fields(found.rest) & _TIMES) - sorted_by)


def lines_alone(criteria: Expression) -> AnyLine | AllLines | None:
    """The criteria, where all that they ask of an order is what its lines are."""
    if not isinstance(criteria, AnyLine | AllLines) or criteria.condition is None:
        return None
    todo: list[Expression] = [criteria.condition]
    while todo:
        node = todo.pop()
        match node:
            case Amount() | AnyLine() | AllLines() | Renamed():
                return None
            case Column(field=Field()) | Identifier(field=Field()):
                return None
            case _:
                todo.extend(search.operands(node))
    return criteria


def for_every_index(found: Narrowed) -> Narrowed:
    """The same, naming every word where that lets the indexes that begin with the word serve."""
    if found.words is None and _fields(found.rest) & _OF_EVERY_WORD:
        return Narrowed(words=frozenset(WORDS), rest=found.rest)
    return found


def _order_of(keys: tuple[SortKey, ...]) -> tuple[Field, ...] | None:
    """The fields to sort by, all of them in one direction, where an index has that order."""
    if len({key.descending for key in keys}) > 1:
        return None
    match keys:
        case (SortKey(key=Column(field=Field.ID)),):
            return (Field.ID,)
        case (SortKey(key=Column(field=Field() as field)), SortKey(key=key)) if key == _BY_ID:
            return (field, Field.ID) if field in _OF_WORDS else None
        case _:
            return None


def _asked(rest: Expression) -> frozenset[Field] | None:
    """What is asked beside the words, where it is no more than whose orders and from when."""
    if rest == search.EVERYTHING:
        return frozenset()
    terms = rest.terms if isinstance(rest, And) else (rest,)
    asked: set[Field] = set()
    for term in terms:
        match term:
            case Compare(comparison=Comparison.EQ, left=Column(field=Field() as field)):
                fits = field in _OWNERS and _is_constant(term)
            case In(operand=Column(field=Field() as field), values=(_,)):
                fits = field in _OWNERS
            case Compare(comparison=comparison, left=Column(field=Field.CREATED_AT as field)):
                fits = comparison is not Comparison.NE and _is_constant(term)
            case _:
                return None
        if not fits:
            return None
        asked.add(field)
    return frozenset(asked)


def _is_constant(term: Compare) -> bool:
    return isinstance(term.right, Value) and term.right.value is not None


def _fields(condition: Expression) -> frozenset[Field]:
    """The fields of the order that the condition compares as they are kept."""
    todo, found = [condition], set[Field]()
    while todo:
        node = todo.pop()
        if isinstance(node, Column) and isinstance(node.field, Field):
            found.add(node.field)
        todo.extend(search.operands(node))
    return frozenset(found)
