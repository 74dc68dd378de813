"""Queries of `marketplace` that would run for too long."""

import pytest

from openorders.store import listing, reports
from tests.contracts.marketplace.requests import a_list, done, fault, listed, metrics, place
from tests.contracts.shop import Shop


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (
            {"filter": "contains(tolower(paymentMethod), 'x')"},
            "$filter at position 1: contains(tolower(paymentMethod), 'x')",
        ),
        ({"orderby": "length(paymentMethod)"}, "$orderby at position 1: length(paymentMethod)"),
        ({"skip": "700"}, "$skip: 700 orders"),
        ({}, "$count: all matches"),
    ],
)
async def test_a_query_that_takes_too_long_is_refused_and_its_costly_part_named(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], named: str
) -> None:
    order = await place(shop, await shop.sells())
    with monkeypatch.context() as patch:
        patch.setattr(listing, "SEARCH_SECONDS_MAX", 0.05)
        async with shop.served.services.database.transaction() as tx:
            await tx.execute("lock table orders")
            told = fault(await shop.ask("marketplace", a_list(**options)))
    message = f"The query takes longer than 2 seconds. Its costly part is {named}."
    assert told == (400, "QUERY_TOO_EXPENSIVE", message)
    assert await listed(shop) == [order]


@pytest.mark.parametrize("group", ["customer", "offer"])
async def test_figures_that_take_too_long_are_refused_with_what_to_change(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, group: str
) -> None:
    await place(shop, await shop.sells())
    with monkeypatch.context() as patch:
        patch.setattr(reports, "SECONDS_MAX", 0.05)
        async with shop.served.services.database.transaction() as tx:
            await tx.execute("lock table orders")
            told = fault(await shop.ask("marketplace", metrics(groupBy=group)))
            kept = await done(shop, metrics(groupBy="status"))
    message = (
        "The query takes longer than 0.05 seconds. "
        f"Its costly part is groupBy={group} over so many days."
    )
    assert told == (400, "QUERY_TOO_EXPENSIVE", message)
    assert kept["totalOrders"] == 1, "what is kept ready needs no orders"
    assert (await done(shop, metrics(groupBy=group)))["groupsTotal"] == 1
