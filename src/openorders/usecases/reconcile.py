"""Compare our records of payments with each gateway's own books, and name every difference.

Changes nothing, and goes on beside payments that are being made: what is under way is left out.
No transaction is open while a gateway is read, and memory does not grow with the books.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from openorders.domain import money
from openorders.domain.ids import OrderId, PaymentId
from openorders.domain.store_settings import GatewaySettings, Store
from openorders.gateways.payments import (
    Entry,
    GatewayMisused,
    GatewayUnreachable,
    UnknownGatewayKind,
)
from openorders.store import reconciling
from openorders.store.reconciling import Books, ListedEntry, Unlike, Window
from openorders.usecases.context import Services
from openorders.usecases.perform_operations import operation_named

SETTLED_SINCE: Final = timedelta(minutes=2)
"""What was begun or settled later than this before the comparison counts as under way."""

CLOCKS_DIFFER: Final = timedelta(minutes=10)
"""By how much a gateway's clock may be before ours, at the most."""

OPENED_WITHIN: Final = timedelta(hours=25)
"""A hosted page may be paid this long after it was opened; its payment is dated then."""

_LEFT_BEHIND: Final = timedelta(days=1)
_BATCH: Final = 500


class Kind(StrEnum):
    """What differs."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    CURRENCY = "currency"
    STATE = "state"
    AMOUNT = "amount"
    CAPTURED = "captured"
    REFUNDED = "refunded"


class Difference(Struct, frozen=True, kw_only=True):
    """One difference about one payment. `reference` is the gateway's name of it."""

    gateway: str
    kind: Kind
    reference: str | None
    payment_id: PaymentId | None
    order_id: OrderId | None
    ours: str
    theirs: str


class BooksNotRead(Exception):
    """A gateway's books could not be read to their end; the message is for the operator."""


async def reconcile(
    services: Services, store: Store, since: datetime, until: datetime
) -> AsyncGenerator[Difference, None]:
    """Every difference about payments of a store that were begun from `since` until `until`.

    Gateways that keep no books (money taken by hand) are passed over. Raises `BooksNotRead`.
    """
    for gateway in store.policy.gateways:
        if gateway.is_by_hand:
            continue
        async with aclosing(_reconcile(services, store, gateway, since, until)) as differences:
            async for difference in differences:
                yield difference


async def _reconcile(
    services: Services, store: Store, gateway: GatewaySettings, since: datetime, until: datetime
) -> AsyncGenerator[Difference, None]:
    began = services.clock() - SETTLED_SINCE
    async with services.database.connection() as connection:
        await reconciling.drop_old_entries(connection, store.id, services.clock() - _LEFT_BEHIND)
        run = await reconciling.next_run(connection, store.id)
    window = Window(
        store_id=store.id,
        gateway=gateway.name,
        run=run,
        since=since,
        until=min(until, began),
        began=began,
    )
    try:
        await _read_books(services, store, window)
        async with services.database.connection() as connection:
            await reconciling.all_are_kept(connection)
        async with services.database.snapshot() as connection:
            await reconciling.compare_as_planned_now(connection)
            async for unlike in reconciling.unlike_there(connection, window):
                for difference in _named(gateway.name, unlike):
                    yield difference
            async for unlike in reconciling.unknown_here(connection, window):
                for difference in _named(gateway.name, unlike):
                    yield difference
    finally:
        await _drop(services, window)


async def _read_books(services: Services, store: Store, window: Window) -> None:
    first = window.since - CLOCKS_DIFFER
    last = min(window.until + OPENED_WITHIN, services.clock() + CLOCKS_DIFFER)
    batch: list[ListedEntry] = []
    try:
        account = services.gateways.of(store, window.gateway)
        async for entry in account.entries(first, last):
            batch.append(_listed(store, entry))
            if len(batch) == _BATCH:
                await _keep(services, window, batch)
                batch = []
    except (GatewayUnreachable, GatewayMisused, UnknownGatewayKind) as error:
        raise BooksNotRead(
            f"{window.gateway} of {store.name} could not be read: {error}"
        ) from error
    await _keep(services, window, batch)


async def _keep(services: Services, window: Window, batch: list[ListedEntry]) -> None:
    async with services.database.connection() as connection:
        await reconciling.add_entries(
            connection, window.store_id, window.run, batch, services.clock()
        )


async def _drop(services: Services, window: Window) -> None:
    more = True
    while more:
        async with services.database.connection() as connection:
            more = await reconciling.drop_entries(connection, window.store_id, window.run)


def _listed(store: Store, entry: Entry) -> ListedEntry:
    named = operation_named(entry.key) if entry.key is not None else None
    if named is not None and named.store_id != store.id:
        named = None
    return ListedEntry(
        reference=entry.reference,
        operation_id=named.id if named else None,
        operation_second=named.second if named else None,
        books=Books(
            currency=entry.currency,
            authorised=entry.authorised,
            captured=entry.captured,
            refunded=entry.refunded,
        ),
        at=entry.at,
    )


def _named(gateway: str, unlike: Unlike) -> list[Difference]:
    def difference(kind: Kind, ours: str, theirs: str) -> Difference:
        return Difference(
            gateway=gateway,
            kind=kind,
            reference=unlike.reference,
            payment_id=unlike.payment_id,
            order_id=unlike.order_id,
            ours=ours,
            theirs=theirs,
        )

    ours, theirs = unlike.ours, unlike.theirs
    if ours is None or theirs is None:
        kind = Kind.MISSING_HERE if ours is None else Kind.MISSING_THERE
        return [difference(kind, _in_words(ours), _in_words(theirs))]
    if ours.currency != theirs.currency:
        return [difference(Kind.CURRENCY, _in_words(ours), _in_words(theirs))]
    pairs = [
        (Kind.STATE, _state(ours), _state(theirs)),
        (Kind.CAPTURED, _amount(ours, ours.captured), _amount(theirs, theirs.captured)),
        (Kind.REFUNDED, _amount(ours, ours.refunded), _amount(theirs, theirs.refunded)),
    ]
    if ours.authorised and theirs.authorised:
        both = _amount(ours, ours.authorised), _amount(theirs, theirs.authorised)
        pairs.insert(1, (Kind.AMOUNT, *both))
    return [difference(kind, here, there) for kind, here, there in pairs if here != there]


def _state(books: Books) -> str:
    if books.captured:
        return "captured"
    return "authorised" if books.authorised else "nothing taken"


def _in_words(books: Books | None) -> str:
    if books is None:
        return "no payment"
    return f"{_amount(books, books.captured or books.authorised)} {_state(books)}"


def _amount(books: Books, minor: int) -> str:
    known = books.currency in money.CURRENCIES
    digits = money.minor_digits(books.currency) if known else 0
    return f"{money.to_decimal(minor, digits)} {books.currency}"
