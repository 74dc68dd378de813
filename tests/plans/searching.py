"""What a search runs on the database, and the plans of it as the search had them."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from asyncpg.connection import LoggedQuery

from openorders.domain.ids import StoreId
from openorders.domain.search import Search
from openorders.store import listing
from openorders.store.database import Connection, opened
from tests.plans import plans

STORE: Final = StoreId(1)
ATTEMPTS: Final = 5
ENTRIES: Final = 10
"""Entries of an index that are read for one block that is touched: far fewer than are on it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a search came to: the statements that it ran, and how many orders fit."""

    statements: tuple[LoggedQuery, ...]
    total: int


async def asked_by(url: str, search: Search) -> Asked:
    """Find a page with its total, and listen to what that asks of the database.

    Asked again where a busy machine needs longer than a search may take.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(TimeoutError):
            return await _asked_once(url, search)
    return await _asked_once(url, search)


async def _asked_once(url: str, search: Search) -> Asked:
    heard: list[LoggedQuery] = []
    async with opened(url, connections=1) as database:
        async with database.connection() as connection:
            connection.add_query_logger(heard.append)
        found = await listing.find(database, STORE, search)
    assert heard
    assert found.total is not None
    return Asked(tuple(heard), found.total)


async def plans_of(connection: Connection, asked: Asked) -> list[tuple[str, plans.Plan]]:
    """Run again what was asked, as it was planned: once for all values, or for these."""
    found: list[tuple[str, plans.Plan]] = []
    planned = False
    for one in asked.statements:
        if "plan_cache_mode" in one.query:
            planned = True
        elif one.args and "pg_catalog." not in one.query:  # the driver asks about types
            plan = (
                await plans.run_for(connection, one.query, one.args)
                if planned
                else await plans.run(connection, one.query, [literal(v) for v in one.args])
            )
            found.append((one.query, plan))
    return found


async def complaints(
    connection: Connection, search: Search, asked: Asked, *, all_fitting: bool = False
) -> list[str]:
    """What would not stay as it is while there are more orders.

    A page may read an entry of an index for every order that it skips; a count, and what is found
    before it is sorted, one for every order that fits. With `all_fitting` all of those may be
    sorted, too.
    """
    assert search.page is not None
    found: list[str] = []
    for query, plan in await plans_of(connection, asked):
        all_read = all_fitting or "count(*)" in query
        read = asked.total if all_read else search.page.offset
        blocks = plans.BLOCKS + read // ENTRIES
        rows = max(plans.PAGE, asked.total) if all_fitting else plans.PAGE
        found += plans.complaints(plan, blocks=blocks, rows=rows)
    return found


def literal(value: object) -> str:
    """A value as SQL, untyped where what stands around it says the type."""
    match value:
        case None:
            return "null"
        case bool() | int() | Decimal():
            return str(value).lower()
        case datetime() | date():
            return f"'{value.isoformat()}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case list() | tuple():
            return f"array[{', '.join(literal(one) for one in value)}]" if value else "'{}'"
        case _:
            raise AssertionError(f"no literal for {value!r}")
