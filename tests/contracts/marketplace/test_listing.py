"""The OData list of `marketplace` as it is answered; the language has tests of its own."""

from typing import Any
from urllib.parse import quote

import pytest

from openorders.domain.access import Role
from tests.contracts.asking import Exact, Request
from tests.contracts.marketplace.requests import (
    a_list,
    bring,
    done,
    fault,
    listed,
    offer_id,
    place,
    read,
    refused,
)
from tests.contracts.shop import Shop, open_shop


async def test_a_list_entry_is_the_same_object_as_one_order(shop: Shop) -> None:
    orders = [await place(shop, (await shop.sells(), 2)) for _ in range(3)]
    told = await done(shop, a_list())
    assert list(told) == ["value", "count"]
    assert told == {"value": [await read(shop, order) for order in orders], "count": 3}
    assert told == await done(shop, Request(method="GET", path="/api/orders"))


async def test_a_page_is_of_twenty_and_the_count_of_all(shop: Shop) -> None:
    lamp = await shop.sells()
    orders = [await place(shop, lamp) for _ in range(23)]
    told = await done(shop, a_list())
    assert ([order["id"] for order in told["value"]], told["count"]) == (orders[:20], 23)
    assert await listed(shop, top=1000) == orders
    assert await listed(shop, top=2, skip=22) == orders[22:]
    assert await listed(shop, skip=23) == []
    assert await listed(shop, orderby="id desc", top=3) == orders[:-4:-1]
    told = await done(shop, a_list(top=0))
    assert told == {"value": [], "count": 23}
    assert "count" not in await done(shop, a_list(count="false"))


async def test_filters_speak_this_contract_s_words(shop: Shop) -> None:
    lamp, bulb = await shop.sells("20.00"), await shop.sells("1.50")
    one = await place(shop, lamp, customer="cust_7", paymentMethod="credit_card")
    two = await place(shop, (bulb, 3), customer="cust_8", paymentMethod="Bank Transfer")
    three = await place(shop, lamp, bulb, customer="cust_7")
    await bring(shop, two, "completed")
    for text, expected in {
        "status eq 'completed'": [two],
        "status in ('pending_payment')": [one, three],
        "status eq 'no such word'": [],
        "customerId eq 'cust_7' and totalAmount gt 20": [three],
        "totalAmount eq 4.5": [two],
        f"items/any(i: i/offerId eq '{offer_id(bulb)}' and i/quantity ge 3)": [two],
        f"items/all(i: i/offerId eq '{offer_id(lamp)}')": [one],
        "items/any(i: i/status eq 'fulfilled')": [two],
        "contains(tolower(paymentMethod), 'bank')": [two],
        "paymentMethod eq null": [three],
        f"not (id in ('{one}', '{three}'))": [two],
        "currency eq 'USD' and year(createdAt) gt 2000": [one, two, three],
    }.items():
        assert await listed(shop, filter=text) == expected, text


async def test_select_shapes_the_orders(shop: Shop) -> None:
    await place(shop, await shop.sells("25.00"), paymentMethod="credit_card")
    (order,) = (await done(shop, a_list(select="updatedAt, totalAmount,id")))["value"]
    assert list(order) == ["id", "totalAmount", "updatedAt"]
    assert order["totalAmount"] == Exact("25.00")
    (order,) = (await done(shop, a_list(select="*")))["value"]
    assert list(order) == [
        *("id", "customerId", "status", "items", "totalAmount", "createdAt"),
        *("currency", "paymentMethod", "updatedAt"),
    ]
    assert (order["currency"], order["paymentMethod"]) == ("USD", "credit_card")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("$filter=status eq", "$filter at position 10: expected"),
        ("$filter=colour eq 'red'", "$filter at position 1: expected"),
        ("$filter=totalAmount gt 'abc'", "$filter at position"),
        ("$filter=totalAmount div 0 gt 1", "$filter at position"),
        ("$filter=" + "(" * 51 + "id eq 'ord_1'" + ")" * 51, "$filter at position"),
        ("$filter=" + " or ".join(["id eq 'ord_1'"] * 201), "$filter at position"),
        ("$filter=" + "x" * 8001, "$filter at position"),
        ("$orderby=id sideways", "$orderby at position"),
        ("$top=1001", "$top at position 1: expected a whole number from 0 to 1000"),
        ("$top=-1", "$top at position 1"),
        ("$top=", "$top at position 1"),
        ("$skip=1.5", "$skip at position 2"),
        ("$count=yes", "$count at position 1"),
        ("$select=id,colour", "$select at position 4"),
        ("$expand=items", "$expand at position 1: expected one of $filter"),
        ("$top=1&$top=1", "$top was given twice"),
    ],
    ids=lambda value: value[:30],
)
async def test_a_bad_query_is_told_where_it_goes_wrong(shop: Shop, query: str, named: str) -> None:
    for path in ("/api/orders/odata", "/api/orders"):
        request = Request(method="GET", path=f"{path}?{quote(query, safe='$&=,')}")
        status, code, message = await refused(shop, request)
        assert (status, code) == (400, "INVALID_QUERY")
        assert message.startswith(named)
        assert message.endswith(".")


async def test_a_division_by_zero_that_only_an_order_shows_is_a_bad_query(shop: Shop) -> None:
    await place(shop, await shop.sells())
    told = await refused(shop, a_list(filter="10 div (totalAmount sub totalAmount) gt 1"))
    assert told[:2] == (400, "INVALID_QUERY")
    assert "division by zero" in told[2]


async def test_options_are_refused_where_there_are_none(shop: Shop) -> None:
    order = await place(shop, await shop.sells())
    for path in (f"/api/orders/{order}", "/api/orders/aggregated"):
        request = Request(method="GET", path=f"{path}?$select=id&page=2")
        assert (await refused(shop, request))[:2] == (400, "INVALID_QUERY")
    await done(shop, Request(method="GET", path=f"/api/orders/{order}?page=2&page=3"))


async def test_nobody_lists_what_they_may_not_see(shop: Shop) -> None:
    lamp = await shop.sells()
    elsewhere = await open_shop(shop.served)
    await place(elsewhere, await elsewhere.sells(), customer="cust_7")
    mine = await place(shop, lamp, customer="cust_7")
    other = await place(shop, lamp, customer="cust_8")
    key = await shop.key(Role.CUSTOMER, customer=7)
    assert await listed(shop) == [mine, other]
    assert await listed(shop, key=key) == [mine]
    assert await listed(shop, key=key, filter=f"id eq '{other}' or true eq true") == [mine]
    assert (await done(shop, a_list(top=0), key=key))["count"] == 1


async def test_an_order_is_not_sent_again_to_who_has_it(shop: Shop) -> None:
    order = await place(shop, await shop.sells())
    request = Request(method="GET", path=f"/api/orders/{order}")
    tag = (await shop.ask("marketplace", request)).headers["etag"]
    told = await shop.ask("marketplace", request, headers={"If-None-Match": tag})
    assert (told.status, told.body) == (304, b"")


@pytest.mark.parametrize("text", ["0789", "ord_0789", "ord_", "ORD_789", f"ord_{2**63}", "ord_7.0"])
async def test_what_is_no_identifier_is_not_found_as_it_was_sent(shop: Shop, text: str) -> None:
    for method, path in (("GET", ""), ("PUT", "/status")):
        body: Any = {"status": "shipped"} if method == "PUT" else None
        request = Request(method=method, path=f"/api/orders/{text}{path}", body=body)
        told = fault(await shop.ask("marketplace", request))
        assert told == (404, "ORDER_NOT_FOUND", f"Order {text} does not exist.")
