"""The payment workflow of `marketplace`."""

import asyncio
from typing import Any

import pytest

from openorders.domain.access import Role
from tests.contracts.asking import Request
from tests.contracts.marketplace.requests import (
    CARD,
    NO_CARD,
    a_payment,
    a_post,
    bring,
    done,
    fault,
    place,
    read,
    refused,
)
from tests.contracts.shop import Shop


async def captured(shop: Shop) -> list[tuple[int, int]]:
    async with shop.served.services.database.connection() as connection:
        rows = await connection.fetch(
            "select captured, refunded from payments"
            " where store_id = $1 and state = 'captured' order by id",
            shop.store.id,
        )
    return [tuple(row) for row in rows]


async def test_what_is_owed_is_taken_once(shop: Shop) -> None:
    lamp = await shop.sells("99.99")
    order = await place(shop, lamp)
    told = await done(shop, a_payment(order, **CARD, amount=99.99))
    assert list(told) == ["orderId", "paymentStatus", "transactionId"]
    assert (told["orderId"], told["paymentStatus"]) == (order, "completed")
    assert told["transactionId"].startswith("txn_")
    assert (await read(shop, order))["status"] == "pending"
    told = await refused(shop, a_payment(order, **CARD))
    assert told == (409, "ALREADY_PAID", f"Order {order} is already paid.")
    assert await captured(shop) == [(9999, 0)]


async def test_two_who_pay_at_once_are_charged_once(shop: Shop) -> None:
    order = await place(shop, await shop.sells("10.00"))
    told = await asyncio.gather(
        *(shop.ask("marketplace", a_payment(order, **CARD)) for _ in range(5))
    )
    codes = [200 if one.status == 200 else one.json["error"]["code"] for one in told]
    assert codes.count(200) == 1
    assert set(codes) <= {200, "ALREADY_PAID", "PAYMENT_IN_PROGRESS"}
    assert await captured(shop) == [(1000, 0)]


async def test_a_retry_under_a_key_is_the_first_answer_again(shop: Shop) -> None:
    order = await place(shop, await shop.sells("10.00"))
    headers = {"Idempotency-Key": '"pay-1"'}
    first = await shop.ask("marketplace", a_payment(order, **CARD), headers=headers)
    again = await shop.ask("marketplace", a_payment(order, **CARD), headers=headers)
    assert (first.status, first.body) == (200, again.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert await captured(shop) == [(1000, 0)]


async def test_a_declined_card_leaves_the_order_payable_and_its_stock_held(shop: Shop) -> None:
    lamp = await shop.sells("10.00")
    order = await place(shop, lamp)
    told = await shop.ask("marketplace", a_payment(order, **NO_CARD))
    assert fault(told) == (402, "PAYMENT_FAILED", "Your card was declined.")
    assert (await read(shop, order))["status"] == "pending_payment"
    assert await shop.stock(lamp) == (10_000, 1)
    await done(shop, a_payment(order, **CARD))


@pytest.mark.parametrize("amount", [0, 99.98, 100, -99.99, 99.990001, 1e20])
async def test_another_amount_than_what_is_owed_is_invalid(shop: Shop, amount: Any) -> None:
    order = await place(shop, await shop.sells("99.99"))
    status, code, message = await refused(shop, a_payment(order, **CARD, amount=amount))
    assert (status, code) == (400, "INVALID_AMOUNT")
    assert "99.99" in message


async def test_money_goes_back_in_part_and_in_whole_but_never_twice(shop: Shop) -> None:
    order = await place(shop, await shop.sells("99.99"))
    paid = await done(shop, a_payment(order, **CARD))
    told = await done(shop, a_payment(order, "refund", amount=40.0))
    assert told == {
        "orderId": order,
        "paymentStatus": "part_refunded",
        "transactionId": paid["transactionId"],
    }
    told = await refused(shop, a_payment(order, "refund", amount=60))
    assert told[:2] == (400, "INVALID_AMOUNT")
    told = await done(shop, a_payment(order, "refund"))
    assert told["paymentStatus"] == "refunded"
    assert (await read(shop, order))["status"] == "refunded"
    told = await refused(shop, a_payment(order, "refund"))
    assert told[:2] == (400, "INVALID_STATUS")
    assert await captured(shop) == [(9999, 9999)]


async def test_nothing_that_was_not_paid_is_given_back_or_released(shop: Shop) -> None:
    order = await place(shop, await shop.sells("10.00"))
    for action in ("refund", "void"):
        told = await refused(shop, a_payment(order, action))
        assert told[:2] == (400, "INVALID_STATUS")


async def test_an_order_that_ended_takes_no_money(shop: Shop) -> None:
    order = await place(shop, await shop.sells("10.00"))
    await bring(shop, order, "cancelled")
    told = await refused(shop, a_payment(order, **CARD))
    assert told == (400, "INVALID_STATUS", f"Order {order} cannot be paid as it is cancelled.")


async def test_customers_pay_their_own_orders_and_give_nothing_back(shop: Shop) -> None:
    lamp = await shop.sells("10.00")
    key = await shop.key(Role.CUSTOMER, customer=7)
    mine, theirs = await place(shop, lamp, customer="cust_7"), await place(shop, lamp)
    told = await refused(shop, a_payment(theirs, **CARD), key=key)
    assert told[:2] == (404, "ORDER_NOT_FOUND")
    await done(shop, a_payment(mine, **CARD), key=key)
    told = await refused(shop, a_payment(mine, "refund"), key=key)
    assert told[:2] == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"action": "capture"}, "action"),
        ({"action": None}, "action"),
        ({"orderId": "789"}, "orderId"),
        ({"orderId": 789}, "orderId"),
        ({"paymentDetails": "tok_visa"}, "paymentDetails"),
        ({"paymentDetails": {"amount": "99.99"}}, "paymentDetails.amount"),
        ({"paymentDetails": {"amount": True}}, "paymentDetails.amount"),
        ({"paymentDetails": {"token": 5}}, "paymentDetails.token"),
        ({"paymentDetails": {"token": None}}, "paymentDetails.token"),
        ({"paymentDetails": {"amount": 25.0}}, "paymentDetails.token"),
        ({"paymentDetails": None}, "paymentDetails.token"),
        ({"paymentDetails": {"token": "x" * 256}}, "paymentDetails.token"),
    ],
)
async def test_a_wrong_field_is_named(shop: Shop, change: dict[str, Any], field: str) -> None:
    order = await place(shop, await shop.sells())
    body = {"orderId": order, "action": "process", "paymentDetails": CARD, **change}
    status, code, message = await refused(shop, a_post("process-payment", **body))
    assert (status, code) == (400, "VALIDATION_ERROR")
    assert message.startswith(f"{field} ")


@pytest.mark.parametrize("literal", ["NaN", "1e999999", "Infinity", "-Infinity"])
async def test_an_amount_is_a_number_of_a_sensible_size(shop: Shop, literal: str) -> None:
    order = await place(shop, await shop.sells())
    text = (
        f'{{"orderId": "{order}", "action": "process", "paymentDetails": {{"amount": {literal}}}}}'
    )
    request = Request(method="POST", path="/api/orders/process-payment", text=text)
    assert (await refused(shop, request))[:2] == (400, "VALIDATION_ERROR")
