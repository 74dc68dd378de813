"""Placing and reading orders through `partner`, over HTTP."""

import asyncio
import json

import pytest

from openorders.domain.access import Role
from openorders.domain.order import Word
from tests.contracts.asking import Exact, Request
from tests.contracts.basic.driver import DRIVER as BASIC
from tests.contracts.shop import open_shop
from tests.contracts.storefront.driver import DRIVER as STOREFRONT


def placing(*items, **changed) -> Request:
    body = {"partner_name": "RayTech Corp.", "items": [pr(*item) for item in items]}
    return Request(method="POST", path="/orders", body=body | changed)


def pr(sold, quantity=1):
    return {"product_id": f"PR{sold.product:05}", "quantity": quantity}


def listing(query="") -> Request:
    return Request(method="GET", path=f"/orders{query}")


def reading(order_id) -> Request:
    return Request(method="GET", path=f"/orders/{order_id}")


async def test_a_placed_order_is_answered_whole_and_read_back_the_same(shop):
    ale, stout = await shop.sells("10.99"), await shop.sells("4.50")
    placed = await shop.ask("partner", placing((ale, 2), (stout, 3), customer_reference="CUST-1"))
    assert placed.status == 201
    told = placed.json
    assert list(told) == [
        *["order_id", "partner_name", "customer_reference", "status", "total_amount"],
        *["currency", "items"],
    ]
    assert told["partner_name"] == "RayTech Corp."
    assert told["customer_reference"] == "CUST-1"
    assert told["status"] == "created"
    assert told["total_amount"] == Exact("35.48")
    assert [(item["quantity"], item["line_total"]) for item in told["items"]] == [
        (2, Exact("21.98")),
        (3, Exact("13.50")),
    ]
    read = await shop.ask("partner", reading(told["order_id"]))
    assert read.body == placed.body
    assert read.headers["etag"] == placed.headers["etag"]


async def test_lines_are_kept_as_sent_also_when_two_name_the_same_product(shop):
    ale, stout = await shop.sells(stock=10), await shop.sells()
    placed = await shop.ask("partner", placing((ale, 3), (stout, 1), (ale, 4)))
    assert [item["product_id"] for item in placed.json["items"]] == [
        *[f"PR{ale.product:05}", f"PR{stout.product:05}", f"PR{ale.product:05}"]
    ]
    assert await shop.stock(ale) == (10, 7)


async def test_a_client_sets_neither_price_nor_status_nor_total(shop):
    ale = await shop.sells("10.99")
    items = [{**pr(ale), "unit_price": 0.01, "line_total": 0.01}]
    request = placing(items=items, status="cancelled", total_amount=0.01, order_id="OR00001")
    told = (await shop.ask("partner", request)).json
    assert (told["status"], told["total_amount"]) == ("created", Exact("10.99"))
    assert told["order_id"] != "OR00001"


async def test_a_reference_is_optional(shop):
    ale = await shop.sells()
    for changed in ({}, {"customer_reference": None}):
        told = (await shop.ask("partner", placing((ale,), **changed))).json
        assert told["customer_reference"] is None


async def test_the_same_partner_and_reference_are_one_customer_elsewhere(shop):
    ale = await shop.sells()
    customers = []
    for reference in ("A", "A", "B"):
        placed = await shop.ask("partner", placing((ale,), customer_reference=reference))
        number = int(placed.json["order_id"].removeprefix("OR"))
        told = (await shop.ask("storefront", STOREFRONT.read(number))).json
        assert told["customer"]["name"] == "RayTech Corp."
        customers.append(told["customer"]["id"])
    assert customers[0] == customers[1] != customers[2]


async def test_first_orders_at_once_make_one_customer(shop):
    ale = await shop.sells()
    request = placing((ale,), customer_reference="new")
    told = await asyncio.gather(*(shop.ask("partner", request) for _ in range(8)))
    assert [one.status for one in told] == [201] * 8
    numbers = [int(one.json["order_id"].removeprefix("OR")) for one in told]
    read = [await shop.ask("storefront", STOREFRONT.read(number)) for number in numbers]
    assert len({one.json["customer"]["id"] for one in read}) == 1
    assert await shop.stock(ale) == (10_000, 8)


async def test_an_order_of_nothing_is_400_and_every_other_malformed_one_422(shop):
    before = await shop.everything()
    empty = await shop.ask("partner", placing())
    assert (empty.status, empty.json) == (
        400,
        {"detail": "Order must contain at least one item."},
    )
    missing = Request(method="POST", path="/orders", body={"partner_name": "RayTech Corp."})
    told = await shop.ask("partner", missing)
    assert (told.status, told.json) == (422, {"detail": "items is required"})
    assert await shop.everything() == before


