"""What we write to a customer about an order: a subject, a text, and the same in HTML.

Pure wording: in the customer's language, else the store's, else English; in the store's own words
where it has some. Everything that came from outside is escaped in the HTML, and a link is only
made of an http(s) address.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from openorders.domain.ids import RefundId
from openorders.domain.language import wider_tags
from openorders.domain.mails import DEFAULT_LANGUAGE, MailPolicy, OwnTemplate, Template
from openorders.domain.order import Line, LineState, Order, PaymentState, Word
from openorders.domain.store_settings import Store
from openorders.gateways.mail import in_one_line
from openorders.usecases import templates
from openorders.usecases.letter_texts import Labels, Texts
from openorders.usecases.letters_de import GERMAN
from openorders.usecases.letters_en import ENGLISH
from openorders.usecases.letters_es import SPANISH
from openorders.usecases.letters_fr import FRENCH
from openorders.usecases.letters_it import ITALIAN
from openorders.usecases.letters_nl import DUTCH
from openorders.usecases.news import News
from openorders.usecases.templates import TemplateRefused

LANGUAGES: Final[Mapping[str, Texts]] = {
    texts.language: texts for texts in (ENGLISH, GERMAN, SPANISH, FRENCH, ITALIAN, DUTCH)
}
"""The languages that the product can write in."""

_NAME_CHARS_MAX: Final = 100
_TRACKED: Final = (Template.SHIPPED, Template.DELIVERED)


class Wording(Struct, frozen=True, kw_only=True):
    """A letter without its envelope. `template_failure` says why the store's own template could
    not be used.
    """

    subject: str
    text: str
    html: str
    language: str
    template_failure: str | None = None


class ShownItem(Struct, frozen=True, kw_only=True):
    """A line of the order: `amount` is what all its pieces cost together."""

    quantity: int
    name: str
    sku: str | None
    price: str
    amount: str


class ShownSum(Struct, frozen=True, kw_only=True):
    """A step from the subtotal to the total."""

    label: str
    amount: str


class ShownRefund(Struct, frozen=True, kw_only=True):
    """What went back now and, where that is more, in all."""

    amount: str
    in_all: str | None
    items: tuple[ShownItem, ...]


class ShownAction(Struct, frozen=True, kw_only=True):
    """The one thing that the letter invites to."""

    label: str
    url: str


class Shown(Struct, frozen=True, kw_only=True):
    """Everything that a template can show, as texts of the letter's language: docs/mail.md."""

    language: str
    subject: str
    greeting: str
    sentences: tuple[str, ...]
    regards: str
    store: str
    number: str
    order_title: str
    placed_on: str
    customer_name: str | None
    items: tuple[ShownItem, ...]
    sums: tuple[ShownSum, ...]
    total: str
    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    pay_url: str | None
    refund: ShownRefund | None
    action: ShownAction | None
    labels: Labels

    def values(self) -> dict[str, Any]:
        """The names that a template finds."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


def about(order: Order, store: Store, news: News) -> Wording:
    """The letter. Never fails: an own template that does gives way to the product's."""
    own, texts = _chosen(store.policy.mails, news)
    shown = _shown(order, store, news, texts)
    text, html = templates.lay_out(shown.values())
    wording = Wording(subject=shown.subject, text=text, html=html, language=texts.language)
    if own is None:
        return wording
    try:
        return _in_own_words(own, shown, wording)
    except TemplateRefused as refused:
        failure = f"{own.event} in {own.language}: {refused}"
        return Wording(
            subject=wording.subject,
            text=text,
            html=html,
            language=texts.language,
            template_failure=failure[:500],
        )


def in_own_words(own: OwnTemplate, order: Order, store: Store, news: News) -> Wording:
    """The letter by one own template. Raises `TemplateRefused` for one that cannot be used."""
    texts = LANGUAGES.get(own.language, ENGLISH)
    shown = _shown(order, store, news, texts)
    text, html = templates.lay_out(shown.values())
    blank = Wording(subject=shown.subject, text=text, html=html, language=own.language)
    return _in_own_words(own, shown, blank)


def _chosen(policy: MailPolicy, news: News) -> tuple[OwnTemplate | None, Texts]:
    """The first language that can be written in, and the store's template for it."""
    ours = next((LANGUAGES[tag] for tag in wider_tags(policy.language) if tag in LANGUAGES), None)
    wanted = (*wider_tags(news.language or ""), *wider_tags(policy.language), DEFAULT_LANGUAGE)
    for tag in wanted:
        own = next(
            (t for t in policy.templates if t.language == tag and t.event is news.template), None
        )
        if own is not None or tag in LANGUAGES:
            return own, LANGUAGES.get(tag, ours or ENGLISH)
    return None, ENGLISH


def _in_own_words(own: OwnTemplate, shown: Shown, wording: Wording) -> Wording:
    values = shown.values()
    subject, text, html = wording.subject, wording.text, wording.html
    if own.subject is not None:
        subject = templates.render(own.subject, values, html=False)
        if not subject.strip():
            raise TemplateRefused("writes an empty subject")
    if own.text is not None and own.html is not None:
        text = templates.render(own.text, values, html=False)
        html = templates.render(own.html, values, html=True)
    return Wording(subject=subject, text=text, html=html, language=own.language)


