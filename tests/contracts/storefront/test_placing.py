"""Placing orders through `storefront`, over HTTP."""

import pytest

from openorders.domain.access import Role
from tests.contracts.asking import Exact
from tests.contracts.storefront.world import ADDRESS

NEW = {"shippingMethod": "express", "discountCode": "SPRING20", "notes": "Gift wrap please"}


async def test_an_order_paid_with_a_card_is_being_processed(front):
    placed = await front.pay(
        items=[front.item(front.candle), front.item(front.soap, 2)],
        shippingAddress=ADDRESS,
        billingAddress={"sameAsShipping": True},
        **NEW,
    )
    assert placed["status"] == "processing"
    assert placed["number"].startswith("MNKY-")
    assert placed["subtotal"] == Exact("64.97")
    assert placed["discountAmount"] == Exact("12.99")
    assert placed["taxAmount"] == Exact("6.50")
    assert [tax["amount"] for tax in placed["taxDetails"]] == [Exact("3.90"), Exact("2.60")]
    assert placed["shippingDetails"]["cost"] == Exact("9.99")
    assert placed["totalAmount"] == Exact("68.47")
    assert placed["shippingAddress"] == placed["billingAddress"] == ADDRESS
    assert placed["customer"]["id"] == "user_123456"
    details = placed["paymentDetails"]
    assert details.pop("paidAt") is not None
    assert details == {
        "method": "credit_card",
        "status": "paid",
        "lastFour": "4242",
        "cardType": "Visa",
    }
    assert [step["status"] for step in placed["status_history"]] == ["created", "processing"]
    assert not {"completedAt", "cancellation", "refund"} & set(placed)
    read = await front.ask("GET", f"/api/orders/{placed['id']}")
    details["paidAt"] = read.json["paymentDetails"]["paidAt"]
    assert read.json == placed
    assert read.headers["etag"]


async def test_an_order_without_payment_details_awaits_its_payment(front):
    placed = await front.place()
    assert placed["status"] == "payment_pending"
    assert placed["paymentDetails"] == {
        "method": None,
        "status": "pending",
        "lastFour": None,
        "cardType": None,
        "paidAt": None,
    }
    words = [step["status"] for step in placed["status_history"]]
    assert words == ["created", "payment_pending"]
    assert placed["shippingAddress"] is placed["billingAddress"] is placed["notes"] is None
    assert placed["shippingDetails"]["cost"] == Exact("0.00")


@pytest.mark.parametrize(
    "token", ["tok_chargeDeclined", "tok_chargeDeclinedInsufficientFunds", "tok_nobody_has_this"]
)
async def test_a_declined_card_leaves_no_order_and_holds_no_stock(front, token):
    body = {
        "items": [front.item(front.candle, 2)],
        "paymentDetails": {"method": "credit_card", "token": token},
    }
    told = await front.ask("POST", "/api/orders", body)
    assert told.status == 422
    assert told.json["error"]["code"] == 422
    assert told.json["error"]["message"]
    assert (await front.ask("GET", "/api/orders")).json["pagination"]["total"] == 0
    assert await front.shop.stock(front.candle) == (10_000, 0)


async def test_a_declined_card_stays_declined_under_its_key(front):
    body = {
        "items": [front.item(front.candle)],
        "paymentDetails": {"token": "tok_chargeDeclined"},
    }
    first = await front.ask("POST", "/api/orders", body, Idempotency_Key="try-1")
    again = await front.ask("POST", "/api/orders", body, Idempotency_Key="try-1")
    assert (first.status, again.status, again.body) == (422, 422, first.body)
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_repeated_paid_order_is_placed_and_charged_once(front):
    body = {"items": [front.item(front.candle)], "paymentDetails": {"token": "tok_visa"}}
    first = await front.ask("POST", "/api/orders", body, Idempotency_Key='"paid"')
    again = await front.ask("POST", "/api/orders", body, Idempotency_Key="paid")
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    other = {**body, "notes": "another"}
    assert (await front.ask("POST", "/api/orders", other, Idempotency_Key="paid")).status == 422
    assert (await front.ask("GET", "/api/orders")).json["pagination"]["total"] == 1
    assert await front.shop.stock(front.candle) == (10_000, 1)


async def test_an_outcome_that_is_not_known_yet_is_found_out_by_the_retry(front):
    payment = {"token": "tok_timeoutAfterCharge"}
    body = {"items": [front.item(front.candle)], "paymentDetails": payment}
    first = await front.ask("POST", "/api/orders", body, Idempotency_Key="late")
    assert (first.status, first.json["error"]["code"]) == (503, 503)
    assert int(first.headers["retry-after"]) > 0
    assert (await front.ask("GET", "/api/orders")).json["orders"] == []
    again = await front.ask("POST", "/api/orders", body, Idempotency_Key="late")
    assert (again.status, again.json["status"]) == (201, "processing")
    assert [step["status"] for step in again.json["status_history"]] == ["created", "processing"]
    assert (await front.ask("GET", "/api/orders")).json["pagination"]["total"] == 1
    assert await front.shop.stock(front.candle) == (10_000, 1)


async def test_numbers_run_on_without_a_gap_between_orders(front):
    first, second = await front.place(), await front.place()
    assert int(second["number"].removeprefix("MNKY-")) == (
        int(first["number"].removeprefix("MNKY-")) + 1
    )


