"""Measure orders: how many there are, what they bring in, and how that splits into groups."""

from zoneinfo import ZoneInfo

from openorders.domain import metrics
from openorders.domain.access import Role
from openorders.domain.metrics import Group, Grouping, Metrics, Period
from openorders.domain.order import Word
from openorders.store import reports
from openorders.store.database import Connection
from openorders.store.reports import Counted
from openorders.usecases.context import Context


async def measure_orders(ctx: Context, period: Period, grouping: Grouping | None = None) -> Metrics:
    """Figures of the orders the caller may see, all from one snapshot.

    Groups that nobody ordered in are left out. Words are in the order of an order's life, times
    ascend, customers and variants come by revenue, the largest first.
    """
    zone = ZoneInfo(ctx.store.time_zone)
    counted = _counted(ctx, period, zone)
    database = ctx.services.database
    async with database.transaction(isolation="repeatable_read", read_only=True) as connection:
        await reports.plan_for_the_values(connection)
        by_word = await reports.by_word(connection, counted)
        groups, total = None, None
        match grouping:
            case None:
                pass
            case Grouping.STATUS:
                groups = [Group(word, by_word[word]) for word in Word if word in by_word]
            case Grouping.CUSTOMER:
                groups, total = await reports.by_customer(connection, counted)
            case Grouping.VARIANT:
                groups, total = await reports.by_variant(connection, counted)
            case Grouping.DAY | Grouping.WEEK | Grouping.MONTH:
                groups = await _by_time(connection, counted, grouping, zone)
    return Metrics(
        by_word=by_word, groups=None if groups is None else tuple(groups), groups_total=total
    )


async def _by_time(
    connection: Connection, counted: Counted, grouping: Grouping, zone: ZoneInfo
) -> list[Group]:
    ends = await reports.first_and_last(connection, counted)
    if ends is None:
        return []
    days = metrics.stretches(*ends, grouping, zone)
    beginnings = [metrics.beginning_of(day, zone) for day in days]
    figures = await reports.by_stretch(connection, counted, beginnings)
    return [Group(days[place], sums) for place, sums in figures]


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
