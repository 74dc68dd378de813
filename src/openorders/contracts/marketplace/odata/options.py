"""The query options of a list: `$filter`, `$orderby`, `$skip`, `$top`, `$count`, `$select`.

Names are case-sensitive and begin with `$`. Other parameters are not ours to judge.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct

from openorders.contracts.marketplace.odata.cursor import Cursor
from openorders.contracts.marketplace.odata.errors import InvalidQuery, Part, shortened
from openorders.contracts.marketplace.odata.fields import SELECTABLE, SELECTED_BY_DEFAULT
from openorders.contracts.marketplace.odata.lexer import CHARACTERS_MAX, Sort, Source
from openorders.contracts.marketplace.odata.operand import Operand, Reading
from openorders.contracts.marketplace.odata.parser import Parser
from openorders.domain.ids import ID_MAX
from openorders.domain.search import (
    EVERYTHING,
    Call,
    Column,
    Expression,
    Function,
    Identifier,
    Page,
    Search,
    SortKey,
)

FILTER: Final = "$filter"
ORDERBY: Final = "$orderby"
SKIP: Final = "$skip"
TOP: Final = "$top"
COUNT: Final = "$count"
SELECT: Final = "$select"
OPTIONS: Final = (FILTER, ORDERBY, SKIP, TOP, COUNT, SELECT)

TOP_DEFAULT: Final = 20
TOP_MAX: Final = 1_000
SORT_KEYS_MAX: Final = 32


class OrderQuery(Struct, frozen=True, kw_only=True):
    """What a list was asked for. `select` is in the order in which fields are documented.

    `costly` is what to name when the query runs too long: the first part that no index serves,
    None if there is none.
    `calculation` is what to name when it fails on an order: the first that divides, or else
    calculates.
    """

    search: Search
    count: bool
    select: tuple[str, ...]
    costly: Part | None
    calculation: Part | None


def read_options(pairs: Iterable[tuple[str, str]], *, now: datetime) -> OrderQuery:
    """Read decoded query parameters; `now` is what `now()` means. Raises `InvalidQuery`."""
    options = _options(pairs)
    filtering = _reading(FILTER, options, now)
    sorting = _reading(ORDERBY, options, now)
    page = Page(
        limit=_whole(TOP, options.get(TOP, str(TOP_DEFAULT)), TOP_MAX),
        offset=_whole(SKIP, options.get(SKIP, "0"), ID_MAX),
    )
    search = Search(criteria=_filter(filtering), sort=_orderby(sorting), page=page)
    readings = [reading for reading in (filtering, sorting) if reading is not None]
    return OrderQuery(
        search=search,
        count=_count(options.get(COUNT, "true")),
        select=_select(options.get(SELECT)),
        costly=_first(reading.costly() for reading in readings),
        calculation=_first(reading.calculation() for reading in readings),
    )


def _options(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in pairs:
        if not name.startswith("$"):
            continue
        if name not in OPTIONS:
            raise InvalidQuery(name, 1, f"one of {', '.join(OPTIONS)}", shortened(name))
        if name in options:
            raise InvalidQuery(name, 1, f"{name} once", "it twice")
        options[name] = value
    return options


def _reading(option: str, options: Mapping[str, str], now: datetime) -> Reading | None:
    text = options.get(option)
    return None if text is None else Reading(Source(option, text), now)


def _first(parts: Iterable[Part | None]) -> Part | None:
    return next((part for part in parts if part is not None), None)


def _filter(reading: Reading | None) -> Expression:
    if reading is None:
        return EVERYTHING
    cursor = Cursor(reading)
    condition = Parser(cursor).expression()
    if cursor.token.sort is not Sort.END:
        raise cursor.unexpected("an operator such as eq, gt, in, and, or, or the end")
    reading.demand_condition(condition)
    return condition.expression


def _orderby(reading: Reading | None) -> tuple[SortKey, ...]:
    if reading is None:
        return ()
    cursor = Cursor(reading)
    keys = [_sort_key(reading, cursor)]
    while cursor.token.sort is Sort.COMMA:
        cursor.take()
        if len(keys) == SORT_KEYS_MAX:
            raise cursor.unexpected(f"at most {SORT_KEYS_MAX} keys")
        keys.append(_sort_key(reading, cursor))
    if cursor.token.sort is not Sort.END:
        raise cursor.unexpected("asc, desc, ',' or the end")
    return tuple(keys)


def _sort_key(reading: Reading, cursor: Cursor) -> SortKey:
    operand = Parser(cursor).expression()
    if operand.is_constant:
        raise reading.mismatch(operand, "something of the order to sort by")
    descending = cursor.is_word("desc")
    if cursor.is_word("asc", "desc"):
        cursor.take()
    return SortKey(key=_sorted_by(operand), descending=descending)


def _sorted_by(operand: Operand) -> Expression:
    """Ids are sorted by their number and times as they are kept, which indexes serve."""
    match operand.expression:
        case Identifier(field=field):
            return Column(field=field)
        case Call(function=Function.WHOLE_SECOND, operand=at):
            return at
        case expression:
            return expression


def _whole(option: str, text: str, largest: int) -> int:
    expected = f"a whole number from 0 to {largest}"
    for position, character in enumerate(text, 1):
        if character not in "0123456789":
            raise InvalidQuery(option, position, expected, shortened(text))
    digits = text.lstrip("0") or "0"
    if not text or len(digits) > len(str(largest)) or int(digits) > largest:
        raise InvalidQuery(option, 1, expected, shortened(text) or Sort.END.value)
    return int(digits)


def _count(text: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidQuery(COUNT, 1, "true or false", shortened(text) or Sort.END.value)
    return text == "true"


def _select(text: str | None) -> tuple[str, ...]:
    if text is None:
        return SELECTED_BY_DEFAULT
    if len(text) > CHARACTERS_MAX:
        raise InvalidQuery(SELECT, CHARACTERS_MAX + 1, f"at most {CHARACTERS_MAX:,} characters")
    chosen: set[str] = set()
    start = 0
    for piece in text.split(","):
        name = piece.strip(" \t")
        if name != "*" and name not in SELECTABLE:
            position = start + len(piece) - len(piece.lstrip(" \t")) + 1
            expected = f"* or fields of the order ({', '.join(SELECTABLE)})"
            raise InvalidQuery(SELECT, position, expected, shortened(name) or "nothing")
        chosen.update(SELECTABLE if name == "*" else (name,))
        start += len(piece) + 1
    return tuple(name for name in SELECTABLE if name in chosen)
