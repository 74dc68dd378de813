"""The lists of the management API by name, and the pages of them that cursors lead to."""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from msgspec import Struct

from openorders.contracts import kit

EVENTS: Final = "events"
"""Positions in the feed mean the same whatever types are asked for: one list, any filter."""

NO_CURSOR: Final = kit.Unreadable(
    "after", "is not a cursor of this list with these filters", "query"
)
"""What a list answers to any other text."""

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list, and the cursor of the next one; None on the last."""

    entries: Sequence[T]
    next: str | None
    headers: tuple[tuple[str, str], ...]


def of(name: str, *filters: object) -> str:
    """A list with these filters: a cursor that was made with others does not fit."""
    return " ".join((name, *(str(one) for one in filters)))


def after(place: str, cursor: str | None) -> int | None:
    """The position that a page begins after; None for the first page. Raises `Unreadable`."""
    return None if cursor is None else kit.read_cursor(place, cursor)


def page_of(
    call: kit.Call, place: str, found: Sequence[T], limit: int, position: Callable[[T], int]
) -> Page[T]:
    """The page of what was found when one more was asked for than fits on it."""
    entries = found[:limit]
    more = len(found) > limit
    cursor = kit.write_cursor(place, position(entries[-1])) if more else None
    return Page(entries=entries, next=cursor, headers=(links(call, cursor),))


def links(call: kit.Call, cursor: str | None) -> tuple[str, str]:
    """The `Link` header with the first page and, where there is one, the next."""
    pages = [("first", call.url(after=None))]
    if cursor is not None:
        pages.append(("next", call.url(after=cursor)))
    return "Link", kit.link_header((relation, url) for relation, url in pages)
