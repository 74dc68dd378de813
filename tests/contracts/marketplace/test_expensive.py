"""Queries of `marketplace` that would run for too long."""

import pytest

from openorders.store import listing
from tests.contracts.marketplace.requests import a_list, fault, listed, place
from tests.contracts.shop import Shop


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (
            {"filter": "contains(tolower(paymentMethod), 'x')"},
            "$filter at position 1: contains(tolower(paymentMethod), 'x')",
        ),
        ({"orderby": "length(paymentMethod)"}, "$orderby at position 1: length(paymentMethod)"),
        ({"skip": "70000"}, "$skip: 70000 orders"),
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
