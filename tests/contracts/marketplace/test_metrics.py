"""The metrics of `marketplace` as they are answered; the sums have tests of their own."""

import pytest

from openorders.domain.access import Role
from tests.contracts.asking import Exact
from tests.contracts.marketplace.requests import (
    CARD,
    a_payment,
    bring,
    done,
    metrics,
    offer_id,
    place,
    refused,
)
from tests.contracts.shop import Shop, open_shop

NONE = {
    "pending_payment": 0,
    "pending": 0,
    "processing": 0,
    "shipped": 0,
    "delivered": 0,
    "completed": 0,
    "refunded": 0,
    "cancelled": 0,
}


async def test_of_no_orders_every_figure_is_nothing(shop: Shop) -> None:
    assert await done(shop, metrics()) == {
        "totalOrders": 0,
        "totalRevenue": Exact("0.00"),
        "averageOrderValue": Exact("0.00"),
        "ordersByStatus": NONE,
    }
    for group in ("status", "day", "week", "month"):
        told = await done(shop, metrics(groupBy=group))
        assert told["groups"] == []
        assert "groupsTotal" not in told
    for group in ("customer", "offer"):
        told = await done(shop, metrics(groupBy=group))
        assert (told["groups"], told["groupsTotal"]) == ([], 0)


async def test_all_orders_count_and_those_that_ended_badly_bring_in_nothing(shop: Shop) -> None:
    lamp, bulb = await shop.sells("99.99"), await shop.sells("0.01")
    kept = await place(shop, lamp, customer="cust_7")
    await done(shop, a_payment(kept, **CARD))
    await place(shop, bulb, customer="cust_7")
    cancelled = await place(shop, lamp, customer="cust_8")
    await bring(shop, cancelled, "cancelled")
    refunded = await place(shop, (lamp, 2), customer="cust_8")
    await done(shop, a_payment(refunded, **CARD))
    await bring(shop, refunded, "completed", "refunded")
    told = await done(shop, metrics())
    assert told == {
        "totalOrders": 4,
        "totalRevenue": Exact("100.00"),
        "averageOrderValue": Exact("50.00"),
        "ordersByStatus": NONE
        | {"pending": 1, "pending_payment": 1, "cancelled": 1, "refunded": 1},
    }

    async def groups(by: str) -> list[tuple[str, int, str, str]]:
        whole = await done(shop, metrics(groupBy=by))
        assert {name: whole[name] for name in told} == told
        names = ["key", "totalOrders", "totalRevenue", "averageOrderValue"]
        assert all(list(group) == names for group in whole["groups"])
        return [tuple(group.values()) for group in whole["groups"]]

    assert await groups("status") == [
        ("pending_payment", 1, Exact("0.01"), Exact("0.01")),
        ("pending", 1, Exact("99.99"), Exact("99.99")),
        ("refunded", 1, Exact("0.00"), Exact("0.00")),
        ("cancelled", 1, Exact("0.00"), Exact("0.00")),
    ]
    assert await groups("customer") == [
        ("cust_7", 2, Exact("100.00"), Exact("50.00")),
        ("cust_8", 2, Exact("0.00"), Exact("0.00")),
    ]
    assert await groups("offer") == [
        (offer_id(lamp), 3, Exact("99.99"), Exact("99.99")),
        (offer_id(bulb), 1, Exact("0.01"), Exact("0.01")),
    ]
    for by in ("day", "week", "month"):
        assert [row[1:] for row in await groups(by)] == [(4, Exact("100.00"), Exact("50.00"))]


async def at(shop: Shop, order: str, moment: str) -> None:
    async with shop.served.services.database.transaction() as tx:
        await tx.execute(
            "update orders set created_at = $3::text::timestamptz where store_id = $1 and id = $2",
            shop.store.id,
            int(order.removeprefix("ord_")),
            moment,
        )


async def test_days_are_those_of_the_store_and_both_ends_count(shop: Shop) -> None:
    berlin = await open_shop(shop.served, time_zone="Europe/Berlin")
    lamp = await berlin.sells("10.00")
    for moment in (
        "2026-01-03T22:59:59.999999Z",
        "2026-01-03T23:00:00Z",
        "2026-01-04T22:59:59Z",
        "2026-01-04T23:00:00Z",
    ):
        await at(berlin, await place(berlin, lamp), moment)

    async def keys(by: str, **days: str) -> list[tuple[str, int]]:
        told = await done(berlin, metrics(groupBy=by, **days))
        return [(group["key"], group["totalOrders"]) for group in told["groups"]]

    assert await keys("day") == [("2026-01-03", 1), ("2026-01-04", 2), ("2026-01-05", 1)]
    assert await keys("week") == [("2026-W01", 3), ("2026-W02", 1)]
    assert await keys("month") == [("2026-01", 4)]
    assert await keys("day", startDate="2026-01-04", endDate="2026-01-04") == [("2026-01-04", 2)]
    assert await keys("week", startDate="2026-01-05") == [("2026-W02", 1)]
    assert await keys("month", endDate="2026-01-02") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"startDate": "2026-13-01"}, "startDate"),
        ({"startDate": "2026-6-2"}, "startDate"),
        ({"startDate": "2026-06-02T00:00:00Z"}, "startDate"),
        ({"startDate": ""}, "startDate"),
        ({"endDate": "yesterday"}, "endDate"),
        ({"endDate": "2026-02-29"}, "endDate"),
        ({"startDate": "2026-06-02", "endDate": "2026-06-01"}, "endDate"),
        ({"groupBy": "year"}, "groupBy"),
        ({"groupBy": ""}, "groupBy"),
    ],
)
async def test_a_wrong_parameter_is_named(shop: Shop, query: dict[str, str], field: str) -> None:
    status, code, message = await refused(shop, metrics(**query))
    assert (status, code) == (400, "VALIDATION_ERROR")
    assert message.startswith(f"{field} ")


async def test_a_customer_measures_their_own_orders(shop: Shop) -> None:
    lamp = await shop.sells("10.00")
    await place(shop, lamp, customer="cust_7")
    await place(shop, lamp, customer="cust_8")
    key = await shop.key(Role.CUSTOMER, customer=7)
    told = await done(shop, metrics(groupBy="customer"), key=key)
    assert told["totalOrders"] == 1
    assert [group["key"] for group in told["groups"]] == ["cust_7"]
