"""Payments and refunds through the management API: what is taken, what goes back, to the cent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openorders.contracts.manage.problems import ALL
from openorders.domain.order import Word
from tests.contracts.asking import Exact, Told
from tests.contracts.commerce.driver import DRIVER as COMMERCE
from tests.contracts.journeys import CUSTOMER, move, wanted
from tests.contracts.manage.desk import Desk

PROBLEMS = {f"/problems#{one.slug}" for one in ALL}


def kind_of(told: Told) -> tuple[int, str]:
    assert told.headers["content-type"] == "application/problem+json", told
    assert told.json["type"] in PROBLEMS
    return told.status, told.json["type"].removeprefix("/problems#")


async def by_hand(desk: Desk, order: str, amount: float, **more: Any) -> Told:
    body = {"method": "manual", "how": "bank_transfer", "amount": amount} | more
    return await desk.ask("POST", f"/orders/{order}/payments", body)


async def reserving(desk: Desk) -> None:
    await desk.shop.decides(gateways=[{"name": "sandbox", "kind": "sandbox", "capture": "by_hand"}])


async def test_a_card_pays_what_is_owed(desk: Desk) -> None:
    order = await desk.order()
    told = await desk.ask("POST", f"/orders/{order}/payments", {"token": "tok_visa"})
    assert told.status == 201, told
    paid = told.json
    assert (paid["state"], paid["captured"], paid["currency"]) == (
        "captured",
        Exact("50.00"),
        "USD",
    )
    assert (paid["cardBrand"], paid["cardLastFour"]) == ("Visa", "4242")
    assert (paid["orderId"], paid["nextAction"]) == (order, None)
    shown = await desk.ask("GET", f"/orders/{order}")
    assert shown.headers["etag"] == told.headers["etag"]
    assert shown.json["payment"] == "paid"
    assert shown.json["balance"]["owed"] == Exact("0.00")
    full = await desk.done("GET", f"/payments/{paid['id']}")
    assert [one["kind"] for one in full["operations"]] == ["charge"]


async def test_a_part_is_paid_by_card_and_the_rest_by_hand(desk: Desk) -> None:
    order = await desk.order()
    await desk.done("POST", f"/orders/{order}/payments", {"token": "tok_visa", "amount": 20})
    half = await desk.done("GET", f"/orders/{order}")
    assert (half["payment"], half["balance"]["owed"]) == ("pending", Exact("30.00"))
    told = await by_hand(desk, order, 30, reference="RF18", reason="Came this morning")
    assert (told.status, told.json["method"], told.json["reference"]) == (
        201,
        "bank_transfer",
        "RF18",
    )
    whole = await desk.done("GET", f"/orders/{order}")
    assert (whole["payment"], whole["balance"]["owed"]) == ("paid", Exact("0.00"))
    assert len(whole["payments"]) == 2


async def test_what_was_paid_too_much_by_hand_goes_back_and_is_shown(desk: Desk) -> None:
    order = await desk.order()
    assert (await by_hand(desk, order, 60)).status == 201
    shown = await desk.done("GET", f"/orders/{order}")
    assert shown["payment"] == "part_refunded"
    assert [one["amount"] for one in shown["refunds"]] == [Exact("10.00")]
    assert shown["balance"]["refundable"] == Exact("50.00")


async def test_a_declined_card_takes_nothing_and_says_why(desk: Desk) -> None:
    order = await desk.order()
    card = {"token": "tok_chargeDeclinedInsufficientFunds"}
    told = await desk.ask("POST", f"/orders/{order}/payments", card)
    assert kind_of(told) == (402, "payment-declined")
    assert told.json["declineCode"] == "insufficient_funds"
    shown = await desk.done("GET", f"/orders/{order}")
    assert shown["balance"]["captured"] == Exact("0.00")
    assert [one["state"] for one in shown["payments"]] == ["declined"]


async def test_a_card_whose_bank_asks_waits_for_its_buyer(desk: Desk) -> None:
    order = await desk.order()
    card = {"token": "tok_threeDSecure2Required", "returnUrl": "https://shop.example/back"}
    waiting = await desk.done("POST", f"/orders/{order}/payments", card)
    assert waiting["state"] == "pending"
    assert waiting["nextAction"]["url"].startswith("http://shop.example/")
    alone = await desk.order()
    told = await desk.ask("POST", f"/orders/{alone}/payments", {"token": card["token"]})
    assert kind_of(told) == (402, "payment-declined")
    assert told.json["declineCode"] == "authentication_required"


async def test_a_buyer_can_be_sent_to_the_gateways_own_page(desk: Desk) -> None:
    order = await desk.order()
    page = {"page": True, "returnUrl": "https://shop.example/back"}
    waiting = await desk.done("POST", f"/orders/{order}/payments", page)
    assert waiting["state"] == "pending"
    opened = await desk.shop.served.client.get(waiting["nextAction"]["url"])
    assert opened.status_code == 200
    given_up = await desk.done("POST", f"/payments/{waiting['id']}/void")
    assert given_up["state"] == "voided"


async def test_a_saved_card_pays_and_can_be_forgotten(desk: Desk) -> None:
    order = await desk.order()
    saved = await desk.done(
        "POST", f"/customers/cus_{CUSTOMER}/payment-methods", {"token": "tok_mastercard"}
    )
    assert (saved["cardBrand"], saved["customerId"]) == ("Mastercard", f"cus_{CUSTOMER}")
    body = {"paymentMethodId": saved["id"]}
    assert (await desk.done("POST", f"/orders/{order}/payments", body))["state"] == "captured"
    assert await desk.done("GET", f"/payment-methods/{saved['id']}") == saved
    await desk.done("DELETE", f"/payment-methods/{saved['id']}")
    listed = await desk.done("GET", f"/customers/cus_{CUSTOMER}/payment-methods")
    assert listed == {"paymentMethods": []}
    other = await desk.order()
    told = await desk.ask("POST", f"/orders/{other}/payments", body)
    assert kind_of(told) == (404, "not-found")
    assert kind_of(await desk.ask("GET", f"/payment-methods/{saved['id']}"))[0] == 404


async def test_what_is_reserved_is_captured_in_part_and_the_rest_released(desk: Desk) -> None:
    await reserving(desk)
    order = await desk.order()
    held = await desk.done("POST", f"/orders/{order}/payments", {"token": "tok_visa"})
    assert (held["state"], held["captured"]) == ("authorised", Exact("0.00"))
    taken = await desk.done("POST", f"/payments/{held['id']}/capture", {"amount": 30})
    assert (taken["state"], taken["captured"]) == ("captured", Exact("30.00"))
    again = await desk.ask("POST", f"/payments/{held['id']}/capture")
    assert kind_of(again) == (409, "nothing-to-capture")


async def test_what_is_reserved_is_released(desk: Desk) -> None:
    await reserving(desk)
    order = await desk.order()
    held = await desk.done("POST", f"/orders/{order}/payments", {"token": "tok_visa"})
    told = await desk.ask("POST", f"/payments/{held['id']}/void", {"reason": "A mistake"})
    assert (told.status, told.json["state"]) == (200, "voided")
    again = await desk.ask("POST", f"/payments/{held['id']}/void")
    assert kind_of(again) == (409, "nothing-to-void")


async def test_a_unit_of_a_line_goes_back_with_its_share(desk: Desk) -> None:
    order = await desk.paid("24.99", 3, shipped=True)
    line = (await desk.done("GET", f"/orders/{order}"))["lines"][0]["id"]
    body = {"lines": [{"lineId": line, "quantity": 1}], "reason": "Broken", "restock": True}
    refund = await desk.done("POST", f"/orders/{order}/refunds", body)
    assert (refund["state"], refund["amount"]) == ("succeeded", Exact("24.99"))
    assert refund["lines"] == [
        {"lineId": line, "quantity": 1, "amount": Exact("24.99"), "restocked": 1}
    ]
    rest = await desk.done("POST", f"/orders/{order}/refunds", {"lines": [{"lineId": line}]})
    assert rest["amount"] == Exact("49.98")
    shown = await desk.done("GET", f"/orders/{order}")
    assert shown["payment"] == "refunded"
    assert (shown["lines"][0]["refundedQuantity"], shown["lines"][0]["refunded"]) == (
        3,
        Exact("74.97"),
    )
    assert [one["id"] for one in shown["refunds"]] == [refund["id"], rest["id"]]
    assert await desk.done("GET", f"/refunds/{refund['id']}") == refund


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"amount": 50.01}, 422, "invalid-amount"),
        ({"amount": 0}, 422, "invalid-amount"),
        ({"amount": -5}, 422, "invalid-amount"),
        ({"amount": 5.001}, 422, "invalid-amount"),
        ({"lines": [{"lineId": "line_999999"}]}, 422, "unknown-line"),
        ({"lines": [{"lineId": "5"}]}, 400, "invalid-request"),
        ({"shipping": True, "shippingAmount": 5}, 400, "invalid-request"),
    ],
)
async def test_a_refund_that_cannot_be_changes_nothing(
    desk: Desk, body: dict[str, Any], status: int, kind: str
) -> None:
    order = await desk.paid()
    before = await desk.shop.everything()
    assert kind_of(await desk.ask("POST", f"/orders/{order}/refunds", body)) == (status, kind)
    assert await desk.shop.everything() == before


async def test_more_units_than_there_are_do_not_go_back(desk: Desk) -> None:
    order = await desk.paid()
    line = (await desk.done("GET", f"/orders/{order}"))["lines"][0]["id"]
    before = await desk.shop.everything()
    body = {"lines": [{"lineId": line, "quantity": 3}]}
    told = await desk.ask("POST", f"/orders/{order}/refunds", body)
    assert kind_of(told) == (422, "invalid-amount")
    twice = {"lines": [{"lineId": line, "quantity": 1}, {"lineId": line, "quantity": 1}]}
    told = await desk.ask("POST", f"/orders/{order}/refunds", twice)
    assert told.json["errors"] == [{"detail": "was given twice", "pointer": "#/lines/1/lineId"}]
    assert await desk.shop.everything() == before


async def test_parallel_refunds_never_exceed_the_capture(desk: Desk) -> None:
    order = await desk.paid()
    asked = [desk.ask("POST", f"/orders/{order}/refunds", {"amount": 20}) for _ in range(5)]
    told = await asyncio.gather(*asked)
    assert sorted(one.status for one in told) == [201, 201, 422, 422, 422]
    shown = await desk.done("GET", f"/orders/{order}")
    assert shown["balance"]["refunded"] == Exact("40.00")


async def test_a_refund_under_one_key_is_one_refund(desk: Desk) -> None:
    order = await desk.paid()
    key = {"Idempotency-Key": "once"}
    path = f"/orders/{order}/refunds"
    first = await desk.ask("POST", path, {"amount": 20}, headers=key)
    again = await desk.ask("POST", path, {"amount": 20.0}, headers=key)
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    other = await desk.ask("POST", path, {"amount": 21}, headers=key)
    assert kind_of(other) == (422, "idempotency-key-reused")
    assert len((await desk.done("GET", path))["refunds"]) == 1


async def test_a_refusal_under_a_key_is_told_again_with_its_first_instance(desk: Desk) -> None:
    order = await desk.order()
    key = {"Idempotency-Key": "once"}
    first = await desk.ask("POST", f"/orders/{order}/refunds", {}, headers=key)
    assert kind_of(first) == (409, "nothing-to-refund")
    again = await desk.ask("POST", f"/orders/{order}/refunds", {}, headers=key)
    assert (again.body, again.headers["content-type"]) == (
        first.body,
        "application/problem+json",
    )


async def test_an_order_that_was_changed_meanwhile_is_left_alone(desk: Desk) -> None:
    order = await desk.paid()
    stale = {"If-Match": '"v1"'}
    before = await desk.shop.everything()
    told = await desk.ask("POST", f"/orders/{order}/refunds", {}, headers=stale)
    assert kind_of(told) == (412, "version-differs")
    assert await desk.shop.everything() == before


async def test_an_order_that_has_ended_takes_no_card(desk: Desk) -> None:
    order = await desk.order()
    await desk.shop.ask("commerce", wanted(COMMERCE.cancel(int(order.removeprefix("order_")))))
    told = await desk.ask("POST", f"/orders/{order}/payments", {"token": "tok_visa"})
    assert kind_of(told) == (409, "not-payable")
    assert told.json["detail"] == f"Order {order} is cancelled."


async def test_what_is_paid_is_not_paid_again(desk: Desk) -> None:
    order = await desk.paid()
    told = await desk.ask("POST", f"/orders/{order}/payments", {"token": "tok_visa"})
    assert kind_of(told) == (409, "already-paid")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "#"),
        ({"token": "tok_visa", "paymentMethodId": "pm_1"}, "#"),
        ({"token": "tok_visa", "how": "cash"}, "#/how"),
        ({"token": "tok_visa", "reason": "why not"}, "#/reason"),
        ({"method": "manual", "how": "cash"}, "#/amount"),
        ({"method": "manual", "amount": 5}, "#/how"),
        ({"method": "manual", "amount": 5, "how": "cash", "token": "tok_visa"}, "#/token"),
        ({"method": "manual", "amount": 5, "how": "Cash!"}, "#/how"),
        ({"method": "manual", "amount": "5.00", "how": "cash"}, "#/amount"),
        ({"page": True}, "#/returnUrl"),
        ({"page": True, "returnUrl": "javascript:alert(1)"}, "#/returnUrl"),
        ({"page": True, "returnUrl": "//elsewhere.example"}, "#/returnUrl"),
    ],
)
async def test_ways_to_pay_are_not_mixed(desk: Desk, body: dict[str, Any], field: str) -> None:
    order = await desk.order()
    before = await desk.shop.everything()
    told = await desk.ask("POST", f"/orders/{order}/payments", body)
    assert kind_of(told) == (400, "invalid-request")
    assert told.json["errors"][0]["pointer"] == field
    assert await desk.shop.everything() == before


async def test_an_amount_finer_than_the_currency_is_told_its_digits(desk: Desk) -> None:
    order = await desk.order()
    paid = await desk.paid()
    before = await desk.shop.everything()
    for told in (
        await by_hand(desk, order, 1.005),
        await desk.ask("POST", f"/orders/{order}/payments", {"token": "tok_visa", "amount": 0.001}),
        await desk.ask("POST", f"/orders/{paid}/refunds", {"amount": 0.015}),
    ):
        assert kind_of(told) == (422, "invalid-amount")
        assert told.json["detail"] == "The amount may have at most 2 digits after the point."
        assert told.json["errors"] == [
            {"detail": "has finer parts than its currency", "pointer": "#/amount"}
        ]
    assert await desk.shop.everything() == before


async def test_payments_are_listed_page_by_page_and_by_state(desk: Desk) -> None:
    order = await desk.order(quantity=4)
    for _ in range(3):
        await desk.done("POST", f"/orders/{order}/payments", {"token": "tok_visa", "amount": 5})
    declined = {"token": "tok_chargeDeclined"}
    await desk.ask("POST", f"/orders/{order}/payments", declined)
    first = await desk.ask("GET", f"/orders/{order}/payments?limit=2")
    assert [one["state"] for one in first.json["payments"]] == ["captured", "captured"]
    cursor = first.json["next"]
    assert f'after={cursor}>; rel="next"' in first.headers["link"]
    last = await desk.ask("GET", f"/orders/{order}/payments?limit=2&after={cursor}")
    assert [one["state"] for one in last.json["payments"]] == ["captured", "declined"]
    assert last.json["next"] is None
    assert 'rel="first"' in last.headers["link"]
    assert 'rel="next"' not in last.headers["link"]
    only = await desk.done("GET", "/payments?state=declined")
    assert [one["state"] for one in only["payments"]] == ["declined"]
    foreign = await desk.ask("GET", f"/payments?state=captured&after={cursor}")
    assert kind_of(foreign) == (400, "invalid-request")
    assert foreign.json["errors"][0]["parameter"] == "after"


async def test_an_order_is_seen_with_its_three_axes(desk: Desk) -> None:
    order = await desk.paid(shipped=True)
    shown = await desk.ask("GET", f"/orders/{order}")
    assert {name: shown.json[name] for name in ("progress", "payment", "fulfilment", "status")} == {
        "progress": "processing",
        "payment": "paid",
        "fulfilment": "shipped",
        "status": "shipped",
    }
    known = {"If-None-Match": shown.headers["etag"]}
    assert (await desk.ask("GET", f"/orders/{order}", headers=known)).status == 304
    await move(desk.shop, int(order.removeprefix("order_")), Word.DELIVERED)
    assert (await desk.ask("GET", f"/orders/{order}", headers=known)).status == 200


async def test_a_customer_is_written_to_in_the_language_that_staff_name(desk: Desk) -> None:
    await desk.order()
    path = f"/customers/cus_{CUSTOMER}/language"
    told = await desk.done("PUT", path, {"language": "pt-br"})
    assert told == {"customerId": f"cus_{CUSTOMER}", "language": "pt-BR"}
    assert (await desk.done("PUT", path, {"language": None}))["language"] is None
    for text in ("", "english please", "e", "\u0000", 7):
        key = {"Idempotency-Key": "a-key"}
        assert (await desk.ask("PUT", path, {"language": text}, headers=key)).status == 400
    assert (await desk.ask("PUT", path, {"language": "de"}, headers=key)).status == 200
    unknown = await desk.ask("PUT", "/customers/cus_999/language", {"language": "de"})
    assert kind_of(unknown) == (404, "not-found")


async def test_what_cannot_be_is_told_with_the_field_that_asked_for_it(desk: Desk) -> None:
    order = await desk.paid(shipped=True)
    line = (await desk.done("GET", f"/orders/{order}"))["lines"][0]["id"]
    for path, body, pointer in (
        ("refunds", {"amount": 51}, "#/amount"),
        ("refunds", {"shippingAmount": 1}, "#/shippingAmount"),
        ("refunds", {"shippingAmount": 0.001}, "#/shippingAmount"),
        ("refunds", {"lines": [{"lineId": line, "quantity": 3}]}, "#/lines"),
        ("refunds", {"lines": [{"lineId": "line_999999"}]}, "#/lines"),
    ):
        told = await desk.ask("POST", f"/orders/{order}/{path}", body)
        assert told.status == 422, told
        assert told.json["errors"][0]["pointer"] == pointer
    unpaid = await desk.order()
    for body, pointer in (
        ({"token": "tok_visa", "gateway": "bank_9"}, "#/gateway"),
        ({"token": "tok_visa", "amount": 50.01}, "#/amount"),
        ({"token": "tok_visa", "amount": 0}, "#/amount"),
    ):
        told = await desk.ask("POST", f"/orders/{unpaid}/payments", body)
        assert told.status == 422, told
        assert told.json["errors"][0]["pointer"] == pointer


async def test_amounts_have_the_digits_of_their_currency(desk: Desk) -> None:
    order = await desk.paid("10.50", 1)
    [payment] = (await desk.done("GET", "/payments"))["payments"]
    assert payment["orderId"] == order
    assert {payment[name] for name in ("amount", "captured")} == {Exact("10.50")}
