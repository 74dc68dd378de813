"""Bad input at every field of `basic`: its own sentence, and nothing is changed."""

import json
from typing import Any

import pytest

from tests.contracts.asking import Request
from tests.contracts.basic.requests import a_get, a_post, a_put, place, refused
from tests.contracts.shop import Shop

INVALID_ORDER = (400, "Invalid input. User ID is missing or items are invalid.")
INVALID_STATUS = (400, "Invalid status value provided.")

NO_INTEGERS: list[Any] = ["5", 5.5, 5.0, True, None, [5], {"id": 5}, ""]
NO_OBJECTS = ["null", "[]", "5", '"text"', "true", "", "{", "[1,", "nonsense", "{'userId': 5}"]


def item(**changed: Any) -> dict[str, Any]:
    return {"productId": 11, "quantity": 1} | changed


ORDERS: dict[str, Any] = {
    "nothing": {},
    "no user": {"items": [item()]},
    "no items": {"userId": 5},
    "items are empty": {"userId": 5, "items": []},
    "items are null": {"userId": 5, "items": None},
    "items are an object": {"userId": 5, "items": {"0": item()}},
    "items are a text": {"userId": 5, "items": "11"},
    "too many items": {"userId": 5, "items": [item()] * 501},
    "an item is a number": {"userId": 5, "items": [11]},
    "an item is null": {"userId": 5, "items": [item(), None]},
    "an item without a product": {"userId": 5, "items": [{"quantity": 1}]},
    "an item without a quantity": {"userId": 5, "items": [{"productId": 11}]},
    **{f"user {user!r}": {"userId": user, "items": [item()]} for user in NO_INTEGERS},
    **{
        f"user {user}": {"userId": user, "items": [item()]}
        for user in (0, -5, 1_000_000_000_000, 2**53, 2**63, 10**30)
    },
    **{f"product {one!r}": {"userId": 5, "items": [item(productId=one)]} for one in NO_INTEGERS},
    "product -1": {"userId": 5, "items": [item(productId=-1)]},
    **{f"quantity {one!r}": {"userId": 5, "items": [item(quantity=one)]} for one in NO_INTEGERS},
    **{
        f"quantity {one}": {"userId": 5, "items": [item(quantity=one)]}
        for one in (0, -1, 1_000_001, 2**63, 10**30)
    },
    "a later item": {"userId": 5, "items": [item(), item(quantity=0)]},
    "names in another case": {"userid": 5, "items": [item()]},
}


@pytest.mark.parametrize("body", ORDERS.values(), ids=ORDERS)
async def test_a_malformed_order_is_refused_with_the_document_s_sentence(
    shop: Shop, body: Any
) -> None:
    await shop.sells()
    assert await refused(shop, a_post(body)) == INVALID_ORDER


@pytest.mark.parametrize(
    "text",
    [
        *NO_OBJECTS,
        '{"userId": 5, "items": [{"productId": 11, "quantity": 1e0}]}',
        '{"userId": 5, "items": [{"productId": 11, "quantity": NaN}]}',
        '{"userId": Infinity, "items": [{"productId": 11, "quantity": 1}]}',
        '{"userId": 5, "items": [{"productId": 11, "quantity": 01}]}',
        '{"userId": 5, "items": [{"productId": 11, "quantity": 1}], "note": "\\u0000"}',
        '{"userId": 5, "items": [{"productId": 11, "quantity": 1}], "note": "\\ud800"}',
        b'{"userId": 5, "items": [{"productId": 11, "quantity": 1}], "note": "\xff"}',
        '{"userId": 5, "items": ' + "[" * 5000 + "]" * 5000 + "}",
        '{"userId": 5, "items": [{"productId": 11, "quantity": 1}]} trailing',
        '{"userId": 5, "items": [{"productId": 11, "quantity": ' + "9" * 5000 + "}]}",
    ],
    ids=lambda text: text[:40],
)
async def test_what_is_no_readable_json_is_refused_with_the_same_sentence(
    shop: Shop, text: str | bytes
) -> None:
    await shop.sells()
    assert await refused(shop, Request(method="POST", path="/orders", text=text)) == INVALID_ORDER


STATUSES: list[Any] = ["", "lost", "Shipped", "created", "paid", "completed", "refunded", 5, None]


@pytest.mark.parametrize("status", [*STATUSES, True, ["shipped"], {"is": "shipped"}, "shipped\0"])
async def test_a_status_that_is_none_is_refused(shop: Shop, status: Any) -> None:
    order = await place(shop, await shop.sells())
    assert await refused(shop, a_put(order, {"status": status})) == INVALID_STATUS


@pytest.mark.parametrize("text", [*NO_OBJECTS, "{}", '{"Status": "shipped"}'])
async def test_a_change_without_a_status_is_refused(shop: Shop, text: str) -> None:
    order = await place(shop, await shop.sells())
    request = Request(method="PUT", path=f"/orders/{order}", text=text)
    assert await refused(shop, request) == INVALID_STATUS


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("0", "0"),
        ("999", "999"),
        ("007", "007"),
        ("-1", "-1"),
        ("abc", "abc"),
        ("1.0", "1.0"),
        ("%2B1", "+1"),
        ("1%20", "1 "),
        ("%D9%A7", "\u0667"),
        (str(2**63), str(2**63)),
        ("9" * 400, "9" * 400),
    ],
)
async def test_an_id_that_names_nothing_is_told_as_it_was_sent(
    shop: Shop, method: str, sent: str, text: str
) -> None:
    body = {"status": "shipped"} if method == "PUT" else None
    request = Request(method=method, path=f"/orders/{sent}", body=body)
    assert await refused(shop, request) == (404, f"Order with ID {text} not found.")


async def test_a_body_of_another_type_is_refused_by_its_header(shop: Shop) -> None:
    await shop.sells()
    headers = {"Content-Type": "text/plain"}
    body = json.dumps({"userId": 5, "items": [item()]})
    request = Request(method="POST", path="/orders", text=body, headers=headers)
    status, sentence = await refused(shop, request)
    assert status in (400, 415)
    assert sentence


async def test_no_body_at_all_is_refused_with_the_document_s_sentence(shop: Shop) -> None:
    order = await place(shop, await shop.sells())
    assert await refused(shop, Request(method="POST", path="/orders")) == INVALID_ORDER
    assert await refused(shop, Request(method="PUT", path=f"/orders/{order}")) == INVALID_STATUS


async def test_a_slash_within_an_id_divides_no_path(shop: Shop) -> None:
    order = await place(shop, await shop.sells())
    told = await refused(shop, a_get(f"/orders/{order}%2F"))
    assert told == (404, f"Order with ID {order}/ not found.")
    assert await refused(shop, a_get("/orders/%2f")) == (404, "Order with ID / not found.")


async def test_an_order_of_the_most_lines_and_the_largest_quantity_is_placed(shop: Shop) -> None:
    candle = await shop.sells("0.01", stock=2_000_000)
    items = [{"productId": candle.product, "quantity": 1}] * 499
    items.append({"productId": candle.product, "quantity": 1_000_000})
    told = await shop.ask("basic", a_post({"userId": 999_999_999_999, "items": items}))
    assert told.status == 201
    assert len(told.json["items"]) == 500
    shown = await shop.ask("basic", a_get(f"/orders/{told.json['id']}"))
    assert shown.json["userId"] == 999_999_999_999
    assert str(shown.json["totalAmount"]) == "10004.99"
