"""Placing, changing and cancelling orders through `commerce`."""

import pytest

from openorders.domain.access import Role
from tests.contracts.asking import Exact
from tests.contracts.commerce.requests import (
    ADDRESS,
    a_delete,
    a_get,
    a_put,
    an_order,
    listed,
    place,
    product_id,
    refused,
)
from tests.contracts.shop import Shop


async def test_an_order_is_placed_at_the_store_s_prices_and_its_lines_are_kept(shop: Shop) -> None:
    candle, soap = await shop.sells("50.25"), await shop.sells("25.00")
    told = await shop.ask(
        "commerce", an_order((candle, 2), soap, candle, totalAmount=1, status="x")
    )
    assert told.status == 201
    assert told.headers["etag"] == '"v1"'
    order, placed_at = told.json["orderId"], told.json["createdAt"]
    assert told.json == {
        "orderId": order,
        "customerId": "CUST98765",
        "status": "pending",
        "totalAmount": Exact("175.75"),
        "currency": "USD",
        "createdAt": placed_at,
        "updatedAt": placed_at,
        "items": [
            {"productId": product_id(candle), "quantity": 2, "price": Exact("50.25")},
            {"productId": product_id(soap), "quantity": 1, "price": Exact("25.00")},
            {"productId": product_id(candle), "quantity": 1, "price": Exact("50.25")},
        ],
    }
    assert (await shop.ask("commerce", a_get(order))).body == told.body


async def test_the_address_is_shown_with_one_order_only(shop: Shop) -> None:
    candle = await shop.sells()
    told = await shop.ask("commerce", an_order(candle, shippingAddress=ADDRESS))
    assert "shippingAddress" not in told.json
    order = told.json["orderId"]
    assert (await shop.ask("commerce", a_get(order))).json["shippingAddress"] == ADDRESS
    entries = (await shop.ask("commerce", a_get())).json["data"]
    assert all("shippingAddress" not in entry for entry in entries)
    without = await place(shop, candle, shippingAddress=None)
    assert "shippingAddress" not in (await shop.ask("commerce", a_get(without))).json


async def test_parts_of_an_address_that_are_not_given_are_null(shop: Shop) -> None:
    order = await place(shop, await shop.sells(), shippingAddress={"city": "Anytown", "floor": 3})
    assert (await shop.ask("commerce", a_get(order))).json["shippingAddress"] == {
        "street": None,
        "city": "Anytown",
        "state": None,
        "zipCode": None,
        "country": None,
    }


async def test_an_address_is_replaced_whole(shop: Shop) -> None:
    order = await place(shop, await shop.sells(), shippingAddress=ADDRESS)
    told = await shop.ask("commerce", a_put(order, shippingAddress={"city": "Othertown"}))
    assert told.status == 200
    assert told.json["status"] == "pending"
    assert told.json["shippingAddress"]["city"] == "Othertown"
    assert told.json["shippingAddress"]["street"] is None
    assert told.headers["etag"] == '"v2"'
    again = await shop.ask("commerce", a_put(order, shippingAddress={"city": "Othertown"}))
    assert (again.body, again.headers["etag"]) == (told.body, '"v2"')


async def test_status_and_address_change_together_or_not_at_all(shop: Shop) -> None:
    candle = await shop.sells()
    order = await place(shop, candle, shippingAddress=ADDRESS)
    moved = ADDRESS | {"city": "Othertown"}
    told = await shop.ask("commerce", a_put(order, status="shipped", shippingAddress=moved))
    assert (told.status, told.json["status"]) == (200, "shipped")
    assert told.json["shippingAddress"] == moved
    assert told.headers["etag"] == '"v2"'
    fixed = (
        400,
        "BAD_REQUEST",
        f"The shipping address of order {order} is fixed as it is shipped.",
    )
    assert await refused(shop, a_put(order, shippingAddress=ADDRESS)) == fixed
    assert await refused(shop, a_put(order, status="delivered", shippingAddress=ADDRESS)) == fixed
    other = await place(shop, candle, shippingAddress=ADDRESS)
    await shop.ask("commerce", a_put(other, status="processing"))
    status, code, _ = await refused(shop, a_put(other, status="pending", shippingAddress=moved))
    assert (status, code) == (400, "BAD_REQUEST")
    same = await shop.ask("commerce", a_put(order, status="delivered", shippingAddress=moved))
    assert (same.status, same.json["status"]) == (200, "delivered")


