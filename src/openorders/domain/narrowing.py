"""What criteria come down to: the words they leave open, the money they mean, and the rest.

Clients can say "these words" in many ways (`ne`, `not`, `or`, a contract's own words). All of
them come out as one set, for which there are exact totals and an order in every index. Amounts
become the minor units that are kept, which indexes serve. It knows nothing of SQL or of a
contract.
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain import search
from openorders.domain.order import Word
from openorders.domain.search import (
    EVERYTHING,
    NOTHING,
    And,
    Column,
    Compare,
    Comparison,
    Expression,
    Field,
    LineField,
    Scalar,
    Search,
    Value,
    all_of,
)

WORDS: Final = tuple(word.value for word in Word)
"""Every word that an order can have."""

_UNITS_MAX: Final = 2**63 - 1
_EXACT: Final = Context(prec=100)
"""Digits enough for every number that a client may write, moved by those of a currency."""

_PerWord: TypeAlias = tuple[Scalar | None, ...]
_MIRRORED: Final = {
    Comparison.GT: Comparison.LT,
    Comparison.GE: Comparison.LE,
    Comparison.LT: Comparison.GT,
    Comparison.LE: Comparison.GE,
}


class Narrowed(Struct, frozen=True, kw_only=True):
    """An order is found when its word is one of `words` (None: whatever it is) and `rest` holds."""

    words: frozenset[str] | None
    rest: Expression

    @property
    def criteria(self) -> Expression:
        """The same as one condition."""
        if self.words is None:
            return self.rest
        return all_of(search.with_words(self.words), self.rest) if self.words else NOTHING

    @property
    def on_words_alone(self) -> bool:
        """Nothing but the word decides."""
        return self.rest == EVERYTHING


def narrowed(criteria: Expression) -> Narrowed:
    """Part the criteria into the words they allow and everything else they ask."""
    words = frozenset(WORDS)
    rest: list[Expression] = []
    for term in _terms(criteria):
        allowed = words_where(term)
        if allowed is None:
            rest.append(term)
        else:
            words &= allowed
    return Narrowed(words=None if len(words) == len(WORDS) else words, rest=all_of(*rest))


def words_where(condition: Expression) -> frozenset[str] | None:
    """The words for which the condition is true; None when it asks about anything else."""
    todo: list[tuple[Expression, bool]] = [(condition, False)]
    done: list[_PerWord] = []
    while todo:
        node, ready = todo.pop()
        below = search.operands(node)
        if below and not ready:
            todo.append((node, True))
            todo.extend((child, False) for child in reversed(below))
            continue
        first = len(done) - len(below)
        found = _for_each_word(node, done[first:])
        if found is None:
            return None
        done[first:] = [found]
    return frozenset(word for word, fits in zip(WORDS, done[0], strict=True) if fits is True)


def in_minor_units(wanted: Search, digits: int) -> Search:
    """The same search where every order's currency has so many digits: sums compared with
    constants, and sums to sort by, as the whole numbers that are kept.
    """
    sort = tuple(replace(key, key=_kept(key.key)) for key in wanted.sort)
    return replace(wanted, criteria=_in_minor_units(wanted.criteria, digits), sort=sort)


def _terms(criteria: Expression) -> list[Expression]:
    """The conditions that all have to be true, side by side."""
    todo, found = [criteria], list[Expression]()
    while todo:
        term = todo.pop()
        if isinstance(term, And):
            todo.extend(reversed(term.terms))
        else:
            found.append(term)
    return found


def _for_each_word(node: Expression, parts: Sequence[_PerWord]) -> _PerWord | None:
    match node:
        case search.Value(value=value):
            found = (value,) * len(WORDS)
        case search.Column(field=Field.WORD):
            found = WORDS
        case search.Renamed(field=Field.WORD, words=pairs):
            shown = dict(pairs)
            found = tuple(shown[word] for word in WORDS)
        case search.In(values=values):
            found = tuple(value in values for value in parts[0])
        case search.Compare(comparison=comparison):
            pairs = zip(*parts, strict=True)
            found = tuple(_compared(comparison, left, right) for left, right in pairs)
        case search.Not():
            found = tuple(None if term is None else not term for term in parts[0])
        case search.And():
            found = tuple(_settled(terms, by=False) for terms in _across(parts))
        case search.Or():
            found = tuple(_settled(terms, by=True) for terms in _across(parts))
        case _:
            found = None
    return found


def _across(parts: Sequence[_PerWord]) -> Sequence[_PerWord]:
    return list(zip(*parts, strict=True)) if parts else [()] * len(WORDS)


def _settled(terms: Sequence[Scalar | None], *, by: bool) -> bool | None:
    """One term that is `by` settles it; otherwise unknown wins over the opposite."""
    if by in terms:
        return by
    return None if None in terms else not by


def _compared(comparison: Comparison, left: Any, right: Any) -> bool:  # noqa: ANN401 - of one kind
    if comparison is Comparison.EQ:
        return left == right
    if comparison is Comparison.NE:
        return left != right
    if left is None or right is None:
        return False
    match comparison:
        case Comparison.GT:
            return left > right
        case Comparison.GE:
            return left >= right
        case Comparison.LT:
            return left < right
        case Comparison.LE:
            return left <= right


def _in_minor_units(criteria: Expression, digits: int) -> Expression:
    """Rebuilt by a list of what is still to do, since a filter can be nested deeply."""
    todo: list[tuple[Expression, bool]] = [(criteria, False)]
    done: list[Expression] = []
    while todo:
        node, ready = todo.pop()
        below = search.operands(node)
        if below and not ready:
            todo.append((node, True))
            todo.extend((child, False) for child in reversed(below))
            continue
        first = len(done) - len(below)
        done[first:] = [_minor(_with_operands(node, tuple(done[first:])), digits)]
    return done[0]


def _with_operands(node: Expression, below: tuple[Expression, ...]) -> Expression:
    match node:
        case search.And() | search.Or():
            return replace(node, terms=below)
        case search.Not():
            return replace(node, term=below[0])
        case search.AnyLine() | search.AllLines() if below:
            return replace(node, condition=below[0])
        case _:
            return node  # sums inside calculations stay what they are


def _minor(node: Expression, digits: int) -> Expression:
    match node:
        case Compare(left=search.Amount(field=field), right=Value(value=value)):
            return _whole(node, node.comparison, field, value, digits)
        case Compare(left=Value(value=value), right=search.Amount(field=field)):
            mirrored = _MIRRORED.get(node.comparison, node.comparison)
            return _whole(node, mirrored, field, value, digits)
        case search.In(operand=search.Amount(field=field), values=values):
            units = [_units(value, digits) for value in values]
            whole = {int(unit) for unit in units if unit == unit.to_integral_value()}
            kept = tuple(sorted(unit for unit in whole if abs(unit) < _UNITS_MAX))
            return search.In(operand=Column(field=field), values=kept) if kept else NOTHING
        case _:
            return node


def _whole(
    node: Expression,
    comparison: Comparison,
    field: Field | LineField,
    value: Scalar | None,
    digits: int,
) -> Expression:
    """Between two whole numbers there is none, so a sum that is not whole is cut down to one."""
    if value is None or isinstance(value, bool):
        return node
    exact = _units(value, digits)
    floor = exact.to_integral_value(ROUND_FLOOR)
    if floor != exact:
        match comparison:
            case Comparison.EQ:
                return NOTHING
            case Comparison.NE:
                return EVERYTHING
            case Comparison.GE:
                comparison = Comparison.GT
            case Comparison.LT:
                comparison = Comparison.LE
            case _:
                pass
    # No order's sum is as large as that; what is larger need not fit where sums are kept.
    units = max(-_UNITS_MAX, min(int(floor), _UNITS_MAX))
    return Compare(comparison=comparison, left=Column(field=field), right=Value(value=units))


def _units(value: Scalar, digits: int) -> Decimal:
    assert isinstance(value, int | Decimal), "sums are compared with numbers"
    return Decimal(value).scaleb(digits, _EXACT)


def _kept(key: Expression) -> Expression:
    return Column(field=key.field) if isinstance(key, search.Amount) else key
