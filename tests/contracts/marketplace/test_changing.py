"""Orders of `marketplace` that move on, are cancelled, or lose single items."""

import asyncio
from typing import Any

import pytest

from openorders.domain.access import Role
from tests.contracts.asking import Exact, Request
from tests.contracts.marketplace.requests import (
    CARD,
    a_bulk_cancel,
    a_payment,
    a_post,
    a_status,
    actions,
    bring,
    done,
    place,
    read,
    refused,
)
from tests.contracts.shop import Shop, open_shop


async def history(shop: Shop, order: str) -> list[tuple[str, str | None]]:
    async with shop.served.services.database.connection() as connection:
        rows = await connection.fetch(
            "select word, reason from order_history where store_id = $1 and order_id = $2"
            " order by position",
            shop.store.id,
            int(order.removeprefix("ord_")),
        )
    return [tuple(row) for row in rows]


async def refunds(shop: Shop) -> list[int]:
    async with shop.served.services.database.connection() as connection:
        rows = await connection.fetch(
            "select amount from payment_operations"
            " where store_id = $1 and kind = 'refund' and state = 'succeeded' order by id",
            shop.store.id,
        )
    return [row["amount"] for row in rows]


async def test_a_status_moves_on_and_its_reason_is_kept(shop: Shop) -> None:
    order = await place(shop, await shop.sells())
    told = await done(shop, a_status(order, "processing", reason="Payment confirmed"))
    assert list(told) == ["id", "status", "updatedAt"]
    assert (told["id"], told["status"]) == (order, "processing")
    assert (await history(shop, order))[-1] == ("processing", "Payment confirmed")


async def test_steps_may_be_skipped_and_the_status_that_holds_changes_nothing(shop: Shop) -> None:
    order = await place(shop, await shop.sells())
    await bring(shop, order, "shipped")
    assert [line["status"] for line in (await read(shop, order))["items"]] == ["fulfilled"]
    before = await shop.everything()
    await bring(shop, order, "shipped")
    assert await shop.everything() == before
    await bring(shop, order, "completed")


async def test_a_paid_order_is_pending_and_stays_so_when_asked_to_be(shop: Shop) -> None:
    order = await place(shop, await shop.sells())
    await done(shop, a_payment(order, **CARD))
    assert (await read(shop, order))["status"] == "pending"
    before = await shop.everything()
    await bring(shop, order, "pending")
    assert await shop.everything() == before


@pytest.mark.parametrize(
    ("begin", "target"),
    [
        ("processing", "pending"),
        ("processing", "pending_payment"),
        ("completed", "processing"),
        ("completed", "cancelled"),
        ("delivered", "cancelled"),
        ("cancelled", "processing"),
        ("cancelled", "pending"),
        ("cancelled", "refunded"),
        ("processing", "refunded"),
    ],
)
async def test_a_status_that_cannot_be_reached_is_invalid(
    shop: Shop, begin: str, target: str
) -> None:
    order = await place(shop, await shop.sells())
    await bring(shop, order, begin)
    told = await refused(shop, a_status(order, target))
    assert told[:2] == (400, "INVALID_STATUS")
    assert order in told[2]


@pytest.mark.parametrize("status", ["sent", "", "Pending", "paid", "created", "x" * 5000])
async def test_a_word_that_is_no_status_is_invalid(shop: Shop, status: str) -> None:
    order = await place(shop, await shop.sells())
    told = await refused(shop, a_status(order, status))
    assert told == (400, "INVALID_STATUS", "status is not one of the values that are allowed.")


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": 5}, {"status": ["pending"]}])
async def test_a_status_of_another_type_is_named(shop: Shop, body: dict[str, Any]) -> None:
    order = await place(shop, await shop.sells())
    request = Request(method="PUT", path=f"/api/orders/{order}/status", body=body)
    status, code, message = await refused(shop, request)
    assert (status, code) == (400, "VALIDATION_ERROR")
    assert message.startswith("status ")


async def test_refunded_gives_back_what_was_captured(shop: Shop) -> None:
    order = await place(shop, (await shop.sells("20.00"), 2))
    await done(shop, a_payment(order, **CARD))
    await bring(shop, order, "completed", "refunded")
    assert (await read(shop, order))["status"] == "refunded"
    assert await refunds(shop) == [4000]


