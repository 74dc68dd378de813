"""OData lists over HTTP, on the demo's orders."""

import json

import pytest

KEY = {"Authorization": "Bearer demo-marketplace-key"}
LIST = "/marketplace/api/orders/odata"


async def ask(demo, *options):
    return await demo.client.get(LIST, params=list(options), headers=KEY)


async def test_a_filtered_sorted_page_is_answered_with_the_exact_number_of_matches(demo):
    completed = ("$filter", "status in ('completed') and totalAmount gt 20")
    answer = await ask(demo, completed, ("$orderby", "totalAmount desc"), ("$top", "1000"))
    orders = answer.json(parse_float=str)["value"]
    amounts = [float(order["totalAmount"]) for order in orders]
    assert answer.status_code == 200
    assert len(orders) == answer.json()["count"] > 20
    assert {order["status"] for order in orders} == {"completed"}
    assert amounts == sorted(amounts, reverse=True)
    page = await ask(
        demo, completed, ("$orderby", "totalAmount desc"), ("$skip", "5"), ("$top", "3")
    )
    assert page.json(parse_float=str)["value"] == orders[5:8]
    assert page.json()["count"] == len(orders)


async def test_an_order_is_found_by_what_is_shown_of_it(demo):
    for wanted in (
        "id eq 'ord_789'",
        "createdAt eq 2026-06-02T10:30:00Z and customerId eq 'cust_123'",
        "createdAt eq 2026-06-02T12:30:00+02:00 and totalAmount eq 99.99",
        "items/any(i:i/offerId eq 'offer_456' and i/price eq 99.99) and endswith(id,'_789')",
    ):
        answer = await ask(demo, ("$filter", wanted), ("$select", "id"))
        assert answer.json() == {"value": [{"id": "ord_789"}], "count": 1}, wanted


async def test_chosen_fields_are_all_that_is_answered(demo):
    only = ("$filter", "id eq 'ord_789'")
    answer = await ask(demo, only, ("$select", "currency,id"), ("$count", "false"))
    assert json.loads(answer.text) == {"value": [{"id": "ord_789", "currency": "USD"}]}
    everything = (await ask(demo, only, ("$select", "*"))).json()["value"][0]
    assert set(everything) == {
        *("id", "customerId", "status", "items", "totalAmount", "createdAt"),
        *("currency", "paymentMethod", "updatedAt"),
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            [("$filter", "totalAmount gt 'abc'")],
            "$filter at position 16: expected a number to compare with, found text ('abc').",
        ),
        (
            [("$filter", "1 div (totalAmount sub totalAmount) gt 0")],
            (
                "$filter at position 1 (1 div (totalAmount sub totalAmount)):"
                " expected a result for every order, found division by zero."
            ),
        ),
        (
            [("$orderby", "9223372036854775807 mul length(id)")],
            (
                "$orderby at position 1 (9223372036854775807 mul length(id)):"
                " expected a result for every order, found a number out of range."
            ),
        ),
        (
            [("$expand", "items")],
            (
                "$expand at position 1: expected one of"
                " $filter, $orderby, $skip, $top, $count, $select."
            ),
        ),
        (
            [("$top", "1001")],
            "$top at position 1: expected a whole number from 0 to 1000, found 1001.",
        ),
        ([("$top", "1"), ("$top", "1")], "$top was given twice."),
        (
            [("$filter", "x" * 50_000)],
            "$filter at position 8001: expected at most 8,000 characters.",
        ),
    ],
    ids=lambda value: value[0][0] if isinstance(value, list) else "",
)
async def test_a_bad_query_is_told_where_it_is_bad(demo, options, message):
    answer = await ask(demo, *options)
    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": "INVALID_QUERY", "message": message}}


async def test_the_longest_legal_filter_is_answered(demo):
    longest = "-" * 7_990 + "5 lt 0 "
    answer = await ask(demo, ("$filter", longest), ("$top", "0"))
    assert answer.status_code == 200
    assert answer.json()["count"] == 0
