"""Figures over many orders: how many, what they bring in, and how that splits into groups.

All orders are counted; revenue and average leave out those that were cancelled or fully
refunded. A day is a day of the store: it begins at the first midnight of its time zone, and is
23 or 25 hours long where clocks are changed.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from openorders.domain import money
from openorders.domain.ids import CustomerId, VariantId
from openorders.domain.order import Word

WITHOUT_REVENUE: Final = frozenset({Word.CANCELLED, Word.REFUNDED})
"""Orders with these words count, and bring in nothing."""

LARGEST_GROUPS: Final = 1_000
"""So many customers or variants are named at most, the largest revenue first."""

FIRST_INSTANT: Final = datetime(1, 1, 2, tzinfo=UTC)
LAST_INSTANT: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""No order is older or younger: bounds where a period is open."""


class Grouping(StrEnum):
    """What figures can be split by."""

    STATUS = "status"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    CUSTOMER = "customer"
    VARIANT = "variant"

    @property
    def is_time(self) -> bool:
        """Whether the groups are stretches of the calendar."""
        return self in (Grouping.DAY, Grouping.WEEK, Grouping.MONTH)


class Period(Struct, frozen=True, kw_only=True):
    """Whole days of a store, both included; None leaves that side open."""

    start: date | None = None
    end: date | None = None

    @property
    def days(self) -> tuple[date, date]:
        """Its first and its last day."""
        return self.start or date.min, self.end or date.max

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The same as instants: from the first one on, before the second one."""
        first = FIRST_INSTANT if self.start is None else beginning_of(self.start, zone)
        if self.end is None or self.end >= LAST_INSTANT.date():
            return first, LAST_INSTANT
        return first, beginning_of(self.end + timedelta(days=1), zone)


class Figures(Struct, frozen=True):
    """`orders` counts all, `earning` those that bring in the `revenue` (minor units)."""

    orders: int = 0
    earning: int = 0
    revenue: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.orders + other.orders,
            self.earning + other.earning,
            self.revenue + other.revenue,
        )

    def average(self, digits: int) -> Decimal:
        """The average value of an earning order, half-even, in major units of the currency."""
        return money.average(self.revenue, self.earning, digits)


GroupKey: TypeAlias = Word | date | CustomerId | VariantId
"""A calendar group is known by its first day: a week's Monday, a month's first."""


class Group(Struct, frozen=True):
    """The figures of one group."""

    key: GroupKey
    figures: Figures


class Metrics(Struct, frozen=True, kw_only=True):
    """Figures as a whole, by word, and in groups where those were asked for.

    `groups_total` counts the groups where not all of them may be named.
    """

    by_word: Mapping[Word, Figures]
    groups: tuple[Group, ...] | None = None
    groups_total: int | None = None

    @property
    def total(self) -> Figures:
        """All orders together."""
        return sum(self.by_word.values(), Figures())


def beginning_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which the day begins there, within the bounds of what can be an order's.

    Where midnight is skipped the day begins at the change; where it comes twice, at the first.
    """
    midnight = datetime.combine(day, time.min, tzinfo=zone)
    try:
        instant = midnight.astimezone(UTC)
    except OverflowError:
        return FIRST_INSTANT if day < LAST_INSTANT.date() else LAST_INSTANT
    return min(max(instant, FIRST_INSTANT), LAST_INSTANT)


def first_day_of(day: date, grouping: Grouping) -> date:
    """The first day of the week (a Monday) or month that the day is in, or the day itself."""
    match grouping:
        case Grouping.WEEK:
            return date.fromordinal(max(1, day.toordinal() - day.weekday()))
        case Grouping.MONTH:
            return day.replace(day=1)
        case _:
            return day


def days_between(first: datetime, last: datetime, zone: ZoneInfo) -> list[date]:
    """The days there that the instants and what is between them fall into."""
    day, until = first.astimezone(zone).date(), last.astimezone(zone).date()
    return [day + timedelta(days=n) for n in range((until - day).days + 1)]


def gathered(days: Iterable[tuple[date, Figures]], grouping: Grouping) -> tuple[Group, ...]:
    """The figures of ascending days as groups of that calendar, which ascend too."""
    if grouping is Grouping.DAY:
        return tuple(Group(day, figures) for day, figures in days)
    groups: dict[date, Figures] = {}
    for day, figures in days:
        first = first_day_of(day, grouping)
        groups[first] = groups[first] + figures if first in groups else figures
    return tuple(Group(first, figures) for first, figures in groups.items())
