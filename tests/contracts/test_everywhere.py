"""The same journeys in every dialect, and from one dialect to another."""

import asyncio

import pytest

from openorders.contracts import ALL
from openorders.domain.access import Role
from openorders.domain.order import Word
from tests.contracts.asking import Request
from tests.contracts.driver import Driver
from tests.contracts.journeys import (
    CUSTOMER,
    DRIVERS,
    each_canceller,
    each_driver,
    each_mover,
    each_pair,
    move,
    place,
    refused,
    show,
    wanted,
)
from tests.contracts.serving import Served
from tests.contracts.shop import NO_KEY, Shop, open_shop


def test_every_contract_has_a_driver() -> None:
    assert [driver.contract for driver in DRIVERS] == [contract.name for contract in ALL]


@each_driver
def test_every_word_inside_has_a_word_of_the_dialect(driver: Driver) -> None:
    assert set(driver.words) == set(Word)


@each_pair
async def test_an_order_placed_here_is_at_once_there(
    shop: Shop, here: Driver, there: Driver
) -> None:
    candle, soap = await shop.sells("24.99"), await shop.sells("10.50")
    lines = [candle.times(2), soap.times(1), candle.times(1)]
    order = await place(shop, here, lines)
    shown = await show(shop, there, order)
    own = await show(shop, here, order)
    assert shown.order == own.order == order
    assert shown.total == own.total == "85.47"
    assert shown.quantities == own.quantities == (2, 1, 1)
    inside = [word for word in Word if here.words[word] == own.status]
    assert shown.status in {there.words[word] for word in inside}
    listed = await shop.ask(there.contract, there.listing())
    assert there.listed(listed.json) == (order,)


@each_mover
@pytest.mark.parametrize("there", DRIVERS, ids=lambda one: one.contract)
async def test_an_order_moved_on_here_has_moved_on_there(
    shop: Shop, driver: Driver, to: Word, there: Driver
) -> None:
    candle = await shop.sells()
    order = await place(shop, there, [candle.times(2)])
    await move(shop, order, to, driver)
    assert (await show(shop, driver, order)).status == driver.words[to]
    assert (await show(shop, there, order)).status == there.words[to]
    left = (10_000, 2) if to is Word.PROCESSING else (9_998, 0)
    assert await shop.stock(candle) == left


PATHS: dict[Word, tuple[Word, ...]] = {
    # How an order that was placed and not paid comes to each word.
    Word.CREATED: (),
    Word.PAID: (Word.PAID,),
    Word.PROCESSING: (Word.PROCESSING,),
    Word.SHIPPED: (Word.PAID, Word.SHIPPED),
    Word.DELIVERED: (Word.SHIPPED, Word.DELIVERED),
    Word.COMPLETED: (Word.PAID, Word.PROCESSING, Word.COMPLETED),
    Word.CANCELLED: (Word.PAID, Word.CANCELLED),
    Word.REFUNDED: (Word.PAID, Word.SHIPPED, Word.REFUNDED),
}


@pytest.mark.parametrize("word", PATHS)
async def test_every_word_inside_is_shown_in_each_one_s_words(shop: Shop, word: Word) -> None:
    order = await place(shop, DRIVERS[0], [(await shop.sells()).times(1)])
    for step in PATHS[word]:
        await move(shop, order, step)
    shown = {driver.contract: (await show(shop, driver, order)).status for driver in DRIVERS}
    assert shown == {driver.contract: driver.words[word] for driver in DRIVERS}


async def test_an_order_that_awaits_its_payment_is_shown_in_each_one_s_words(shop: Shop) -> None:
    for placed_in in ("marketplace", "storefront"):
        asking = next(driver for driver in DRIVERS if driver.contract == placed_in)
        order = await place(shop, asking, [(await shop.sells()).times(1)])
        shown = {driver.contract: (await show(shop, driver, order)).status for driver in DRIVERS}
        assert shown == {driver.contract: driver.words[Word.PAYMENT_PENDING] for driver in DRIVERS}


@each_canceller
@pytest.mark.parametrize("there", DRIVERS, ids=lambda one: one.contract)
async def test_an_order_cancelled_here_is_cancelled_there(
    shop: Shop, driver: Driver, there: Driver
) -> None:
    candle = await shop.sells()
    order = await place(shop, there, [candle.times(2)])
    assert await shop.stock(candle) == (10_000, 2)
    told = await shop.ask(driver.contract, wanted(driver.cancel(order)))
    assert told.status in (200, 204), told
    shown = await show(shop, there, order)
    assert (shown.status, shown.total) == (there.words[Word.CANCELLED], "50.00")
    assert await shop.stock(candle) == (10_000, 0)


@each_canceller
async def test_a_repeated_cancel_succeeds_and_does_nothing_twice(
    shop: Shop, driver: Driver
) -> None:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    first = await shop.ask(driver.contract, wanted(driver.cancel(order)))
    before = await shop.everything()
    again = await shop.ask(driver.contract, wanted(driver.cancel(order)))
    assert (first.status, first.body) == (again.status, again.body)
    assert await shop.everything() == before


@each_mover
async def test_a_word_that_holds_already_is_a_success_that_writes_nothing(
    shop: Shop, driver: Driver, to: Word
) -> None:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    await move(shop, order, to, driver)
    before = await shop.everything()
    await move(shop, order, to, driver)
    assert await shop.everything() == before


