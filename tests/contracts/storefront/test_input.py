"""What `storefront` makes of new orders that say something wrong, field by field."""

import pytest

from tests.contracts.storefront.world import ADDRESS

TEXT = [1, True, [], {}, "a\0b", "\ud800"]
ADDRESS_LIMITS = {
    "name": 200,
    "line1": 200,
    "line2": 200,
    "city": 100,
    "state": 100,
    "postalCode": 20,
    "country": 100,
    "phone": 50,
}
BAD = [
    ("items", [None, 1, "prod_1", {}, []]),
    ("shippingAddress", [1, "456 Oak Street", []]),
    ("billingAddress", [1, True, []]),
    ("shippingMethod", [*TEXT, "x" * 51]),
    ("discountCode", [*TEXT, "x" * 51]),
    ("notes", [*TEXT, "x" * 2001]),
    ("paymentDetails", [1, "tok_visa", []]),
    ("paymentDetails.token", [None, 1, "", {}, "x" * 256, "tok\0"]),
    ("paymentDetails.method", [1, [], "x" * 51]),
    ("billingAddress.sameAsShipping", [None, "true", 1, "yes"]),
    ("customerId", [1, "1", "user_01", "user_", "", "x" * 41]),
    *[
        (f"shippingAddress.{name}", [1, [], "x" * (most + 1)])
        for name, most in ADDRESS_LIMITS.items()
    ],
    *[
        (f"billingAddress.{name}", [True, "x" * (most + 1)])
        for name, most in ADDRESS_LIMITS.items()
    ],
]
BAD_ITEMS = [
    ("items[0]", [None, 1, "prod_1", []]),
    ("items[0].productId", [None, 1, "", "1", "prod_01", "PROD001", "x" * 41, "prod_1\0"]),
    ("items[0].variantId", [1, "", "1", "var_01", "prod_1", "x" * 41]),
    ("items[0].quantity", [None, "2", 1.5, 1.0, True, 0, -1, 1_000_001, 10**30, [], {}]),
]


def cases(table):
    return [
        pytest.param(field, value, id=f"{field}={value!r:.20}")
        for field, values in table
        for value in values
    ]


def changed(body, field, value):
    outer, _, inner = field.partition(".")
    return {**body, outer: {**body[outer], inner: value} if inner else value}


def a_body(front):
    return {
        "items": [front.item(front.candle)],
        "shippingAddress": ADDRESS,
        "billingAddress": ADDRESS,
        "paymentDetails": {"method": "credit_card", "token": "tok_visa"},
    }


async def refuse(front, body, field):
    before = await front.shop.everything()
    told = await front.ask("POST", "/api/orders", body)
    assert told.status == 400, told
    error = told.json["error"]
    assert error["code"] == 400
    (detail,) = error["details"]
    assert detail["field"] == field
    assert error["message"] == f"{field} {detail['message']}."
    assert await front.shop.everything() == before


@pytest.mark.parametrize(("field", "value"), cases(BAD))
async def test_a_bad_field_is_400_by_name_and_changes_nothing(front, field, value):
    await refuse(front, changed(a_body(front), field, value), field)


@pytest.mark.parametrize(("field", "value"), cases(BAD_ITEMS))
async def test_a_bad_item_is_400_by_name_and_changes_nothing(front, field, value):
    body, name = a_body(front), field.partition(".")[2]
    item = {**body["items"][0], name: value} if name else value
    await refuse(front, {**body, "items": [item]}, field)


@pytest.mark.parametrize("field", ["items", "items[0].productId", "items[0].quantity"])
async def test_a_missing_field_is_400_by_name(front, field):
    body = a_body(front)
    if field == "items":
        del body["items"]
    else:
        del body["items"][0][field.partition(".")[2]]
    await refuse(front, body, field)


async def test_a_payment_without_a_token_is_400_by_name(front):
    body = {**a_body(front), "paymentDetails": {"method": "credit_card"}}
    await refuse(front, body, "paymentDetails.token")


async def test_more_than_five_hundred_lines_are_400(front):
    body = {"items": [front.item(front.candle)] * 501}
    await refuse(front, body, "items")


async def test_texts_at_their_limit_are_kept(front):
    address = {name: "ä" * most for name, most in ADDRESS_LIMITS.items()}
    placed = await front.place(shippingAddress=address, notes="𝄞" * 2000)
    assert placed["shippingAddress"] == address
    assert placed["notes"] == "𝄞" * 2000


async def test_nulls_are_as_good_as_nothing(front):
    optional = (
        *("shippingAddress", "billingAddress", "shippingMethod", "paymentDetails"),
        *("discountCode", "notes", "customerId"),
    )
    placed = await front.place(**dict.fromkeys(optional))
    assert placed["status"] == "payment_pending"


async def test_an_order_beyond_all_measure_is_422(front):
    dear = await front.shop.sells("9999999999.99", stock=2_000_000)
    body = {"items": [front.item(dear, 1_000_000)]}
    told = await front.ask("POST", "/api/orders", body)
    assert (told.status, told.json["error"]["message"]) == (
        422,
        "The order's total amount is too large.",
    )
