"""Searches as clients make them: every documented filter and order of a list, and OData filters.

Each is translated by its contract, as a request would be.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

from msgspec.structs import replace

from openorders.contracts.basic import schemas as basic
from openorders.contracts.basic import translate as basic_words
from openorders.contracts.commerce import schemas as commerce
from openorders.contracts.commerce import translate as commerce_words
from openorders.contracts.marketplace.odata import read_options
from openorders.contracts.partner import schemas as partner
from openorders.contracts.partner import translate as partner_words
from openorders.contracts.storefront import requests as storefront
from openorders.contracts.storefront import translate as storefront_words
from openorders.domain.narrowing import in_minor_units
from openorders.domain.search import Expression, Search, all_of, of_customer, of_partner

OFFSETS: Final = (0, 8_000, 100_000)
LIMIT: Final = 20
_DIGITS: Final = 2
NOW: Final = datetime.now(UTC)
_YEAR_AGO: Final = f"{NOW - timedelta(days=365):%Y-%m-%d}"
_TIMES: Final = {
    "A_MONTH_AGO": f"{NOW - timedelta(days=30):%Y-%m-%d}T00:00:00Z",
    "A_YEAR_AGO": f"{_YEAR_AGO}T00:00:00Z",
}
"""What stands for times in the filters below, which are names of tests: all processes that run them
have to call them the same, also when midnight lies between their starts.
"""

FEW: Final = {
    "status eq 'completed'": "",
    "status eq 'processing'": "createdAt desc",
    "status ne 'completed'": "createdAt desc",
    "status in ('shipped', 'processing')": "totalAmount desc",
    "customerId eq 'cust_500'": "createdAt desc",
    "customerId eq 'cust_1' and status eq 'completed'": "createdAt desc",
    "createdAt ge A_MONTH_AGO": "createdAt desc",
    "createdAt ge A_YEAR_AGO and createdAt lt A_MONTH_AGO": "createdAt",
    "createdAt ge A_MONTH_AGO and status eq 'completed'": "createdAt desc",
    "totalAmount gt 404": "totalAmount desc",
    "totalAmount ge 100 and totalAmount lt 101": "",
    "totalAmount gt 400 and status eq 'completed'": "totalAmount desc",
    "items/any(i: i/offerId eq 'offer_15000')": "createdAt desc",
    "items/any(i: i/offerId eq 'offer_15000') and status eq 'completed'": "createdAt desc",
    "status eq 'completed' and totalAmount gt 300 and createdAt ge A_MONTH_AGO": "",
}
"""Filters with what to sort by: those of which few orders fit, or an index has the order."""

MANY: Final = {
    "totalAmount gt 200": "totalAmount desc",
    "status in ('shipped', 'delivered', 'completed') and totalAmount lt 300": "createdAt desc",
    "updatedAt ge A_MONTH_AGO": "updatedAt desc",
    "paymentMethod eq 'credit_card' and totalAmount gt 250": "id desc",
}
"""Filters that more orders fit than are worth sorting before they are counted (`SORTED_MAX`)."""


def lists() -> Iterator[tuple[str, Search]]:
    """Pages of lists with a filter on the status or none, near and far."""
    for offset in OFFSETS:
        for name, search in (*_basic(offset), *_commerce(offset), *_storefront(offset)):
            yield f"{name} from {offset}", search
        plain = partner_words.to_search(partner.ListQuery(limit=LIMIT, offset=offset))
        yield f"partner: all from {offset}", plain
        yield f"partner: its own from {offset}", _within(plain, of_partner("Partner 3"))
        yield f"marketplace: all from {offset}", odata("", "createdAt desc", offset)
        yield f"marketplace: by amount from {offset}", odata("", "totalAmount desc", offset)
    for name, search in (*_commerce(0), *_storefront(0)):
        yield f"{name}, a customer's own", _within(search, of_customer(500))


def _within(search: Search, fence: Expression) -> Search:
    return replace(search, criteria=all_of(fence, search.criteria))


def _basic(offset: int) -> Iterator[tuple[str, Search]]:
    for status, user in product((None, "pending", "delivered"), (None, 500)):
        query = basic.ListQuery(status=status, user_id=user, limit=LIMIT, offset=offset)
        yield f"basic: status {status}, user {user}", basic_words.to_search(query)


def _commerce(offset: int) -> Iterator[tuple[str, Search]]:
    ways = product((None, "pending", "delivered"), ("createdAt", "updatedAt", "totalAmount"))
    for (status, by), order in product(ways, ("asc", "desc")):
        query = commerce.ListQuery(
            status=status, limit=LIMIT, offset=offset, sort_by=by, sort_order=order
        )
        yield f"commerce: status {status}, by {by} {order}", commerce_words.to_search(query)


def _storefront(offset: int) -> Iterator[tuple[str, Search]]:
    for status, since in product((None, "paid", "completed"), (None, _YEAR_AGO)):
        query = storefront.ListQuery(
            page=offset // LIMIT + 1, limit=LIMIT, status=status, from_date=since
        )
        name = "a year" if since else "ever"
        yield f"storefront: status {status}, {name}", storefront_words.to_search(query)


def odata(filtering: str, orderby: str, skip: int = 0) -> Search:
    """What the marketplace makes of the options of a list."""
    for word, time in _TIMES.items():
        filtering = filtering.replace(word, time)
    options = {"$filter": filtering, "$orderby": orderby, "$skip": str(skip)}
    given = [(name, value) for name, value in options.items() if value]
    return in_minor_units(read_options(given, now=NOW).search, _DIGITS)
