"""Random filters as text, each with what it means: written from the language's rules alone.

A filter is built as a tree, printed with as few parentheses as the precedence allows (and some
more at random), and can be asked of an order as the marketplace shows it. MUST and MAY stand
where a blank has to be or can be; `spelled` puts some there.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

MUST, MAY = "\x01", "\x02"
NOW = datetime(2026, 6, 2, 10, 30, 0, 250_000, tzinfo=UTC)
OR, AND, EQUALITY, ORDERING, SUM, PRODUCT, UNARY, MEMBERSHIP, PRIMARY = range(9)
EQUALITIES = ("eq", "ne")
ORDERINGS = ("gt", "ge", "lt", "le")
WORDS = {
    "created": "pending",
    "payment_pending": "pending_payment",
    "paid": "pending",
    "processing": "processing",
    "shipped": "shipped",
    "delivered": "delivered",
    "completed": "completed",
    "cancelled": "cancelled",
    "refunded": "refunded",
}


@dataclass(frozen=True)
class Piece:
    """Text, how tightly its outermost operator binds, and what it is of an order and an item."""

    text: str
    binding: int
    meaning: Callable[[dict, Any], object]

    def within(self, least: int) -> str:
        return self.text if self.binding >= least else f"({MAY}{self.text}{MAY})"

    def __repr__(self) -> str:
        return spelled(self.text)


def spelled(text: str, chance: random.Random | None = None) -> str:
    """With single blanks, or with blanks and tabs of `chance`'s choice."""
    if chance is None:
        return text.replace(MUST, " ").replace(MAY, "")
    musts, mays = (" ", "  ", "\t", " \t "), ("", "", " ", "\t")
    choices = {MUST: musts, MAY: mays}
    return "".join(
        chance.choice(choices[character]) if character in choices else character
        for character in text
    )


def shown(order) -> dict:
    """A sample order as the marketplace shows it."""
    return {
        "id": f"ord_{order.id}",
        "customerId": f"cust_{order.customer_id}",
        "status": WORDS[order.word],
        "totalAmount": Decimal(order.total).scaleb(-order.minor_digits),
        "currency": order.currency,
        "paymentMethod": order.payment_method,
        "createdAt": order.created_at.replace(microsecond=0),
        "updatedAt": order.updated_at.replace(microsecond=0),
        "items": [
            {
                "offerId": f"offer_{line.variant_id}",
                "quantity": line.quantity,
                "price": Decimal(line.unit_price).scaleb(-order.minor_digits),
                "status": line.state,
            }
            for line in order.lines
        ],
    }


def _short(strategy):
    @st.composite
    def drawn(draw):
        return draw(strategy)

    return drawn()


def _constant(text, value):
    return Piece(text, PRIMARY, lambda *_: value)


def _text_constant(value):
    return _constant("'" + value.replace("'", "''") + "'", value)


NULL = _constant("null", None)


def _field(name):
    return Piece(name, PRIMARY, lambda order, _: order[name])


def _item_field(name):
    return Piece(f"i/{name}", PRIMARY, lambda _, item: item[name])


def _binary(word, binding, compute):
    def build(left, right):
        text = f"{left.within(binding)}{MUST}{word}{MUST}{right.within(binding + 1)}"
        return Piece(
            text,
            binding,
            lambda order, item: compute(left.meaning(order, item), right.meaning(order, item)),
        )

    return build


def _unary(word, compute):
    def build(inner):
        return Piece(
            f"{word}{inner.within(UNARY)}",
            UNARY,
            lambda order, item: compute(inner.meaning(order, item)),
        )

    return build


def _call(name, compute):
    def build(*arguments):
        text = f"{name}({MAY}{f'{MAY},{MAY}'.join(one.text for one in arguments)}{MAY})"
        return Piece(
            text,
            PRIMARY,
            lambda order, item: compute(*(one.meaning(order, item) for one in arguments)),
        )

    return build


def _unless_null(compute):
    return lambda *values: None if None in values else compute(*values)


def _div(left, right):
    exact = Decimal(left) / Decimal(right)
    return int(exact) if isinstance(left, int) and isinstance(right, int) else exact


def _mod(left, right):
    rest = Decimal(left) % Decimal(right)
    return int(rest) if isinstance(left, int) and isinstance(right, int) else rest


