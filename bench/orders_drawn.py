"""What happened to each order of a made-up shop: when, who, what, and how it ended.

Everything of an order follows from the seed and the order's place alone, so it is the same
whatever machine or process draws it. Only sums, products, divisions and table look-ups of the
generator's numbers are used: a power or a logarithm may end in another last digit elsewhere.
Knows nothing of tables; `bench.orders_rows` writes what is drawn here.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from random import Random
from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 24 * HOUR
SPAN_DAYS: Final = 3 * 365
CHUNK: Final = 2_000
"""Orders that are drawn from one stream of random numbers."""

PRODUCTS: Final = 1_000
VARIANTS: Final = 1_500
"""Every product has a variant of its own number; every second one has another one more."""

_LINES: Final = (0,) * 35 + (1,) * 27 + (2,) * 16 + (3,) * 9 + (4,) * 6 + (5,) * 4 + (6,) * 2 + (7,)
_QUANTITIES: Final = (1,) * 75 + (2,) * 15 + (3,) * 5 + (4, 5, 6, 10, 12)
_HOURS: Final = (
    10, 6, 4, 3, 3, 5, 12, 25, 40, 55, 62, 66, 70, 66, 60, 58, 60, 66, 74, 84, 92, 80, 50, 24,
)  # fmt: skip
_WEEKDAYS: Final = (11, 10, 10, 10, 9, 7, 12)

# Of all orders, those below the first number are kept, and of these ...
_KEPT: Final = 0.90
_AT_ONCE: Final = 0.55
"""... so many are paid with the order,"""
_BY_CARD: Final = 0.82
"""... up to here on the pay page, the others by bank transfer;"""
_HAPPY: Final = 0.85
"""... beyond this a part is given back, or everything with the goods."""
_PART_HAPPY: Final = 0.87
_REGRETTED: Final = 0.93
"""Paid, cancelled and given back; those beyond are never paid."""
_DECLINED: Final = 0.97
_UNASKED: Final = 0.985
_FORGOTTEN: Final = 0.04
"""Of the orders that are not paid, so many are not even cancelled."""
_TO_PARTNERS: Final = 0.08

_WAY: Final = (
    ("processing", "paid", 0.003, 10 * MINUTE, 20 * HOUR),
    ("shipped", "processing", 0.006, 2 * HOUR, 40 * HOUR),
    ("delivered", "shipped", 0.012, 20 * HOUR, 5 * DAY),
    ("completed", "delivered", 0.15, 2 * DAY, 10 * DAY),
)
"""A step, what it follows, how many orders never take it, and how soon and late it is taken."""

Draw = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked for. `until` is the moment all this is seen at, in seconds since 1970."""

    orders: int
    seed: int
    until: int

    @property
    def customers(self) -> int:
        """Every fifth order brings a new one; the first of them order most."""
        return max(1, self.orders // 5)

    @property
    def begins(self) -> int:
        """When the shop opened."""
        return self.until - SPAN_DAYS * DAY


@dataclass(slots=True, kw_only=True)
class Past:
    """One order. Times are seconds since 1970; `steps` are what followed its placing."""

    place: int
    customer: int
    at: int
    lines: list[tuple[int, int]]
    """Variant and quantity."""
    partner: int | None
    dice: float
    """Decides what has no consequences: addresses, notes, carriers."""
    gateway: str = "sandbox"
    charged: bool = False
    asked: bool = False
    declined_at: int | None = None
    steps: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    words: dict[str, int] = field(default_factory=dict[str, int])
    """When each of them was taken."""
    refund: str | None = None
    """`all` of it, with the goods, or a `part`, out of goodwill."""

    def has(self, word: str) -> bool:
        """Whether it got that far."""
        return word in self.words

    @property
    def last_at(self) -> int:
        """When something happened to it last."""
        return self.steps[-1][1] if self.steps else self.declined_at or self.at


def chunks(plan: Plan) -> int:
    """How many chunks the plan has."""
    return -(-plan.orders // CHUNK)


def draw(plan: Plan, chunk: int) -> Iterator[Past]:
    """The orders of a chunk, in the order in which they were placed."""
    rnd = Random(f"{plan.seed}:{chunk}").random  # noqa: S311 - to be repeated, not to be secret
    for place in range(chunk * CHUNK, min(plan.orders, (chunk + 1) * CHUNK)):
        yield _past(plan, rnd, place)


def _past(plan: Plan, rnd: Draw, place: int) -> Past:
    at = _arrival(plan, place, rnd())
    skew = rnd()
    past = Past(
        place=place,
        customer=int(plan.customers * skew * skew * skew),
        at=at,
        lines=_lines(rnd),
        partner=int(rnd() * 12) if rnd() < _TO_PARTNERS else None,
        dice=rnd(),
    )
    _live(past, rnd, plan.until)
    return past


@cache
def _rush(begins: int) -> tuple[list[int], list[int]]:
    """How busy each hour is, and all hours up to it: more from year to year, by day and hour."""
    weights: list[int] = []
    first = begins // DAY
    for day in range(SPAN_DAYS):
        trend = (400 + 1200 * day // SPAN_DAYS) * _WEEKDAYS[(first + day) % 7]
        weights += [trend * hour for hour in _HOURS]
    return weights, list(accumulate(weights))


def _arrival(plan: Plan, place: int, jitter: float) -> int:
    weights, sums = _rush(plan.begins)
    point = (place + jitter) / plan.orders * sums[-1]
    slot = min(bisect_right(sums, point), len(sums) - 1)
    within = (point - (sums[slot] - weights[slot])) / weights[slot]
    return plan.begins + slot * HOUR + min(HOUR - 1, int(within * HOUR))


@cache
def _popular() -> tuple[int, ...]:
    """A variant per number that is drawn, few of them often (about 1 / rank)."""
    weights = [1 / (rank + 8) for rank in range(VARIANTS)]
    sums = list(accumulate(weights))
    size = 1 << 16
    return tuple(bisect_right(sums, (n + 0.5) / size * sums[-1]) + 1 for n in range(size))


def _lines(rnd: Draw) -> list[tuple[int, int]]:
    popular = _popular()
    lines = {popular[int(rnd() * 65536)]: _QUANTITIES[int(rnd() * 100)]}
    for _ in range(_LINES[int(rnd() * 100)]):
        lines[popular[int(rnd() * 65536)]] = _QUANTITIES[int(rnd() * 100)]
    return list(lines.items())


def _live(past: Past, rnd: Draw, until: int) -> None:
    """Decide what became of it, as far as it happened before `until`."""
    fate = rnd()
    if fate < _KEPT:
        _pay(past, rnd, until, fate)
        _fulfil(past, rnd, until)
        if fate > _HAPPY and past.has("delivered"):
            past.refund = "all" if fate > _PART_HAPPY else "part"
            _take(past, "refunded", DAY + int(rnd() * 24 * DAY), until)
            past.refund = past.refund if past.has("refunded") else None
    elif fate < _REGRETTED:
        _pay(past, rnd, until, 0.0)
        _take(past, "cancelled", HOUR + int(rnd() * 10 * HOUR), until)
        if past.has("cancelled") and past.has("paid"):
            past.refund = "all"
            past.steps.append(("refunded", past.last_at + 20))
            past.words["refunded"] = past.last_at
    else:
        past.asked = fate < _UNASKED
        if fate > _DECLINED and past.asked:
            past.declined_at = min(until, past.at + 30 + int(rnd() * HOUR))
        if rnd() > _FORGOTTEN:
            _take(past, "cancelled", 2 * DAY + int(rnd() * 5 * DAY), until)


def _pay(past: Past, rnd: Draw, until: int, fate: float) -> None:
    if past.partner is not None or fate > _BY_CARD:
        past.gateway = "manual"
        _take(past, "paid", DAY + int(rnd() * 5 * DAY), until)
    elif fate < _AT_ONCE:
        past.charged = True
        _take(past, "paid", 1 + int(rnd() * 4), until)
    else:
        past.asked = True
        _take(past, "paid", MINUTE + int(rnd() * rnd() * 10 * HOUR), until)


def _fulfil(past: Past, rnd: Draw, until: int) -> None:
    """On to its end, where it does not come to a stop."""
    stop = rnd()
    for word, before, stops, least, most in _WAY:
        if not past.has(before) or stop < stops:
            return
        _take(past, word, least + int(rnd() * (most - least)), until)


def _take(past: Past, word: str, later: int, until: int) -> None:
    at = past.last_at + later
    if at < until:
        past.steps.append((word, at))
        past.words[word] = at
