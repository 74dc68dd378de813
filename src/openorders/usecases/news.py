"""What a customer is to be told about an order, before anybody words it."""

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain.ids import RefundId
from openorders.domain.mails import Template


class News(Struct, frozen=True, kw_only=True):
    """What a letter is about. `language` is the customer's, where it is known; `given_back` is
    what went back now, in minor units, for the refund of that id; `pay_url` leads to the pay page.
    """

    template: Template
    language: str | None = None
    given_back: int | None = None
    refund_id: RefundId | None = None
    pay_url: str | None = None

    def to(self, language: str | None) -> "News":
        """The same news for somebody who reads this language."""
        return replace(self, language=language)