COMPUTE = {
    "add": lambda left, right: left + right,
    "sub": lambda left, right: left - right,
    "mul": lambda left, right: left * right,
    "div": _div,
    "mod": _mod,
}
COMPARE = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": lambda left, right: None not in (left, right) and left > right,
    "ge": lambda left, right: None not in (left, right) and left >= right,
    "lt": lambda left, right: None not in (left, right) and left < right,
    "le": lambda left, right: None not in (left, right) and left <= right,
}


def _both(left, right):
    return False if False in (left, right) else None if None in (left, right) else True


def _either(left, right):
    return True if True in (left, right) else None if None in (left, right) else False


ID_TEXTS = ("ord_5", "ord_05", "ord_789", "5", "cust_123", "cust_", "offer_456", "offer_7", "o")
TEXTS = (
    *ID_TEXTS,
    *dict.fromkeys(WORDS.values()),
    *("fulfilled", "verified", "paid", "COMPLETED", "Shipped"),
    *("credit_card", "Credit_Card", "100%", "it's", "", "a_b%c\\", "中文", "%", "_", "9"),
    *("USD", "JPY", "eq", "and", ")", "(a,b)"),
)


def texts(*, of_item):
    names = ["id", "customerId", "status", "currency", "paymentMethod"]
    fields = [_field(name) for name in names]
    if of_item:
        fields += [_item_field(name) for name in ("offerId", "status")]
    plain = st.sampled_from([*fields, *map(_text_constant, TEXTS)])
    cased = st.sampled_from(
        [
            _call("tolower", _unless_null(str.lower)),
            _call("toupper", _unless_null(str.upper)),
        ]
    )
    return _short(plain | st.builds(lambda build, text: build(text), cased, plain))


