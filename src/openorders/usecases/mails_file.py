"""The part of a store's file that says what its customers are written to about, and how.

A template is tried on sample orders when it is read, so that what cannot be used is refused
here and not found out by a customer. Pure.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from openorders.domain.customer import Customer
from openorders.domain.ids import (
    CustomerId,
    LineId,
    OrderId,
    PaymentId,
    ProductId,
    VariantId,
)
from openorders.domain.language import language_tag
from openorders.domain.mails import AUTOMATIC, MailPolicy, OwnTemplate, Template
from openorders.domain.order import (
    Fulfilment,
    Line,
    Order,
    PaymentState,
    Progress,
    Shipment,
    Tax,
    Totals,
)
from openorders.domain.payment import AttemptState, Payment
from openorders.domain.store_settings import Store
from openorders.usecases import letters
from openorders.usecases.letters import LANGUAGES
from openorders.usecases.news import News
from openorders.usecases.templates import (
    SUBJECT_CHARS_MAX,
    TEMPLATE_CHARS_MAX,
    TemplateRefused,
)
from openorders.usecases.written_fields import Fields

TEMPLATES_MAX: Final = 100
TEMPLATES_CHARS_MAX: Final = 256_000
"""All of a store's templates together: they are read with the store."""

_WORDS: Final = tuple(template.value for template in Template)
_AT: Final = datetime(2026, 3, 1, 11, 30, tzinfo=UTC)


def read(fields: Fields, base: MailPolicy, value: object, path: str) -> MailPolicy:
    """What the file says about mail; what it leaves out stays as it was, and null is none of it.
    Templates are only tried by `try_out`, once the whole store is known.
    """
    if value is None:
        return MailPolicy()
    given = fields.record(value, path, (), ("events", "language", "templates"))
    policy = base
    if "events" in given:
        policy = replace(policy, events=_events(fields, given["events"], f"{path}.events"))
    if "templates" in given:
        templates = _templates(fields, given["templates"], f"{path}.templates")
        policy = replace(policy, templates=templates)
    if "language" in given:
        language = _language(fields, given["language"], f"{path}.language")
        policy = replace(policy, language=language)
    known = {*LANGUAGES, *(one.language for one in policy.templates)}
    if policy.language not in known and policy.language.partition("-")[0] not in known:
        there_are = ", ".join(sorted(known))
        fields.wrong(f"{path}.language", f"must be one that can be written in: {there_are}")
    return policy


def try_out(fields: Fields, store: Store, path: str) -> None:
    """Write a letter about each of a few sample orders with each of the store's templates."""
    for index, own in enumerate(store.policy.mails.templates):
        try:
            for order in _samples(store):
                news = News(template=own.event, given_back=1, pay_url="https://shop.example/pay")
                letters.in_own_words(own, order, store, news)
        except TemplateRefused as refused:
            fields.wrong(f"{path}.templates[{index}]", f"cannot be used: {refused}")


def written(policy: MailPolicy) -> dict[str, Any]:
    """The policy as a file would say it."""
    return {
        "events": [event.value for event in policy.events],
        "language": policy.language,
        "templates": [
            {
                "event": one.event.value,
                "language": one.language,
                **{name: text for name, text in _own_texts(one).items() if text is not None},
            }
            for one in policy.templates
        ],
    }


def _own_texts(one: OwnTemplate) -> Mapping[str, str | None]:
    return {"subject": one.subject, "text": one.text, "html": one.html}


def _events(fields: Fields, value: object, path: str) -> tuple[Template, ...]:
    choices = [event.value for event in AUTOMATIC]
    events = fields.rows(
        value, path, lambda item, at: fields.choice(item, at, choices), most=len(choices)
    )
    fields.distinct(events, path)
    return tuple(Template(event) for event in events)


def _language(fields: Fields, value: object, path: str) -> str:
    tag = language_tag(value) if isinstance(value, str) else None
    if tag is None:
        fields.wrong(path, "must be a language tag, like en or pt-BR")
    return tag or "en"


def _templates(fields: Fields, value: object, path: str) -> tuple[OwnTemplate, ...]:
    templates = fields.rows(
        value, path, lambda item, at: _template(fields, item, at), most=TEMPLATES_MAX
    )
    fields.distinct((f"{one.event} in {one.language}" for one in templates), path)
    length = sum(len(text or "") for one in templates for text in _own_texts(one).values())
    if length > TEMPLATES_CHARS_MAX:
        fields.wrong(path, f"must have at most {TEMPLATES_CHARS_MAX} characters together")
    return templates


def _template(fields: Fields, value: object, path: str) -> OwnTemplate:
    given = fields.record(value, path, ("event", "language"), ("subject", "text", "html"))
    own = OwnTemplate(
        event=Template(fields.choice(given.get("event", _WORDS[0]), f"{path}.event", _WORDS)),
        language=_language(fields, given.get("language", "en"), f"{path}.language"),
        subject=_text(fields, given, "subject", path, most=SUBJECT_CHARS_MAX),
        text=_text(fields, given, "text", path, most=TEMPLATE_CHARS_MAX),
        html=_text(fields, given, "html", path, most=TEMPLATE_CHARS_MAX),
    )
    if (own.text is None) != (own.html is None):
        fields.wrong(path, "must have text and html, or neither")
    if own.text is None and own.subject is None:
        fields.wrong(path, "must have a subject, or text and html")
    if own.language.partition("-")[0] not in LANGUAGES and None in _own_texts(own).values():
        fields.wrong(
            path, f"must have subject, text and html: there are no others in {own.language}"
        )
    return own


def _text(
    fields: Fields, given: Mapping[str, object], name: str, path: str, *, most: int
) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > most or "\x00" in value:
        fields.wrong(f"{path}.{name}", f"must be a text of 1 to {most} characters")
        return None
    return value


def _samples(store: Store) -> tuple[Order, Order]:
    """An order with everything that a letter can show, and one with as little as possible."""
    line = Line(
        id=LineId(1),
        product_id=ProductId(1),
        variant_id=VariantId(1),
        product_name="Sample",
        variant_name=None,
        sku=None,
        image=None,
        unit_price=1000,
        quantity=1,
    )
    bare = Order(
        id=OrderId(1),
        number=1,
        customer=Customer(id=CustomerId(1)),
        currency=store.currency,
        minor_digits=store.minor_digits,
        totals=Totals(subtotal=1000),
        lines=(line,),
        created_at=_AT,
        updated_at=_AT,
    )
    tax = Tax(name="Tax", rate=Decimal("0.1"), amount=200)
    full = replace(
        bare,
        customer=Customer(id=CustomerId(1), name="Jane Smith", email="jane@example.com"),
        totals=Totals(subtotal=3000, discount=1000, shipping=500, taxes=(tax,)),
        lines=(line, replace(line, id=LineId(2), quantity=2, variant_name="Large", sku="S-2")),
        progress=Progress.PROCESSING,
        payment=PaymentState.PART_REFUNDED,
        fulfilment=Fulfilment.SHIPPED,
        discount_code="SAMPLE",
        shipping_method="standard",
        shipment=Shipment(
            carrier="Carrier", tracking_number="1Z", tracking_url="https://example.com/1Z"
        ),
        payments=(_payment(),),
    )
    return full, bare


def _payment() -> Payment:
    return Payment(
        id=PaymentId(1),
        gateway="sandbox",
        method="card",
        amount=2700,
        state=AttemptState.CAPTURED,
        captured=2700,
        refunded=1000,
        created_at=_AT,
    )