@pytest.mark.parametrize("status", ["processing", "shipped", "delivered", "cancelled"])
async def test_a_status_is_asked_for_by_its_word_and_steps_may_be_skipped(
    shop: Shop, status: str
) -> None:
    order = await place(shop, await shop.sells())
    told = await shop.ask("commerce", a_put(order, status=status))
    assert (told.status, told.json["status"]) == (200, status)
    again = await shop.ask("commerce", a_put(order, status=status))
    assert (again.status, again.body) == (200, told.body)


async def test_never_backward(shop: Shop) -> None:
    order = await place(shop, await shop.sells())
    assert (await shop.ask("commerce", a_put(order, status="pending"))).headers["etag"] == '"v1"'
    await shop.ask("commerce", a_put(order, status="delivered"))
    for status in ("pending", "processing", "shipped"):
        assert await refused(shop, a_put(order, status=status)) == (
            400,
            "BAD_REQUEST",
            f"Order {order} cannot be changed from delivered to {status}.",
        )


async def test_cancelling_by_status_or_by_delete_is_one_thing(shop: Shop) -> None:
    candle = await shop.sells()
    by_put, by_delete = await place(shop, candle), await place(shop, candle)
    assert (await shop.ask("commerce", a_put(by_put, status="cancelled"))).status == 200
    told = await shop.ask("commerce", a_delete(by_delete))
    assert (told.status, told.body) == (204, b"")
    for order in (by_put, by_delete):
        assert (await shop.ask("commerce", a_get(order))).json["status"] == "cancelled"
        assert (await shop.ask("commerce", a_delete(order))).status == 204
    assert await shop.stock(candle) == (10_000, 0)


@pytest.mark.parametrize("late", ["shipped", "delivered"])
async def test_too_late_to_cancel_names_the_state(shop: Shop, late: str) -> None:
    order = await place(shop, await shop.sells())
    await shop.ask("commerce", a_put(order, status=late))
    expected = (
        400,
        "BAD_REQUEST",
        f"Order {order} cannot be cancelled as it has already been {late}.",
    )
    assert await refused(shop, a_delete(order)) == expected
    assert await refused(shop, a_put(order, status="cancelled")) == expected


async def test_no_stock_and_no_product_are_named_by_id(shop: Shop) -> None:
    scarce, gone = await shop.sells(stock=2), await shop.sells(available=False)
    assert await refused(shop, an_order((scarce, 3))) == (
        400,
        "BAD_REQUEST",
        f"Insufficient stock for product with ID {product_id(scarce)}.",
    )
    assert await refused(shop, an_order(gone)) == (
        400,
        "BAD_REQUEST",
        f"Product with ID {product_id(gone)} is not available.",
    )


async def test_a_store_can_demand_registered_customers(shop: Shop) -> None:
    candle = await shop.sells()
    await place(shop, candle, customer="CUST00005")
    await shop.decides(require_registered_customers=True)
    await place(shop, candle, customer="CUST00005")
    assert await refused(shop, an_order(candle, customer="CUST00006")) == (
        404,
        "NOT_FOUND",
        "Customer with ID CUST00006 not found.",
    )


async def test_a_customer_s_key_places_and_sees_their_own(shop: Shop) -> None:
    candle = await shop.sells()
    own = await shop.key(Role.CUSTOMER, customer=5)
    mine = await place(shop, candle, customer="CUST00005", key=own)
    other = await place(shop, candle, customer="CUST00006")
    assert await listed(shop, key=own) == [mine]
    assert await refused(shop, a_get(other), key=own) == (
        404,
        "NOT_FOUND",
        f"Order with ID {other} not found.",
    )
    assert await refused(shop, an_order(candle, customer="CUST00006"), key=own) == (
        403,
        "PERMISSION_DENIED",
        "This credential may not place orders for another customer.",
    )
    told = await shop.ask("commerce", a_put(mine, shippingAddress=ADDRESS), key=own)
    assert told.status == 200
    status, code, _ = await refused(shop, a_put(mine, status="shipped"), key=own)
    assert (status, code) == (403, "PERMISSION_DENIED")
    assert (await shop.ask("commerce", a_delete(mine), key=own)).status == 204


async def test_a_partner_s_key_places_and_sees_the_partner_s(shop: Shop) -> None:
    candle = await shop.sells()
    acme = await shop.key(Role.PARTNER, partner="Acme")
    ours = await place(shop, candle, key=acme)
    await place(shop, candle)
    assert await listed(shop, key=acme) == [ours]
