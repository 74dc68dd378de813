"""Lists of `basic`: bare arrays, oldest first, with their place in headers."""

import re

import pytest

from tests.contracts.asking import Request
from tests.contracts.basic.requests import a_get, a_put, place, refused
from tests.contracts.shop import Shop


def links(header: str) -> dict[str, str]:
    return {relation: url for url, relation in re.findall(r'<([^>]*)>; rel="(\w+)"', header)}


async def numbers(shop: Shop, path: str) -> list[int]:
    told = await shop.ask("basic", a_get(path))
    assert told.status == 200, told
    return [order["id"] for order in told.json]


async def test_an_empty_store_has_an_empty_list(shop: Shop) -> None:
    told = await shop.ask("basic", a_get("/orders"))
    assert (told.status, told.json) == (200, [])
    assert told.headers["x-total-count"] == "0"


async def test_pages_are_oldest_first_and_know_their_neighbours(shop: Shop) -> None:
    candle = await shop.sells()
    orders = [await place(shop, candle, user=5 + number % 2) for number in range(25)]
    first = await shop.ask("basic", a_get("/orders"))
    assert [order["id"] for order in first.json] == orders[:20]
    assert first.headers["x-total-count"] == "25"
    base = "http://shop.example/basic/orders?"
    assert links(first.headers["link"]) == {
        "first": f"{base}offset=0&limit=20",
        "next": f"{base}offset=20&limit=20",
        "last": f"{base}offset=20&limit=20",
    }
    assert await numbers(shop, "/orders?offset=20") == orders[20:]
    assert await numbers(shop, "/orders?limit=1&offset=3") == orders[3:4]
    assert await numbers(shop, "/orders?limit=100") == orders
    assert await numbers(shop, "/orders?offset=25") == []
    assert await numbers(shop, f"/orders?offset={2**63 - 1}") == []
    fives = await shop.ask("basic", a_get("/orders?userId=5&limit=5&offset=5&x=1"))
    assert [order["id"] for order in fives.json] == orders[0::2][5:10]
    assert fives.headers["x-total-count"] == "13"
    prev = links(fives.headers["link"])["prev"]
    assert prev == f"{base}userId=5&limit=5&offset=0&x=1"
    assert await numbers(shop, prev.removeprefix("http://shop.example/basic")) == orders[0:10:2]
    assert await numbers(shop, "/orders?userId=999999999999999") == []


async def test_every_status_is_found_by_its_word(shop: Shop) -> None:
    candle = await shop.sells()
    by_status = {"pending": [await place(shop, candle), await place(shop, candle)]}
    for status in ("processing", "shipped", "delivered", "cancelled"):
        by_status[status] = [await place(shop, candle)]
        await shop.ask("basic", a_put(by_status[status][0], {"status": status}))
    for status, orders in by_status.items():
        told = await shop.ask("basic", a_get(f"/orders?status={status}"))
        assert [order["id"] for order in told.json] == orders
        assert told.headers["x-total-count"] == str(len(orders))
        assert await numbers(shop, f"/orders?status={status}&userId=6") == []


@pytest.mark.parametrize(
    "status", ["unknown", "", "Pending", "created", "paid", "completed", "pending,shipped", "%00"]
)
async def test_a_status_filter_is_one_of_the_document_s_words(shop: Shop, status: str) -> None:
    assert await refused(shop, a_get(f"/orders?status={status}")) == (
        400,
        "Invalid status filter provided.",
    )


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("limit=0", "limit must be at least 1."),
        ("limit=101", "limit must be at most 100."),
        ("limit=-1", "limit must be at least 1."),
        ("limit=ten", "limit must be an integer."),
        ("limit=1.5", "limit must be an integer."),
        ("limit=1e1", "limit must be an integer."),
        ("limit=", "limit must be an integer."),
        ("limit=+5", "limit must be an integer."),
        ("limit=10&limit=10", "limit was given twice."),
        ("offset=-1", "offset must be at least 0."),
        ("offset=x", "offset must be an integer."),
        (f"offset={2**63}", "offset is out of range."),
        ("userId=0", "userId must be at least 1."),
        ("userId=-5", "userId must be at least 1."),
        ("userId=abc", "userId must be an integer."),
        ("userId=5.0", "userId must be an integer."),
        ("status=pending&status=pending", "Invalid status filter provided."),
    ],
)
async def test_a_parameter_that_does_not_fit_is_named(
    shop: Shop, query: str, sentence: str
) -> None:
    assert await refused(shop, a_get(f"/orders?{query}")) == (400, sentence)


async def test_a_head_tells_what_a_get_would(shop: Shop) -> None:
    await place(shop, await shop.sells())
    told = await shop.ask("basic", Request(method="HEAD", path="/orders"))
    assert (told.status, told.body, told.headers["x-total-count"]) == (200, b"", "1")
