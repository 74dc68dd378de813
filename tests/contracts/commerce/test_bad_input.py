"""Bad input at every field of `commerce`: the field is named, and nothing is changed."""

from typing import Any

import pytest

from tests.contracts.asking import Request
from tests.contracts.commerce.requests import ADDRESS, a_get, a_post, a_put, place, refused
from tests.contracts.shop import Shop

NO_TEXTS: list[Any] = [5, 5.5, True, None, ["PROD011"], {"id": 5}]
NO_INTEGERS: list[Any] = ["5", 5.5, 5.0, True, None, [5], {"id": 5}, ""]
NO_OBJECTS = ["null", "[]", "5", '"text"', "true", "", "{", "[1,", "nonsense", "{'status': 5}"]
LONG = "x" * 201


def item(**changed: Any) -> dict[str, Any]:
    return {"productId": "PROD011", "quantity": 1} | changed


def order(**changed: Any) -> dict[str, Any]:
    return {"customerId": "CUST98765", "items": [item()]} | changed


ORDERS: list[tuple[str, Any]] = [
    ("customerId", {"items": [item()]}),
    ("items", {"customerId": "CUST98765"}),
    *(("customerId", order(customerId=text)) for text in NO_TEXTS),
    *(
        ("customerId", order(customerId=text))
        for text in ("", "98765", "CUST1", "CUST098765", "cust98765", "CUST00000", "x" * 41)
    ),
    ("customerId", order(customerId="CUST1000000000000")),
    ("items", order(items=[])),
    ("items", order(items=None)),
    ("items", order(items={"0": item()})),
    ("items", order(items=[item()] * 501)),
    ("items[0]", order(items=["PROD011"])),
    ("items[1]", order(items=[item(), None])),
    ("items[0].productId", order(items=[{"quantity": 1}])),
    ("items[0].quantity", order(items=[{"productId": "PROD011"}])),
    *(("items[0].productId", order(items=[item(productId=text)])) for text in NO_TEXTS),
    *(
        ("items[1].productId", order(items=[item(), item(productId=text)]))
        for text in ("", "11", "PROD11", "PROD0011", "prod011", "PROD01A", "PROD-01", "x" * 41)
    ),
    *(("items[0].quantity", order(items=[item(quantity=one)])) for one in NO_INTEGERS),
    *(
        ("items[1].quantity", order(items=[item(), item(quantity=one)]))
        for one in (0, -1, 1_000_001, 2**63, 10**30)
    ),
    *(("shippingAddress", order(shippingAddress=one)) for one in ("home", 5, [], True, {})),
    *(
        (f"shippingAddress.{part}", order(shippingAddress=ADDRESS | {part: one}))
        for part in ADDRESS
        for one in (5, True, [], LONG)
    ),
    *(("paymentMethodId", order(paymentMethodId=one)) for one in (5, True, [], {}, "", "x" * 256)),
    ("shippingAddress.city", order(shippingAddress={"city": "Any\0town"})),
    ("note", order(note="\0")),
]


@pytest.mark.parametrize(("field", "body"), ORDERS)
async def test_a_malformed_order_is_refused_with_its_field(
    shop: Shop, field: str, body: Any
) -> None:
    await shop.sells()
    status, code, message = await refused(shop, a_post(body))
    assert (status, code) == (400, "BAD_REQUEST")
    assert message.startswith(f"{field} ")


@pytest.mark.parametrize(
    "text",
    [
        *NO_OBJECTS,
        '{"customerId": "CUST98765", "items": [{"productId": "PROD011", "quantity": 1e0}]}',
        '{"customerId": "CUST98765", "items": [{"productId": "PROD011", "quantity": NaN}]}',
        '{"customerId": "\\ud800", "items": [{"productId": "PROD011", "quantity": 1}]}',
        b'{"customerId": "\xff", "items": [{"productId": "PROD011", "quantity": 1}]}',
        '{"customerId": "CUST98765", "items": ' + "[" * 5000 + "]" * 5000 + "}",
    ],
    ids=lambda text: text[:40],
)
async def test_what_is_no_readable_json_is_refused(shop: Shop, text: str | bytes) -> None:
    await shop.sells()
    request = Request(method="POST", path="/v1/orders", text=text)
    status, code, message = await refused(shop, request)
    assert (status, code) == (400, "BAD_REQUEST")
    assert message


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("body", {}),
        ("body", {"note": "hello"}),
        ("body", {"status": None, "shippingAddress": None}),
        *(
            ("status", {"status": one})
            for one in ("", "lost", "Shipped", "paid", "completed", 5, True, ["shipped"], {})
        ),
        ("status", {"status": "lost", "shippingAddress": ADDRESS}),
        ("shippingAddress", {"status": "shipped", "shippingAddress": {}}),
        ("shippingAddress", {"status": "shipped", "shippingAddress": "home"}),
        *(
            (f"shippingAddress.{part}", {"shippingAddress": ADDRESS | {part: one}})
            for part in ADDRESS
            for one in (5, LONG)
        ),
    ],
)
async def test_a_malformed_change_is_refused_with_its_field(
    shop: Shop, field: str, changes: dict[str, Any]
) -> None:
    placed = await place(shop, await shop.sells())
    status, code, message = await refused(shop, a_put(placed, **changes))
    assert (status, code) == (400, "BAD_REQUEST")
    assert message.startswith(f"{field} ")


@pytest.mark.parametrize("text", NO_OBJECTS)
async def test_a_change_that_is_no_object_is_refused(shop: Shop, text: str) -> None:
    placed = await place(shop, await shop.sells())
    request = Request(method="PUT", path=f"/v1/orders/{placed}", text=text)
    status, code, _ = await refused(shop, request)
    assert (status, code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "text",
    [
        "ORD999999999",
        "ORD000000000",
        "ORD0123456789",
        "ORD1",
        "ord123456789",
        "123456789",
        "abc",
        "ORD%201",
        f"ORD{2**63}",
        "ORD" + "9" * 400,
    ],
)
async def test_an_id_that_names_nothing_is_told_as_it_was_sent(
    shop: Shop, method: str, text: str
) -> None:
    body = {"status": "shipped"} if method == "PUT" else None
    request = Request(method=method, path=f"/v1/orders/{text}", body=body)
    sent = text.replace("%20", " ")
    assert await refused(shop, request) == (404, "NOT_FOUND", f"Order with ID {sent} not found.")


@pytest.mark.parametrize("text", ["PROD000", "PROD999", f"PROD{2**63 - 1}", f"PROD{2**63}"])
async def test_a_product_that_is_not_there_is_told_as_it_was_sent(shop: Shop, text: str) -> None:
    body = order(items=[item(productId=text)])
    expected = (404, "NOT_FOUND", f"Product with ID {text} not found.")
    assert await refused(shop, a_post(body)) == expected


async def test_texts_at_their_limits_are_kept_to_the_letter(shop: Shop) -> None:
    address = dict.fromkeys(ADDRESS, "\u00e9\U0001f600" * 100)
    placed = await place(shop, await shop.sells(), shippingAddress=address)
    assert (await shop.ask("commerce", a_get(placed))).json["shippingAddress"] == address
