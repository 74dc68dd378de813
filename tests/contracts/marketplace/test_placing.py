"""Orders of `marketplace` that await their payment."""

from typing import Any

import pytest

from openorders.domain.access import Role
from tests.contracts.asking import Exact, Request
from tests.contracts.marketplace.requests import (
    a_get,
    an_order,
    done,
    item,
    offer_id,
    place,
    read,
    refused,
)
from tests.contracts.serving import ORIGIN
from tests.contracts.shop import Shop, open_shop


@pytest.mark.parametrize("path", ["/api/orders/initiate-payment", "/api/orders"])
async def test_an_order_awaits_its_payment_on_either_path(shop: Shop, path: str) -> None:
    lamp = await shop.sells("99.99")
    request = Request(method="POST", path=path, body=an_order((lamp, 2)).body)
    told = await shop.ask("marketplace", request)
    assert told.status == 201
    order = told.json
    assert list(order) == ["orderId", "status", "totalAmount", "paymentUrl", "createdAt"]
    assert (order["status"], order["totalAmount"]) == ("pending_payment", Exact("199.98"))
    assert told.headers["etag"] == '"v1"'
    assert await shop.stock(lamp) == (10_000, 2)


async def test_the_payment_url_is_absolute_and_unguessable(shop: Shop) -> None:
    lamp = await shop.sells()
    urls = [(await done(shop, an_order(lamp), status=201))["paymentUrl"] for _ in range(2)]
    tokens = [url.rpartition("/")[2] for url in urls]
    assert all(url.startswith(f"{ORIGIN}/pay/{shop.store.id}/") for url in urls)
    assert tokens[0] != tokens[1]
    assert all(len(token) >= 22 for token in tokens)


async def test_lines_are_kept_as_sent_also_when_two_name_the_same_offer(shop: Shop) -> None:
    lamp, bulb = await shop.sells("20.00"), await shop.sells("1.50")
    order = await read(shop, await place(shop, (bulb, 3), lamp, (bulb, 1)))
    assert [(line["offerId"], line["quantity"]) for line in order["items"]] == [
        (offer_id(bulb), 3),
        (offer_id(lamp), 1),
        (offer_id(bulb), 1),
    ]
    assert order["totalAmount"] == Exact("26.00")
    assert {line["status"] for line in order["items"]} == {"pending"}


async def test_a_client_sets_no_price_but_may_name_the_right_one(shop: Shop) -> None:
    lamp = await shop.sells("99.99")
    order = await read(shop, await place(shop, item(lamp, price=99.99), item(lamp, price=None)))
    assert [line["price"] for line in order["items"]] == [Exact("99.99")] * 2


@pytest.mark.parametrize("price", [0, 99.98, 99.991, 1, 9999, -99.99, 1e20])
async def test_another_price_is_a_mismatch_that_tells_the_right_one(shop: Shop, price: Any) -> None:
    lamp, bulb = await shop.sells("99.99"), await shop.sells("1.00")
    request = an_order(item(bulb, price=1), item(lamp, price=price))
    status, code, message = await refused(shop, request)
    assert (status, code) == (400, "PRICE_MISMATCH")
    assert message == f"items[1].price is wrong: {offer_id(lamp)} costs 99.99."


async def test_too_few_on_hand_is_no_order(shop: Shop) -> None:
    lamp = await shop.sells(stock=2)
    told = await refused(shop, an_order((lamp, 2), (lamp, 1)))
    assert told[:2] == (400, "INSUFFICIENT_INVENTORY")
    assert offer_id(lamp) in told[2]


async def test_an_offer_that_is_switched_off_cannot_be_had(shop: Shop) -> None:
    lamp = await shop.sells(available=False)
    told = await refused(shop, an_order(lamp))
    assert told[:2] == (400, "INSUFFICIENT_INVENTORY")