async def test_a_customer_may_cancel_but_not_move_on(shop: Shop) -> None:
    lamp = await shop.sells()
    key = await shop.key(Role.CUSTOMER, customer=7)
    order = await place(shop, lamp, customer="cust_7")
    told = await refused(shop, a_status(order, "shipped"), key=key)
    assert told[:2] == (403, "PERMISSION_DENIED")
    assert (await done(shop, a_status(order, "cancelled"), key=key))["status"] == "cancelled"
    theirs = await place(shop, lamp, customer="cust_8")
    told = await refused(shop, a_status(theirs, "cancelled"), key=key)
    assert told == (404, "ORDER_NOT_FOUND", f"Order {theirs} does not exist.")


async def test_each_order_of_a_bulk_has_its_own_fate(shop: Shop) -> None:
    lamp = await shop.sells(stock=10)
    placed, shipped, cancelled = [await place(shop, lamp) for _ in range(3)]
    await bring(shop, shipped, "shipped")
    await bring(shop, cancelled, "cancelled")
    elsewhere = await open_shop(shop.served)
    foreign = await place(elsewhere, await elsewhere.sells())
    named = ["ord_0999", placed, foreign, shipped, cancelled, "x", placed, f"ord_{2**63}"]
    told = await done(shop, a_bulk_cancel(*named, reason="Customer request"))
    assert (told["cancelled"], told["failed"]) == (3, 5)
    assert [result["orderId"] for result in told["results"]] == named
    by_id = {result["orderId"]: result for result in told["results"]}
    assert by_id[placed] == {"orderId": placed, "status": "cancelled"}
    assert by_id[cancelled] == {"orderId": cancelled, "status": "cancelled"}
    assert by_id[shipped]["error"] == {
        "code": "INVALID_STATUS",
        "message": f"Order {shipped} cannot be cancelled as it has already been shipped.",
    }
    for unknown in ("ord_0999", foreign, "x", f"ord_{2**63}"):
        assert by_id[unknown] == {
            "orderId": unknown,
            "status": "failed",
            "error": {"code": "ORDER_NOT_FOUND", "message": f"Order {unknown} does not exist."},
        }
    assert await shop.stock(lamp) == (9, 0)
    assert (await history(shop, placed))[-1] == ("cancelled", "Customer request")
    assert (await read(elsewhere, foreign))["status"] == "pending_payment"


