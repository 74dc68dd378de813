"""The functions a query can call, by name, and their arguments."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from openorders.contracts.marketplace.odata.fields import Kind
from openorders.contracts.marketplace.odata.lexer import Token
from openorders.contracts.marketplace.odata.operand import Operand, Reading
from openorders.domain.search import Call, Expression, Function, Match, Scalar, TextMatch, Value

_MATCHES: Final = {
    "contains": Match.CONTAINS,
    "startswith": Match.STARTS_WITH,
    "endswith": Match.ENDS_WITH,
}
_OF_TEXT: Final = {
    "tolower": (Function.LOWER, Kind.TEXT),
    "toupper": (Function.UPPER, Kind.TEXT),
    "length": (Function.LENGTH, Kind.WHOLE),
}
_OF_TIME: Final = {
    "year": (Function.YEAR, Kind.WHOLE),
    "month": (Function.MONTH, Kind.WHOLE),
    "day": (Function.DAY, Kind.WHOLE),
    "hour": (Function.HOUR, Kind.WHOLE),
    "date": (Function.DATE, Kind.DATE),
}
_OF_DATE: Final = ("year", "month", "day")
ARGUMENTS: Final = {
    **dict.fromkeys(_MATCHES, 2),
    **dict.fromkeys((*_OF_TEXT, *_OF_TIME), 1),
    "now": 0,
}
"""How many arguments each function takes."""


def call(reading: Reading, name: Token, arguments: Sequence[Operand], end: int) -> Operand:
    """The function of its arguments; null if one of them is."""
    if name.text == "now":
        return Operand(Value(value=reading.now), Kind.INSTANT, name.start, end)
    kinds = _kinds(name.text)
    expected = " or ".join(kind.value for kind in kinds)
    for argument in arguments:
        reading.demand(argument, lambda kind: kind in kinds, expected)
    if any(argument.kind is Kind.NULL for argument in arguments):
        return Operand(Value(value=None), Kind.NULL, name.start, end)
    expression, kind = _applied(name.text, arguments)
    if not isinstance(expression, Value):
        reading.note_cost(name.start, end)
    return Operand(expression, kind, name.start, end)


def _kinds(name: str) -> tuple[Kind, ...]:
    if name in _MATCHES or name in _OF_TEXT:
        return (Kind.TEXT,)
    return (Kind.INSTANT, Kind.DATE) if name in _OF_DATE else (Kind.INSTANT,)


def _applied(name: str, arguments: Sequence[Operand]) -> tuple[Expression, Kind]:
    argument = arguments[0].expression
    if name in _MATCHES:
        part = arguments[1].expression
        return TextMatch(match=_MATCHES[name], text=argument, part=part), Kind.CONDITION
    if name in _OF_TEXT:
        function, kind = _OF_TEXT[name]
        return Call(function=function, operand=argument), kind
    function, kind = _OF_TIME[name]
    constant = arguments[0].constant
    if isinstance(constant, date):
        return Value(value=_part_of(name, constant)), kind
    return Call(function=function, operand=_whole(argument)), kind


def _whole(at: Expression) -> Expression:
    """Below a part of a time, neither its second nor its day need be cut out first."""
    while isinstance(at, Call) and at.function in (Function.WHOLE_SECOND, Function.DATE):
        at = at.operand
    return at


def _part_of(name: str, at: date) -> Scalar:
    match name:
        case "year":
            return at.year
        case "month":
            return at.month
        case "day":
            return at.day
        case "hour":
            assert isinstance(at, datetime)
            return at.hour
        case _:
            return at.date() if isinstance(at, datetime) else at
