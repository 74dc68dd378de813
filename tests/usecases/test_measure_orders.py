"""Figures over orders, against a plain Python opinion of what they are."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId
from openorders.domain.metrics import Figures, Group, Grouping, Period
from openorders.domain.order import Word
from openorders.store import figures as figures_of_stores
from openorders.store import stores
from openorders.usecases.context import Context
from openorders.usecases.measure_orders import measure_orders
from tests.usecases.placed_orders import PlacedLine, PlacedOrder, some_orders, write
from tests.world import World, a_world

ZONES = [
    *("UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia"),
    *("Asia/Kathmandu", "Australia/Lord_Howe"),  # quarters and halves of an hour
]
PERIODS = [
    Period(),
    Period(start=date(2026, 10, 25), end=date(2026, 10, 25)),
    Period(start=date(2026, 9, 1)),
    Period(end=date(2026, 9, 30)),
    Period(start=date(2027, 3, 28), end=date(2027, 3, 29)),
    Period(start=date(2026, 12, 28), end=date(2027, 1, 3)),
    Period(start=date.min, end=date.max),
    Period(start=date(1999, 1, 1), end=date(1999, 12, 31)),
    Period(start=date.max, end=date.max),
    Period(start=date.min, end=date.min),
]


def earns(order: PlacedOrder) -> bool:
    return order.word not in (Word.CANCELLED, Word.REFUNDED)


def figures(orders: Iterable[PlacedOrder]) -> Figures:
    all_of_them = list(orders)
    earning = [order for order in all_of_them if earns(order)]
    return Figures(len(all_of_them), len(earning), sum(order.total for order in earning))


def grouped(
    orders: Iterable[PlacedOrder], key: Callable[[PlacedOrder], object]
) -> list[tuple[object, Figures]]:
    groups: dict[object, list[PlacedOrder]] = defaultdict(list)
    for order in orders:
        groups[key(order)].append(order)
    return [(key, figures(group)) for key, group in groups.items()]


def of_variants(orders: Iterable[PlacedOrder]) -> list[tuple[object, Figures]]:
    told: dict[object, Figures] = defaultdict(Figures)
    for order in orders:
        for variant in {line.variant for line in order.lines}:
            live = [
                line
                for line in order.lines
                if line.variant == variant and line.state != "cancelled" and earns(order)
            ]
            revenue = sum(line.unit_price * line.quantity - line.discount_share for line in live)
            told[variant] += Figures(1, 1 if live else 0, revenue)
    return list(told.items())


def local_day(order: PlacedOrder, zone: ZoneInfo) -> date:
    return order.at.astimezone(zone).date()


def within(orders: Iterable[PlacedOrder], period: Period, zone: ZoneInfo) -> list[PlacedOrder]:
    first, last = period.start or date.min, period.end or date.max
    return [order for order in orders if first <= local_day(order, zone) <= last]


def told(groups: tuple[Group, ...] | None) -> list[tuple[object, Figures]]:
    assert groups is not None
    return [(group.key, group.figures) for group in groups]


async def in_zone(world: World, name: str) -> World:
    async with world.database.transaction() as tx:
        await stores.change(tx, replace(world.store, time_zone=name))
        await figures_of_stores.rebuild(tx, world.store.id)
    return dataclasses.replace(world, store=replace(world.store, time_zone=name))


@pytest.mark.parametrize("zone_name", ZONES)
async def test_figures_are_those_of_plain_python(world: World, zone_name: str) -> None:
    orders = some_orders(500, seed=7)
    await write(world, orders)
    zone = ZoneInfo(zone_name)
    ctx = (await in_zone(world, zone_name)).context()
    for period in PERIODS:
        await assert_plain(ctx, within(orders, period, zone), period, zone)


async def assert_plain(
    ctx: Context, wanted: list[PlacedOrder], period: Period, zone: ZoneInfo
) -> None:
    async def groups(grouping: Grouping) -> list[tuple[object, Figures]]:
        measured = await measure_orders(ctx, period, grouping)
        assert measured.total == figures(wanted), period
        return told(measured.groups)

    def day(order: PlacedOrder) -> date:
        return local_day(order, zone)

    def monday(order: PlacedOrder) -> date:
        return day(order) - timedelta(days=day(order).weekday())

    measured = await measure_orders(ctx, period)
    by_word = dict(grouped(wanted, lambda order: order.word))
    assert dict(measured.by_word) == by_word, period
    assert (measured.groups, measured.groups_total) == (None, None)
    assert dict(await groups(Grouping.STATUS)) == by_word, period
    in_order = {
        Grouping.DAY: grouped(wanted, day),
        Grouping.WEEK: grouped(wanted, monday),
        Grouping.MONTH: grouped(wanted, lambda order: day(order).replace(day=1)),
    }
    for grouping, rows in in_order.items():
        assert await groups(grouping) == sorted(rows, key=lambda row: str(row[0])), period
    ranked = {
        Grouping.CUSTOMER: grouped(wanted, lambda order: order.customer),
        Grouping.VARIANT: of_variants(wanted),
    }
    for grouping, rows in ranked.items():
        largest_first = sorted(rows, key=lambda row: (-row[1].revenue, row[0]))
        assert await groups(grouping) == largest_first, period


async def test_an_hour_that_comes_twice_belongs_to_its_day(world: World) -> None:
    """In Berlin the 25th of October 2026 is 25 hours long, and the 29th of March 23."""
    berlin = (await in_zone(world, "Europe/Berlin")).context()
    edges = [
        datetime(2026, 10, 24, 21, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 22, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 10, 25, 23, 0, tzinfo=UTC),
        datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 29, 22, 0, tzinfo=UTC),
    ]
    await write(world, [PlacedOrder(id=n, at=at) for n, at in enumerate(edges, 1)])
    for day in (date(2026, 10, 25), date(2026, 3, 29)):
        measured = await measure_orders(berlin, Period(start=day, end=day))
        assert measured.total.orders == 2
    measured = await measure_orders(berlin, Period(), Grouping.DAY)
    assert [(key, sums.orders) for key, sums in told(measured.groups)] == [
        (date(2026, 3, 28), 1),
        (date(2026, 3, 29), 2),
        (date(2026, 3, 30), 1),
        (date(2026, 10, 24), 1),
        (date(2026, 10, 25), 2),
        (date(2026, 10, 26), 1),
    ]


@pytest.mark.parametrize("totals", [[1, 2], [1, 2, 2], [5, 6], [1, 0], [0], [10**15, 10**15 - 1]])
async def test_an_average_is_rounded_half_to_even(world: World, totals: list[int]) -> None:
    await write(
        world,
        [
            PlacedOrder(
                id=n,
                at=datetime(2026, 1, 1, tzinfo=UTC),
                lines=(PlacedLine(variant=1, unit_price=total, quantity=1),),
            )
            for n, total in enumerate(totals, 1)
        ],
    )
    measured = await measure_orders(world.context(), Period())
    exact = Decimal(sum(totals)) / len(totals) / 100
    assert measured.total.average(2) == exact.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    assert measured.total.average(2).as_tuple().exponent == -2


async def test_of_no_orders_everything_is_nothing(world: World) -> None:
    for grouping in Grouping:
        measured = await measure_orders(world.context(), Period(), grouping)
        assert (measured.total, measured.groups) == (Figures(), ())
        assert str(measured.total.average(2)) == "0.00"


async def test_the_thousand_largest_customers_are_named_and_all_are_counted(world: World) -> None:
    await write(
        world,
        [
            PlacedOrder(
                id=n,
                at=datetime(2026, 1, 1, tzinfo=UTC),
                customer=n,
                lines=(PlacedLine(variant=n, unit_price=n // 2, quantity=1),),
            )
            for n in range(1, 1004)
        ],
    )
    for grouping in (Grouping.CUSTOMER, Grouping.VARIANT):
        measured = await measure_orders(world.context(), Period(), grouping)
        keys = [key for key, _ in told(measured.groups)]
        assert measured.groups_total == 1003
        assert keys == sorted(range(1, 1004), key=lambda n: (-(n // 2), n))[:1000]


async def test_callers_measure_only_what_they_may_see(world: World, tmp_path) -> None:
    orders = some_orders(200, seed=3)
    await write(world, orders)
    elsewhere = await a_world(world.database, tmp_path, name="another shop")
    await write(elsewhere, some_orders(50, seed=4))
    customer = world.caller(Role.CUSTOMER, customer_id=CustomerId(5))
    partner = world.caller(Role.PARTNER, partner_name="Barrel & Sons")
    for caller, expected in (
        (customer, [order for order in orders if order.customer == 5]),
        (partner, [order for order in orders if order.partner == "Barrel & Sons"]),
        (world.caller(Role.SERVICE), orders),
    ):
        for grouping in (None, Grouping.CUSTOMER, Grouping.MONTH):
            measured = await measure_orders(world.context(caller), Period(), grouping)
            assert measured.total == figures(expected)
            if grouping is not None:
                assert sum(sums.orders for _, sums in told(measured.groups)) == len(expected)