def _shown(order: Order, store: Store, news: News, texts: Texts) -> Shown:
    number = f"{store.number_prefix}{order.number}"
    refund = _refund(order, news, texts)
    amount = refund.amount if refund else ""
    carrier, tracking_number, tracking_url = _parcel(order, news)
    name = in_one_line(order.customer.name or "")[:_NAME_CHARS_MAX]
    return Shown(
        language=texts.language,
        subject=_subject(order, news, texts).format(number=number),
        greeting=texts.dear.format(name=name) if name else texts.hello,
        sentences=_sentences(order, news, texts, amount),
        regards=texts.regards,
        store=store.name,
        number=number,
        order_title=texts.labels.order.format(number=number),
        placed_on=texts.labels.placed_on.format(date=_day(order.created_at, store, texts)),
        customer_name=name or None,
        items=tuple(_item(order, line, texts) for line in order.lines if _is_shown(order, line)),
        sums=_sums(order, texts),
        total=_amount(order, order.totals.total, texts),
        carrier=carrier,
        tracking_number=tracking_number,
        tracking_url=tracking_url,
        pay_url=news.pay_url,
        refund=refund,
        action=_action(tracking_url, news.pay_url, texts),
        labels=texts.labels,
    )


def _is_only_approved(order: Order, news: News) -> bool:
    return news.template is Template.PAID and order.payment is PaymentState.AUTHORISED


def _subject(order: Order, news: News, texts: Texts) -> str:
    if _is_only_approved(order, news):
        return texts.approved_subject
    return texts.subjects[news.template]


def _sentences(order: Order, news: News, texts: Texts, amount: str) -> tuple[str, ...]:
    lead = texts.leads[news.template].format(amount=amount)
    match news.template:
        case Template.PAID if _is_only_approved(order, news):
            return (texts.approved_lead,)
        case Template.PLACED if order.word is Word.PAYMENT_PENDING:
            return lead, texts.awaits_payment
        case Template.CANCELLED if any(p.captured > p.refunded for p in order.payments):
            return lead, texts.money_goes_back
        case Template.REFUNDED:
            return lead, texts.bank_takes_days
        case _:
            return (lead,)


def _action(tracking_url: str | None, pay_url: str | None, texts: Texts) -> ShownAction | None:
    if tracking_url:
        return ShownAction(label=texts.labels.track, url=tracking_url)
    return ShownAction(label=texts.labels.pay, url=pay_url) if pay_url else None


def _parcel(order: Order, news: News) -> tuple[str | None, str | None, str | None]:
    """The carrier, the tracking number, and where to follow it if that is a web address."""
    parcel = order.shipment
    if parcel is None or news.template not in _TRACKED:
        return None, None, None
    url = parcel.tracking_url or ""
    is_web = url.lower().startswith(("https://", "http://"))
    return parcel.carrier or None, parcel.tracking_number or None, url if is_web else None


def _refund(order: Order, news: News, texts: Texts) -> ShownRefund | None:
    if news.template is not Template.REFUNDED:
        return None
    in_all = sum(payment.refunded for payment in order.payments)
    now = in_all if news.given_back is None else news.given_back
    return ShownRefund(
        amount=_amount(order, now, texts),
        in_all=_amount(order, in_all, texts) if in_all > now else None,
        items=_refunded_items(order, news.refund_id, texts),
    )


def _refunded_items(
    order: Order, refund_id: RefundId | None, texts: Texts
) -> tuple[ShownItem, ...]:
    """The lines that the refund was for."""
    refund = next((one for one in order.refunds if one.id == refund_id), None)
    if refund is None:
        return ()
    known = {line.id: line for line in order.lines}
    return tuple(
        ShownItem(
            quantity=part.quantity,
            name=_name(known[part.line_id]),
            sku=known[part.line_id].sku,
            price=_amount(order, known[part.line_id].unit_price, texts),
            amount=_amount(order, part.amount, texts),
        )
        for part in refund.lines
        if part.quantity and part.line_id in known
    )


def _is_shown(order: Order, line: Line) -> bool:
    return line.state is not LineState.CANCELLED or order.word is Word.CANCELLED


def _item(order: Order, line: Line, texts: Texts) -> ShownItem:
    return ShownItem(
        quantity=line.quantity,
        name=_name(line),
        sku=line.sku,
        price=_amount(order, line.unit_price, texts),
        amount=_amount(order, line.subtotal, texts),
    )


def _name(line: Line) -> str:
    return " ".join(part for part in (line.product_name, line.variant_name) if part)


def _sums(order: Order, texts: Texts) -> tuple[ShownSum, ...]:
    totals, labels = order.totals, texts.labels
    discount = f"{labels.discount} ({order.discount_code})" if order.discount_code else None
    rows = (
        (labels.subtotal, totals.subtotal, True),
        (discount or labels.discount, -totals.discount, totals.discount > 0),
        (labels.shipping, totals.shipping, bool(totals.shipping or order.shipping_method)),
        *((tax.name, tax.amount, True) for tax in totals.taxes),
    )
    shown = [
        ShownSum(label=label, amount=_amount(order, amount, texts))
        for label, amount, is_shown in rows
        if is_shown
    ]
    return tuple(shown) if len(shown) > 1 else ()


def _amount(order: Order, minor: int, texts: Texts) -> str:
    return texts.amount(minor, order.minor_digits, order.currency)


def _day(at: datetime, store: Store, texts: Texts) -> str:
    """The day on which that was, where the store is."""
    return texts.date(at.astimezone(ZoneInfo(store.time_zone)).date())
