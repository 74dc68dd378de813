"""Verify the books: recompute stock, totals, payments, states and figures from the ledgers,
and name every difference. Nothing is changed, and orders go on being placed meanwhile.
"""

from collections.abc import AsyncIterator, Callable

from msgspec import Struct

from openorders.domain.store_settings import Store
from openorders.store import ledgers, stores
from openorders.store.ledgers import Difference
from openorders.usecases.context import Services
from openorders.usecases.keep_stores import store_named


class Found(Struct, frozen=True, kw_only=True):
    """A difference, and the store it is in."""

    store: Store
    check: str
    difference: Difference


Begun = Callable[[Store, str], None]
"""Is told which check of which store begins."""


async def verify(
    services: Services, *, store: str | None = None, begun: Begun | None = None
) -> AsyncIterator[Found]:
    """Every difference in a store, or in all of them, from one consistent view of the database.

    Raises `StoreUnknownError`.
    """
    async with services.database.snapshot() as connection:
        wanted = (
            await stores.all_stores(connection)
            if store is None
            else (await store_named(connection, store),)
        )
        for one in wanted:
            for check in ledgers.CHECKS:
                if begun is not None:
                    begun(one, check)
                async for difference in ledgers.differences(connection, one.id, check):
                    yield Found(store=one, check=check, difference=difference)
