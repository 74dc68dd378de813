"""Keep the stores: make one, show them, and make one what its operator has written down.

For an operator with the database at hand, so there is no caller to admit and nothing is kept
from them but secrets.
"""

from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain.ids import StoreId
from openorders.domain.store_settings import Store
from openorders.store import figures, stores
from openorders.store.database import Connection
from openorders.usecases import store_file
from openorders.usecases.context import Services
from openorders.usecases.store_file import StoreFileError
from openorders.usecases.written_fields import Problem

SECRET_BYTES_ENOUGH: Final = 32
"""HS256 wants a shared secret of at least its own length (RFC 7518)."""

_UNKNOWN: Final = StoreId(0)


class StoreUnknownError(Exception):
    """There is no store of that name; the message says which there are."""


class Applied(StrEnum):
    """What applying a file came to."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Outcome(Struct, frozen=True, kw_only=True):
    """What a store is now, and how it came to be so."""

    store: Store
    applied: Applied

    @property
    def weak_secret(self) -> bool:
        """Whether tokens are signed with a secret that is short enough to be guessed."""
        jwt = self.store.policy.jwt
        secret = jwt.secret if jwt else None
        return secret is not None and len(secret.encode()) < SECRET_BYTES_ENOUGH


async def list_stores(services: Services) -> tuple[Store, ...]:
    """Every store, oldest first."""
    async with services.database.connection() as connection:
        return await stores.all_stores(connection)


async def find_store(services: Services, name: str) -> Store:
    """The store of that name. Raises `StoreUnknownError`."""
    async with services.database.connection() as connection:
        return await store_named(connection, name)


async def store_named(connection: Connection, name: str) -> Store:
    """The store of that name. Raises `StoreUnknownError`."""
    store = None if "\x00" in name else await stores.find(connection, name)
    if store is not None:
        return store
    names = [store.name for store in await stores.all_stores(connection)]
    there_are = f"there are {', '.join(names)}" if names else "there is none yet"
    raise StoreUnknownError(f"There is no store {name!r}; {there_are}.")


async def create_store(services: Services, document: dict[str, Any]) -> Store:
    """Make a store as written. Raises `StoreFileError`, also when the name is taken."""
    async with services.database.transaction() as connection:
        return await _create(services, connection, document)


async def apply_store(
    services: Services, document: dict[str, Any], *, name: str | None = None
) -> Outcome:
    """Make a store what the document says; one that is not there yet is made.

    `name` is the store that is meant, where the document gives it another name. Raises
    `StoreFileError` with every problem, and `StoreUnknownError` for a `name` that is not there.
    """
    wanted = document.get("name") if name is None else name
    if not isinstance(wanted, str):
        raise StoreFileError(Problem("name", "is required: it says which store is meant"))
    async with services.database.transaction() as connection:
        before = None if "\x00" in wanted else await stores.lock(connection, wanted)
        if before is not None:
            return await _change(connection, document, before)
        if name is not None:
            await store_named(connection, name)
        created = await _create(services, connection, document)
        return Outcome(store=created, applied=Applied.CREATED)


async def _create(services: Services, connection: Connection, document: dict[str, Any]) -> Store:
    missing = [name for name in ("name", "currency") if name not in document]
    if missing:
        raise StoreFileError(*(Problem(name, "is required") for name in missing))
    store = store_file.read(document, Store(id=_UNKNOWN, name="", currency="USD"))
    await _refuse_unknown_zone(connection, store)
    try:
        store_id = await stores.create(connection, store, services.clock())
    except stores.NameTakenError as error:
        raise StoreFileError(_name_taken(store)) from error
    except stores.TokenTakenError as error:
        raise StoreFileError(_TOKEN_TAKEN) from error
    return replace(store, id=store_id)


async def _change(connection: Connection, document: dict[str, Any], before: Store) -> Outcome:
    store = store_file.read(document, before)
    if store == before:
        return Outcome(store=store, applied=Applied.UNCHANGED)
    if store.currency != before.currency and await stores.has_amounts(connection, store.id):
        raise StoreFileError(
            Problem("currency", f"stays {before.currency}: there are prices or orders in it")
        )
    if store.currency != before.currency:
        _refuse_old_amounts(document, before)
    moved = store.time_zone != before.time_zone
    if moved:
        await _refuse_unknown_zone(connection, store)
    try:
        await stores.change(connection, store)
    except stores.NameTakenError as error:
        raise StoreFileError(_name_taken(store)) from error
    except stores.TokenTakenError as error:
        raise StoreFileError(_TOKEN_TAKEN) from error
    if moved:
        await figures.rebuild(connection, store.id)  # every day begins at another time now
    return Outcome(store=store, applied=Applied.CHANGED)


async def _refuse_unknown_zone(connection: Connection, store: Store) -> None:
    """The database splits time into days too, and has a list of its own."""
    if not await figures.knows_zone(connection, store.time_zone):
        raise StoreFileError(Problem("time_zone", "is not known to this database"))


def _refuse_old_amounts(document: dict[str, Any], before: Store) -> None:
    """Amounts that stay as they were would mean another sum in the new currency."""
    kept = {
        "shipping_methods": bool(before.policy.shipping_methods),
        "discount_codes": any(code.amount is not None for code in before.policy.discount_codes),
    }
    problems = [
        Problem(name, "is required with a new currency: its amounts are in the old one")
        for name, has_amounts in kept.items()
        if has_amounts and name not in document
    ]
    if problems:
        raise StoreFileError(*problems)


def _name_taken(store: Store) -> Problem:
    return Problem("name", f"{store.name!r} is the name of another store")


_TOKEN_TAKEN: Final = Problem(
    "jwt", "has the issuer and audience of another store: a token could not tell them apart"
)
