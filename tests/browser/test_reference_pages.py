"""The start page and the reference pages in a real browser: complete, and from this server only."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from openorders import app, demo
from openorders.contracts import ALL, MANAGE
from openorders.server.lifecycle import Lifecycle
from openorders.server.sockets import listen, port_of
from openorders.server.worker import listener_for
from openorders.services import unguessable
from openorders.settings import read
from openorders.store.database import opened
from openorders.telemetry import Metrics

PATIENCE_MS = 60_000
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(),
    reason="no Chromium here: `apt-get install chromium`, or let .ci/run do it",
)


@dataclass
class Seen:
    """A page, where it asked for something, and what it complained about."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
async def port(database_url: str) -> AsyncIterator[int]:
    """The product with its demo, on a port of its own."""
    settings, lifecycle = read({}, demo="true", log_requests="none"), Lifecycle()
    async with opened(database_url, connections=1) as database:
        await demo.fill(database, unguessable)
    listening = listen("127.0.0.1", 0, 1)[0]
    number = port_of(listening)
    async with app.Product().application(
        settings, database_url, lifecycle, Metrics()
    ) as application:
        listener = listener_for(settings, application, lifecycle)
        await listener.start(listening)
        yield number
        await listener.close(2, asyncio.Event())


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    sandbox = [] if os.getuid() else ["--no-sandbox"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield browser
        await browser.close()


@pytest.fixture
async def seen(browser: Browser) -> Seen:
    seen = Seen(await browser.new_page())
    seen.page.set_default_timeout(PATIENCE_MS)
    seen.page.on("request", lambda request: seen.asked.append(request.url))
    seen.page.on("console", lambda said: seen.complaints.append(said.text))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    return seen


async def test_the_start_page_leads_to_every_reference(seen: Seen, port: int):
    origin = f"http://127.0.0.1:{port}"
    for contract in (*ALL, MANAGE):
        await seen.page.goto(f"{origin}/")
        card = seen.page.locator("li", has_text=f"{origin}/{contract.name}")
        await card.get_by_role("link", name="Reference").click()
        await seen.page.wait_for_selector(".opblock")
        await expect(seen.page.locator(".opblock")).to_have_count(
            len(contract.routes), timeout=PATIENCE_MS
        )
        assert await seen.page.locator(".errors-wrapper").count() == 0
    assert {url[: len(origin)] for url in seen.asked if not url.startswith("data:")} == {origin}
    assert seen.complaints == []


@pytest.mark.parametrize("base", ["http://127.0.0.1:{}/commerce", "http://commerce.localhost:{}"])
async def test_an_operation_can_be_tried_out(seen: Seen, port: int, base):
    page = seen.page
    await page.goto(base.format(port) + "/docs")
    await page.locator(".auth-wrapper .authorize").first.click()
    await page.locator(".auth-container input").first.fill("YOUR_API_KEY")
    await page.locator(".auth-btn-wrapper .authorize").first.click()
    await page.locator(".btn-done").first.click()
    await page.locator("#operations-Orders-get_orders .opblock-summary-control").click()
    await page.get_by_role("button", name="Try it out").click()
    await page.get_by_role("button", name="Execute").click()
    answer = page.locator(".live-responses-table .response").first
    await answer.wait_for()
    assert (await answer.locator(".response-col_status").inner_text()).startswith("200")
    assert "ORD123456789" in await answer.inner_text()
    assert seen.complaints == []
