"""Reasons x contracts: each cell driven through the application, and nothing changed by any."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from openorders.contracts import ALL
from openorders.contracts.kit import Contract, NoSuch, Unreadable, encode
from openorders.domain.access import Role
from openorders.domain.order import Word
from openorders.domain.refusals import Reason
from tests.contracts.asking import Request, Told
from tests.contracts.driver import Driver, Wanting
from tests.contracts.journeys import (
    CUSTOMER,
    DRIVERS,
    move,
    place,
    refused,
    wanted,
)
from tests.contracts.reasons import EVERY_REASON
from tests.contracts.shop import NO_KEY, Shop

NOWHERE = 999_999_999

Situation = Callable[[Shop, Driver], Awaitable[Told]]

CONTRACTS = ("basic", "commerce", "marketplace", "partner", "storefront")
STATUSES: dict[str, tuple[int | None, ...]] = {
    # In the order of CONTRACTS. None: the document has no call in which this could happen.
    "no_credential": (401, 401, 401, 401, 401),
    "no_such_order": (404, 404, 404, 404, 404),
    "no_such_order_to_move": (404, 404, 404, None, 404),
    "no_such_order_to_cancel": (404, 404, 404, None, 404),
    "no_such_product": (404, 404, 400, 404, 404),
    "switched_off": (409, 400, 400, 409, 422),
    "out_of_stock": (409, 400, 400, 409, 422),
    "shipped_is_too_late_to_cancel": (409, 400, 400, None, 409),
    "delivered_is_too_late_to_cancel": (409, 400, 400, None, 409),
    "never_backward": (409, 400, 400, None, 409),
    "ended_is_the_end": (409, 400, 400, None, 409),
    "somebody_else_s_order_placed": (403, 403, 403, 403, 403),
    "another_version": (412, 412, 412, None, 412),
    "a_key_used_before": (422, 422, 422, 422, 422),
    "no_json": (400, 400, 400, 422, 400),
    "no_object": (400, 400, 400, 422, 400),
    "no_body": (400, 400, 400, 422, 400),
    "nested_too_deeply": (400, 400, 400, 422, 400),
    "too_large": (413, 413, 413, 413, 413),
    "too_many_lines": (400, 400, 400, 422, 400),
    "no_lines": (400, 400, 400, 400, 400),
}


async def no_credential(shop: Shop, driver: Driver) -> Told:
    return await refused(shop, driver, driver.listing(), key=NO_KEY)


async def no_such_order(shop: Shop, driver: Driver) -> Told:
    return await refused(shop, driver, driver.read(NOWHERE))


async def no_such_order_to_move(shop: Shop, driver: Driver) -> Told:
    return await refused(shop, driver, a_move(driver, NOWHERE))


async def no_such_order_to_cancel(shop: Shop, driver: Driver) -> Told:
    return await refused(shop, driver, wanted(driver.cancel(NOWHERE)))


async def no_such_product(shop: Shop, driver: Driver) -> Told:
    here = await shop.sells()
    lines = [here.times(1), Wanting(NOWHERE, NOWHERE, 1)]
    return await refused(shop, driver, driver.place(lines, CUSTOMER))


async def switched_off(shop: Shop, driver: Driver) -> Told:
    lines = [(await shop.sells()).times(1), (await shop.sells(available=False)).times(1)]
    return await refused(shop, driver, driver.place(lines, CUSTOMER))


async def out_of_stock(shop: Shop, driver: Driver) -> Told:
    lines = [(await shop.sells()).times(1), (await shop.sells(stock=2)).times(3)]
    return await refused(shop, driver, driver.place(lines, CUSTOMER))


async def shipped_is_too_late_to_cancel(shop: Shop, driver: Driver) -> Told:
    return await a_late_cancel(shop, driver, Word.SHIPPED)


async def delivered_is_too_late_to_cancel(shop: Shop, driver: Driver) -> Told:
    return await a_late_cancel(shop, driver, Word.DELIVERED)


async def never_backward(shop: Shop, driver: Driver) -> Told:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    await move(shop, order, Word.SHIPPED)
    return await refused(shop, driver, wanted(driver.move(order, Word.PROCESSING)))


async def ended_is_the_end(shop: Shop, driver: Driver) -> Told:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    told = await shop.ask(driver.contract, wanted(driver.cancel(order)))
    assert told.status in (200, 204)
    return await refused(shop, driver, a_move(driver, order))


async def somebody_else_s_order_placed(shop: Shop, driver: Driver) -> Told:
    request = driver.place([(await shop.sells()).times(1)], CUSTOMER)
    key = await shop.key(Role.CUSTOMER, customer=CUSTOMER + 1)
    return await refused(shop, driver, request, key=key)


async def another_version(shop: Shop, driver: Driver) -> Told:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    headers = {"If-Match": '"v99"'}
    return await refused(shop, driver, wanted(driver.cancel(order)), headers=headers)


async def a_key_used_before(shop: Shop, driver: Driver) -> Told:
    candle = await shop.sells()
    headers = {"Idempotency-Key": "a-key"}
    first = driver.place([candle.times(1)], CUSTOMER)
    assert (await shop.ask(driver.contract, first, headers=headers)).status == 201
    other = driver.place([candle.times(2)], CUSTOMER)
    return await refused(shop, driver, other, headers=headers)


async def no_json(shop: Shop, driver: Driver) -> Told:
    return await a_placing_with(shop, driver, '{"items": [')


async def no_object(shop: Shop, driver: Driver) -> Told:
    return await a_placing_with(shop, driver, "[1, 2]")


async def no_body(shop: Shop, driver: Driver) -> Told:
    return await a_placing_with(shop, driver, "")


async def nested_too_deeply(shop: Shop, driver: Driver) -> Told:
    return await a_placing_with(shop, driver, '{"items": ' + "[" * 100_000)


async def too_large(shop: Shop, driver: Driver) -> Told:
    return await a_placing_with(shop, driver, '{"notes": "' + "x" * 1_100_000 + '"}')


async def too_many_lines(shop: Shop, driver: Driver) -> Told:
    lines = [(await shop.sells()).times(1)] * 501
    return await refused(shop, driver, driver.place(lines, CUSTOMER))


async def no_lines(shop: Shop, driver: Driver) -> Told:
    return await refused(shop, driver, driver.place([], CUSTOMER))


async def a_late_cancel(shop: Shop, driver: Driver, word: Word) -> Told:
    order = await place(shop, driver, [(await shop.sells()).times(1)])
    await move(shop, order, word)
    told = await refused(shop, driver, wanted(driver.cancel(order)))
    assert driver.sentence(told.json).endswith(f"{word.value}.")
    return told


async def a_placing_with(shop: Shop, driver: Driver, text: str) -> Told:
    path = driver.place([], CUSTOMER).path
    return await refused(shop, driver, Request(method="POST", path=path, text=text))


def a_move(driver: Driver, order: int) -> Request:
    return wanted(driver.move(order, Word.PROCESSING) or driver.move(order, Word.SHIPPED))


CELLS = [
    pytest.param(globals()[name], driver, status, id=f"{driver.contract}-{name}")
    for name, statuses in STATUSES.items()
    for driver in DRIVERS
    if (status := statuses[CONTRACTS.index(driver.contract)]) is not None
]


@pytest.mark.parametrize(("situation", "driver", "status"), CELLS)
async def test_each_reason_has_its_status_in_each_contract(
    shop: Shop, situation: Situation, driver: Driver, status: int
) -> None:
    assert (await situation(shop, driver)).status == status


def test_the_table_has_a_column_for_every_contract() -> None:
    assert {contract.name for contract in ALL} <= set(CONTRACTS)


each_contract = pytest.mark.parametrize("contract", ALL, ids=lambda one: one.name)


@pytest.mark.parametrize("reason", EVERY_REASON, ids=lambda one: type(one).__name__)
@each_contract
def test_every_reason_is_said_in_the_contract_s_shape(contract: Contract, reason: Reason) -> None:
    rendered = contract.render(reason)
    assert 400 <= rendered.status < 600
    assert isinstance(rendered.body, contract.error_type)
    assert msgspec.json.decode(encode(rendered.body), type=contract.error_type) == rendered.body


def test_no_reason_is_forgotten() -> None:
    assert {type(reason) for reason in EVERY_REASON} == set(Reason.__args__)


@pytest.mark.parametrize("status", [404, 405, 408, 413, 500, 503])
@each_contract
def test_every_failure_beside_the_use_cases_has_the_contract_s_shape(
    contract: Contract, status: int
) -> None:
    rendered = contract.render_status(status)
    assert rendered.status == status
    assert isinstance(rendered.body, contract.error_type)


@each_contract
def test_what_cannot_be_read_is_told_with_its_place(contract: Contract) -> None:
    rendered = contract.render_unreadable(Unreadable("limit", "must be at most 100", "query"))
    assert rendered.status in (400, 422)
    assert b"limit" in encode(rendered.body)
    unknown = contract.render_unknown(NoSuch("order", "as it was sent"))
    assert unknown.status == 404
    assert b"as it was sent" in encode(unknown.body)
