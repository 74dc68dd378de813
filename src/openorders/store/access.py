"""API keys: their hashes, and what they may do. The keys themselves are never here."""

import hmac
from datetime import datetime
from typing import Final

from asyncpg import Record
from msgspec import Struct

from openorders.domain.access import Role
from openorders.domain.customer import Customer, Identity
from openorders.domain.ids import CustomerId, KeyId, StoreId
from openorders.domain.store_settings import Store
from openorders.store import queries
from openorders.store.database import Connection
from openorders.store.stores import announce_change, store_of

LISTED_KEYS_MAX: Final = 10_000
"""More keys than this are not listed at once."""

_Q = queries.load("access")


class Found(Struct, frozen=True, kw_only=True):
    """A key that counts, and its store."""

    id: KeyId
    store: Store
    role: Role
    partner_name: str | None
    customer_id: CustomerId | None


class ListedKey(Struct, frozen=True, kw_only=True):
    """What can be told of a key: everything but the key."""

    id: KeyId
    store: str
    role: Role
    partner_name: str | None
    customer_id: CustomerId | None
    label: str | None
    created_at: datetime
    revoked_at: datetime | None


async def find_key(connection: Connection, digest: bytes) -> Found | None:
    """The key with this SHA-256, unless it was revoked."""
    row = await _Q.find_key.fetchrow(connection, hash=digest)
    if row is None or not hmac.compare_digest(row["hash"], digest):
        return None
    return Found(
        id=KeyId(row["id"]),
        store=store_of(row),
        role=Role(row["role"]),
        partner_name=row["partner_name"],
        customer_id=row["customer_id"],
    )


async def create_key(
    connection: Connection,
    store_id: StoreId,
    digest: bytes,
    role: Role,
    now: datetime,
    *,
    partner_name: str | None = None,
    customer_id: CustomerId | None = None,
    label: str | None = None,
) -> KeyId:
    """Keep a new key by its SHA-256."""
    key_id = await _Q.create_key.fetchval(
        connection,
        store_id=store_id,
        hash=digest,
        role=role.value,
        partner_name=partner_name,
        customer_id=customer_id,
        label=label,
        now=now,
    )
    await announce_change(connection, store_id)
    return KeyId(key_id)


async def list_keys(connection: Connection, store_id: StoreId | None) -> tuple[ListedKey, ...]:
    """The keys of a store, or of all stores, the oldest first."""
    rows = await _Q.list_keys.fetch(connection, store_id=store_id, limit=LISTED_KEYS_MAX)
    return tuple(_listed(row) for row in rows)


async def keys_after(
    connection: Connection, store_id: StoreId, after: KeyId, limit: int
) -> tuple[ListedKey, ...]:
    """A store's keys beyond that one, the oldest first; `KeyId(0)` is before all of them."""
    rows = await _Q.keys_after.fetch(connection, store_id=store_id, after=after, limit=limit)
    return tuple(_listed(row) for row in rows)


async def read_key(connection: Connection, store_id: StoreId, key_id: KeyId) -> ListedKey | None:
    """One key of a store, also one that was revoked."""
    row = await _Q.key.fetchrow(connection, store_id=store_id, id=key_id)
    return None if row is None else _listed(row)


async def revoke_key_of(
    connection: Connection, store_id: StoreId, key_id: KeyId, now: datetime
) -> None:
    """End a key of a store, if there is one; every process learns of it with the commit."""
    await _Q.revoke_key_of.execute(connection, store_id=store_id, id=key_id, now=now)
    await announce_change(connection, store_id)


def _listed(row: Record) -> ListedKey:
    return ListedKey(
        id=KeyId(row["id"]),
        store=row["store"],
        role=Role(row["role"]),
        partner_name=row["partner_name"],
        customer_id=row["customer_id"],
        label=row["label"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )


async def revoke_key(
    connection: Connection, now: datetime, *, key_id: KeyId | None, digest: bytes | None
) -> tuple[KeyId, bool] | None:
    """End a key, named by its number or by its hash. Whether it was this call that ended it;
    None when there is no such key.
    """
    row = await _Q.revoke_key.fetchrow(connection, id=key_id, hash=digest, now=now)
    if row is None:
        return None
    await announce_change(connection, row["store_id"])
    return KeyId(row["id"]), row["ended_now"]


async def find_identity(
    connection: Connection, store_id: StoreId, identity: Identity
) -> CustomerId | None:
    """The customer that was registered under this name of somebody else's."""
    customer_id = await _Q.find_identity.fetchval(
        connection, store_id=store_id, issuer=identity.issuer, subject=identity.subject
    )
    return None if customer_id is None else CustomerId(customer_id)


async def introduce_customer(
    connection: Connection,
    store_id: StoreId,
    customer: Customer,
    now: datetime,
    *,
    may_register: bool,
) -> None:
    """Note the name and mail address of a customer of whom none were known; what is known stays."""
    await _Q.introduce_customer.execute(
        connection,
        store_id=store_id,
        id=customer.id,
        name=customer.name,
        email=customer.email,
        now=now,
        may_register=may_register,
    )
