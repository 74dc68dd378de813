"""Cards that customers left at a gateway, by the names the gateway gave them; never the cards.

A method is recorded before the gateway is asked to keep it, and marked before it is asked to let
go of it, so that a crash leaves nothing that nobody knows of.
"""

from datetime import datetime

from asyncpg import Record
from msgspec import Struct

from openorders.domain.ids import CustomerId, MethodId, StoreId
from openorders.domain.saved_method import StoredMethod
from openorders.store import queries
from openorders.store.database import Connection

_Q = queries.load("saved_methods")


class KeptMethod(Struct, frozen=True, kw_only=True):
    """A method with the gateway's own names of it (none while it is only begun) and of its
    customer.
    """

    method: StoredMethod
    reference: str | None
    customer: str | None


async def begin(
    connection: Connection,
    store_id: StoreId,
    customer_id: CustomerId,
    gateway: str,
    *,
    key_digest: bytes | None,
    now: datetime,
) -> KeptMethod:
    """Record that a gateway is about to be asked to keep a card."""
    row = await _Q.insert_method.fetchrow(
        connection,
        store_id=store_id,
        customer_id=customer_id,
        gateway=gateway,
        key_digest=key_digest,
        now=now,
    )
    assert row is not None, "an insert without a condition"
    return _kept(row)


async def of_key(connection: Connection, store_id: StoreId, digest: bytes) -> KeptMethod | None:
    """The method that was begun under an idempotency key."""
    row = await _Q.method_of_key.fetchrow(connection, store_id=store_id, digest=digest)
    return None if row is None else _kept(row)


async def complete(
    connection: Connection,
    store_id: StoreId,
    method_id: MethodId,
    *,
    customer: str,
    reference: str,
    card_brand: str | None,
    card_last_four: str | None,
    expires: str | None,
) -> StoredMethod | None:
    """Write under what names the gateway keeps a card. None: it was given up meanwhile."""
    row = await _Q.complete_method.fetchrow(
        connection,
        store_id=store_id,
        id=method_id,
        customer=customer,
        reference=reference,
        card_brand=card_brand,
        card_last_four=card_last_four,
        expires=expires,
    )
    if row is None:
        return None
    method = _kept(row).method
    await _Q.remember_customer.execute(
        connection,
        store_id=store_id,
        customer_id=method.customer_id,
        gateway=method.gateway,
        reference=customer,
    )
    return method


async def read(connection: Connection, store_id: StoreId, method_id: MethodId) -> KeptMethod | None:
    """A method that can be paid with."""
    row = await _Q.read_method.fetchrow(connection, store_id=store_id, id=method_id)
    return None if row is None else _kept(row)


async def of_customer(
    connection: Connection, store_id: StoreId, customer_id: CustomerId, *, limit: int
) -> tuple[StoredMethod, ...]:
    """What a customer can pay with, oldest first."""
    rows = await _Q.methods_of_customer.fetch(
        connection, store_id=store_id, customer_id=customer_id, limit=limit
    )
    return tuple(_kept(row).method for row in rows)


async def take_turn(connection: Connection, store_id: StoreId, customer_id: CustomerId) -> None:
    """Wait until nobody else is adding a method to the customer's."""
    await _Q.take_turn.execute(connection, store_id=store_id, customer_id=customer_id)


async def count(connection: Connection, store_id: StoreId, customer_id: CustomerId) -> int:
    """How many methods a customer has, also those that are only begun."""
    return await _Q.count_methods.fetchval(connection, store_id=store_id, customer_id=customer_id)


async def mark_forgotten(
    connection: Connection, store_id: StoreId, method_id: MethodId, now: datetime
) -> tuple[str, str] | None:
    """Let nobody pay with a method any more; its gateway and the gateway's name of it."""
    row = await _Q.mark_forgotten.fetchrow(connection, store_id=store_id, id=method_id, now=now)
    return None if row is None else (row["gateway"], row["reference"])


async def remove(connection: Connection, store_id: StoreId, method_id: MethodId) -> None:
    """Delete a method that its gateway has let go of, or never kept."""
    await _Q.remove_method.execute(connection, store_id=store_id, id=method_id)


class ToClear(Struct, frozen=True, kw_only=True):
    """A method that is to go; without a reference the gateway never said that it keeps it."""

    store_id: StoreId
    id: MethodId
    gateway: str
    reference: str | None


async def claim_to_clear(
    connection: Connection, now: datetime, *, limit: int
) -> tuple[ToClear, ...]:
    """Methods of any store that are to be let go of; each is claimed with a growing pause."""
    rows = await _Q.claim_to_clear.fetch(connection, now=now, limit=limit)
    return tuple(
        ToClear(
            store_id=StoreId(row["store_id"]),
            id=MethodId(row["id"]),
            gateway=row["gateway"],
            reference=row["reference"],
        )
        for row in rows
    )


def _kept(row: Record) -> KeptMethod:
    return KeptMethod(
        method=StoredMethod(
            id=MethodId(row["id"]),
            customer_id=CustomerId(row["customer_id"]),
            gateway=row["gateway"],
            card_brand=row["card_brand"],
            card_last_four=row["card_last_four"],
            expires=row["expires"],
            created_at=row["created_at"],
        ),
        reference=row["reference"],
        customer=row["customer"],
    )
