"""Lists of `commerce`: filters, sorting, pages and what does not fit."""

import pytest

from tests.contracts.commerce.requests import a_get, a_put, listed, place, refused
from tests.contracts.shop import Shop


async def test_an_empty_store_has_an_empty_page(shop: Shop) -> None:
    assert (await shop.ask("commerce", a_get())).json == {
        "data": [],
        "pagination": {
            "total": 0,
            "limit": 20,
            "offset": 0,
            "nextOffset": None,
            "prevOffset": None,
        },
    }


async def test_pages_are_newest_first_and_know_their_neighbours(shop: Shop) -> None:
    candle = await shop.sells()
    orders = [await place(shop, candle) for _ in range(25)][::-1]
    assert await listed(shop) == orders[:20]
    assert await listed(shop, "offset=20") == orders[20:]
    assert await listed(shop, "limit=100&unknown=7") == orders
    assert await listed(shop, "offset=25") == []
    for offset, following, previous in ((0, 10, None), (10, 20, 0), (20, None, 10), (5, 15, 0)):
        page = (await shop.ask("commerce", a_get(query=f"limit=10&offset={offset}"))).json
        assert page["pagination"] == {
            "total": 25,
            "limit": 10,
            "offset": offset,
            "nextOffset": following,
            "prevOffset": previous,
        }
        assert [one["orderId"] for one in page["data"]] == orders[offset : offset + 10]


async def test_orders_are_sorted_as_asked(shop: Shop) -> None:
    dear, cheap, middling = [await shop.sells(price) for price in ("30.00", "9.99", "20.00")]
    first, second, third = [await place(shop, sold) for sold in (dear, cheap, middling)]
    also_middling = await place(shop, middling)
    await shop.ask("commerce", a_put(second, status="processing"))
    expected = {
        "sortBy=createdAt": [also_middling, third, second, first],
        "sortBy=createdAt&sortOrder=asc": [first, second, third, also_middling],
        "sortOrder=asc": [first, second, third, also_middling],
        "sortBy=updatedAt": [second, also_middling, third, first],
        "sortBy=updatedAt&sortOrder=asc": [first, third, also_middling, second],
        "sortBy=totalAmount": [first, also_middling, third, second],
        "sortBy=totalAmount&sortOrder=asc": [second, third, also_middling, first],
        "sortBy=totalAmount&sortOrder=desc&limit=2&offset=1": [also_middling, third],
    }
    assert {query: await listed(shop, query) for query in expected} == expected


async def test_every_status_is_found_by_its_word(shop: Shop) -> None:
    candle = await shop.sells()
    by_status = {"pending": [await place(shop, candle)]}
    for status in ("processing", "shipped", "delivered", "cancelled"):
        by_status[status] = [await place(shop, candle)]
        await shop.ask("commerce", a_put(by_status[status][0], status=status))
    for status, orders in by_status.items():
        page = (await shop.ask("commerce", a_get(query=f"status={status}"))).json
        assert [one["orderId"] for one in page["data"]] == orders
        assert {one["status"] for one in page["data"]} == {status}
        assert page["pagination"]["total"] == 1


@pytest.mark.parametrize(
    "query",
    [
        "status=unknown",
        "status=",
        "status=Pending",
        "status=paid",
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=ten",
        "limit=1.5",
        "limit=1e1",
        "limit=",
        "limit=10&limit=10",
        "offset=-1",
        "offset=x",
        f"offset={2**63}",
        "sortBy=price",
        "sortBy=createdat",
        "sortBy=",
        "sortOrder=up",
        "sortOrder=DESC",
        "sortOrder=asc&sortOrder=desc",
        "sortBy=createdAt%00",
        "status=%ff",
    ],
)
async def test_a_parameter_that_does_not_fit_is_named(shop: Shop, query: str) -> None:
    status, code, message = await refused(shop, a_get(query=query))
    assert (status, code) == (400, "BAD_REQUEST")
    assert message.startswith(query.partition("=")[0] + " ")
    assert message.endswith(".")


async def test_limits_are_named_with_the_parameter(shop: Shop) -> None:
    assert (await refused(shop, a_get(query="limit=101")))[2] == "limit must be at most 100."
    assert (await refused(shop, a_get(query="limit=0")))[2] == "limit must be at least 1."
