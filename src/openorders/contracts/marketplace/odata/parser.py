"""An OData expression read by operator precedence, with lists instead of recursion.

However deep parentheses, chains of `not` or a row of additions go, the stack of Python does
not grow. What the pieces mean, and whether they fit, is decided as they are put together.
"""

from enum import Enum, auto
from typing import Final

from msgspec import Struct

from openorders.contracts.marketplace.odata.arithmetic import OPERATIONS, calculation, minus
from openorders.contracts.marketplace.odata.comparison import COMPARISONS, comparison, membership
from openorders.contracts.marketplace.odata.cursor import Cursor
from openorders.contracts.marketplace.odata.fields import (
    COLLECTION,
    LINE_FIELDS,
    ORDER_FIELDS,
    Kind,
)
from openorders.contracts.marketplace.odata.functions import ARGUMENTS, call
from openorders.contracts.marketplace.odata.lexer import Sort, Token
from openorders.contracts.marketplace.odata.operand import (
    Operand,
    conjunction,
    disjunction,
    negation,
)
from openorders.domain.search import AllLines, AnyLine

# From the loosest to the tightest. `in` is tighter than all, so it never waits.
_PRECEDENCE: Final = {
    "or": 0,
    "and": 1,
    **dict.fromkeys(("eq", "ne"), 2),
    **dict.fromkeys(("gt", "ge", "lt", "le"), 3),
    **dict.fromkeys(("add", "sub"), 4),
    **dict.fromkeys(("mul", "div", "mod"), 5),
}
_UNARY: Final = 6
_JUNCTIONS: Final = {"and": conjunction, "or": disjunction}
_OPERATOR: Final = "an operator such as eq, gt, in, and, or"
_LAMBDAS: Final = f"{COLLECTION}/any(…) or {COLLECTION}/all(…)"


class _Opening(Enum):
    GROUP = auto()
    CALL = auto()
    LAMBDA = auto()


class _Opened(Struct, frozen=True):
    """A parenthesis that waits for its end. `word` names the function, or any or all."""

    opening: _Opening
    word: Token
    operands_before: int
    operators_before: int


