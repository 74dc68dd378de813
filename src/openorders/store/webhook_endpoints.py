"""Webhook endpoints: rows to `Endpoint`, and what operators decide about them.

Secrets are written here and read only to sign (`store/webhook_lanes.py`).
"""

from datetime import datetime, timedelta
from typing import Final

from asyncpg import Record

from openorders.domain.events import EventType
from openorders.domain.ids import EndpointId, OrderId, StoreId
from openorders.domain.webhooks import Endpoint, EndpointState, OffReason
from openorders.store import queries
from openorders.store.database import Connection
from openorders.store.webhook_lanes import SECRETS_MAX

HURRIED_MAX: Final = 10_000
"""How many orders an endpoint is told of at once when it is switched on; others keep their time."""

_Q = queries.load("webhook_endpoints")


async def create(
    connection: Connection,
    store_id: StoreId,
    *,
    url: str,
    contract: str,
    types: frozenset[EventType] | None,
    label: str | None,
    secret: bytes,
    most: int,
    now: datetime,
) -> Endpoint | None:
    """Make an endpoint with its first secret. None: the store has `most` already."""
    await _Q.take_turn.execute(connection, store_id=store_id)
    row = await _Q.create_endpoint.fetchrow(
        connection,
        store_id=store_id,
        url=url,
        contract=contract,
        types=_words(types),
        label=label,
        most=most,
        now=now,
    )
    if row is None:
        return None
    await _Q.add_secret.execute(
        connection, store_id=store_id, endpoint_id=row["id"], secret=secret, now=now
    )
    return _endpoint_of(row)


async def read(
    connection: Connection, store_id: StoreId, endpoint_id: EndpointId
) -> Endpoint | None:
    """One endpoint."""
    row = await _Q.read_endpoint.fetchrow(connection, store_id=store_id, id=endpoint_id)
    return None if row is None else _endpoint_of(row)


async def lock(
    connection: Connection, store_id: StoreId, endpoint_id: EndpointId
) -> Endpoint | None:
    """One endpoint to be changed: nobody else changes it until the transaction ends."""
    row = await _Q.lock_endpoint.fetchrow(connection, store_id=store_id, id=endpoint_id)
    return None if row is None else _endpoint_of(row)


async def page(
    connection: Connection, store_id: StoreId, after: EndpointId | None, limit: int
) -> tuple[Endpoint, ...]:
    """The store's endpoints, oldest first."""
    rows = await _Q.list_endpoints.fetch(
        connection, store_id=store_id, after=after or 0, limit=limit
    )
    return tuple(_endpoint_of(row) for row in rows)


async def change(
    connection: Connection, store_id: StoreId, endpoint: Endpoint, now: datetime
) -> Endpoint:
    """Write a locked endpoint; its failures until now no longer count."""
    row = await _write(connection, store_id, endpoint, endpoint.state.value, now)
    if endpoint.state is EndpointState.ACTIVE:
        await hurry(connection, store_id, endpoint.id)
    return _endpoint_of(row)


async def remove(
    connection: Connection, store_id: StoreId, endpoint: Endpoint, now: datetime
) -> None:
    """Remove a locked endpoint: it is told nothing more, and what was told is forgotten later."""
    await _write(connection, store_id, endpoint, "removed", now)
    await _Q.forget_secrets.execute(connection, store_id=store_id, endpoint_id=endpoint.id)


async def _write(
    connection: Connection, store_id: StoreId, endpoint: Endpoint, state: str, now: datetime
) -> Record:
    active = state == EndpointState.ACTIVE.value
    reason = endpoint.off_reason or OffReason.OPERATOR
    row = await _Q.change_endpoint.fetchrow(
        connection,
        store_id=store_id,
        id=endpoint.id,
        url=endpoint.url,
        contract=endpoint.contract,
        types=_words(endpoint.types),
        label=endpoint.label,
        state=state,
        off_reason=None if active else reason.value,
        now=now,
    )
    assert row is not None, "a locked endpoint is there"
    return row


async def hurry(
    connection: Connection,
    store_id: StoreId,
    endpoint_id: EndpointId,
    order_id: OrderId | None = None,
) -> None:
    """Try what waits for an endpoint (about one order) at once, and from the start of the
    schedule.
    """
    await _Q.hurry_lanes.execute(
        connection,
        store_id=store_id,
        endpoint_id=endpoint_id,
        order_id=order_id,
        limit=HURRIED_MAX,
    )
    await _Q.wake.execute(connection)


async def add_secret(
    connection: Connection,
    store_id: StoreId,
    endpoint_id: EndpointId,
    secret: bytes,
    *,
    keep_old_for: timedelta,
    now: datetime,
) -> None:
    """Sign with a new secret, and with those before it for a while; only the newest few stay."""
    await _Q.retire_secrets.execute(
        connection,
        store_id=store_id,
        endpoint_id=endpoint_id,
        keep_s=keep_old_for.total_seconds(),
        most=SECRETS_MAX - 1,
    )
    await _Q.add_secret.execute(
        connection, store_id=store_id, endpoint_id=endpoint_id, secret=secret, now=now
    )


def _words(types: frozenset[EventType] | None) -> list[str] | None:
    return None if types is None else sorted(one.value for one in types)


def _endpoint_of(row: Record) -> Endpoint:
    types: list[str] | None = row["types"]
    reason: str | None = row["off_reason"]
    return Endpoint(
        id=EndpointId(row["id"]),
        url=row["url"],
        contract=row["contract"],
        types=None if types is None else frozenset(EventType(one) for one in types),
        label=row["label"],
        state=EndpointState.ACTIVE if row["state"] == "active" else EndpointState.OFF,
        off_reason=None if reason is None else OffReason(reason),
        off_at=row["off_at"],
        off_position=row["off_position"],
        failures=row["failures"],
        failing_since=row["failing_since"],
        paused_until=row["paused_until"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
