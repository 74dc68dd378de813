"""A place in the tokens of an option, and the literals that stand alone."""

from typing import Final

from openorders.contracts.marketplace.odata.arithmetic import minus
from openorders.contracts.marketplace.odata.errors import InvalidQuery
from openorders.contracts.marketplace.odata.fields import Kind
from openorders.contracts.marketplace.odata.lexer import Sort, Token, tokens_of
from openorders.contracts.marketplace.odata.operand import Operand, Reading
from openorders.domain.search import Value

IN_VALUES_MAX: Final = 100

_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_LITERALS: Final = {
    Sort.TEXT: Kind.TEXT,
    Sort.DATE: Kind.DATE,
    Sort.INSTANT: Kind.INSTANT,
}


class Cursor:
    """Moves over the tokens from left to right and stays at the end."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._tokens = tokens_of(reading.source)
        self._at = 0

    @property
    def token(self) -> Token:
        """The token to be read next."""
        return self._tokens[self._at]

    @property
    def following(self) -> Token:
        """The token after it."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Step over the token; the end stays."""
        token = self.token
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def take_sort(self, sort: Sort) -> Token:
        """Step over a token that has to be of this sort."""
        if self.token.sort is not sort:
            raise self.unexpected(sort.value)
        return self.take()

    def unexpected(self, expected: str) -> InvalidQuery:
        """The token is not what belongs here."""
        return self.reading.source.error(self.token.start, expected, self.token.shown)

    def is_word(self, *words: str) -> bool:
        """The token is one of these words."""
        return self.token.sort is Sort.NAME and self.token.text in words

    def literal(self) -> Operand | None:
        """Step over a literal, if one is here; a minus right before a number is part of it."""
        token, following = self.token, self.following
        if token.sort is not Sort.MINUS:
            return self._unsigned()
        if following.sort is not Sort.NUMBER or following.start != token.end:
            return None
        self.take()
        number = self._unsigned()
        assert number is not None
        return minus(self.reading, token.start, number)

    def _unsigned(self) -> Operand | None:
        token = self.token
        if self.is_word(*_CONSTANTS):
            value = _CONSTANTS[token.text]
            kind = Kind.NULL if value is None else Kind.CONDITION
        elif token.sort is Sort.NUMBER:
            value = token.value
            kind = Kind.WHOLE if isinstance(value, int) else Kind.DECIMAL
        elif token.sort in _LITERALS:
            value, kind = token.value, _LITERALS[token.sort]
        else:
            return None
        self.take()
        return Operand(Value(value=value), kind, token.start, token.end)

    def values(self) -> tuple[tuple[Operand, ...], int]:
        """Step over a list of literals in parentheses; also tells where it ends."""
        self.take_sort(Sort.OPEN)
        values = [self._value()]
        while self.token.sort is Sort.COMMA:
            self.take()
            if len(values) == IN_VALUES_MAX:
                raise self.unexpected(f"at most {IN_VALUES_MAX} values after in")
            values.append(self._value())
        if self.token.sort is not Sort.CLOSE:
            raise self.unexpected("',' or ')'")
        return tuple(values), self.take().end

    def _value(self) -> Operand:
        literal = self.literal()
        if literal is None:
            raise self.unexpected("a value such as 'completed' or 75.00")
        return literal
