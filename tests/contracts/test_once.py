"""Doing a thing once, however often it is asked for: idempotency keys and `If-Match`."""

import asyncio
from datetime import UTC, datetime

import pytest

from openorders.contracts.kit import headers as header
from openorders.domain.access import Role
from openorders.domain.order import Word
from tests.contracts.asking import Request, Told
from tests.contracts.driver import Driver
from tests.contracts.journeys import (
    CUSTOMER,
    each_canceller,
    each_driver,
    each_mover,
    move,
    place,
    refused,
    show,
    wanted,
)
from tests.contracts.serving import Served
from tests.contracts.shop import Shop, open_shop


async def keyed(shop: Shop, driver: Driver, request: Request, key: str, /, **how: str) -> Told:
    return await shop.ask(driver.contract, request, headers={"Idempotency-Key": key}, **how)


def is_replay_of(first: Told, again: Told) -> bool:
    told = [(one.status, one.body, one.headers.get("etag")) for one in (first, again)]
    replayed = [one.headers.get("idempotency-replayed") for one in (first, again)]
    return told[0] == told[1] and replayed == [None, "true"]


@each_driver
async def test_a_retry_gets_the_first_answer_again(shop: Shop, driver: Driver) -> None:
    request = driver.place([(await shop.sells()).times(2)], CUSTOMER)
    first = await keyed(shop, driver, request, "a-key")
    assert first.status == 201
    before = await shop.everything()
    for spelling in ("a-key", '"a-key"', "a-key"):
        assert is_replay_of(first, await keyed(shop, driver, request, spelling))
    assert await shop.everything() == before
    other = await keyed(shop, driver, request, "another-key")
    assert driver.placed(other.json) != driver.placed(first.json)


@each_driver
async def test_the_same_key_with_another_request_is_refused(shop: Shop, driver: Driver) -> None:
    candle = await shop.sells()
    first = await keyed(shop, driver, driver.place([candle.times(2)], CUSTOMER), "a-key")
    assert first.status == 201
    other = driver.place([candle.times(3)], CUSTOMER)
    told = await refused(shop, driver, other, headers={"Idempotency-Key": "a-key"})
    assert told.status == 422


@each_driver
async def test_a_request_is_compared_as_what_it_says(shop: Shop, driver: Driver) -> None:
    request = driver.place([(await shop.sells()).times(2)], CUSTOMER)
    first = await keyed(shop, driver, request, "a-key")
    content = request.content()
    assert content is not None
    spaced = Request(
        method=request.method, path=request.path, text=content.replace(b": ", b" :\n\t")
    )
    assert is_replay_of(first, await keyed(shop, driver, spaced, "a-key"))


@each_driver
async def test_a_decision_against_the_client_is_kept_too(shop: Shop, driver: Driver) -> None:
    scarce = await shop.sells(stock=1)
    request = driver.place([scarce.times(2)], CUSTOMER)
    first = await keyed(shop, driver, request, "a-key")
    assert 400 <= first.status < 500
    async with shop.served.services.database.connection() as connection:
        await connection.execute("update stock set on_hand = 10 where store_id = $1", shop.store.id)
    assert is_replay_of(first, await keyed(shop, driver, request, "a-key"))


@each_driver
async def test_a_request_that_cannot_be_read_uses_up_no_key(shop: Shop, driver: Driver) -> None:
    request = driver.place([(await shop.sells()).times(2)], CUSTOMER)
    broken = Request(method=request.method, path=request.path, text="{")
    assert (await keyed(shop, driver, broken, "a-key")).status in (400, 422)
    assert (await keyed(shop, driver, request, "a-key")).status == 201


@each_driver
async def test_twins_make_one_order(shop: Shop, driver: Driver) -> None:
    candle = await shop.sells()
    request = driver.place([candle.times(1)], CUSTOMER)
    twins = await asyncio.gather(*(keyed(shop, driver, request, "a-key") for _ in range(6)))
    made = [told for told in twins if told.status == 201]
    assert made
    assert {told.status for told in twins} <= {201, 409}
    assert len({told.body for told in made}) == 1
    assert sum("idempotency-replayed" not in told.headers for told in made) == 1
    assert await shop.stock(candle) == (10_000, 1)


