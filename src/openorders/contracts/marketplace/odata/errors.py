"""The one thing that can be wrong with a query: somewhere in it, something else was expected."""

from typing import Final

from msgspec import Struct

_SHOWN_MAX: Final = 40


class InvalidQuery(Exception):
    """The query cannot be read, or does not fit the types of the fields.

    `position` counts characters of the decoded option from 1; one past the last one is the end.
    """

    def __init__(self, option: str, position: int, expected: str, found: str = "") -> None:
        self.option = shortened(option)
        self.position = position
        self.expected = expected
        but = f", found {found}" if found else ""
        super().__init__(f"{self.option} at position {position}: expected {expected}{but}.")


class Part(Struct, frozen=True, kw_only=True):
    """A part of a query as it was written, to be named when the query fails while it runs."""

    option: str
    position: int
    text: str


def shortened(text: str) -> str:
    """The text as an answer can quote it: cut where nobody would read on, and encodable."""
    encodable = text[:_SHOWN_MAX].encode(errors="replace").decode()
    return encodable if len(text) <= _SHOWN_MAX else f"{encodable}…"