async def test_a_gateway_of_the_store_is_named_or_the_default_taken(shop: Shop) -> None:
    lamp = await shop.sells()
    await shop.decides(gateways=[{"name": "stripe_1"}, {"name": "stripe_2"}])
    await place(shop, lamp, paymentGatewayId="stripe_2")
    await place(shop, lamp)
    told = await refused(shop, an_order(lamp, paymentGatewayId="stripe_9"))
    assert told[:2] == (400, "VALIDATION_ERROR")
    assert "paymentGatewayId" in told[2]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"customerId": 123}, "customerId"),
    ({"customerId": "123"}, "customerId"),
    ({"customerId": "cust_0123"}, "customerId"),
    ({"customerId": "cust_0"}, "customerId"),
    ({"customerId": f"cust_{2**63}"}, "customerId"),
    ({"customerId": None}, "customerId"),
    ({"items": []}, "items"),
    ({"items": None}, "items"),
    ({"items": {}}, "items"),
    ({"items": [None]}, "items[0]"),
    ({"items": [{"offerId": "offer_1"}]}, "items[0].quantity"),
    ({"items": [{"quantity": 1}]}, "items[0].offerId"),
    ({"items": [{"offerId": "offer_01", "quantity": 1}]}, "items[0].offerId"),
    ({"items": [{"offerId": 456, "quantity": 1}]}, "items[0].offerId"),
    ({"items": [{"offerId": f"offer_{2**63}", "quantity": 1}]}, "items[0].offerId"),
    ({"paymentMethod": 5}, "paymentMethod"),
    ({"paymentMethod": "x" * 101}, "paymentMethod"),
    ({"paymentGatewayId": ["stripe_1"]}, "paymentGatewayId"),
]


@pytest.mark.parametrize(("change", "field"), WRONG, ids=lambda value: str(value)[:40])
async def test_a_wrong_field_is_named(shop: Shop, change: dict[str, Any], field: str) -> None:
    request = an_order(await shop.sells())
    body = {**request.body, **change}  # pyright: ignore[reportGeneralTypeIssues] - it is a dict
    status, code, message = await refused(
        shop, Request(method="POST", path="/api/orders", body=body)
    )
    assert (status, code) == (400, "VALIDATION_ERROR")
    assert message.startswith(f"{field} ")


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001, "2", 1.5, True, None, [], 10**30])
async def test_a_quantity_is_a_whole_number_within_bounds(shop: Shop, quantity: Any) -> None:
    status, code, message = await refused(shop, an_order((await shop.sells(), quantity)))
    assert (status, code) == (400, "VALIDATION_ERROR")
    assert message.startswith("items[0].quantity ")


@pytest.mark.parametrize("literal", ["1e1", "1.0", "10e-1", "NaN", "Infinity", "01"])
async def test_a_quantity_is_written_in_plain_digits(shop: Shop, literal: str) -> None:
    offer = offer_id(await shop.sells())
    text = f'{{"customerId": "cust_1", "items": [{{"offerId": "{offer}", "quantity": {literal}}}]}}'
    told = await refused(shop, Request(method="POST", path="/api/orders", text=text))
    assert told[:2] == (400, "VALIDATION_ERROR")


async def test_at_most_five_hundred_items(shop: Shop) -> None:
    lamp = await shop.sells()
    await place(shop, *[lamp] * 500)
    told = await refused(shop, an_order(*[lamp] * 501))
    assert told == (400, "VALIDATION_ERROR", "items must have at most 500 entries.")


async def test_what_only_the_store_decides_is_ignored(shop: Shop) -> None:
    lamp = await shop.sells("99.99")
    request = an_order(lamp, totalAmount=1, status="completed", id="ord_1", orderId="ord_2")
    order = await done(shop, request, status=201)
    assert (order["status"], order["totalAmount"]) == ("pending_payment", Exact("99.99"))


async def test_a_customer_places_for_nobody_else(shop: Shop) -> None:
    lamp = await shop.sells()
    key = await shop.key(Role.CUSTOMER, customer=7)
    await place(shop, lamp, customer="cust_7", key=key)
    told = await refused(shop, an_order(lamp, customer="cust_8"), key=key)
    assert told[:2] == (403, "PERMISSION_DENIED")


async def test_a_yen_has_no_digits(shop: Shop) -> None:
    tokyo = await open_shop(shop.served, currency="JPY")
    lamp = await tokyo.sells("150")
    order = await done(tokyo, an_order((lamp, 2)), status=201)
    assert order["totalAmount"] == 300
    told = await tokyo.ask("marketplace", a_get(order["orderId"]))
    assert b'"price":150,' in told.body