async def test_an_unknown_product_is_404_as_it_was_sent(shop):
    before = await shop.everything()
    for text in ("PR00000", "PR99999", "PR9223372036854775807", "PR9223372036854775808"):
        told = await shop.ask("partner", placing(items=[{"product_id": text, "quantity": 1}]))
        assert (told.status, told.json) == (404, {"detail": f"Product not found: {text}"})
    assert await shop.everything() == before


async def test_a_product_that_is_off_or_sold_out_is_409(shop):
    off, rare = await shop.sells(available=False), await shop.sells(stock=2)
    before = await shop.everything()
    for sold, quantity in ((off, 1), (rare, 3)):
        told = await shop.ask("partner", placing((sold, quantity)))
        detail = f"Product is not available: PR{sold.product:05}"
        assert (told.status, told.json) == (409, {"detail": detail})
    assert await shop.everything() == before
    assert (await shop.ask("partner", placing((rare, 2)))).status == 201
    assert await shop.stock(rare) == (2, 2)


async def test_a_repeated_request_with_its_key_places_one_order(shop):
    ale = await shop.sells()
    headers = {"Idempotency-Key": "order-1"}
    first = await shop.ask("partner", placing((ale,)), headers=headers)
    again = await shop.ask("partner", placing((ale,)), headers=headers)
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert (await shop.ask("partner", listing())).json["count"] == 1
    other = await shop.ask("partner", placing((ale, 2)), headers=headers)
    assert other.status == 422
    assert list(other.json) == ["detail"]


async def test_a_refusal_is_kept_under_its_key(shop):
    rare = await shop.sells(stock=0)
    headers = {"Idempotency-Key": '"quoted"'}
    first = await shop.ask("partner", placing((rare,)), headers=headers)
    again = await shop.ask("partner", placing((rare,)), headers={"Idempotency-Key": "quoted"})
    assert (first.status, again.status, again.body) == (409, 409, first.body)
    assert again.headers["idempotency-replayed"] == "true"


async def test_an_order_that_is_known_already_is_not_sent_again(shop):
    placed = await shop.ask("partner", placing((await shop.sells(),)))
    tag = {"If-None-Match": placed.headers["etag"]}
    told = await shop.ask("partner", reading(placed.json["order_id"]), headers=tag)
    assert (told.status, told.body) == (304, b"")


@pytest.mark.parametrize("text", ["OR1", "or00001", "OR000001", "1", "OR99999999999999999999", "x"])
async def test_text_that_is_no_order_id_is_404_as_it_was_sent(shop, text):
    told = await shop.ask("partner", reading(text))
    assert (told.status, told.json) == (404, {"detail": f"Order not found: {text}"})


async def test_the_list_is_complete_oldest_first_and_counts_itself(shop):
    ale = await shop.sells()
    assert (await shop.ask("partner", listing())).body == b'{"count":0,"items":[]}'
    ids = [
        (await shop.ask("partner", placing((ale, quantity)))).json["order_id"]
        for quantity in (1, 2, 3)
    ]
    told = await shop.ask("partner", listing())
    assert told.headers["content-type"] == "application/json"
    assert "content-disposition" not in told.headers
    assert list(told.json) == ["count", "items"]
    assert told.json["count"] == 3
    assert [order["order_id"] for order in told.json["items"]] == ids
    assert told.json["items"][1] == (await shop.ask("partner", reading(ids[1]))).json


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?limit=2", [1, 2]),
        ("?limit=2&offset=1", [2, 3]),
        ("?offset=2", [3]),
        ("?offset=9", []),
        ("?limit=9223372036854775807&offset=9223372036854775807", []),
        ("?page=2&color=red", [1, 2, 3]),
    ],
)
async def test_a_part_of_the_list_counts_itself(shop, query, expected):
    ale = await shop.sells()
    for quantity in (1, 2, 3):
        await shop.ask("partner", placing((ale, quantity)))
    told = (await shop.ask("partner", listing(query))).json
    assert told["count"] == len(expected)
    assert [order["items"][0]["quantity"] for order in told["items"]] == expected


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "x", "", "1e1", "1&limit=2", "1" + "0" * 30])
async def test_a_limit_that_is_none_is_422_by_name(shop, limit):
    told = await shop.ask("partner", listing(f"?limit={limit}"))
    assert told.status == 422
    assert told.json["detail"].startswith("limit ")


async def test_a_list_of_many_orders_is_valid_json_in_many_parts(shop):
    ale = await shop.sells(stock=100_000)
    for _ in range(12):
        lines = [pr(ale, quantity) for quantity in range(1, 101)]
        assert (await shop.ask("partner", placing(items=lines))).status == 201
    told = await shop.ask("partner", listing())
    assert len(told.body) > 128 * 1024
    orders = json.loads(told.body)
    assert orders["count"] == len(orders["items"]) == 12
    assert {len(order["items"]) for order in orders["items"]} == {100}


