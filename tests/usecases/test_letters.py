"""What is written to customers: every occasion in every language, whole, and safe to open."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from msgspec.structs import replace

from openorders.domain.customer import Customer
from openorders.domain.ids import CustomerId, LineId, RefundId
from openorders.domain.mails import OwnTemplate, Template, template_of
from openorders.domain.order import LineState, Order, PaymentState, Shipment, Word
from openorders.domain.refund import Refund, RefundedLine, RefundState
from openorders.domain.store_settings import Store
from openorders.usecases import letters
from openorders.usecases.letters import LANGUAGES, Wording
from openorders.usecases.news import News
from tests.usecases.sample_letters import (
    LATE_IN_NEW_YORK,
    a_payment,
    a_store,
    an_order,
    an_order_for,
)

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


def about(
    template: Template, language: str | None = "en", *, order: Order | None = None, **more: Any
) -> Wording:
    store: Store = more.pop("store", a_store())
    news = News(template=template, language=language, **more)
    return letters.about(order or an_order_for(template), store, news)


class Reading(HTMLParser):
    """What a mail client would make of the HTML: its words, its tags, what it would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.links: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.wrong += [name for name, _ in attrs if name.startswith("on") or name == "src"]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("template", list(Template))
@pytest.mark.parametrize("language", list(LANGUAGES))
def test_every_occasion_can_be_written_about_in_every_language(
    template: Template, language: str
) -> None:
    texts = LANGUAGES[language]
    wording = about(template, language, given_back=2500)
    page = Reading(wording.html)
    assert wording.language == language
    assert "MNKY-1001" in wording.subject
    assert page.wrong == []
    assert page.open == []
    assert page.tags <= {
        "html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "br", "span",
        "a",
    }  # fmt: skip
    assert f'<html lang="{language}">' in wording.html
    assert wording.template_failure is None
    lead = texts.leads[template].format(amount=texts.amount(2500, 2, "USD"))
    for shown in (" ".join(wording.text.split()), page.text):
        assert " ".join(lead.split()) in shown
        assert "Jane Smith" in shown
        assert "The Candle Shop" in shown
        assert "{" not in shown
    for fact in ("Serenity Candle Large", "Lavender Bath Bombs", "WELCOME10", "City Tax"):
        assert fact in wording.text
        assert fact in page.text
    for minor in (104997, 13500, 118497, -1000, 599, 7110, 3740, 128946):
        amount = texts.amount(minor, 2, "USD")
        assert amount in wording.text
        assert " ".join(amount.split()) in page.text


def test_all_languages_say_different_things() -> None:
    for template in Template:
        assert len({texts.subjects[template] for texts in LANGUAGES.values()}) == len(LANGUAGES)
    for texts in LANGUAGES.values():
        assert set(texts.subjects) == set(texts.leads) == set(Template)
        assert len(set(texts.subjects.values())) == len(Template)
        assert len(texts.months.split()) == 12


def test_every_word_of_an_order_has_its_letter() -> None:
    assert {template_of(word) for word in Word} == set(Template)


@pytest.mark.parametrize(
    ("language", "amount", "date"),
    [
        ("en", "1,289.46 USD", "28 February 2026"),
        ("de", "1.289,46 USD", "28. Februar 2026"),
        ("fr", "1\xa0289,46 USD", "28 février 2026"),
        ("es", "1.289,46 USD", "28 de febrero de 2026"),
        ("it", "1.289,46 USD", "28 febbraio 2026"),
        ("nl", "1.289,46 USD", "28 februari 2026"),
    ],
)
def test_amounts_and_days_are_written_as_the_language_does(
    language: str, amount: str, date: str
) -> None:
    text = about(Template.PAID, language).text
    assert amount in text
    assert date in text, "the day on which it was where the store is"


