"""Changing and cancelling orders through `storefront`, over HTTP."""

from decimal import Decimal

import pytest

from openorders.domain.access import Role
from tests.contracts.asking import Exact, Request
from tests.contracts.storefront.world import token_for

TRACKING = {
    "carrier": "USPS",
    "trackingNumber": "1Z999AA10123456784",
    "trackingUrl": "https://tools.usps.com/go/TrackConfirmAction?tLabels=1Z999AA10123456784",
}
CHANGED = ["id", "number", "status", "updatedAt", "shippingDetails", "status_history"]


def words(told):
    return [step["status"] for step in told["status_history"]]


async def test_staff_ship_an_order_with_its_tracking(front):
    placed = await front.pay(shippingMethod="express")
    told = await front.move(placed["id"], "shipped", **TRACKING)
    assert told.status == 200
    assert list(told.json) == CHANGED
    assert told.json["status"] == "shipped"
    details = told.json["shippingDetails"]
    assert {name: details[name] for name in TRACKING} == TRACKING
    assert (details["method"], details["cost"]) == ("express", Exact("9.99"))
    assert details["shippedAt"] == told.json["updatedAt"]
    assert words(told.json) == ["created", "processing", "shipped"]
    assert (await front.ask("GET", f"/api/orders/{placed['id']}")).json["shippingDetails"] == (
        details
    )
    assert await front.shop.stock(front.candle) == (9_998, 0)


async def test_tracking_that_comes_after_the_parcel_was_sent_is_kept(front):
    placed = await front.pay()
    sent = await front.move(placed["id"], "shipped", carrier="USPS")
    told = await front.move(placed["id"], "delivered", trackingNumber="1Z9")
    details = told.json["shippingDetails"]
    assert (details["carrier"], details["trackingNumber"]) == ("USPS", "1Z9")
    assert details["shippedAt"] == sent.json["shippingDetails"]["shippedAt"]


async def test_steps_may_be_skipped_and_a_completed_order_says_when(front):
    placed = await front.place()
    told = await front.move(placed["id"], "completed")
    assert told.json["status"] == "completed"
    full = (await front.ask("GET", f"/api/orders/{placed['id']}")).json
    assert full["completedAt"] == full["updatedAt"]
    assert words(full) == ["created", "payment_pending", "completed"]


@pytest.mark.parametrize("target", ["created", "payment_pending", "paid", "processing", "shipped"])
async def test_nothing_moves_backward(front, target):
    placed = await front.pay()
    await front.move(placed["id"], "delivered")
    before = await front.shop.everything()
    told = await front.move(placed["id"], target)
    assert told.status == 409
    assert told.json["error"]["message"] == (
        f"Order {placed['id']} cannot be changed from delivered to {target}."
    )
    assert await front.shop.everything() == before


async def test_the_status_that_holds_is_a_success_that_writes_nothing(front):
    placed = await front.pay()
    first = await front.move(placed["id"], "shipped", **TRACKING)
    before = await front.shop.everything()
    again = await front.move(placed["id"], "shipped", carrier="Somebody else")
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["etag"] == first.headers["etag"]
    assert await front.shop.everything() == before


async def test_an_order_is_paid_elsewhere(front):
    placed = await front.place()
    assert (await front.move(placed["id"], "paid")).json["status"] == "paid"
    full = (await front.ask("GET", f"/api/orders/{placed['id']}")).json
    assert full["paymentDetails"]["status"] == "paid"
    assert full["paymentDetails"]["paidAt"] is not None
    assert full["paymentDetails"]["lastFour"] is None


async def test_an_order_is_refunded(front):
    placed = await front.pay()
    told = await front.move(placed["id"], "refunded")
    assert told.status == 200
    full = (await front.ask("GET", f"/api/orders/{placed['id']}")).json
    assert (full["status"], full["paymentDetails"]["status"]) == ("refunded", "refunded")
    assert full["refund"]["status"] == "completed"
    assert full["refund"]["amount"] == placed["totalAmount"]


