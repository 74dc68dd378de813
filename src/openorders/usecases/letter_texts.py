"""What a language must bring along so that letters can be written in it. Pure wording.

`{number}` is the order's number, `{amount}` a sum, `{name}` a customer, `{date}` a day.
"""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from openorders.domain import money
from openorders.domain.mails import Template


class Labels(Struct, frozen=True, kw_only=True):
    """The words around facts: short, without a full stop."""

    order: str
    placed_on: str
    subtotal: str
    discount: str
    shipping: str
    total: str
    carrier: str
    tracking_number: str
    track: str
    pay: str
    refunded: str
    refunded_in_all: str


class Texts(Struct, frozen=True, kw_only=True):
    """One language. `subjects` and `leads` have an entry for every template; `approved_…` are
    about money that is reserved and not taken yet.

    `marks` are the sign between thousands and the decimal sign; `day` is a date as it is written,
    with `{day}`, `{month}` and `{year}`; `months` are their names, with blanks between them;
    `first` is how the first of a month is said.
    """

    language: str
    marks: tuple[str, str]
    months: str
    day: str
    first: str = "1"
    dear: str
    hello: str
    regards: str
    subjects: Mapping[Template, str]
    leads: Mapping[Template, str]
    approved_subject: str
    approved_lead: str
    awaits_payment: str
    money_goes_back: str
    bank_takes_days: str
    labels: Labels

    def amount(self, minor: int, digits: int, currency: str) -> str:
        """A sum as the language writes it, with all the digits of its currency."""
        written = f"{money.to_decimal(abs(minor), digits):,f}"
        thousands, decimal = self.marks
        swapped = written.translate({ord(","): thousands, ord("."): decimal})
        sign = "\N{MINUS SIGN}" if minor < 0 else ""
        return f"{sign}{swapped} {currency}"

    def date(self, day: date) -> str:
        """A day as the language writes it."""
        number = self.first if day.day == 1 else str(day.day)
        return self.day.format(day=number, month=self.months.split()[day.month - 1], year=day.year)