@each_driver
async def test_a_key_in_flight_is_told_to_wait(shop: Shop, driver: Driver) -> None:
    request = driver.place([(await shop.sells()).times(1)], CUSTOMER)
    key = await shop.key(Role.SERVICE)
    listed = await shop.ask(driver.contract, driver.listing(), key=key)
    assert listed.status == 200
    async with shop.served.services.database.connection() as connection:
        key_id = await connection.fetchval(
            "select max(id) from api_keys where store_id = $1", shop.store.id
        )
        digest = header.key_digest(
            f"key:{key_id}", request.method, f"{driver.contract} {request.path}", "a-key"
        )
        content = request.content()
        assert content is not None
        await connection.execute(
            "insert into idempotency_keys (store_id, digest, fingerprint, claimed_at)"
            " values ($1, $2, $3, $4)",
            shop.store.id,
            digest,
            header.fingerprint(request.body),
            datetime.now(UTC),
        )
    told = await refused(shop, driver, request, key=key, headers={"Idempotency-Key": "a-key"})
    assert told.status == 409
    assert int(told.headers["retry-after"]) > 0


@each_driver
async def test_a_key_belongs_to_its_credential(
    shop: Shop, everyone: Served, driver: Driver
) -> None:
    candle = await shop.sells()
    request = driver.place([candle.times(1)], CUSTOMER)
    first = await keyed(shop, driver, request, "a-key")
    colleague = await keyed(shop, driver, request, "a-key", key=await shop.key(Role.SERVICE))
    assert driver.placed(first.json) != driver.placed(colleague.json)
    other = await open_shop(everyone)
    await other.sells()
    stranger = await keyed(other, driver, request, "a-key")
    assert stranger.status == 201
    assert driver.placed(stranger.json) not in {
        driver.placed(first.json),
        driver.placed(colleague.json),
    }


@each_canceller
async def test_a_key_belongs_to_its_path(shop: Shop, driver: Driver) -> None:
    candle = await shop.sells()
    for _ in range(2):
        order = await place(shop, driver, [candle.times(1)])
        told = await keyed(shop, driver, wanted(driver.cancel(order)), "a-key")
        assert "idempotency-replayed" not in told.headers
        assert (await show(shop, driver, order)).status == driver.words[Word.CANCELLED]


@each_canceller
async def test_a_cancel_is_replayed_byte_for_byte(shop: Shop, driver: Driver) -> None:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    request = wanted(driver.cancel(order))
    first = await keyed(shop, driver, request, "a-key")
    assert is_replay_of(first, await keyed(shop, driver, request, "a-key"))


@pytest.mark.parametrize("key", ["", '""', "k" * 256, "caf\u00e9", '"open'])
@each_driver
async def test_a_key_that_is_no_key_is_refused(shop: Shop, driver: Driver, key: str) -> None:
    request = driver.place([(await shop.sells()).times(1)], CUSTOMER)
    before = await shop.everything()
    told = await shop.ask(
        driver.contract,
        request,
        headers={"Idempotency-Key": key},
    )
    assert told.status in (400, 422)
    assert "Idempotency-Key" in driver.sentence(told.json)
    assert await shop.everything() == before


@each_driver
async def test_an_order_that_was_not_changed_need_not_be_sent_again(
    shop: Shop, driver: Driver
) -> None:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    first = await shop.ask(driver.contract, driver.read(order))
    headers = {"If-None-Match": first.headers["etag"]}
    again = await shop.ask(driver.contract, driver.read(order), headers=headers)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    await move(shop, order, Word.SHIPPED)
    assert (await shop.ask(driver.contract, driver.read(order), headers=headers)).status == 200


@each_mover
async def test_a_change_of_another_version_is_refused(shop: Shop, driver: Driver, to: Word) -> None:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    seen = (await shop.ask(driver.contract, driver.read(order))).headers["etag"]
    request = wanted(driver.move(order, to))
    for stale in ('"v99"', '"other"', f"W/{seen}"):
        told = await refused(shop, driver, request, headers={"If-Match": stale})
        assert told.status == 412
    told = await shop.ask(driver.contract, request, headers={"If-Match": f'"v99", {seen}'})
    assert told.status == 200
    now = (await shop.ask(driver.contract, driver.read(order))).headers["etag"]
    assert now != seen
    told = await shop.ask(driver.contract, request, headers={"If-Match": "*"})
    assert told.status == 200


@each_canceller
async def test_a_cancel_of_another_version_is_refused(shop: Shop, driver: Driver) -> None:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    request = wanted(driver.cancel(order))
    told = await refused(shop, driver, request, headers={"If-Match": '"v99"'})
    assert told.status == 412
    seen = (await shop.ask(driver.contract, driver.read(order))).headers["etag"]
    told = await shop.ask(driver.contract, request, headers={"If-Match": seen})
    assert told.status in (200, 204)
