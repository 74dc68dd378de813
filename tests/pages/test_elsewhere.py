"""Buyers who are sent elsewhere to pay, and come back: a gateway's page, their bank."""

import dataclasses
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from openorders.domain.order import Order, Word
from openorders.domain.payment import AttemptState
from openorders.pages.addressed import addressed_application
from openorders.services import is_weather
from openorders.store.database import Database
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.pay_page import pay_path
from tests.usecases.stripe_world import AtStripe
from tests.world import World, a_world, told

TOKEN = "an-unguessable-token-of-the-order"
ORIGIN = "http://shop.test"


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = await a_world(database, tmp_path / "mail")
    return dataclasses.replace(world, services=replace(world.services, token=lambda: TOKEN))


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await world.placed(payment_asked=True)


def client_of(world: World) -> httpx.AsyncClient:
    application: Any = addressed_application(world.services, is_weather)
    transport = httpx.ASGITransport(app=application)
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN)


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(world) as client:
        yield client


def path_of(world: World, order: Order) -> str:
    path = pay_path(world.store.id, order)
    assert path is not None
    return path


async def sent_away(
    client: httpx.AsyncClient, path: str, *, page: bool, nonce: str = "0123456789abcdef"
) -> str:
    """Where the buyer is sent when they click."""
    form = {"action": "open" if page else "pay", "nonce": nonce}
    if not page:
        form["card"] = "tok_threeDSecure2Required"
    answer = await client.post(path, data=form)
    assert answer.status_code == 303
    return answer.headers["location"]


async def says(client: httpx.AsyncClient, page: str, action: str) -> str:
    """Where the sandbox's page sends the buyer once they answered."""
    answer = await client.post(page, data={"action": action})
    assert answer.status_code == 303
    return answer.headers["location"]


@pytest.mark.parametrize("page", [False, True])
async def test_a_buyer_is_sent_away_agrees_and_comes_back_to_the_truth(
    world: World, order: Order, client: httpx.AsyncClient, *, page: bool
) -> None:
    path = path_of(world, order)
    away = await sent_away(client, path, page=page)
    assert away.startswith("/sandbox/")
    shown = await client.get(away)
    assert "25.00 USD" in shown.text
    assert await says(client, away, "accept") == f"{ORIGIN}{path}"
    world.clock.move(seconds=3)
    assert "This order is paid" in (await client.get(path)).text
    assert (await world.order(order.id)).word is Word.PAID


@pytest.mark.parametrize("page", [False, True])
async def test_a_buyer_who_refuses_there_is_told_so_here_and_can_pay(
    world: World, order: Order, client: httpx.AsyncClient, *, page: bool
) -> None:
    path = path_of(world, order)
    away = await sent_away(client, path, page=page)
    await says(client, away, "refuse")
    world.clock.move(seconds=3)
    shown = await client.get(path)
    assert "You have not paid." in shown.text
    assert "Pay 25.00 USD" in shown.text


async def test_a_buyer_who_comes_back_without_an_answer_may_go_on_or_pay_otherwise(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    away = await sent_away(client, path, page=True)
    shown = await client.get(path)
    assert "waits for you" in shown.text
    assert f'href="{away}"' in shown.text
    form = {"action": "pay", "card": "tok_visa", "nonce": "another-nonce-of-16"}
    assert (await client.post(path, data=form)).headers["location"] == path
    assert (await world.order(order.id)).word is Word.PAID
    assert "given up" in (await client.get(away)).text
    await says(client, away, "accept")
    row = await world.row("select sum(captured) as taken from sandbox_charges where store_id = $1")
    assert row["taken"] == 2500


async def test_a_double_click_opens_one_page(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    first = await sent_away(client, path, page=True)
    assert await sent_away(client, path, page=True) == first
    row = await world.row("select count(*) as n from payments where store_id = $1")
    assert row["n"] == 1


async def test_saying_no_here_gives_up_what_waits_there(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    away = await sent_away(client, path, page=True)
    form = {"action": "decline", "nonce": "another-nonce-of-16"}
    await client.post(path, data=form)
    (payment,) = (await world.order(order.id)).payments
    assert payment.state is AttemptState.VOIDED
    assert "given up" in (await client.get(away)).text


async def test_the_gateway_is_not_asked_again_with_every_reload(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    await sent_away(client, path, page=True)
    world.clock.move(seconds=3)
    await client.get(path)
    world.faults.lose_requests = 1
    for _ in range(5):
        assert (await client.get(path)).status_code == 200
    assert world.faults.lose_requests == 1


async def test_a_gateway_that_does_not_answer_leaves_the_page_as_it_was(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    await sent_away(client, path, page=True)
    world.clock.move(seconds=3)
    world.faults.lose_requests = 1
    assert "waits for you" in (await client.get(path)).text


async def test_an_order_that_ended_meanwhile_says_so_and_keeps_nothing(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    path = path_of(world, order)
    away = await sent_away(client, path, page=True)
    await says(client, away, "accept")
    cancelled = told(lambda _cancelled: "")
    await cancel_order(world.context(), Cancel(order_id=order.id), cancelled)
    assert "This order has ended." in (await client.get(path)).text
    (payment,) = (await world.order(order.id)).payments
    assert payment.captured == payment.refunded


@pytest.mark.parametrize(
    "path",
    ["/sandbox/1/sandbox/x", "/sandbox/1/other/x", "/sandbox/9/sandbox/x", "/sandbox/01/a/b"],
)
async def test_a_page_of_the_sandbox_that_is_none_is_not_found(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(path)).status_code == 404
    assert (await client.post(path, data={"action": "accept"})).status_code == 404


@pytest.mark.parametrize("token", ["%00", "%C3%A9", "%FF", "x" * 5000])
async def test_a_token_that_no_page_can_have_is_not_found(
    world: World, client: httpx.AsyncClient, token: str
) -> None:
    path = f"/sandbox/{world.store.id}/sandbox/{token}"
    assert (await client.get(path)).status_code == 404
    assert (await client.post(path, data={"action": "accept"})).status_code == 404


async def test_the_sandboxs_page_takes_only_its_own_form(
    world: World, order: Order, client: httpx.AsyncClient
) -> None:
    away = await sent_away(client, path_of(world, order), page=True)
    for headers in ({"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await client.post(away, data={"action": "accept"}, headers=headers)
        assert answer.status_code == 403
    assert (await client.post(away, data={"action": "steal"})).status_code == 400
    policy = (await client.get(away)).headers["content-security-policy"]
    assert f"form-action 'self' {ORIGIN};" in policy


async def test_the_pages_of_a_store_at_stripe_lead_to_stripe_and_back(shop: AtStripe) -> None:
    shop.world.services = replace(shop.world.services, token=lambda: TOKEN)
    order = await shop.order()
    path = path_of(shop.world, order)
    async with client_of(shop.world) as client:
        shown = await client.get(path)
        assert "Choose a test card" not in shown.text
        assert "form-action 'self' https:;" in shown.headers["content-security-policy"]
        away = await sent_away(client, path, page=True)
        assert away.startswith(shop.stripe.url)
        async with httpx.AsyncClient() as browser:
            paid = await browser.post(away, data={"token": "tok_visa"})
        assert (paid.status_code, paid.headers["location"]) == (303, f"{ORIGIN}{path}")
        shop.world.clock.move(seconds=3)
        shown = await client.get(path)
    assert re.search("This order is paid", shown.text)
    assert await shop.differences() == []