async def test_a_product_without_a_variant_is_its_default_one(front):
    item = front.item(front.candle)
    del item["variantId"]
    placed = await front.place(items=[item, {**item, "variantId": None}])
    assert {line["sku"] for line in placed["items"]} == {f"SKU-{front.candle.variant}"}


async def test_a_client_sets_neither_price_nor_status_nor_totals(front):
    items = [{**front.item(front.candle), "price": 0.01, "subtotal": 0.01}]
    changed = {"status": "completed", "totalAmount": 0.01, "taxAmount": 0, "id": "order_1"}
    placed = await front.place(items=items, **changed)
    assert placed["status"] == "payment_pending"
    assert placed["totalAmount"] == Exact("38.49")
    assert placed["id"] != "order_1"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"discountCode": "SUMMER"}, "Discount code SUMMER does not exist."),
        ({"discountCode": "spring20"}, "Discount code spring20 does not exist."),
        ({"shippingMethod": "pigeon"}, "Shipping method pigeon does not exist."),
        ({"shippingMethod": ""}, "Shipping method  does not exist."),
    ],
)
async def test_what_the_store_does_not_have_is_422(front, changed, message):
    before = await front.shop.everything()
    body = {"items": [front.item(front.candle)], **changed}
    told = await front.ask("POST", "/api/orders", body)
    assert (told.status, told.json) == (422, {"error": {"code": 422, "message": message}})
    assert await front.shop.everything() == before


async def test_what_is_sold_out_or_switched_off_is_422(front):
    rare = await front.shop.sells(stock=2)
    off = await front.shop.sells(available=False)
    before = await front.shop.everything()
    for sold, quantity in ((rare, 3), (off, 1)):
        body = {"items": [front.item(sold, quantity)], "paymentDetails": {"token": "tok_visa"}}
        told = await front.ask("POST", "/api/orders", body)
        assert told.status == 422
        assert f"var_{sold.variant} " in told.json["error"]["message"]
    assert await front.shop.everything() == before


async def test_an_unknown_product_or_variant_is_404(front):
    before = await front.shop.everything()
    mine, foreign = front.item(front.candle), front.item(front.soap)
    for item, message in (
        ({**mine, "productId": "prod_999"}, "Product prod_999 not found."),
        ({**mine, "productId": "prod_0"}, "Product prod_0 not found."),
        ({**mine, "productId": f"prod_{2**63}"}, f"Product prod_{2**63} not found."),
        ({**mine, "variantId": "var_999"}, "Variant var_999 not found."),
        (
            {**mine, "variantId": foreign["variantId"]},
            f"Variant {foreign['variantId']} not found.",
        ),
    ):
        told = await front.ask("POST", "/api/orders", {"items": [item]})
        assert (told.status, told.json) == (404, {"error": {"code": 404, "message": message}})
    assert await front.shop.everything() == before


async def test_staff_place_for_the_customer_they_name(front):
    service = await front.shop.key(Role.SERVICE)
    for key in (front.shop.admin, service):
        placed = await front.place(key=key, customerId="user_77")
        assert placed["customer"] == {"id": "user_77", "email": None, "name": None}


async def test_staff_must_name_a_customer(front):
    before = await front.shop.everything()
    body = {"items": [front.item(front.candle)]}
    told = await front.ask("POST", "/api/orders", body, key=front.shop.admin)
    assert told.status == 400
    assert told.json["error"]["details"][0]["field"] == "customerId"
    assert await front.shop.everything() == before


@pytest.mark.parametrize(
    ("customer", "status"),
    [
        *[("user_0", 404), (f"user_{2**63}", 404), ("user_1000000000000", 404)],
        *[("77", 400), ("user_07", 400), (77, 400)],
    ],
)
async def test_a_customer_that_nobody_is_cannot_be_named(front, customer, status):
    before = await front.shop.everything()
    body = {"items": [front.item(front.candle)], "customerId": customer}
    assert (await front.ask("POST", "/api/orders", body, key=front.shop.admin)).status == status
    assert await front.shop.everything() == before


async def test_a_customer_cannot_place_for_another(front):
    before = await front.shop.everything()
    body = {"items": [front.item(front.candle)], "customerId": "user_77"}
    told = await front.ask("POST", "/api/orders", body)
    assert (told.status, told.json["error"]["code"]) == (403, 403)
    assert await front.shop.everything() == before


async def test_a_store_that_wants_registered_customers_takes_no_other(front):
    await front.shop.decides(require_registered_customers=True)
    body = {"items": [front.item(front.candle)], "customerId": "user_77"}
    told = await front.ask("POST", "/api/orders", body, key=front.shop.admin)
    assert (told.status, told.json["error"]["message"]) == (404, "Customer user_77 not found.")


async def test_an_order_that_costs_nothing_needs_no_charge(front):
    free = await front.shop.sells("0.00")
    placed = await front.pay(items=[front.item(free)])
    assert (placed["status"], placed["totalAmount"]) == ("processing", Exact("0.00"))
    assert [step["status"] for step in placed["status_history"]] == ["created", "processing"]


async def test_taxes_after_discount_where_the_store_says_so(front):
    await front.shop.decides(tax_base="after_discount")
    placed = await front.place(discountCode="WELCOME10")
    assert [tax["amount"] for tax in placed["taxDetails"]] == [Exact("4.50"), Exact("3.00")]
    assert placed["totalAmount"] == Exact("82.47")
