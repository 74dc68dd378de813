"""What a store writes to its customers about: which news, in which words, and by itself or not."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from openorders.domain.events import EventType
from openorders.domain.order import Word


class Template(StrEnum):
    """A letter's occasion: one for each word that an order can come to."""

    PLACED = "placed"
    PAYMENT_PENDING = "payment_pending"
    PAID = "paid"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


CAUSES: Final = {
    EventType.ORDER_CREATED: Template.PLACED,
    EventType.ORDER_PAID: Template.PAID,
    EventType.ORDER_SHIPPED: Template.SHIPPED,
    EventType.ORDER_CANCELLED: Template.CANCELLED,
    EventType.ORDER_REFUNDED: Template.REFUNDED,
}
"""The events that a store may want its customers written to about, and how."""

AUTOMATIC: Final = tuple(CAUSES.values())

DEFAULT_LANGUAGE: Final = "en"


class OwnTemplate(Struct, frozen=True, kw_only=True):
    """A store's own words for a template in a language. `text` and `html` come together; what is
    None is the product's.
    """

    event: Template
    language: str
    subject: str | None = None
    text: str | None = None
    html: str | None = None


class MailPolicy(Struct, frozen=True, kw_only=True):
    """`events` are written about by themselves. `language` is for customers of whom none is
    known.
    """

    events: tuple[Template, ...] = ()
    language: str = DEFAULT_LANGUAGE
    templates: tuple[OwnTemplate, ...] = ()


def template_of(word: Word) -> Template:
    """The letter about an order that has come to this word."""
    return Template.PLACED if word is Word.CREATED else Template(word.value)
