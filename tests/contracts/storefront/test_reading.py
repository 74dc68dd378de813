"""Reading orders through `storefront`: one, pages of them, and only one's own."""

from datetime import UTC, datetime, timedelta

import pytest

from openorders.domain.access import Role
from tests.contracts.storefront.driver import DRIVER
from tests.contracts.storefront.world import token_for


async def listed(front, query="", key=None):
    told = await front.ask("GET", f"/api/orders{query}", key=key)
    assert told.status == 200, told
    return told.json


async def test_a_list_is_paged_the_newest_first(front):
    ids = [(await front.place())["id"] for _ in range(5)]
    first = await listed(front, "?limit=2")
    assert first["pagination"] == {"total": 5, "pages": 3, "page": 1, "limit": 2}
    assert [order["id"] for order in first["orders"]] == ids[:2:-1]
    last = await listed(front, "?limit=2&page=3")
    assert [order["id"] for order in last["orders"]] == ids[:1]
    beyond = await listed(front, "?limit=2&page=4")
    assert (beyond["orders"], beyond["pagination"]["total"]) == ([], 5)


async def test_an_empty_list_has_no_pages(front):
    assert await listed(front) == {
        "orders": [],
        "pagination": {"total": 0, "pages": 0, "page": 1, "limit": 10},
    }


async def test_a_list_shows_the_orders_of_one_status(front):
    paid, waiting = await front.pay(), await front.place()
    for status, expected in (
        ("processing", [paid["id"]]),
        ("payment_pending", [waiting["id"]]),
        ("shipped", []),
    ):
        page = await listed(front, f"?status={status}")
        assert [order["id"] for order in page["orders"]] == expected
        assert page["pagination"]["total"] == len(expected)


async def test_a_list_is_of_the_days_that_are_named(front):
    order = await front.place()
    created = order["createdAt"]
    now = datetime.fromisoformat(created).astimezone(UTC)  # not ours: it may be tomorrow by now
    today = f"{now:%Y-%m-%d}"
    tomorrow, yesterday = (f"{now + timedelta(days=by):%Y-%m-%d}" for by in (1, -1))
    for query, count in (
        (f"?fromDate={yesterday}&toDate={tomorrow}", 1),
        (f"?fromDate={created}&toDate={created}", 1),
        (f"?toDate={yesterday}", 0),
        (f"?fromDate={tomorrow}", 0),
        (f"?fromDate={tomorrow}&toDate={yesterday}", 0),
        ("?toDate=9999-12-31&fromDate=0001-01-01", 1),
        (f"?fromDate={today}&status=payment_pending" if created[:10] == today else "", 1),
    ):
        assert (await listed(front, query))["pagination"]["total"] == count


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("limit", value) for value in ("0", "51", "-1", "x", "", "1.5", "1e1", "9" * 30)],
        *[("page", value) for value in ("0", "-1", "x", "", "1.0", "9" * 30)],
        *[("status", value) for value in ("pending", "Shipped", "", "shipped,paid")],
        *[("fromDate", value) for value in ("", "yesterday", "2023-02-30", "1678886400")],
        *[("toDate", value) for value in ("", "2023", "2023-03-15T25:00:00Z", "infinity")],
        *[(name, "1&" + name + "=1") for name in ("limit", "page", "status", "fromDate")],
    ],
)
async def test_a_parameter_that_is_wrong_is_400_by_name(front, name, value):
    told = await front.ask("GET", f"/api/orders?{name}={value}")
    assert told.status == 400
    error = told.json["error"]
    assert (error["code"], error["details"][0]["field"]) == (400, name)
    assert error["message"].startswith(f"{name} ")


async def test_unknown_parameters_are_ignored(front):
    assert (await listed(front, "?color=red&$top=1"))["pagination"]["limit"] == 10


async def test_somebody_else_s_order_is_not_there(front):
    own = await front.place()
    foreign = await front.place(key=front.shop.admin, customerId="user_77")
    page = await listed(front)
    assert [order["id"] for order in page["orders"]] == [own["id"]]
    message = f"Order {foreign['id']} not found."
    for method, path in (("GET", ""), ("POST", "/cancel")):
        told = await front.ask(method, f"/api/orders/{foreign['id']}{path}")
        assert (told.status, told.json) == (404, {"error": {"code": 404, "message": message}})


async def test_staff_see_everybody_s_orders(front):
    own = await front.place()
    foreign = await front.place(key=front.shop.admin, customerId="user_77")
    for key in (front.shop.admin, await front.shop.key(Role.SERVICE)):
        page = await listed(front, key=key)
        assert [order["id"] for order in page["orders"]] == [foreign["id"], own["id"]]
        assert (await front.ask("GET", f"/api/orders/{own['id']}", key=key)).status == 200


async def test_a_partner_sees_its_own_orders_and_changes_no_status(front):
    ray = await front.shop.key(Role.PARTNER, partner="RayTech Corp.")
    own = await front.place(key=ray, customerId="user_77")
    foreign = await front.place()
    page = await listed(front, key=ray)
    assert [order["id"] for order in page["orders"]] == [own["id"]]
    assert (await front.ask("GET", f"/api/orders/{foreign['id']}", key=ray)).status == 404
    path = f"/api/admin/orders/{own['id']}/status"
    assert (await front.ask("PATCH", path, {"status": "shipped"}, key=ray)).status == 403