def instants():
    literals = [
        ("2026-06-02T10:30:00Z", datetime(2026, 6, 2, 10, 30, tzinfo=UTC)),
        ("2026-06-02T10:30Z", datetime(2026, 6, 2, 10, 30, tzinfo=UTC)),
        ("2026-06-02T10:30:00.5Z", datetime(2026, 6, 2, 10, 30, 0, 500_000, tzinfo=UTC)),
        ("2025-12-31T23:59:59.9999999z", datetime(2025, 12, 31, 23, 59, 59, 999_999, UTC)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2025-12-31T14:14:59-09:45", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-02-28T13:00:00.0000000Z", datetime(2026, 2, 28, 13, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ]
    constants = [_constant(text, value) for text, value in literals]
    now = Piece("now()", PRIMARY, lambda *_: NOW)
    return st.sampled_from([_field("createdAt"), _field("updatedAt"), *constants, now])


def dates():
    literals = ("2026-01-01", "2026-06-02", "2025-12-31", "2023-10-27")
    constants = [_constant(text, date.fromisoformat(text)) for text in literals]
    of_time = instants().map(_call("date", datetime.date))
    return _short(st.sampled_from(constants) | of_time)


def wholes(*, of_item):
    literals = [_constant(str(number), number) for number in (0, 1, 2, 5, 10, 12, 2026, 75)]
    leaves = st.sampled_from(literals)
    leaves |= texts(of_item=of_item).map(_call("length", _unless_null(len)))
    for part in ("year", "month", "day"):
        of_either = instants() | dates()
        leaves |= of_either.map(_call(part, lambda at, part=part: getattr(at, part)))
    leaves |= instants().map(_call("hour", lambda at: at.hour))
    divisors = [_constant(str(number), number) for number in (1, 2, 3, 7)]
    if of_item:
        leaves |= st.just(_item_field("quantity"))
        divisors.append(_item_field("quantity"))
    return _arithmetic(leaves, st.sampled_from(literals), st.sampled_from(divisors))


def decimals(*, of_item):
    literals = [
        _constant(text, Decimal(text))
        for text in ("75.00", "75.005", "0.0", "7.5e1", "1E+2", "99.99", "0.5", "75e-2")
    ]
    fields = [_field("totalAmount")]
    if of_item:
        fields.append(_item_field("price"))
    divisors = [_constant(text, Decimal(text)) for text in ("2.0", "0.5", "2.50", "8e0")]
    small = st.sampled_from(literals)
    return _arithmetic(st.sampled_from(fields) | small, small, st.sampled_from(divisors))


def _arithmetic(leaves, factors, divisors):
    def binary(words, binding):
        return st.sampled_from(
            [_binary(word, binding, _unless_null(COMPUTE[word])) for word in words]
        )

    def larger(inner):
        def apply(build, left, right):
            return build(left, right)

        return (
            inner.map(_unary(f"-{MAY}", _unless_null(lambda value: -value)))
            | st.builds(apply, binary(("add", "sub"), SUM), inner, inner)
            | st.builds(apply, binary(("mul",), PRODUCT), inner, factors)
            | st.builds(apply, binary(("div", "mod"), PRODUCT), inner, divisors)
        )

    return _short(st.recursive(leaves, larger, max_leaves=4))


def _comparisons(*, of_item):
    numbers = wholes(of_item=of_item) | decimals(of_item=of_item)
    kinds = [texts(of_item=of_item), numbers, instants(), dates()]
    pairs = [st.tuples(kind, kind) for kind in kinds]
    pairs += [st.tuples(kind, st.just(NULL)) for kind in kinds]
    words = st.sampled_from([*EQUALITIES, *ORDERINGS])

    def compare(word, pair):
        binding = EQUALITY if word in EQUALITIES else ORDERING
        return _binary(word, binding, COMPARE[word])(*pair)

    return _short(st.builds(compare, words, st.one_of(pairs).flatmap(st.permutations)))


def _memberships(*, of_item, least):
    def member(operand, values):
        listed = f"{MAY},{MAY}".join(value.text for value in values)
        text = f"{operand.within(MEMBERSHIP)}{MUST}in{MUST}({MAY}{listed}{MAY})"
        constants = [value.meaning({}, None) for value in values]
        return Piece(
            text, MEMBERSHIP, lambda order, item: operand.meaning(order, item) in constants
        )

    numbers = ("1", "2", "5", "75", "75.00", "99.99", "1e1", "-5")
    lists = [
        (texts(of_item=of_item), [*map(_text_constant, TEXTS), NULL]),
        (
            wholes(of_item=of_item) | decimals(of_item=of_item),
            [_constant(text, Decimal(text)) for text in numbers],
        ),
        (
            instants(),
            [
                _constant("2026-06-02T10:30:00Z", datetime(2026, 6, 2, 10, 30, tzinfo=UTC)),
                _constant("2026-01-01T00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
                NULL,
            ],
        ),
    ]
    return _short(
        st.one_of(
            [
                st.builds(
                    member,
                    operand,
                    st.lists(st.sampled_from(values), min_size=least, max_size=4),
                )
                for operand, values in lists
            ]
        )
    )


def _text_matches(*, of_item):
    calls = [
        _call("contains", _unless_null(lambda text, part: part in text)),
        _call("startswith", _unless_null(str.startswith)),
        _call("endswith", _unless_null(str.endswith)),
    ]
    text = texts(of_item=of_item) | st.just(NULL)
    return st.builds(lambda build, *of: build(*of), st.sampled_from(calls), text, text)


def _conditions(leaves, max_leaves):
    def larger(inner):
        junctions = [_binary("and", AND, _both), _binary("or", OR, _either)]
        opposite = _unary(f"not{MUST}", _unless_null(lambda value: not value))
        equal = [_binary(word, EQUALITY, COMPARE[word]) for word in EQUALITIES]
        return (
            st.builds(lambda build, *of: build(*of), st.sampled_from(junctions), inner, inner)
            | inner.map(opposite)
            | st.builds(lambda build, *of: build(*of), st.sampled_from(equal), inner, inner)
        )

    return _short(st.recursive(leaves, larger, max_leaves=max_leaves))


def _leaves(*, of_item, least):
    constants = st.sampled_from([_constant("true", True), _constant("false", False), NULL])
    return _short(
        _comparisons(of_item=of_item)
        | _memberships(of_item=of_item, least=least)
        | _text_matches(of_item=of_item)
        | constants
    )


def _lambdas(least):
    def over_items(word, quantifier, body):
        return Piece(
            f"items/{word}({MAY}i{MAY}:{MAY}{body.text}{MAY})",
            PRIMARY,
            lambda order, _: quantifier(body.meaning(order, one) is True for one in order["items"]),
        )

    bodies = _conditions(_leaves(of_item=True, least=least), 4)
    some = Piece(f"items/any({MAY})", PRIMARY, lambda order, _: bool(order["items"]))
    return (
        st.builds(over_items, st.just("any"), st.just(any), bodies)
        | st.builds(over_items, st.just("all"), st.just(all), bodies)
        | st.just(some)
    )


def filters(*, least_in=1):
    """Filters whose `in` lists have at least so many values."""
    return _conditions(_leaves(of_item=False, least=least_in) | _lambdas(least_in), 6)
