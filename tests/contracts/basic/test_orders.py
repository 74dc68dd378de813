"""Placing, moving and cancelling orders through `basic`."""

import pytest

from openorders.domain.access import Role
from tests.contracts.asking import Exact, Request
from tests.contracts.basic.requests import a_get, a_post, a_put, an_order, place, refused
from tests.contracts.shop import Shop


async def test_an_order_is_placed_at_the_store_s_prices_and_its_lines_are_kept(shop: Shop) -> None:
    candle, soap = await shop.sells("50.25"), await shop.sells("25.00")
    told = await shop.ask("basic", an_order((candle, 2), soap, candle))
    assert told.status == 201
    assert told.headers["etag"] == '"v1"'
    assert told.headers["content-type"] == "application/json"
    order, placed_at = told.json["id"], told.json["orderDate"]
    assert told.json == {
        "id": order,
        "userId": 5,
        "orderDate": placed_at,
        "totalAmount": Exact("175.75"),
        "status": "pending",
        "items": [
            {"productId": candle.product, "quantity": 2, "price": Exact("50.25")},
            {"productId": soap.product, "quantity": 1, "price": Exact("25.00")},
            {"productId": candle.product, "quantity": 1, "price": Exact("50.25")},
        ],
    }
    assert await shop.stock(candle) == (10_000, 3)
    assert (await shop.ask("basic", a_get(f"/orders/{order}"))).body == told.body


async def test_what_is_not_a_client_s_to_say_is_ignored(shop: Shop) -> None:
    candle = await shop.sells("10.00")
    item = {"productId": candle.product, "quantity": 1, "price": 0.01, "status": "fulfilled"}
    more = {"status": "delivered", "totalAmount": 1, "id": 7, "orderDate": "2001-01-01T00:00:00Z"}
    told = await shop.ask("basic", a_post({"userId": 5, "items": [item], **more}))
    assert told.status == 201
    shown = told.json
    assert (shown["status"], shown["totalAmount"]) == ("pending", Exact("10.00"))
    assert shown["id"] != 7
    assert not shown["orderDate"].startswith("2001")


@pytest.mark.parametrize("status", ["processing", "shipped", "delivered", "cancelled"])
async def test_a_status_is_asked_for_by_its_word_and_steps_may_be_skipped(
    shop: Shop, status: str
) -> None:
    order = await place(shop, await shop.sells())
    told = await shop.ask("basic", a_put(order, {"status": status}))
    assert (told.status, told.json["status"]) == (200, status)
    assert told.headers["etag"] == '"v2"'
    again = await shop.ask("basic", a_put(order, {"status": status}))
    assert (again.status, again.body) == (200, told.body)
    assert again.headers["etag"] == '"v2"'


async def test_pending_is_a_success_only_where_it_holds(shop: Shop) -> None:
    order = await place(shop, await shop.sells())
    told = await shop.ask("basic", a_put(order, {"status": "pending"}))
    assert (told.status, told.headers["etag"]) == (200, '"v1"')
    await shop.ask("basic", a_put(order, {"status": "processing"}))
    status, sentence = await refused(shop, a_put(order, {"status": "pending"}))
    assert status == 409
    assert sentence == "Order status cannot be changed from processing to pending."


async def test_cancelling_by_status_or_by_delete_is_one_thing(shop: Shop) -> None:
    candle = await shop.sells()
    by_put, by_delete = await place(shop, candle), await place(shop, candle)
    assert (await shop.ask("basic", a_put(by_put, {"status": "cancelled"}))).status == 200
    told = await shop.ask("basic", Request(method="DELETE", path=f"/orders/{by_delete}"))
    assert (told.status, told.body) == (204, b"")
    assert "content-length" not in told.headers
    for order in (by_put, by_delete):
        assert (await shop.ask("basic", a_get(f"/orders/{order}"))).json["status"] == "cancelled"
        told = await shop.ask("basic", Request(method="DELETE", path=f"/orders/{order}"))
        assert (told.status, told.body) == (204, b"")
    assert await shop.stock(candle) == (10_000, 0)


@pytest.mark.parametrize("late", ["shipped", "delivered"])
async def test_too_late_to_cancel_names_the_state(shop: Shop, late: str) -> None:
    order = await place(shop, await shop.sells())
    await shop.ask("basic", a_put(order, {"status": late}))
    expected = (409, f"Order cannot be cancelled as it has already been {late}.")
    assert await refused(shop, Request(method="DELETE", path=f"/orders/{order}")) == expected
    assert await refused(shop, a_put(order, {"status": "cancelled"})) == expected


