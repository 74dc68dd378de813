"""Orders of `commerce` that are charged as they are placed."""

import asyncio

import pytest

from tests.contracts.commerce.requests import a_delete, a_get, an_order, listed, place, refused
from tests.contracts.shop import Shop

DECLINED = ["tok_chargeDeclined", "tok_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclined"]


async def payments(shop: Shop) -> list[tuple[str, int, int, int]]:
    async with shop.served.services.database.connection() as connection:
        rows = await connection.fetch(
            "select state, amount, captured, refunded from payments"
            " where store_id = $1 order by id",
            shop.store.id,
        )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("token", ["tok_visa", "pm_card_visa", "tok_mastercard"])
async def test_a_payment_method_is_charged_at_once(shop: Shop, token: str) -> None:
    candle = await shop.sells("24.99")
    order = await place(shop, (candle, 2), paymentMethodId=token)
    assert (await shop.ask("commerce", a_get(order))).json["status"] == "pending"
    assert await payments(shop) == [("captured", 4998, 4998, 0)]
    assert await shop.stock(candle) == (10_000, 2)


@pytest.mark.parametrize("token", [*DECLINED, "tok_of_nobody"])
async def test_a_declined_charge_leaves_no_order_and_no_stock_held(shop: Shop, token: str) -> None:
    candle = await shop.sells("24.99")
    first = await place(shop, candle)
    told = await shop.ask("commerce", an_order((candle, 2), paymentMethodId=token))
    assert told.status == 402
    assert told.json["error"]["code"] == "PAYMENT_FAILED"
    assert told.json["error"]["message"]
    assert await listed(shop) == [first]
    assert (await shop.ask("commerce", a_get())).json["pagination"]["total"] == 1
    assert await shop.stock(candle) == (10_000, 1)
    assert [state for state, *_ in await payments(shop)] == ["declined"]


async def test_a_retry_never_charges_twice(shop: Shop) -> None:
    candle = await shop.sells("24.99")
    for token, status in (("tok_visa", 201), ("tok_chargeDeclined", 402)):
        request = an_order(candle, paymentMethodId=token)
        headers = {"Idempotency-Key": token}
        first = await shop.ask("commerce", request, headers=headers)
        again = await shop.ask("commerce", request, headers=headers)
        assert (first.status, first.body) == (status, again.body)
        assert again.headers["idempotency-replayed"] == "true"
    assert [state for state, *_ in await payments(shop)] == ["captured", "declined"]


async def test_parallel_twins_are_charged_once(shop: Shop) -> None:
    candle = await shop.sells("24.99")
    request = an_order(candle, paymentMethodId="tok_visa")
    headers = {"Idempotency-Key": "twins"}
    twins = await asyncio.gather(
        *(shop.ask("commerce", request, headers=headers) for _ in range(6))
    )
    assert {told.status for told in twins} <= {201, 409}
    assert len({told.body for told in twins if told.status == 201}) == 1
    assert len(await payments(shop)) == 1
    assert len(await listed(shop)) == 1


async def test_an_outcome_that_is_not_known_yet_is_found_out_by_the_retry(shop: Shop) -> None:
    candle = await shop.sells("24.99")
    request = an_order(candle, paymentMethodId="tok_timeoutAfterCharge")
    headers = {"Idempotency-Key": "late"}
    told = await shop.ask("commerce", request, headers=headers)
    assert (told.status, told.json["error"]["code"]) == (503, "UNAVAILABLE")
    assert int(told.headers["retry-after"]) > 0
    assert await listed(shop) == []
    again = await shop.ask("commerce", request, headers=headers)
    assert again.status == 201
    assert await listed(shop) == [again.json["orderId"]]
    assert await payments(shop) == [("captured", 2499, 2499, 0)]
    assert await shop.stock(candle) == (10_000, 1)


async def test_cancelling_gives_back_what_was_charged(shop: Shop) -> None:
    order = await place(shop, (await shop.sells("24.99"), 2), paymentMethodId="tok_visa")
    assert (await shop.ask("commerce", a_delete(order))).status == 204
    assert (await shop.ask("commerce", a_delete(order))).status == 204
    assert await payments(shop) == [("captured", 4998, 4998, 4998)]


async def test_no_stock_is_charged_for(shop: Shop) -> None:
    request = an_order((await shop.sells(stock=1), 2), paymentMethodId="tok_visa")
    status, code, _ = await refused(shop, request)
    assert (status, code) == (400, "BAD_REQUEST")