def test_the_first_of_a_month_is_said_as_the_language_does() -> None:
    first = an_order(created_at=datetime(2026, 8, 1, 12, tzinfo=UTC))
    assert "1er août 2026" in about(Template.PAID, "fr", order=first).text
    assert "1 August 2026" in about(Template.PAID, "en", order=first).text


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("JPY", "128,946 JPY"), ("KWD", "128.946 KWD"), ("EUR", "1,289.46 EUR")],
)
def test_amounts_have_the_digits_of_their_currency(currency: str, amount: str) -> None:
    assert amount in about(Template.PAID, order=an_order(currency)).text


@pytest.mark.parametrize(
    ("asked", "store", "written"),
    [
        ("de-AT", "en", "de"),
        ("pl", "en", "en"),
        ("pl", "fr", "fr"),
        (None, "nl", "nl"),
        ("pt-BR", "xx", "en"),
    ],
)
def test_the_customers_language_counts_then_the_stores_then_english(
    asked: str | None, store: str, written: str
) -> None:
    wording = about(Template.PAID, asked, store=a_store(language=store))
    assert wording.language == written
    assert wording.subject == LANGUAGES[written].subjects[Template.PAID].format(number="MNKY-1001")


def test_money_that_is_only_reserved_is_not_said_to_be_received() -> None:
    order = replace(an_order_for(Template.PAID), payment=PaymentState.AUTHORISED)
    wording = about(Template.PAID, order=order)
    assert wording.subject == "The payment for your order MNKY-1001 is approved"
    assert "Thank you. Your payment has been approved." in wording.text
    assert "received" not in wording.text


def test_a_parcel_can_be_followed() -> None:
    wording = about(Template.SHIPPED)
    page = Reading(wording.html)
    url = "https://tools.usps.com/go/TrackConfirmAction?a=1&tLabels=1Z999AA10123456784"
    assert page.links == [url]
    assert f"Track your parcel: {url}" in wording.text
    assert "Tracking number: 1Z999AA10123456784" in wording.text
    assert "Carrier: USPS" in page.text


def test_an_order_that_awaits_payment_says_where_to_pay() -> None:
    wording = about(Template.PLACED, pay_url="https://shop.example/pay/1/7/token")
    assert Reading(wording.html).links == ["https://shop.example/pay/1/7/token"]
    assert "It still awaits your payment." in wording.text
    paid = about(Template.PLACED, order=an_order_for(Template.PAID))
    assert "awaits" not in paid.text
    assert Reading(paid.html).links == []


def test_a_cancelled_order_promises_money_only_where_some_was_paid() -> None:
    assert "What you paid is given back" in about(Template.CANCELLED).text
    unpaid = replace(an_order_for(Template.CANCELLED), payments=())
    assert "given back" not in about(Template.CANCELLED, order=unpaid).text
    returned = replace(unpaid, payments=(a_payment(refunded=128946),))
    assert "given back" not in about(Template.CANCELLED, order=returned).text


def test_a_refund_says_how_much_for_what_and_how_much_in_all() -> None:
    refund = Refund(
        id=RefundId(1),
        amount=2500,
        state=RefundState.SUCCEEDED,
        lines=(RefundedLine(line_id=LineId(1), quantity=2, amount=2500),),
        at=LATE_IN_NEW_YORK,
    )
    order = replace(an_order_for(Template.REFUNDED), refunds=(refund,))
    wording = about(Template.REFUNDED, order=order, given_back=2500, refund_id=RefundId(1))
    for shown in (wording.text, Reading(wording.html).text):
        assert "We have refunded 25.00 USD to you." in shown
        assert "50.00 USD" in shown
        assert re.search("2 [x\N{MULTIPLICATION SIGN}] Serenity Candle Large", shown)
    whole = about(Template.REFUNDED, given_back=5000)
    assert "Refunded in all" not in whole.text
    assert "We have refunded 50.00 USD to you." in about(Template.REFUNDED).text


def test_a_line_that_was_cancelled_is_not_in_the_letter_about_what_was_shipped() -> None:
    order = an_order_for(Template.SHIPPED)
    first, second = order.lines
    order = replace(order, lines=(replace(first, state=LineState.CANCELLED), second))
    assert "Serenity" not in about(Template.SHIPPED, order=order).text
    cancelled = replace(an_order_for(Template.CANCELLED), lines=order.lines)
    assert "Serenity" in about(Template.CANCELLED, order=cancelled).text