async def test_no_stock_and_no_product_are_named_by_number(shop: Shop) -> None:
    scarce, gone = await shop.sells(stock=2), await shop.sells(available=False)
    assert await refused(shop, an_order((scarce, 3))) == (
        409,
        f"Insufficient stock for product with ID {scarce.product}.",
    )
    assert await refused(shop, an_order(scarce, (scarce, 2))) == (
        409,
        f"Insufficient stock for product with ID {scarce.product}.",
    )
    assert await refused(shop, an_order(gone)) == (
        409,
        f"Product with ID {gone.product} is not available.",
    )
    for unknown in (0, 99, 2**63 - 1, 2**63, 10**30):
        item = {"productId": unknown, "quantity": 1}
        assert await refused(shop, a_post({"userId": 5, "items": [item]})) == (
            404,
            f"Product with ID {unknown} not found.",
        )


async def test_an_order_beyond_any_amount_is_refused(shop: Shop) -> None:
    dear = await shop.sells("9999999999999.99", stock=1_000_000)
    status, _ = await refused(shop, an_order((dear, 1_000_000)))
    assert status == 400


async def test_a_store_can_demand_registered_users(shop: Shop) -> None:
    candle = await shop.sells()
    await place(shop, candle, user=5)
    await shop.decides(require_registered_customers=True)
    await place(shop, candle, user=5)
    assert await refused(shop, an_order(candle, user=6)) == (404, "User with ID 6 not found.")


async def test_a_customer_s_key_places_and_sees_their_own(shop: Shop) -> None:
    candle = await shop.sells()
    own = await shop.key(Role.CUSTOMER, customer=5)
    mine, other = await place(shop, candle, user=5, key=own), await place(shop, candle, user=6)
    listed = await shop.ask("basic", a_get("/orders"), key=own)
    assert [order["id"] for order in listed.json] == [mine]
    assert listed.headers["x-total-count"] == "1"
    someone = await shop.ask("basic", a_get("/orders?userId=6"), key=own)
    assert (someone.status, someone.json) == (200, [])
    assert await refused(shop, a_get(f"/orders/{other}"), key=own) == (
        404,
        f"Order with ID {other} not found.",
    )
    assert await refused(shop, an_order(candle, user=6), key=own) == (
        403,
        "This API key may not place orders for another customer.",
    )
    told = await shop.ask("basic", Request(method="DELETE", path=f"/orders/{mine}"), key=own)
    assert told.status == 204


async def test_a_partner_s_key_places_and_sees_the_partner_s(shop: Shop) -> None:
    candle = await shop.sells()
    acme = await shop.key(Role.PARTNER, partner="Acme")
    ours, _ = await place(shop, candle, user=6, key=acme), await place(shop, candle, user=6)
    listed = await shop.ask("basic", a_get("/orders"), key=acme)
    assert [order["id"] for order in listed.json] == [ours]


@pytest.mark.parametrize("status", ["processing", "shipped", "delivered"])
async def test_a_customer_does_not_move_orders_on(shop: Shop, status: str) -> None:
    own = await shop.key(Role.CUSTOMER, customer=5)
    order = await place(shop, await shop.sells(), user=5, key=own)
    refusal, _ = await refused(shop, a_put(order, {"status": status}), key=own)
    assert refusal == 403


async def test_an_open_contract_needs_no_key_but_a_wrong_one_counts(shop: Shop) -> None:
    shop.served.services.open_contracts["basic"] = shop.store.name
    shop.served.services.known.forget()
    try:
        told = await shop.ask("basic", an_order(await shop.sells()), key="")
        assert told.status == 201
        headers = {"Idempotency-Key": "of nobody"}
        request = an_order(await shop.sells())
        first = await shop.ask("basic", request, key="", headers=headers)
        again = await shop.ask("basic", request, key="", headers=headers)
        assert (first.body, again.headers["idempotency-replayed"]) == (again.body, "true")
        assert await refused(shop, a_get("/orders"), key="wrong") == (
            401,
            "Missing or invalid API key.",
        )
    finally:
        del shop.served.services.open_contracts["basic"]
        shop.served.services.known.forget()


async def test_a_user_whom_the_store_numbered_can_be_named_like_any_other(shop: Shop) -> None:
    candle = await shop.sells()
    body = {
        "partner_name": "Acme",
        "customer_reference": "C-1",
        "items": [{"product_id": f"PR{candle.product:05}", "quantity": 1}],
    }
    told = await shop.ask("partner", Request(method="POST", path="/orders", body=body))
    assert told.status == 201
    user = (await shop.ask("basic", a_get("/orders"))).json[0]["userId"]
    assert user >= 1_000_000_000_000
    await place(shop, candle, user=user)
    listed = await shop.ask("basic", a_get(f"/orders?userId={user}"))
    assert listed.headers["x-total-count"] == "2"