@pytest.mark.parametrize(
    "text", ["order_0", "order_01", "1", "ORD000000001", f"order_{2**63}", "x"]
)
async def test_text_that_is_no_order_s_id_is_404_as_it_was_sent(front, text):
    message = f"Order {text} not found."
    for method, path, key in (
        ("GET", f"/api/orders/{text}", None),
        ("POST", f"/api/orders/{text}/cancel", None),
        ("PATCH", f"/api/admin/orders/{text}/status", front.shop.admin),
    ):
        body = {"status": "shipped"} if method == "PATCH" else None
        told = await front.ask(method, path, body, key=key)
        assert (told.status, told.json) == (404, {"error": {"code": 404, "message": message}})


async def test_nobody_gets_in_without_a_credential_that_counts(front):
    for key in ("", "nobody-was-given-this", token_for(front.shop, "user_1") + "x"):
        for method, path in (
            ("GET", "/api/orders"),
            ("POST", "/api/orders"),
            ("GET", "/api/orders/order_1"),
            ("POST", "/api/orders/order_1/cancel"),
            ("PATCH", "/api/admin/orders/order_1/status"),
        ):
            told = await front.ask(method, path, key=key)
            assert (told.status, told.json["error"]["code"]) == (401, 401)
            assert "www-authenticate" in told.headers


async def test_a_token_s_customer_is_the_one_its_subject_names(front):
    jane = token_for(front.shop, "user_123456")
    placed = await front.place(key=jane)
    assert placed["customer"]["id"] == "user_123456"
    assert (await front.ask("GET", f"/api/orders/{placed['id']}")).status == 200
    joe = token_for(front.shop, "user_77")
    assert (await front.ask("GET", f"/api/orders/{placed['id']}", key=joe)).status == 404
    assert (await listed(front, key=joe))["pagination"]["total"] == 0


async def test_any_other_subject_is_registered_once_with_an_id_of_ours(front):
    token = token_for(front.shop, "auth0|abc", name="Ann", email="ann@example.com")
    first, second = await front.place(key=token), await front.place(key=token)
    assert first["customer"] == second["customer"]
    assert first["customer"]["name"] == "Ann"
    assert first["customer"]["email"] == "ann@example.com"
    assert int(first["customer"]["id"].removeprefix("user_")) >= 1_000_000_000_000
    assert (await listed(front, key=token))["pagination"]["total"] == 2
    assert (await listed(front))["pagination"]["total"] == 0


async def test_a_token_introduces_a_customer_of_whom_nothing_was_known(front):
    said = {"name": "Joe", "email": "joe@example.com"}
    placed = await front.place(key=token_for(front.shop, "user_77", **said))
    assert placed["customer"] == {"id": "user_77", "email": "joe@example.com", "name": "Joe"}
    other = token_for(front.shop, "user_77", name="Somebody", email="else@example.com")
    told = await front.ask("GET", f"/api/orders/{placed['id']}", key=other)
    assert told.json["customer"] == placed["customer"]


async def test_a_token_registers_nobody_where_customers_must_be_registered(front):
    await front.shop.decides(require_registered_customers=True)
    joe = token_for(front.shop, "user_77", name="Joe")
    body = {"items": [front.item(front.candle)]}
    told = await front.ask("POST", "/api/orders", body, key=joe)
    assert (told.status, told.json["error"]["message"]) == (404, "Customer user_77 not found.")


async def test_a_token_with_the_admin_s_role_is_staff(front):
    placed = await front.place()
    boss = token_for(front.shop, "user_1", role="admin")
    path = f"/api/admin/orders/{placed['id']}/status"
    assert (await front.ask("PATCH", path, {"status": "paid"}, key=boss)).status == 200
    assert (await listed(front, key=boss))["pagination"]["total"] == 1


async def test_two_customers_keys_do_not_meet(front):
    body = {"items": [front.item(front.candle)]}
    joe = token_for(front.shop, "user_77")
    first = await front.ask("POST", "/api/orders", body, Idempotency_Key="mine")
    second = await front.ask("POST", "/api/orders", body, key=joe, Idempotency_Key="mine")
    assert first.json["id"] != second.json["id"]
    assert "idempotency-replayed" not in second.headers


async def test_an_order_that_is_known_already_is_not_sent_again(front):
    placed = await front.place()
    first = await front.ask("GET", f"/api/orders/{placed['id']}")
    tag = first.headers["etag"]
    again = await front.ask("GET", f"/api/orders/{placed['id']}", If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")


async def test_orders_from_elsewhere_are_shown_whole(front):
    request = {"partner_name": "RayTech Corp.", "items": [{"product_id": "", "quantity": 2}]}
    request["items"][0]["product_id"] = f"PR{front.candle.product:05}"
    from_partner = DRIVER.read(0)
    told = await front.shop.ask(
        "partner",
        type(from_partner)(method="POST", path="/orders", body=request),
    )
    number = int(told.json["order_id"].removeprefix("OR"))
    full = (await front.shop.ask("storefront", DRIVER.read(number))).json
    assert full["status"] == "created"
    assert full["customer"]["name"] == "RayTech Corp."
    assert full["shippingAddress"] is None
    assert full["paymentDetails"] == dict.fromkeys(
        ("method", "status", "lastFour", "cardType", "paidAt")
    )