def test_what_came_from_outside_cannot_break_out_of_the_html() -> None:
    order = an_order_for(Template.SHIPPED)
    line = replace(order.lines[0], product_name=HOSTILE, variant_name=HOSTILE)
    order = replace(
        order,
        customer=Customer(id=CustomerId(5), name=HOSTILE + "\r\nBcc: x"),
        lines=(line,),
        discount_code=HOSTILE,
        shipment=Shipment(
            carrier=HOSTILE, tracking_number=HOSTILE, tracking_url="javascript:alert(1)"
        ),
    )
    store = replace(a_store(), name=HOSTILE, number_prefix=HOSTILE)
    wording = about(Template.SHIPPED, order=order, store=store)
    page = Reading(wording.html)
    assert page.wrong == []
    assert not page.tags & {"script", "img"}
    assert page.links == []
    assert "javascript" not in wording.text
    assert "\r" not in wording.text
    greeting = wording.text.splitlines()[0]
    assert greeting.startswith("Dear ")


def test_a_link_stays_within_its_quotes() -> None:
    parcel = Shipment(tracking_url='https://example.com/"><script>alert(1)</script>')
    order = replace(an_order_for(Template.SHIPPED), shipment=parcel)
    page = Reading(about(Template.SHIPPED, order=order).html)
    assert page.links == ['https://example.com/"><script>alert(1)</script>']
    assert "script" not in page.tags


def own(event: Template, language: str, **texts: str) -> OwnTemplate:
    return OwnTemplate(event=event, language=language, **texts)


def test_a_store_writes_in_its_own_words() -> None:
    mine = own(
        Template.SHIPPED,
        "de",
        subject="{{ number }} ist raus",
        text="Moin {{ customer_name }}!\n"
        "{% for item in items %}{{ item.quantity }} {{ item.name }}\n{% endfor %}",
        html="<p>{{ customer_name }}: {{ tracking_url }}</p>",
    )
    store = a_store(templates=(mine,))
    order = replace(
        an_order_for(Template.SHIPPED), customer=Customer(id=CustomerId(5), name="<b>Jane</b>")
    )
    wording = about(Template.SHIPPED, "de-DE", store=store, order=order)
    assert wording.subject == "MNKY-1001 ist raus"
    assert wording.text == "Moin <b>Jane</b>!\n3 Serenity Candle Large\n1 Lavender Bath Bombs\n"
    assert wording.html.startswith("<p>&lt;b&gt;Jane&lt;/b&gt;: https://tools.usps.com/")
    assert "&amp;tLabels" in wording.html
    assert about(Template.SHIPPED, "en", store=store).subject.startswith("Your order")
    assert about(Template.PAID, "de", store=store).subject.startswith("Ihre Bestellung")


def test_a_store_writes_in_a_language_of_its_own() -> None:
    polish = own(Template.PAID, "pl", subject="Zapłacone", text="Dziękujemy", html="<p>D</p>")
    store = a_store(templates=(polish,), language="de")
    wording = about(Template.PAID, "pl-PL", store=store)
    assert (wording.subject, wording.text, wording.language) == ("Zapłacone", "Dziękujemy", "pl")
    assert about(Template.SHIPPED, "pl-PL", store=store).language == "de"


def test_a_subject_of_the_stores_own_keeps_the_products_text() -> None:
    store = a_store(templates=(own(Template.PAID, "en", subject="Paid: {{ number }}"),))
    wording = about(Template.PAID, store=store)
    assert wording.subject == "Paid: MNKY-1001"
    assert "Thank you. We have received your payment." in wording.text


def test_a_template_that_fails_gives_way_to_the_products_and_says_so() -> None:
    broken = own(Template.PAID, "en", subject="{{ nobody }}")
    wording = about(Template.PAID, store=a_store(templates=(broken,)))
    assert wording.subject == "Your order MNKY-1001 is paid"
    assert wording.template_failure == "paid in en: 'nobody' is undefined"