async def test_a_bulk_gives_money_back_and_is_done_once_per_key(shop: Shop) -> None:
    lamp = await shop.sells("10.00")
    orders = [await place(shop, lamp) for _ in range(3)]
    for order in orders:
        await done(shop, a_payment(order, **CARD))
    headers = {"Idempotency-Key": "bulk"}
    first = await shop.ask("marketplace", a_bulk_cancel(*orders), headers=headers)
    again = await shop.ask("marketplace", a_bulk_cancel(*orders), headers=headers)
    assert (first.status, first.body) == (200, again.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert await refunds(shop) == [1000] * 3
    assert await shop.stock(lamp) == (10_000, 0)


async def test_bulks_that_cross_each_other_cancel_each_order_once(shop: Shop) -> None:
    lamp = await shop.sells(stock=40)
    orders = [await place(shop, lamp) for _ in range(40)]
    told = await asyncio.gather(
        done(shop, a_bulk_cancel(*orders)),
        done(shop, a_bulk_cancel(*reversed(orders))),
        done(shop, a_bulk_cancel(*orders[20:], *orders[:20])),
    )
    assert [one["failed"] for one in told] == [0, 0, 0]
    assert await shop.stock(lamp) == (40, 0)
    words = [[word for word, _ in await history(shop, order)] for order in orders]
    assert [told.count("cancelled") for told in words] == [1] * 40


async def test_a_bulk_of_a_thousand_and_not_one_more(shop: Shop) -> None:
    lamp = await shop.sells()
    order = await place(shop, lamp)
    told = await done(shop, a_bulk_cancel(*[f"ord_{10**9 + n}" for n in range(999)], order))
    assert (told["cancelled"], told["failed"]) == (1, 999)
    for named in ([], ["ord_1"] * 1001, "ord_1", None, [5], [None]):
        status, code, message = await refused(shop, a_post("bulk-cancel", orderIds=named))
        assert (status, code) == (400, "VALIDATION_ERROR")
        assert message.startswith("orderIds")


async def test_an_item_less_lowers_the_total_and_gives_stock_and_money_back(shop: Shop) -> None:
    lamp, bulb = await shop.sells("20.00"), await shop.sells("1.50")
    order = await place(shop, (lamp, 2), (bulb, 4))
    await done(shop, a_payment(order, **CARD))
    items = [line["id"] for line in (await read(shop, order))["items"]]
    told = await done(shop, actions(order, (items[1], "cancel"), reason="Out of stock"))
    assert told == {"orderId": order, "items": [{"itemId": items[1], "status": "cancelled"}]}
    now = await read(shop, order)
    assert (now["status"], now["totalAmount"]) == ("pending", Exact("40.00"))
    assert [line["status"] for line in now["items"]] == ["pending", "cancelled"]
    assert await shop.stock(bulb) == (10_000, 0)
    assert await shop.stock(lamp) == (10_000, 2)
    assert await refunds(shop) == [600]
    assert (await history(shop, order))[-1] == ("paid", "Out of stock")


async def test_with_the_last_item_the_order_is_cancelled(shop: Shop) -> None:
    lamp, bulb = await shop.sells("20.00"), await shop.sells("1.50")
    order = await place(shop, lamp, bulb)
    items = [line["id"] for line in (await read(shop, order))["items"]]
    await done(shop, actions(order, (items[0], "cancel")))
    await done(shop, actions(order, (items[1], "cancel")))
    now = await read(shop, order)
    assert (now["status"], now["totalAmount"]) == ("cancelled", Exact("1.50"))
    before = await shop.everything()
    await done(shop, actions(order, (items[1], "cancel")))
    assert await shop.everything() == before


async def test_items_are_verified_and_cancelled_together_or_not_at_all(shop: Shop) -> None:
    lamp = await shop.sells("20.00")
    order = await place(shop, lamp, lamp, lamp)
    one, two, three = [line["id"] for line in (await read(shop, order))["items"]]
    told = await done(shop, actions(order, (three, "cancel"), (one, "verify")))
    assert told["items"] == [
        {"itemId": three, "status": "cancelled"},
        {"itemId": one, "status": "verified"},
    ]
    told = await refused(shop, actions(order, (two, "verify"), (three, "verify")))
    assert told == (
        400,
        "INVALID_STATUS",
        f"Item {three} of order {order} cannot be changed as it is cancelled.",
    )
    assert [line["status"] for line in (await read(shop, order))["items"]] == [
        "verified",
        "pending",
        "cancelled",
    ]


async def test_an_item_that_is_not_the_order_s_is_not_found(shop: Shop) -> None:
    lamp = await shop.sells()
    order, other = await place(shop, lamp), await place(shop, lamp)
    foreign = (await read(shop, other))["items"][0]["id"]
    told = await refused(shop, actions(order, (foreign, "cancel")))
    assert told == (404, "ITEM_NOT_FOUND", f"Order {order} has no item {foreign}.")
    told = await refused(shop, actions("ord_999999999", (foreign, "cancel")))
    assert told == (404, "ORDER_NOT_FOUND", "Order ord_999999999 does not exist.")


async def test_only_staff_verify(shop: Shop) -> None:
    key = await shop.key(Role.CUSTOMER, customer=7)
    order = await place(shop, await shop.sells(), customer="cust_7")
    mine = (await read(shop, order))["items"][0]["id"]
    told = await refused(shop, actions(order, (mine, "verify")), key=key)
    assert told[:2] == (403, "PERMISSION_DENIED")
    await done(shop, actions(order, (mine, "cancel")), key=key)


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([], "items"),
        ([{"itemId": "item_1", "action": "cancel"}] * 2, "items[1].itemId"),
        ([{"itemId": "item_01", "action": "cancel"}], "items[0].itemId"),
        ([{"itemId": "item_1", "action": "ship"}], "items[0].action"),
        ([{"itemId": "item_1"}], "items[0].action"),
        ([{"action": "cancel"}], "items[0].itemId"),
        ([{"itemId": "item_1", "action": "cancel", "reason": "x" * 501}], "items[0].reason"),
        ("item_1", "items"),
    ],
)
async def test_a_wrong_item_is_named(shop: Shop, items: Any, field: str) -> None:
    order = await place(shop, await shop.sells())
    status, code, message = await refused(shop, a_post("items", orderId=order, items=items))
    assert (status, code) == (400, "VALIDATION_ERROR")
    assert message.startswith(f"{field} ")


async def test_a_change_of_another_version_is_refused(shop: Shop) -> None:
    order = await place(shop, await shop.sells())
    item = (await read(shop, order))["items"][0]["id"]
    for request in (a_status(order, "shipped"), actions(order, (item, "cancel"))):
        told = await shop.ask("marketplace", request, headers={"If-Match": '"v7"'})
        assert (told.status, told.json["error"]["code"]) == (412, "PRECONDITION_FAILED")
    told = await shop.ask("marketplace", a_bulk_cancel(order), headers={"If-Match": '"v7"'})
    assert told.json["results"][0]["error"]["code"] == "PRECONDITION_FAILED"
    told = await shop.ask("marketplace", a_bulk_cancel(order), headers={"If-Match": '"v1"'})
    assert told.json["cancelled"] == 1