async def test_nothing_paid_cannot_be_refunded(front):
    placed = await front.place()
    told = await front.move(placed["id"], "refunded")
    assert (told.status, told.json["error"]["message"]) == (
        409,
        f"Order {placed['id']} has no payment to give back.",
    )


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("status", [None, "", "pending", "Shipped", 1, True, [], {}, "shipped\0"]),
        ("trackingNumber", [1, True, [], "x" * 101]),
        ("trackingUrl", [1, {}, "x" * 2001]),
        ("carrier", [1, [], "x" * 101]),
        ("notifyCustomer", ["true", 1, 0, "yes", []]),
    ],
)
async def test_a_bad_field_of_a_change_is_400_by_name(front, field, values):
    placed = await front.pay()
    before = await front.shop.everything()
    for value in values:
        told = await front.move(placed["id"], **{"status": "shipped", field: value})
        assert told.status == 400, value
        assert told.json["error"]["details"][0]["field"] == field
    assert await front.shop.everything() == before


async def test_the_admin_s_path_needs_an_admin(front):
    placed = await front.pay()
    path, body = f"/api/admin/orders/{placed['id']}/status", {"status": "shipped"}
    before = await front.shop.everything()
    for key in (front.jane, await front.shop.key(Role.SERVICE), token_for(front.shop, "user_1")):
        told = await front.ask("PATCH", path, body, key=key)
        assert (told.status, told.json["error"]["code"]) == (403, 403)
        assert (await front.ask("PATCH", path, {"status": "lost"}, key=key)).status == 403
    assert (await front.ask("PATCH", path, {"status": 1}, key=front.jane)).status == 403
    assert (await front.ask("PATCH", path, body, key="")).status == 401
    assert await front.shop.everything() == before


async def test_a_customer_with_an_address_is_told_by_mail(front, temporary_folder):
    ann = token_for(front.shop, "auth0|ann", name="Ann", email="ann@example.com")
    placed = await front.place(key=ann)
    told = await front.move(placed["id"], "shipped", notifyCustomer=True, **TRACKING)
    assert list(told.json) == [*CHANGED, "notification"]
    assert list(told.json["notification"]) == ["sent", "method", "timestamp"]
    assert told.json["notification"]["sent"] is True
    assert told.json["notification"]["method"] == "email"
    letters = [file.read_text() for file in (temporary_folder / "mails").glob("*.eml")]
    mine = [letter for letter in letters if placed["number"] in letter]
    assert len(mine) == 1
    assert "To: ann@example.com" in mine[0] or "ann@example.com" in mine[0]


async def test_a_customer_without_an_address_is_told_nothing(front):
    placed = await front.place()
    told = await front.move(placed["id"], "shipped", notifyCustomer=True)
    assert told.status == 200
    assert told.json["notification"]["sent"] is False


async def test_a_change_of_another_version_is_412_and_writes_nothing(front):
    placed = await front.ask(
        "POST", "/api/orders", {"items": [front.item(front.candle)]}, key=front.jane
    )
    path = f"/api/admin/orders/{placed.json['id']}/status"
    stale = placed.headers["etag"]
    current = (await front.move(placed.json["id"], "processing")).headers["etag"]
    before = await front.shop.everything()
    body = {"status": "shipped"}
    told = await front.ask("PATCH", path, body, key=front.shop.admin, If_Match=stale)
    assert (told.status, told.json["error"]["code"]) == (412, 412)
    cancel = f"/api/orders/{placed.json['id']}/cancel"
    assert (await front.ask("POST", cancel, {}, If_Match=stale)).status == 412
    assert await front.shop.everything() == before
    told = await front.ask("PATCH", path, body, key=front.shop.admin, If_Match=current)
    assert told.status == 200


async def test_a_repeated_change_with_its_key_is_answered_again(front):
    placed = await front.pay()
    path, body = f"/api/admin/orders/{placed['id']}/status", {"status": "shipped"}
    admin = front.shop.admin
    first = await front.ask("PATCH", path, body, key=admin, Idempotency_Key="ship")
    await front.move(placed["id"], "delivered")
    again = await front.ask("PATCH", path, body, key=admin, Idempotency_Key="ship")
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    other = {"status": "completed"}
    assert (await front.ask("PATCH", path, other, key=admin, Idempotency_Key="ship")).status == 422


