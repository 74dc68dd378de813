"""The demo: five stores with the documents' own data, so that every example in them runs.

The stores are written down in `stores/*.json`; their orders' past is played through the same
decisions as any order's.
"""

from collections.abc import Callable

from msgspec import Struct

from openorders.demo.files import STORES, known_keys
from openorders.store import stores
from openorders.store.database import Database

__all__ = ["STORES", "Filled", "fill", "known_keys"]


class Filled(Struct, frozen=True):
    """Whether the demo was filled in `now`, and whether it is `here`: a database that somebody
    uses for other stores is left alone.
    """

    now: bool
    here: bool


async def fill(database: Database, token: Callable[[], str]) -> Filled:
    """Fill the demo in, unless there is any store. `token` gives unguessable text."""
    async with database.connection() as connection:
        names = {store.name for store in await stores.all_stores(connection)}
    if not names:
        # Here, since most starts find the demo filled in.
        from openorders.demo.filling import fill_all

        if await fill_all(database, token):
            return Filled(now=True, here=True)
        return await fill(database, token)  # somebody else was here first
    return Filled(now=False, here=names >= set(STORES))
