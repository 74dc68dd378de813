"""A gateway's books beside ours: its entries are kept in a table while they are compared, so that
memory is bounded however many there are. Amounts are minor units.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from openorders.domain.ids import OperationId, OrderId, PaymentId, StoreId
from openorders.store import queries
from openorders.store.database import Connection

_Q = queries.load("reconciling")
_FETCHED_AT_ONCE: Final = 500
_DROPPED_AT_ONCE: Final = 5_000


class Books(Struct, frozen=True, kw_only=True):
    """What one side's books say of a payment."""

    currency: str
    authorised: int
    captured: int
    refunded: int


class ListedEntry(Struct, frozen=True, kw_only=True):
    """An entry of a gateway. The operation, and the second of its record, are what its key says."""

    reference: str
    operation_id: OperationId | None
    operation_second: int | None
    books: Books
    at: datetime


class Unlike(Struct, frozen=True, kw_only=True):
    """A payment about which the books differ; `theirs` is None where it is missing there, `ours`
    where it is missing here.
    """

    reference: str | None
    payment_id: PaymentId | None
    order_id: OrderId | None
    ours: Books | None
    theirs: Books | None


class Window(Struct, frozen=True, kw_only=True):
    """What is compared: payments of `gateway` begun from `since` until `until` that were settled
    when the reading `began`.
    """

    store_id: StoreId
    gateway: str
    run: int
    since: datetime
    until: datetime
    began: datetime


async def next_run(connection: Connection, store_id: StoreId) -> int:
    """A number for one comparison."""
    return await _Q.next_run.fetchval(connection, store_id=store_id)


async def add_entries(
    connection: Connection,
    store_id: StoreId,
    run: int,
    entries: Sequence[ListedEntry],
    now: datetime,
) -> None:
    """Keep entries until they are compared."""
    await _Q.add_entries.execute(
        connection,
        store_id=store_id,
        run=run,
        references=[entry.reference for entry in entries],
        operation_ids=[entry.operation_id for entry in entries],
        operation_seconds=[entry.operation_second for entry in entries],
        currencies=[entry.books.currency for entry in entries],
        authorised=[entry.books.authorised for entry in entries],
        captured=[entry.books.captured for entry in entries],
        refunded=[entry.books.refunded for entry in entries],
        times=[entry.at for entry in entries],
        now=now,
    )


async def all_are_kept(connection: Connection) -> None:
    """Say that the books were read to their end, before they are compared."""
    await _Q.tell_the_planner.execute(connection)


async def compare_as_planned_now(connection: Connection) -> None:
    """Begin to compare, in a transaction: what follows is planned for what is there now."""
    await _Q.plan_for_the_values.execute(connection)


async def unlike_there(connection: Connection, window: Window) -> AsyncIterator[Unlike]:
    """Payments of ours of which the gateway says something else or nothing; in a transaction."""
    rows = _Q.unlike_there.cursor(
        connection,
        prefetch=_FETCHED_AT_ONCE,
        store_id=window.store_id,
        gateway=window.gateway,
        run=window.run,
        since=window.since,
        until=window.until,
        began=window.began,
    )
    async for row in rows:
        theirs = Books(
            currency=row["their_currency"],
            authorised=row["their_authorised"],
            captured=row["their_captured"],
            refunded=row["their_refunded"],
        )
        yield Unlike(
            reference=row["reference"],
            payment_id=PaymentId(row["id"]),
            order_id=OrderId(row["order_id"]),
            ours=Books(
                currency=row["currency"],
                authorised=row["authorised"],
                captured=row["captured"],
                refunded=row["refunded"],
            ),
            theirs=theirs if row["is_there"] else None,
        )


async def unknown_here(connection: Connection, window: Window) -> AsyncIterator[Unlike]:
    """Money in the gateway's books that no payment of ours knows of; in a transaction."""
    rows = _Q.unknown_here.cursor(
        connection,
        prefetch=_FETCHED_AT_ONCE,
        store_id=window.store_id,
        gateway=window.gateway,
        run=window.run,
        since=window.since,
        until=window.until,
        began=window.began,
    )
    async for row in rows:
        yield Unlike(
            reference=row["reference"],
            payment_id=None,
            order_id=None,
            ours=None,
            theirs=Books(
                currency=row["currency"],
                authorised=row["authorised"],
                captured=row["captured"],
                refunded=row["refunded"],
            ),
        )


async def drop_entries(connection: Connection, store_id: StoreId, run: int) -> bool:
    """Delete a batch of a run's entries; whether there may be more."""
    gone = await _Q.drop_entries.fetchval(
        connection, store_id=store_id, run=run, limit=_DROPPED_AT_ONCE
    )
    return gone == _DROPPED_AT_ONCE


async def drop_old_entries(connection: Connection, store_id: StoreId, before: datetime) -> None:
    """Delete what runs left behind that did not come to their end."""
    await _Q.drop_old_entries.execute(connection, store_id=store_id, before=before)