async def test_orders_from_elsewhere_are_shown_in_these_words(shop):
    ale = await shop.sells("10.99")
    number = BASIC.placed((await shop.ask("basic", BASIC.place([ale.times(2)], 98765))).json)
    told = (await shop.ask("partner", reading(f"OR{number:05}"))).json
    (item,) = told.pop("items")
    assert told == {
        "order_id": f"OR{number:05}",
        "partner_name": "CUST98765",
        "customer_reference": None,
        "status": "created",
        "total_amount": Exact("21.98"),
        "currency": "USD",
    }
    assert item.pop("order_item_id").startswith("OI")
    assert item == {
        "product_id": f"PR{ale.product:05}",
        "sku": f"SKU-{ale.variant}",
        "product_name": f"Product {ale.product}",
        "quantity": 2,
        "unit_price": Exact("10.99"),
        "line_total": Exact("21.98"),
    }


@pytest.mark.parametrize("word", ["processing", "shipped", "delivered", "completed", "cancelled"])
async def test_what_others_do_with_an_order_shows_in_its_status(shop, word):
    placed = await shop.ask("partner", placing((await shop.sells(),)))
    order_id = placed.json["order_id"]
    move = STOREFRONT.move(int(order_id.removeprefix("OR")), Word(word))
    assert move is not None
    assert (await shop.ask("storefront", move)).status == 200
    assert (await shop.ask("partner", reading(order_id))).json["status"] == word


async def test_a_partner_s_key_places_and_sees_only_its_own_orders(shop):
    ale = await shop.sells()
    ray = await shop.key(Role.PARTNER, partner="RayTech Corp.")
    foreign = await shop.ask("partner", placing((ale,), partner_name="Other Ltd."))
    own = await shop.ask("partner", placing((ale,)), key=ray)
    assert own.status == 201
    listed = (await shop.ask("partner", listing(), key=ray)).json
    assert (listed["count"], [order["order_id"] for order in listed["items"]]) == (
        1,
        [own.json["order_id"]],
    )
    hidden = foreign.json["order_id"]
    told = await shop.ask("partner", reading(hidden), key=ray)
    assert (told.status, told.json) == (404, {"detail": f"Order not found: {hidden}"})


async def test_a_partner_s_key_cannot_place_for_another_partner(shop):
    ale = await shop.sells()
    ray = await shop.key(Role.PARTNER, partner="RayTech Corp.")
    before = await shop.everything()
    told = await shop.ask("partner", placing((ale,), partner_name="Other Ltd."), key=ray)
    assert (told.status, list(told.json)) == (403, ["detail"])
    assert await shop.everything() == before


async def test_a_service_key_places_for_every_partner_and_sees_all(shop):
    ale = await shop.sells()
    service = await shop.key(Role.SERVICE)
    for name in ("RayTech Corp.", "Other Ltd."):
        told = await shop.ask("partner", placing((ale,), partner_name=name), key=service)
        assert told.status == 201
    listed = (await shop.ask("partner", listing(), key=service)).json
    assert [order["partner_name"] for order in listed["items"]] == ["RayTech Corp.", "Other Ltd."]


async def test_a_customer_s_key_sees_its_own_orders_and_is_no_partner(shop):
    ale = await shop.sells()
    jane = await shop.key(Role.CUSTOMER, customer=5)
    own = BASIC.placed((await shop.ask("basic", BASIC.place([ale.times(1)], 5))).json)
    other = BASIC.placed((await shop.ask("basic", BASIC.place([ale.times(1)], 6))).json)
    assert (await shop.ask("partner", placing((ale,)), key=jane)).status == 403
    listed = (await shop.ask("partner", listing(), key=jane)).json
    assert [order["order_id"] for order in listed["items"]] == [f"OR{own:05}"]
    assert (await shop.ask("partner", reading(f"OR{other:05}"), key=jane)).status == 404


@pytest.mark.parametrize(
    "request_", [placing(), listing(), reading("OR00001")], ids=["place", "list", "read"]
)
async def test_nobody_gets_in_without_a_key_that_counts(shop, request_):
    for key in ("", "nobody-was-given-this"):
        told = await shop.ask("partner", request_, key=key)
        assert (told.status, told.json) == (401, {"detail": "Invalid or missing API key"})
        assert "www-authenticate" in told.headers


async def test_the_key_may_come_in_either_header(shop):
    for headers in ({"x-api-key": shop.admin}, {"Authorization": f"Bearer {shop.admin}"}):
        assert (await shop.ask("partner", listing(), key="", headers=headers)).status == 200


async def test_another_store_s_orders_are_not_there(shop, everyone):
    elsewhere = await open_shop(everyone)
    placed = await shop.ask("partner", placing((await shop.sells(),)))
    told = await elsewhere.ask("partner", reading(placed.json["order_id"]))
    assert told.status == 404
    assert (await elsewhere.ask("partner", listing())).json["count"] == 0
