"""The sums of paging: which pages there are, and where the next one begins."""

from collections.abc import Iterable
from typing import Final

_FIRST: Final = 0


def next_offset(offset: int, limit: int, total: int) -> int | None:
    """Where the next page begins; None on the last one."""
    return offset + limit if offset + limit < total else None


def prev_offset(offset: int, limit: int) -> int | None:
    """Where the page before begins; None on the first one."""
    return max(_FIRST, offset - limit) if offset > 0 else None


def pages(total: int, limit: int) -> int:
    """How many pages there are; none of nothing."""
    return -(-total // limit)


def last_offset(limit: int, total: int) -> int:
    """Where the last page begins, of pages counted from the start."""
    return max(0, pages(total, limit) - 1) * limit


def link_header(links: Iterable[tuple[str, str]]) -> str:
    """A `Link` header (RFC 8288) of (relation, absolute URL) pairs."""
    return ", ".join(f'<{url}>; rel="{relation}"' for relation, url in links)
