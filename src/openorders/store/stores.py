"""Stores and what they have decided: rows to `Store`, and changes told to every process."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from asyncpg import Record, UniqueViolationError

from openorders.domain.ids import StoreId
from openorders.domain.store_settings import Store, StorePolicy
from openorders.store import mails, queries
from openorders.store.database import Connection

ACCESS_CHANGED: Final = "access_changed"
"""The channel on which a change of stores or keys is announced; the payload is the store's id."""

_Q = queries.load("stores")
_policy = msgspec.json.Decoder(StorePolicy)


class TokenTakenError(Exception):
    """Another store takes tokens of that issuer and audience."""


class NameTakenError(Exception):
    """Another store has that name."""


async def all_stores(connection: Connection) -> tuple[Store, ...]:
    """Every store, oldest first."""
    return tuple(store_of(row) for row in await _Q.list_stores.fetch(connection))


async def read(connection: Connection, store_id: StoreId) -> Store | None:
    """The store of that id."""
    row = await _Q.read_store.fetchrow(connection, store_id=store_id)
    return None if row is None else store_of(row)


async def find(connection: Connection, name: str) -> Store | None:
    """The store of that name."""
    row = await _Q.find_store.fetchrow(connection, name=name)
    return None if row is None else store_of(row)


async def find_only(connection: Connection) -> Store | None:
    """The one store there is; None when there are several, or none."""
    rows = await _Q.find_only_stores.fetch(connection)
    return store_of(rows[0]) if len(rows) == 1 else None


async def find_by_token(
    connection: Connection, issuer: str, audiences: Sequence[str]
) -> Store | None:
    """The store that takes tokens of this issuer for one of these audiences. None also when
    several do: a token for two stores says nothing about which is meant.
    """
    rows = await _Q.find_stores_of_token.fetch(connection, issuer=issuer, audiences=list(audiences))
    return store_of(rows[0]) if len(rows) == 1 else None


async def lock(connection: Connection, name: str) -> Store | None:
    """The store of that name, held until the transaction ends."""
    row = await _Q.lock_store.fetchrow(connection, name=name)
    return None if row is None else store_of(row)


async def create(connection: Connection, store: Store, now: datetime) -> StoreId:
    """Make a store (its `id` is given here) with its order numbers.

    Raises `NameTakenError` and `TokenTakenError`.
    """
    try:
        store_id = await _Q.create_store.fetchval(connection, **_parameters(store), now=now)
    except UniqueViolationError as error:
        raise TokenTakenError from error
    if store_id is None:
        raise NameTakenError
    await _Q.open_order_numbers.execute(connection, store_id=store_id)
    await _begin_mails(connection, StoreId(store_id), store)
    await announce_change(connection, store_id)
    return StoreId(store_id)


async def change(connection: Connection, store: Store) -> None:
    """Write a store that was locked. Raises `NameTakenError` and `TokenTakenError`."""
    # Before the store: who writes mails has their cursor first and refers to the store then, which
    # a new name keeps from everybody.
    await _begin_mails(connection, store.id, store)
    try:
        await _Q.change_store.execute(connection, store_id=store.id, **_parameters(store))
    except UniqueViolationError as error:
        taken = TokenTakenError if error.constraint_name == "stores_by_token" else NameTakenError
        raise taken from error
    await announce_change(connection, store.id)


async def _begin_mails(connection: Connection, store_id: StoreId, store: Store) -> None:
    """What happens from now on is written about by itself, or not; never what was before."""
    if store.policy.mails.events:
        await mails.follow(connection, store_id)
    else:
        await mails.stop_following(connection, store_id)


async def has_amounts(connection: Connection, store_id: StoreId) -> bool:
    """Whether there are prices or orders: amounts that mean nothing in another currency."""
    return await _Q.has_amounts.fetchval(connection, store_id=store_id) is True


async def announce_change(connection: Connection, store_id: StoreId) -> None:
    """Tell every process to forget what it remembers of the store and its keys, at commit."""
    await _Q.announce_change.execute(connection, store_id=store_id)


def store_of(row: Record) -> Store:
    """A row of the statements above as a store."""
    return Store(
        id=StoreId(row["store_id"]),
        name=row["name"],
        currency=row["currency"],
        time_zone=row["time_zone"],
        number_prefix=row["number_prefix"],
        policy=_policy.decode(row["policy"]),
    )


def _parameters(store: Store) -> dict[str, object]:
    return {
        "name": store.name,
        "currency": store.currency,
        "minor_digits": store.minor_digits,
        "time_zone": store.time_zone,
        "number_prefix": store.number_prefix,
        "policy": msgspec.json.encode(store.policy).decode(),
    }
