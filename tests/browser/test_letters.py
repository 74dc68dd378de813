"""Letters as people see them: the `.eml` that was written, its HTML part shown by Chromium."""

import os
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.async_api import Browser, Page, async_playwright

from openorders.domain.mails import Template
from openorders.gateways.mail import FolderMailer, Letter
from openorders.usecases import letters
from openorders.usecases.letters import LANGUAGES
from openorders.usecases.news import News
from tests.usecases.sample_letters import a_store, an_order_for

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(),
    reason="no Chromium here: `apt-get install chromium`, or let .ci/run do it",
)

LEAST_CONTRAST = """() => {
    const light = (colour) => {
        const parts = colour.match(/[0-9.]+/g).map(Number).slice(0, 3).map((part) => {
            const share = part / 255;
            return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    };
    const behind = (element) => {
        for (let one = element; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor;
            if (!colour.startsWith('rgba(0, 0, 0, 0')) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    let least = 21;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.offsetParent) continue;
        const shades = [getComputedStyle(element).color, behind(element)].map(light);
        const contrast = (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05);
        least = Math.min(least, contrast);
    }
    return least;
}"""
"""The contrast of the text that is hardest to read, as WCAG computes it."""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    sandbox = [] if os.getuid() else ["--no-sandbox"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield browser
        await browser.close()


async def html_of(template: Template, language: str, folder: Path) -> str:
    """What a mail client would show of the file that was written."""
    news = News(
        template=template,
        language=language,
        given_back=2500,
        pay_url="https://shop.example/pay/1/7/token" if template is Template.PLACED else None,
    )
    wording = letters.about(an_order_for(template), a_store(), news)
    letter = Letter(
        id="letter",
        recipient="jane@example.com",
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        at=datetime(2026, 6, 2, 12, tzinfo=UTC),
    )
    await FolderMailer(folder, "shop@example.com").send(letter)
    content = (folder / "letter.eml").read_bytes()
    mail = cast("EmailMessage", message_from_bytes(content, policy=cast("Any", default)))
    html = mail.get_body(("html",))
    assert html is not None
    return html.get_content()


async def opened(browser: Browser, scheme: Any, width: int) -> tuple[Page, list[str]]:
    context = await browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    return page, asked


@pytest.mark.parametrize(("scheme", "width"), [("light", 800), ("dark", 800), ("light", 320)])
async def test_every_letter_can_be_read_and_fetches_nothing(
    browser: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    page, asked = await opened(browser, scheme, width)
    for template in Template:
        for language in LANGUAGES:
            await page.set_content(await html_of(template, language, tmp_path))
            name = f"{template} in {language}"
            assert await page.inner_text("text=Serenity Candle Large"), name
            assert "28" in await page.inner_text("body"), name
            overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, name
            assert await page.evaluate(LEAST_CONTRAST) >= 4.5, name
    assert asked == []


async def test_the_parcel_is_a_link_to_follow(browser: Browser, tmp_path: Path) -> None:
    page, _ = await opened(browser, "light", 800)
    await page.set_content(await html_of(Template.SHIPPED, "en", tmp_path))
    link = page.get_by_role("link", name="Track your parcel")
    assert await link.get_attribute("href") == (
        "https://tools.usps.com/go/TrackConfirmAction?a=1&tLabels=1Z999AA10123456784"
    )
    box = await link.bounding_box()
    assert box is not None
    assert box["height"] >= 40, "large enough for a thumb"