async def test_a_customer_cancels_and_gets_the_money_back(front):
    placed = await front.pay()
    body = {"reason": "Changed mind", "comments": "Found an alternative product"}
    told = await front.ask("POST", f"/api/orders/{placed['id']}/cancel", body)
    assert told.status == 200
    assert list(told.json) == [
        *["id", "number", "status", "updatedAt", "cancellation", "status_history", "refund"]
    ]
    assert told.json["status"] == "cancelled"
    assert told.json["cancellation"] == {**body, "cancelledAt": told.json["updatedAt"]}
    assert told.json["refund"] == {
        "status": "processing",
        "amount": placed["totalAmount"],
        "estimatedProcessingTime": "3-5 business days",
    }
    assert words(told.json) == ["created", "processing", "cancelled"]
    assert await front.shop.stock(front.candle) == (10_000, 0)
    full = (await front.ask("GET", f"/api/orders/{placed['id']}")).json
    assert full["status"] == "cancelled"
    assert full["totalAmount"] == placed["totalAmount"]
    assert full["cancellation"] == told.json["cancellation"]
    assert full["refund"]["status"] == "completed"
    assert full["paymentDetails"]["status"] == "refunded"


@pytest.mark.parametrize("body", [None, {}, {"reason": None, "comments": None}, {"why": 1}])
async def test_nobody_needs_to_say_why_and_nothing_paid_is_no_refund(front, body):
    placed = await front.place()
    told = await front.ask("POST", f"/api/orders/{placed['id']}/cancel", body)
    assert told.status == 200
    assert "refund" not in told.json
    assert told.json["cancellation"]["reason"] is None


async def test_cancelling_again_succeeds_and_does_nothing_twice(front):
    placed = await front.pay()
    path = f"/api/orders/{placed['id']}/cancel"
    first = await front.ask("POST", path, {"reason": "Changed mind"})
    before = await front.shop.everything()
    again = await front.ask("POST", path, {"reason": "Really"})
    assert again.status == 200
    assert again.json["cancellation"] == first.json["cancellation"]
    assert again.json["refund"]["amount"] == first.json["refund"]["amount"]
    assert await front.shop.everything() == before


@pytest.mark.parametrize(
    ("status", "late"),
    [("shipped", "shipped"), ("delivered", "delivered"), ("completed", "delivered")],
)
async def test_it_is_too_late_to_cancel_once_shipped(front, status, late):
    placed = await front.pay()
    await front.move(placed["id"], status)
    before = await front.shop.everything()
    message = f"Order {placed['id']} cannot be cancelled as it has already been {late}."
    for told in (
        await front.ask("POST", f"/api/orders/{placed['id']}/cancel", {}),
        await front.move(placed["id"], "cancelled"),
    ):
        assert (told.status, told.json) == (409, {"error": {"code": 409, "message": message}})
    assert await front.shop.everything() == before


@pytest.mark.parametrize(
    ("field", "values"),
    [("reason", [1, True, [], "x" * 501, "a\0"]), ("comments", [1, {}, "x" * 2001])],
)
async def test_a_bad_field_of_a_cancellation_is_400_by_name(front, field, values):
    placed = await front.place()
    before = await front.shop.everything()
    for value in values:
        told = await front.ask("POST", f"/api/orders/{placed['id']}/cancel", {field: value})
        assert told.status == 400, value
        assert told.json["error"]["details"][0]["field"] == field
    assert await front.shop.everything() == before


async def test_a_line_that_was_cancelled_elsewhere_stays_and_its_money_goes_back(front):
    placed = await front.pay(shippingMethod="express", discountCode="SPRING20")
    line = placed["items"][1]
    action = {"itemId": line["id"], "action": "cancel"}
    order_id = placed["id"].removeprefix("order_")
    body = {"orderId": f"ord_{order_id}", "items": [action]}
    request = Request(method="POST", path="/api/orders/items", body=body)
    assert (await front.shop.ask("marketplace", request)).status == 200
    full = (await front.ask("GET", f"/api/orders/{placed['id']}")).json
    assert full["items"] == placed["items"]
    amounts = {name: Decimal(full[name]) for name in ("subtotal", "taxAmount", "discountAmount")}
    assert amounts["subtotal"] == Decimal(placed["subtotal"]) - Decimal(line["subtotal"])
    total, cost = Decimal(full["totalAmount"]), Decimal(full["shippingDetails"]["cost"])
    assert total == amounts["subtotal"] - amounts["discountAmount"] + cost + amounts["taxAmount"]
    assert Decimal(full["refund"]["amount"]) == Decimal(placed["totalAmount"]) - total
    assert full["paymentDetails"]["status"] == "partially_refunded"
    assert full["status"] == "processing"
