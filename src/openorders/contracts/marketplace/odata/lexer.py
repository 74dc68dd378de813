"""An OData expression cut into tokens, each with its place, and the limits on it.

All limits are enforced here, before anything is parsed. What a name means is not known yet.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Final, NamedTuple

from msgspec import Struct

from openorders.contracts.marketplace.odata.errors import InvalidQuery, shortened
from openorders.domain.ids import ID_MAX
from openorders.domain.search import Scalar

CHARACTERS_MAX: Final = 8_000
OPEN_PARENTHESES_MAX: Final = 50
COMPARISONS_MAX: Final = 200
DIGITS_MAX: Final = 38
"""Digits of a number, on either side of the point; an exponent counts as the digits it saves."""

COMPARISONS: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
MATCHES: Final = frozenset({"contains", "startswith", "endswith"})


class Sort(Enum):
    """The sorts of token; the values are how people are told of them."""

    NAME = "a name"
    TEXT = "text in single quotes"
    NUMBER = "a number"
    DATE = "a date"
    INSTANT = "a date and time"
    OPEN = "'('"
    CLOSE = "')'"
    COMMA = "','"
    SLASH = "'/'"
    COLON = "':'"
    MINUS = "'-'"
    END = "the end"


class Token(NamedTuple):  # a tuple is made several times faster than a frozen dataclass
    """`start` and `end` are offsets from 0; `value` is what a literal stands for."""

    sort: Sort
    text: str
    start: int
    value: Scalar | None = None

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def shown(self) -> str:
        """The token as an error quotes it."""
        return self.sort.value if self.sort is Sort.END else shortened(self.text)


class Source(Struct, frozen=True):
    """The decoded text of one query option; it can tell what is wrong in it, and where."""

    option: str
    text: str

    def error(self, start: int, expected: str, found: str = "") -> InvalidQuery:
        return InvalidQuery(self.option, start + 1, expected, found)


_TOKEN: Final = re.compile(
    r"""
      (?P<blank>   [ \t]+ )
    | (?P<instant> [0-9]{4}-[0-9]{2}-[0-9]{2} [Tt] (?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)
                   (?:\.(?P<fraction>[0-9]{1,12}))?
                   (?P<zone> [Zz] | [+-][0-9]{2}:[0-9]{2} )? (?![\w.:]) )
    | (?P<date>    [0-9]{4}-[0-9]{2}-[0-9]{2} (?![\w.:-]) )
    | (?P<number>  \+?[0-9]+ (?:\.[0-9]+)? (?:[eE](?P<exponent>[+-]?[0-9]+))? (?![\w.]) )
    | (?P<name>    [^\W\d]\w* )
    | (?P<text>    ' (?:[^']|'')*+ ' )
    | (?P<sign>    [(),/:-] )
    """,
    re.VERBOSE,
)
_SIGNS: Final = {
    "(": Sort.OPEN,
    ")": Sort.CLOSE,
    ",": Sort.COMMA,
    "/": Sort.SLASH,
    ":": Sort.COLON,
    "-": Sort.MINUS,
}
_UNSENDABLE: Final = re.compile("[\0\ud800-\udfff]")


def tokens_of(source: Source) -> Sequence[Token]:
    """The tokens without blanks, the last one being the end."""
    if len(source.text) > CHARACTERS_MAX:
        raise source.error(CHARACTERS_MAX, f"at most {CHARACTERS_MAX:,} characters")
    if bad := _UNSENDABLE.search(source.text):
        raise source.error(bad.start(), "text without NUL or lone surrogates")
    tokens = (*_tokens(source), Token(Sort.END, "", len(source.text)))
    _check_limits(source, tokens)
    return tokens


def _tokens(source: Source) -> Iterator[Token]:
    at = 0
    while at < len(source.text):
        found = _TOKEN.match(source.text, at)
        if found is None:
            raise _no_token(source, at)
        at = found.end()
        if found.lastgroup != "blank":
            yield _token(source, found)


def _token(source: Source, found: re.Match[str]) -> Token:
    text, start = found.group(), found.start()
    match found.lastgroup:
        case "name":
            token = Token(Sort.NAME, text, start)
        case "text":
            token = Token(Sort.TEXT, text, start, text[1:-1].replace("''", "'"))
        case "number":
            token = Token(Sort.NUMBER, text, start, _number(source, found))
        case "date":
            token = Token(Sort.DATE, text, start, _date(source, found))
        case "instant":
            token = Token(Sort.INSTANT, text, start, _instant(source, found))
        case _:
            token = Token(_SIGNS[text], text, start)
    return token


def _number(source: Source, found: re.Match[str]) -> int | Decimal:
    exponent = found["exponent"] or "0"
    if len(exponent) <= len("-100"):  # else it could not even be kept
        number = Decimal(found["number"])
        _, _, scale = number.as_tuple()
        if number.adjusted() < DIGITS_MAX and isinstance(scale, int) and -scale <= DIGITS_MAX:
            is_whole = found["number"].lstrip("+").isdigit() and number <= ID_MAX
            return int(number) if is_whole else number
    expected = f"a number of at most {DIGITS_MAX} digits on either side of the point"
    raise source.error(found.start(), expected)


def _date(source: Source, found: re.Match[str]) -> date:
    try:
        return date.fromisoformat(found.group())
    except ValueError:
        raise source.error(found.start(), "a day that exists", found.group()) from None


def _instant(source: Source, found: re.Match[str]) -> datetime:
    if found["zone"] is None:
        expected = "a time zone: Z, or an offset such as +02:00 whose + is sent as %2B"
        raise source.error(found.end(), expected)
    fraction = (found["fraction"] or "").ljust(6, "0")
    try:
        day = date.fromisoformat(found.group()[:10])
        hour, minute, second = (*map(int, found["time"].split(":")), 0)[:3]
        # Times are shown to the second, so all that matters of the rest is that there is some.
        rest = int(fraction[:6]) or int(int(fraction) > 0)
        local = datetime(
            day.year, day.month, day.day, hour, minute, second, rest, _zone(found["zone"])
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise source.error(found.start(), "a time that exists", found.group()) from None


def _zone(text: str) -> timezone:
    if text in "Zz":
        return UTC
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[4:]))
    return timezone(-ahead if text[0] == "-" else ahead)


def _no_token(source: Source, at: int) -> InvalidQuery:
    character = source.text[at]
    if character == "'":
        return source.error(len(source.text), "a closing single quote")
    if character == '"':
        return source.error(at, Sort.TEXT.value, character)
    if character.isdigit() or character == "+":
        return source.error(at, "a number, a date or a time", shortened(source.text[at:]))
    return source.error(at, "a name, a value, an operator or a parenthesis", character)


def _check_limits(source: Source, tokens: Sequence[Token]) -> None:
    still_open = comparisons = 0
    for token, following in pairwise(tokens):
        if token.sort is Sort.OPEN:
            still_open += 1
        elif token.sort is Sort.CLOSE:
            still_open -= 1
        elif token.sort is Sort.NAME and _compares(token, following):
            comparisons += 1
        if still_open > OPEN_PARENTHESES_MAX:
            raise source.error(
                token.start, f"at most {OPEN_PARENTHESES_MAX} parentheses open at once"
            )
        if comparisons > COMPARISONS_MAX:
            raise source.error(token.start, f"at most {COMPARISONS_MAX} comparisons")


def _compares(token: Token, following: Token) -> bool:
    if token.text in MATCHES:
        return following.sort is Sort.OPEN
    is_path = following.sort in (Sort.SLASH, Sort.COLON)
    return not is_path and (token.text in COMPARISONS or token.text == "in")
