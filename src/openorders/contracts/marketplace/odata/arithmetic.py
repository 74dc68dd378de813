"""Numbers: the five operators and the minus sign. Constants are worked out exactly here.

A division by zero that can be seen in the text is refused; one that only a field brings about
is met by the database.
"""

from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from typing import Final

from openorders.contracts.marketplace.odata.fields import Kind
from openorders.contracts.marketplace.odata.lexer import DIGITS_MAX
from openorders.contracts.marketplace.odata.operand import Operand, Reading
from openorders.domain.ids import ID_MAX
from openorders.domain.search import Arithmetic, Negate, Operation, Value

OPERATIONS: Final = {
    "add": Operation.ADD,
    "sub": Operation.SUB,
    "mul": Operation.MUL,
    "div": Operation.DIV,
    "mod": Operation.MOD,
}
_EXACT: Final = Context(prec=2 * DIGITS_MAX, traps=[Inexact, InvalidOperation])


def calculation(reading: Reading, operation: Operation, left: Operand, right: Operand) -> Operand:
    """A whole number if both are, else a decimal; null if either is null."""
    for side in (left, right):
        reading.demand(side, lambda kind: kind.is_number, "a number")
    divides = operation in (Operation.DIV, Operation.MOD)
    if divides and right.constant == 0 and right.is_constant:
        raise reading.source.error(right.start, "a divisor that is not zero")
    if Kind.NULL in (left.kind, right.kind):
        return Operand(Value(value=None), Kind.NULL, left.start, right.end)
    whole = left.kind is right.kind is Kind.WHOLE
    kind = Kind.WHOLE if whole else Kind.DECIMAL
    if left.is_constant and right.is_constant:
        result = _worked_out(operation, left, right)
        if result is not None:
            if isinstance(result, int) and abs(result) > ID_MAX:
                raise reading.source.error(left.start, "a result within 64 bits")
            return Operand(Value(value=result), kind, left.start, right.end)
    reading.note_calculation(left.start, right.end, divides=divides)
    expression = Arithmetic(operation=operation, left=left.expression, right=right.expression)
    return Operand(expression, kind, left.start, right.end)


def minus(reading: Reading, start: int, operand: Operand) -> Operand:
    """The minus sign; part of the number where it stands before one."""
    reading.demand(operand, lambda kind: kind.is_number, "a number after -")
    kind = operand.kind
    match operand.expression:
        case Value(value=int(value)):
            expression = Value(value=-value)
        case Value(value=Decimal() as value):
            is_smallest = value == ID_MAX + 1 and value == value.to_integral_value()
            kind = Kind.WHOLE if is_smallest else kind
            expression = Value(value=int(-value) if is_smallest else -value)
        case Value():
            expression = operand.expression
        case Negate(operand=inner):
            expression = inner
        case _:
            reading.note_calculation(start, operand.end, divides=False)
            expression = Negate(operand=operand.expression)
    return Operand(expression, kind, start, operand.end)


def _worked_out(operation: Operation, left: Operand, right: Operand) -> int | Decimal | None:
    """The exact result, or None where there is none of a bearable length."""
    a, b = left.constant, right.constant
    if isinstance(a, int) and isinstance(b, int):
        return _whole(operation, a, b)
    assert isinstance(a, int | Decimal)
    assert isinstance(b, int | Decimal)
    try:
        result = _decimal(operation, Decimal(a), Decimal(b))
    except DecimalException:
        return None
    return result if abs(result.adjusted()) <= 2 * DIGITS_MAX else None


def _whole(operation: Operation, a: int, b: int) -> int:
    match operation:
        case Operation.ADD:
            return a + b
        case Operation.SUB:
            return a - b
        case Operation.MUL:
            return a * b
        case Operation.DIV:
            quotient = abs(a) // abs(b)
            return quotient if (a < 0) == (b < 0) else -quotient
        case Operation.MOD:
            rest = abs(a) % abs(b)
            return -rest if a < 0 else rest


def _decimal(operation: Operation, a: Decimal, b: Decimal) -> Decimal:
    match operation:
        case Operation.ADD:
            return _EXACT.add(a, b)
        case Operation.SUB:
            return _EXACT.subtract(a, b)
        case Operation.MUL:
            return _EXACT.multiply(a, b)
        case Operation.DIV:
            return _EXACT.divide(a, b)
        case Operation.MOD:
            return _EXACT.remainder(a, b)