class Parser:
    """Reads the expressions of one option; the cursor says where it is."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._reading = cursor.reading
        self._opened: list[_Opened] = []
        self._operators: list[tuple[Token, int]] = []
        self._operands: list[Operand] = []
        self._variable: str | None = None

    def expression(self) -> Operand:
        """The longest expression from here; what follows it is the caller's to judge."""
        self._read_operand()
        while self._read_after_operand():
            self._read_operand()
        if self._opened:
            raise self._cursor.unexpected(f"{_OPERATOR}, or {Sort.CLOSE.value}")
        self._reduce(0)
        return self._operands.pop()

    # Where an operand belongs

    def _read_operand(self) -> None:
        cursor = self._cursor
        complete = False
        while not complete:
            named = cursor.token.sort is Sort.NAME
            if cursor.token.sort is Sort.OPEN:
                self._open(_Opening.GROUP, cursor.take())
            elif named and cursor.token.text == "not":
                self._operators.append((cursor.take(), _UNARY))
            elif named and cursor.following.sort is Sort.OPEN:
                complete = self._read_function()
            elif named and cursor.following.sort is Sort.SLASH:
                complete = self._read_path()
            elif literal := cursor.literal():
                self._operands.append(literal)
                complete = True
            elif cursor.token.sort is Sort.MINUS:
                self._operators.append((cursor.take(), _UNARY))
            else:
                self._operands.append(self._field())
                complete = True

    def _open(self, opening: _Opening, word: Token) -> None:
        before = (len(self._operands), len(self._operators))
        self._opened.append(_Opened(opening, word, *before))

    def _field(self) -> Operand:
        token = self._cursor.token
        if token.sort is not Sort.NAME:
            raise self._cursor.unexpected("a field, a value, a function or '('")
        known = ORDER_FIELDS.get(token.text)
        if known is None:
            raise self._cursor.unexpected(self._expected_field(token.text))
        self._cursor.take()
        return Operand(known.expression, known.kind, token.start, token.end)

    def _expected_field(self, name: str) -> str:
        if name == COLLECTION:
            return _LAMBDAS
        if self._variable is not None and (name == self._variable or name in LINE_FIELDS):
            return f"a field of the item such as {self._variable}/quantity"
        if name in ("NaN", "INF"):
            return "a finite number"
        return f"a field of the order ({', '.join(ORDER_FIELDS)}) or a value"

    def _read_function(self) -> bool:
        """Open a call. True if that was all of it: nothing stands in the parentheses."""
        cursor = self._cursor
        if cursor.token.text not in ARGUMENTS:
            raise cursor.unexpected(f"a function ({', '.join(ARGUMENTS)})")
        self._open(_Opening.CALL, cursor.take())
        cursor.take()
        if cursor.token.sort is not Sort.CLOSE and ARGUMENTS[self._opened[-1].word.text]:
            return False
        if cursor.token.sort is not Sort.CLOSE:
            raise cursor.unexpected(Sort.CLOSE.value)
        self._close()
        return True

    def _read_path(self) -> bool:
        """Read a field of the item, or open a lambda. True if that was all of it."""
        cursor = self._cursor
        start = cursor.token.start
        if self._variable is not None:
            if cursor.token.text != self._variable:
                expected = f"{self._variable}/ and a field of the item, nothing nested deeper"
                raise cursor.unexpected(expected)
            self._operands.append(self._line_field())
            return True
        if cursor.token.text != COLLECTION:
            raise cursor.unexpected(_LAMBDAS)
        cursor.take()
        cursor.take()
        if not cursor.is_word("any", "all"):
            raise cursor.unexpected("any or all")
        word = Token(Sort.NAME, cursor.take().text, start)
        cursor.take_sort(Sort.OPEN)
        self._open(_Opening.LAMBDA, word)
        if word.text == "any" and cursor.token.sort is Sort.CLOSE:
            self._close()
            return True
        if cursor.token.sort is not Sort.NAME:
            raise cursor.unexpected("a name for the item, as in i: i/quantity gt 1")
        self._variable = cursor.take().text
        cursor.take_sort(Sort.COLON)
        return False

    def _line_field(self) -> Operand:
        start = self._cursor.take().start
        self._cursor.take()
        token = self._cursor.token
        known = LINE_FIELDS.get(token.text) if token.sort is Sort.NAME else None
        if known is None:
            expected = f"a field of the item ({', '.join(LINE_FIELDS)})"
            raise self._cursor.unexpected(expected)
        self._cursor.take()
        return Operand(known.expression, known.kind, start, token.end)

    # Where an operator belongs

    def _read_after_operand(self) -> bool:
        """Read up to where the next operand belongs. False if the expression ends before."""
        cursor = self._cursor
        while True:
            if cursor.token.sort is Sort.CLOSE and self._opened:
                self._close()
            elif cursor.is_word("in"):
                cursor.take()
                values, end = cursor.values()
                operand = self._operands.pop()
                self._operands.append(membership(self._reading, operand, values, end))
            elif cursor.is_word(*_PRECEDENCE):
                precedence = _PRECEDENCE[cursor.token.text]
                self._reduce(precedence)
                self._operators.append((cursor.take(), precedence))
                return True
            else:
                return self._read_comma()

    def _read_comma(self) -> bool:
        """A comma of a call is read here; any other one is not part of the expression."""
        cursor = self._cursor
        if cursor.token.sort is not Sort.COMMA or not self._opened:
            return False
        opened = self._opened[-1]
        self._reduce(0)
        count = len(self._operands) - opened.operands_before
        if opened.opening is not _Opening.CALL or count >= ARGUMENTS[opened.word.text]:
            raise cursor.unexpected(f"{_OPERATOR}, or {Sort.CLOSE.value}")
        cursor.take()
        return True

    def _close(self) -> None:
        """The token closes the innermost parenthesis, and what is in it becomes one operand."""
        self._reduce(0)
        opened = self._opened.pop()
        inside = self._operands[opened.operands_before :]
        del self._operands[opened.operands_before :]
        if opened.opening is _Opening.CALL and len(inside) < ARGUMENTS[opened.word.text]:
            more = "',' and one more argument" if inside else "an argument"
            raise self._cursor.unexpected(f"{more} of {opened.word.text}")
        start, end = opened.word.start, self._cursor.take().end
        match opened.opening:
            case _Opening.GROUP:
                closed = inside[0].spanning(start, end)
            case _Opening.CALL:
                closed = call(self._reading, opened.word, inside, end)
            case _Opening.LAMBDA:
                closed = self._lambda(opened.word, inside, end)
        self._operands.append(closed)

    def _lambda(self, word: Token, inside: list[Operand], end: int) -> Operand:
        self._variable = None
        self._reading.note_cost(word.start, end)
        if not inside:
            return Operand(AnyLine(), Kind.CONDITION, word.start, end)
        body = inside[0]
        self._reading.demand_condition(body)
        lines = AnyLine if word.text == "any" else AllLines
        return Operand(lines(condition=body.expression), Kind.CONDITION, word.start, end)

    def _reduce(self, precedence: int) -> None:
        """Apply the operators since the last parenthesis that bind at least as tightly."""
        first = self._opened[-1].operators_before if self._opened else 0
        while len(self._operators) > first and self._operators[-1][1] >= precedence:
            operator, _ = self._operators.pop()
            self._operands.append(self._apply(operator))

    def _apply(self, operator: Token) -> Operand:
        right = self._operands.pop()
        word, reading = operator.text, self._reading
        if word == "not":
            return negation(reading, operator.start, right)
        if operator.sort is Sort.MINUS:
            return minus(reading, operator.start, right)
        left = self._operands.pop()
        if word in COMPARISONS:
            return comparison(reading, COMPARISONS[word], left, right)
        if word in OPERATIONS:
            return calculation(reading, OPERATIONS[word], left, right)
        return _JUNCTIONS[word](reading, left, right)
