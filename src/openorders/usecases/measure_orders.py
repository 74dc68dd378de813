"""Measure orders: how many there are, what they bring in, and how that splits into groups.

Who sees all orders is answered from figures that are kept, exactly and at any number of orders;
who sees some, or asks for customers or variants, by reading those orders.
"""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from openorders.domain import metrics
from openorders.domain.access import Role
from openorders.domain.metrics import Figures, Group, Grouping, Metrics, Period
from openorders.domain.order import Word
from openorders.domain.refusals import QueryTooExpensive, Refused
from openorders.store import figures, reports
from openorders.store.database import Connection
from openorders.store.reports import Counted
from openorders.usecases.context import Context


async def measure_orders(
    ctx: Context, period: Period, grouping: Grouping | None = None, *, costly: str = "the period"
) -> Metrics:
    """Figures of the orders the caller may see, all from one snapshot.

    Groups that nobody ordered in are left out. Words are in the order of an order's life, times
    ascend, customers and variants come by revenue, the largest first. Refuses with
    `QueryTooExpensive` (which names what is `costly`) when that means reading more orders than
    `reports.SECONDS_MAX` are enough for.
    """
    sees_all = ctx.caller.role in (Role.ADMIN, Role.SERVICE)
    if sees_all and grouping not in (Grouping.CUSTOMER, Grouping.VARIANT):
        return await _figured(ctx, period, grouping)
    try:
        async with ctx.services.database.snapshot() as connection:
            await reports.plan_for_the_values(connection)
            return await _read(connection, ctx, period, grouping)
    except reports.TooManyOrdersError as error:
        raise Refused(QueryTooExpensive(costly, reports.SECONDS_MAX)) from error


async def _figured(ctx: Context, period: Period, grouping: Grouping | None) -> Metrics:
    """One statement, and so one snapshot."""
    first, last = period.days
    async with ctx.services.database.connection() as connection:
        if grouping is None or not grouping.is_time:
            by_word = await figures.by_word(connection, ctx.store_id, first, last)
            groups = None if grouping is None else _in_order_of_life(by_word)
            return Metrics(by_word=by_word, groups=groups)
        by_word, days = await figures.by_word_and_day(connection, ctx.store_id, first, last)
    return Metrics(by_word=by_word, groups=metrics.gathered(days, grouping))


async def _read(
    connection: Connection, ctx: Context, period: Period, grouping: Grouping | None
) -> Metrics:
    zone = ZoneInfo(ctx.store.time_zone)
    counted = _counted(ctx, period, zone)
    by_word = await reports.by_word(connection, counted)
    groups, total = None, None
    match grouping:
        case None:
            pass
        case Grouping.STATUS:
            groups = _in_order_of_life(by_word)
        case Grouping.CUSTOMER:
            groups, total = await reports.by_customer(connection, counted)
        case Grouping.VARIANT:
            groups, total = await reports.by_variant(connection, counted)
        case Grouping.DAY | Grouping.WEEK | Grouping.MONTH:
            groups = metrics.gathered(await _days(connection, counted, zone), grouping)
    return Metrics(
        by_word=by_word, groups=None if groups is None else tuple(groups), groups_total=total
    )


async def _days(
    connection: Connection, counted: Counted, zone: ZoneInfo
) -> list[tuple[date, Figures]]:
    ends = await reports.first_and_last(connection, counted)
    if ends is None:
        return []
    days = metrics.days_between(*ends, zone)
    beginnings = [metrics.beginning_of(day, zone) for day in days]
    read = await reports.by_stretch(connection, counted, beginnings)
    return [(days[place], sums) for place, sums in read]


def _in_order_of_life(by_word: Mapping[Word, Figures]) -> tuple[Group, ...]:
    return tuple(Group(word, by_word[word]) for word in Word if word in by_word)


def _counted(ctx: Context, period: Period, zone: ZoneInfo) -> Counted:
    start, end = period.instants(zone)
    caller = ctx.caller
    return Counted(
        store_id=ctx.store_id,
        start=start,
        end=end,
        partner_name=caller.partner_name if caller.role is Role.PARTNER else None,
        customer_id=caller.customer_id if caller.role is Role.CUSTOMER else None,
    )