@each_driver
async def test_prices_are_kept_as_they_were(shop: Shop, driver: Driver) -> None:
    candle = await shop.sells("10.00")
    order = await place(shop, driver, [candle.times(3)])
    async with shop.served.services.database.connection() as connection:
        await connection.execute(
            "update variants set price = 9900 where store_id = $1", shop.store.id
        )
    assert (await show(shop, driver, order)).total == "30.00"


@each_driver
async def test_amounts_have_the_digits_of_the_currency(everyone: Served, driver: Driver) -> None:
    for currency, price, total in (("JPY", "75", "150"), ("KWD", "1.250", "2.500")):
        shop = await open_shop(everyone, currency=currency)
        order = await place(shop, driver, [(await shop.sells(price)).times(2)])
        assert (await show(shop, driver, order)).total == total


@each_driver
async def test_the_last_units_are_sold_once(shop: Shop, driver: Driver) -> None:
    candle = await shop.sells(stock=3)
    request = driver.place([candle.times(1)], CUSTOMER)
    told = await asyncio.gather(*(shop.ask(driver.contract, request) for _ in range(8)))
    assert sorted(one.status == 201 for one in told) == [False] * 5 + [True] * 3
    assert await shop.stock(candle) == (3, 3)


@each_driver
async def test_lists_are_of_the_own_store(shop: Shop, everyone: Served, driver: Driver) -> None:
    other = await open_shop(everyone)
    order = await place(other, driver, [(await other.sells()).times(1)])
    told = await shop.ask(driver.contract, driver.listing())
    assert (told.status, driver.listed(told.json)) == (200, ())
    assert (await show(other, driver, order)).order == order


@each_driver
async def test_another_store_s_order_is_not_there(
    shop: Shop, everyone: Served, driver: Driver
) -> None:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    stranger = (await open_shop(everyone)).admin
    await assert_out_of_reach(shop, driver, order, stranger)


@each_driver
async def test_another_customer_s_order_is_not_there(shop: Shop, driver: Driver) -> None:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    stranger = await shop.key(Role.CUSTOMER, customer=CUSTOMER + 1)
    await assert_out_of_reach(shop, driver, order, stranger)


@each_driver
async def test_another_partner_s_order_is_not_there(shop: Shop, driver: Driver) -> None:
    candle = await shop.sells()
    acme = await shop.key(Role.PARTNER, partner="Acme")
    order = await place(shop, DRIVERS[0], [candle.times(1)], key=acme)
    stranger = await shop.key(Role.PARTNER, partner="Acme Ltd.")
    await assert_out_of_reach(shop, driver, order, stranger)
    assert (await show(shop, driver, order, key=acme)).order == order
    told = await shop.ask(driver.contract, driver.listing(), key=acme)
    assert driver.listed(told.json) == (order,)


async def assert_out_of_reach(shop: Shop, driver: Driver, order: int, key: str) -> None:
    """Read, listed, moved, cancelled: for this key the order is as good as not there."""
    requests = [driver.read(order), driver.cancel(order), driver.move(order, Word.SHIPPED)]
    absent = [
        driver.read(order + 1),
        driver.cancel(order + 1),
        driver.move(order + 1, Word.SHIPPED),
    ]
    for request, missing in zip(requests, absent, strict=True):
        if request is None or missing is None:
            continue
        told = await refused(shop, driver, request, key=key)
        same = await refused(shop, driver, missing, key=key)
        assert told.status == same.status
        assert told.status in (403, 404), told
        assert told.body.replace(b"%d" % order, b"") == same.body.replace(b"%d" % (order + 1), b"")
    listed = await shop.ask(driver.contract, driver.listing(), key=key)
    assert listed.status in (200, 403)
    if listed.status == 200:
        assert order not in driver.listed(listed.json)


@each_driver
async def test_without_a_credential_that_counts_there_is_nothing(
    shop: Shop, driver: Driver
) -> None:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    for request in (driver.read(order), driver.listing(), driver.cancel(order)):
        if request is None:
            continue
        for key in (NO_KEY, "oo_wrong", shop.admin[:-1], shop.admin.swapcase()):
            told = await refused(shop, driver, request, key=key)
            assert told.status == 401
            assert "www-authenticate" in told.headers


@each_driver
async def test_both_headers_carry_the_same_keys(shop: Shop, driver: Driver) -> None:
    for headers in (
        {"x-api-key": shop.admin},
        {"Authorization": f"bearer {shop.admin}"},
        {"Authorization": f"Bearer {shop.admin}", "x-api-key": shop.admin},
    ):
        told = await shop.ask(driver.contract, driver.listing(), key=NO_KEY, headers=headers)
        assert told.status == 200, told


@each_driver
async def test_unknown_paths_and_methods_are_told_in_the_dialect_s_shape(
    shop: Shop, driver: Driver
) -> None:
    there = driver.listing().path.partition("?")[0]
    unknown = await refused(shop, driver, Request(method="GET", path=f"{there}/1/2/3/4"))
    assert unknown.status == 404
    wrong = await refused(shop, driver, Request(method="PATCH", path=there, body={}))
    assert wrong.status == 405
    assert "GET" in wrong.headers["allow"]
