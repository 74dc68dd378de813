"""A person pays, or does not, in a real browser: Debian's Chromium on the page as it is served."""

import asyncio
import dataclasses
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from msgspec.structs import replace
from playwright.async_api import Browser, Page, async_playwright

from openorders.domain.order import Order, Word
from openorders.pages.addressed import addressed_application
from openorders.services import is_weather
from openorders.store.database import Database
from openorders.usecases.pay_page import pay_path
from openorders.usecases.perform_operations import sweep_operations
from tests.world import World, a_world

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(),
    reason="no Chromium here: `apt-get install chromium`, or let .ci/run do it",
)


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = await a_world(database, tmp_path / "mail")
    tokens = (f"an-unguessable-token-{n}" for n in range(1000))
    return dataclasses.replace(world, services=replace(world.services, token=lambda: next(tokens)))


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await world.placed(payment_asked=True)


@pytest.fixture
async def origin(world: World) -> AsyncIterator[str]:
    """The pages on a port of their own, until the test ends."""
    application: Any = addressed_application(world.services, is_weather)
    config = uvicorn.Config(application, port=0, log_level="warning", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    sandbox = [] if os.getuid() else ["--no-sandbox"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield browser
        await browser.close()


async def opened(browser: Browser, url: str, *, script: bool = True) -> Page:
    page = await (await browser.new_context(java_script_enabled=script)).new_page()
    page.set_default_timeout(60_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    response = await page.goto(url)
    assert response is not None
    assert response.status == 200
    assert complaints == [], "the browser found something against the page"
    return page


def address(origin: str, world: World, order: Order) -> str:
    return f"{origin}{pay_path(world.store.id, order)}"


@pytest.mark.parametrize("script", [True, False])
async def test_a_person_pays(
    world: World, order: Order, origin: str, browser: Browser, *, script: bool
) -> None:
    page = await opened(browser, address(origin, world, order), script=script)
    assert await page.get_by_role("heading", name="Order 1").is_visible()
    assert await page.get_by_role("cell", name="Product 1").is_visible()
    await page.get_by_label("Mastercard ending in 4444").check()
    await page.get_by_role("button", name="Pay 25.00 USD").click()
    status = page.get_by_role("status")
    await status.wait_for()
    assert "paid with Mastercard ending in 4444" in await status.inner_text()
    assert await page.get_by_role("button").count() == 0
    assert (await world.order(order.id)).word is Word.PAID


async def test_a_declined_person_tries_another_card(
    world: World, order: Order, origin: str, browser: Browser
) -> None:
    page = await opened(browser, address(origin, world, order))
    await page.get_by_label("A card with insufficient funds").check()
    await page.get_by_role("button", name="Pay").first.click()
    alert = page.get_by_role("alert")
    await alert.wait_for()
    assert "insufficient funds" in await alert.inner_text()
    await page.get_by_label("Visa ending in 4242").check()
    await page.get_by_role("button", name="Pay").first.click()
    await page.get_by_role("status").wait_for()
    assert (await world.order(order.id)).word is Word.PAID


async def test_a_person_says_no(world: World, order: Order, origin: str, browser: Browser) -> None:
    page = await opened(browser, address(origin, world, order))
    await page.get_by_role("button", name="Do not pay").click()
    alert = page.get_by_role("alert")
    await alert.wait_for()
    assert "You chose not to pay." in await alert.inner_text()
    assert (await world.order(order.id)).word is Word.PAYMENT_PENDING


async def test_reloading_and_going_back_pays_nothing_again(
    world: World, order: Order, origin: str, browser: Browser
) -> None:
    page = await opened(browser, address(origin, world, order))
    await page.get_by_role("button", name="Pay").first.click()
    await page.get_by_role("status").wait_for()
    await page.reload()
    await page.go_back()
    row = await world.row("select count(*) as n from sandbox_charges where store_id = $1")
    assert row["n"] == 1


async def test_a_person_waits_for_a_late_bank_without_touching_anything(
    world: World, order: Order, origin: str, browser: Browser
) -> None:
    page = await opened(browser, address(origin, world, order))
    await page.get_by_label("A card whose bank answers late").check()
    await page.get_by_role("button", name="Pay").first.click()
    await page.get_by_text("Your payment is being checked").wait_for()
    world.clock.move(minutes=1)
    await sweep_operations(world.services)
    await page.get_by_text("This order is paid").wait_for()


async def let_time_pass(world: World) -> None:
    """The clock of these tests stands still: the gateway is asked again only later."""
    world.clock.move(seconds=5)


@pytest.mark.parametrize("script", [True, False])
async def test_a_person_pays_on_the_gateways_own_page(
    world: World, order: Order, origin: str, browser: Browser, *, script: bool
) -> None:
    page = await opened(browser, address(origin, world, order), script=script)
    await page.get_by_role("button", name="Pay on the gateway's page").click()
    await page.get_by_text("You are about to pay 25.00 USD to shop.").wait_for()
    await let_time_pass(world)
    await page.get_by_role("button", name="Pay 25.00 USD").click()
    status = page.get_by_role("status")
    await status.wait_for()
    assert "This order is paid" in await status.inner_text()
    assert page.url == address(origin, world, order)
    assert (await world.order(order.id)).word is Word.PAID


@pytest.mark.parametrize("script", [True, False])
async def test_a_persons_bank_asks_who_they_are(
    world: World, order: Order, origin: str, browser: Browser, *, script: bool
) -> None:
    page = await opened(browser, address(origin, world, order), script=script)
    await page.get_by_label("A card whose bank asks who you are").check()
    await page.get_by_role("button", name="Pay 25.00 USD").click()
    await page.get_by_role("button", name="Yes, that is me").wait_for()
    await let_time_pass(world)
    await page.get_by_role("button", name="Yes, that is me").click()
    status = page.get_by_role("status")
    await status.wait_for()
    assert "This order is paid" in await status.inner_text()
    assert (await world.order(order.id)).word is Word.PAID


async def test_a_person_says_no_at_their_bank_and_pays_with_another_card(
    world: World, order: Order, origin: str, browser: Browser
) -> None:
    page = await opened(browser, address(origin, world, order))
    await page.get_by_label("A card whose bank asks who you are").check()
    await page.get_by_role("button", name="Pay 25.00 USD").click()
    await page.get_by_role("button", name="No", exact=True).wait_for()
    await let_time_pass(world)
    await page.get_by_role("button", name="No", exact=True).click()
    await page.get_by_role("alert").wait_for()
    await page.get_by_label("Visa ending in 4242").check()
    await page.get_by_role("button", name="Pay 25.00 USD").click()
    await page.get_by_role("status").wait_for()
    assert (await world.order(order.id)).word is Word.PAID


async def test_a_person_who_goes_back_may_go_on_where_they_were(
    world: World, order: Order, origin: str, browser: Browser
) -> None:
    page = await opened(browser, address(origin, world, order))
    await page.get_by_role("button", name="Pay on the gateway's page").click()
    await page.get_by_role("button", name="Pay 25.00 USD").wait_for()
    await page.goto(address(origin, world, order))
    await page.get_by_role("link", name="Go on with the payment").click()
    await page.get_by_role("button", name="Pay 25.00 USD").wait_for()
    await let_time_pass(world)
    await page.get_by_role("button", name="Pay 25.00 USD").click()
    await page.get_by_text("This order is paid").wait_for()
    row = await world.row("select count(*) as n from sandbox_charges where store_id = $1")
    assert row["n"] == 1


async def test_the_page_looks_as_it_should(
    world: World, order: Order, origin: str, browser: Browser
) -> None:
    """The style passes its own policy, and a narrow screen shows the whole page."""
    page = await opened(browser, address(origin, world, order))
    await page.set_viewport_size({"width": 320, "height": 640})
    button = page.get_by_role("button", name="Pay").first
    colour = await button.evaluate("element => getComputedStyle(element).backgroundColor")
    assert colour == "rgb(11, 92, 173)"
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 320
