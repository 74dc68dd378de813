"""The pay page over HTTP: who may see it, what a click does, and what nobody can make it do."""

import dataclasses
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from openorders.domain.order import Order, PaymentState, Word
from openorders.pages.pay import pay_application
from openorders.services import is_weather
from openorders.store.database import Database, opened
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.pay_page import pay_path
from openorders.usecases.perform_operations import sweep_operations
from tests.world import World, a_world, told

TOKEN = "an-unguessable-token-of-the-order"
NONCE = "0123456789abcdef"


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = await a_world(database, tmp_path / "mail")
    return dataclasses.replace(world, services=replace(world.services, token=lambda: TOKEN))


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await world.placed(payment_asked=True)


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    application: Any = pay_application(world.services, is_weather)
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        yield client


def path_of(world: World, order: Order) -> str:
    path = pay_path(world.store.id, order)
    assert path is not None
    return path


async def click(
    client: httpx.AsyncClient, path: str, card: str = "tok_visa", **more: str
) -> httpx.Response:
    form = {"action": "pay", "card": card, "nonce": NONCE, **more}
    return await client.post(path, data=form)


async def charges(world: World) -> int:
    row = await world.row("select count(*) as n from sandbox_charges where store_id = $1")
    return row["n"]


async def test_the_page_shows_what_is_to_be_paid(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    answer = await client.get(path_of(world, order))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for shown in ("Order 1", "Product 1", "25.00 USD", "Visa ending in 4242", "Do not pay"):
        assert shown in answer.text


async def test_paying_leads_back_to_the_page_which_says_so(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    answer = await click(client, path)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    shown = await client.get(path)
    assert "This order is paid with Visa ending in 4242" in shown.text
    assert "<form" not in shown.text
    now = await world.order(order.id)
    assert now.word is Word.PAID
    assert (now.history[-1].actor, now.history[-1].contract) == ("pay page", "pay_page")


async def test_a_double_click_pays_once(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    await click(client, path)
    await click(client, path)
    await click(client, path, nonce="fedcba9876543210")
    assert await charges(world) == 1


async def test_a_declined_card_says_why_and_can_be_followed_by_another(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    await click(client, path, "tok_chargeDeclinedInsufficientFunds")
    shown = await client.get(path)
    assert "You have not paid. Your card has insufficient funds." in shown.text
    await click(client, path, nonce="fedcba9876543210")
    assert (await world.order(order.id)).word is Word.PAID


async def test_saying_no_leaves_the_order_payable(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    await click(client, path, action="decline")
    now = await world.order(order.id)
    assert (now.word, now.payment) == (Word.PAYMENT_PENDING, PaymentState.FAILED)
    shown = await client.get(path)
    assert "You chose not to pay." in shown.text
    assert await charges(world) == 0
    await click(client, path, nonce="fedcba9876543210")
    assert (await world.order(order.id)).word is Word.PAID


async def test_a_late_bank_is_waited_for(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    await click(client, path, "tok_timeoutAfterCharge")
    shown = await client.get(path)
    assert "Your payment is being checked" in shown.text
    assert '<meta http-equiv="refresh"' in shown.text
    world.clock.move(minutes=1)
    await sweep_operations(world.services)
    assert "This order is paid" in (await client.get(path)).text


async def test_a_cancelled_order_has_nothing_to_pay(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    assert "There is nothing to pay" in (await client.get(path)).text
    await click(client, path)
    assert await charges(world) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path[:-1],
        lambda path: path + "x",
        lambda path: path.replace("/pay/", "/pay/0"),
        lambda path: re.sub(r"^/pay/\d+/", "/pay/999/", path),
        lambda path: re.sub(r"^(/pay/\d+)/\d+/", r"\1/999/", path),
        lambda path: re.sub(r"^(/pay/\d+)/\d+/", r"\1/99999999999999999999999/", path),
        lambda path: re.sub(r"^(/pay/\d+)/\d+/", r"\1/%D9%A1/", path),
        lambda path: re.sub(r"[^/]+$", "%00", path),
        lambda path: re.sub(r"[^/]+$", "%FF", path),
        lambda path: re.sub(r"/[^/]+$", "", path),
    ],
)
async def test_any_other_address_is_not_there(
    world: World, order: Order, client: httpx.AsyncClient, change
) -> None:
    path = change(path_of(world, order))
    for answer in (await client.get(path), await click(client, path)):
        assert answer.status_code == 404
        assert "There is no such page" in answer.text
    assert await charges(world) == 0


async def test_another_stores_order_is_not_there(
    world: World, order: Order, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    other = await a_world(world.database, tmp_path / "other", name="other")
    path = path_of(world, order).replace(f"/pay/{world.store.id}/", f"/pay/{other.store.id}/")
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.test"},
        {"origin": "null"},
    ],
)
async def test_a_form_of_another_site_is_refused(
    world: World, order: Order, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    form = {"action": "pay", "card": "tok_visa", "nonce": NONCE}
    answer = await client.post(path_of(world, order), data=form, headers=headers)
    assert answer.status_code == 403
    assert await charges(world) == 0


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "same-origin"}, {"origin": "http://shop.test"}]
)
async def test_its_own_form_is_taken(
    world: World, order: Order, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    form = {"action": "pay", "card": "tok_visa", "nonce": NONCE}
    answer = await client.post(path_of(world, order), data=form, headers=headers)
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 400),
        ({"action": "pay", "card": "tok_visa"}, 400),
        ({"action": "steal", "nonce": NONCE}, 400),
        ({"action": "pay", "card": "tok_visa", "nonce": "x" * 101}, 400),
        ({"action": "pay", "card": "tok_visa", "nonce": NONCE, "more": "x" * 10_000}, 413),
    ],
)
async def test_an_incomplete_form_changes_nothing(
    world: World, order: Order, client: httpx.AsyncClient, form: dict[str, str], status: int
) -> None:
    answer = await client.post(path_of(world, order), data=form)
    assert answer.status_code == status
    assert await charges(world) == 0


@pytest.mark.parametrize("card", ["", "4242424242424242", "x" * 200, "tok_\x00"])
async def test_a_card_that_is_none_takes_no_money(
    world: World, order: Order, client: httpx.AsyncClient, card: str
) -> None:
    answer = await click(client, path_of(world, order), card)
    assert answer.status_code == 303
    assert await charges(world) == 0
    row = await world.row("select count(*) as n from payments where store_id = $1")
    assert row["n"] == 0


async def test_what_the_page_shows_is_escaped(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    async with world.database.transaction() as tx:
        await tx.execute("update order_lines set product_name = '<script>alert(1)</script>'")
    assert "<script" not in (await client.get(path_of(world, order))).text


async def test_the_page_runs_no_script_and_is_kept_nowhere(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    for answer in (await client.get(path), await click(client, path), await client.get("/pay/1")):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "script-src" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"


async def test_its_head_is_its_page_without_the_body(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    answer = await client.head(path_of(world, order))
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_method_it_does_not_have_says_which_it_has(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    answer = await client.delete(path_of(world, order))
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


async def test_a_database_that_is_away_is_asked_for_patience(
    world: World, order: Order, database_url: str
) -> None:
    path = path_of(world, order)
    async with opened(database_url, connections=1) as database:
        services = replace(world.services, database=database)
    application: Any = pay_application(services, is_weather)
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "in a moment" in answer.text
