"""Placing orders of one store: one question about everything they need, one statement that writes
it all, for one order or for several that arrived together.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec
from asyncpg import Record

from openorders.domain.catalogue import Offer, Wanted
from openorders.domain.customer import Customer, Identity
from openorders.domain.events import EventType
from openorders.domain.ids import CustomerId, LineId, OrderId, ProductId, StoreId, VariantId
from openorders.domain.order import Order
from openorders.store import placing_rows, queries
from openorders.store.database import Connection
from openorders.store.idempotency import Kept, Key, Known, known_of, packed

_Q = queries.load("placing")


class _OfferRow(msgspec.Struct):
    product_id: int | None
    variant_id: int | None
    product_name: str | None
    variant_name: str | None
    sku: str | None
    image: str | None
    price: int | None
    available: bool | None
    product_is_known: bool


class _AlreadyRegisteredError(Exception):
    """Somebody was faster; what was begun is rolled back."""


_offers = msgspec.json.Decoder(tuple[_OfferRow, ...])
_customer = msgspec.json.Decoder(Customer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What placing needs. `offers` has a place per wanted line, None where there is no such
    variant; `known_products` are those of the named products that exist.
    """

    order_id: OrderId
    number: int
    line_ids: tuple[LineId, ...]
    offers: tuple[Offer | None, ...]
    known_products: frozenset[ProductId]
    customer: Customer | None
    known: Known | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one order wants: a place per line, for this customer, under this key."""

    lines: Sequence[Wanted]
    customer: CustomerId | Identity
    digest: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An order as it is to be written, with what is told of it, and the answer under its key."""

    order: Order
    events: Sequence[EventType]
    key: Key | None = None
    answer: Kept | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """How it ended for an order: `placed`, `short` of a variant, or a `twin` was faster."""

    outcome: Literal["placed", "short", "twin"]
    variant_id: VariantId | None = None
    left: int = 0


async def prepare(
    connection: Connection, store_id: StoreId, asked: Sequence[Asked]
) -> list[Prepared]:
    """Everything that placing each of these orders needs to know, in one round trip."""
    lines = [(owner, line) for owner, one in enumerate(asked, 1) for line in one.lines]
    names = [one.customer if isinstance(one.customer, Identity) else None for one in asked]
    rows = await _Q.prepare_orders.fetch(
        connection,
        store_id=store_id,
        owners=[owner for owner, _ in lines],
        product_ids=[line.product_id for _, line in lines],
        variant_ids=[line.variant_id for _, line in lines],
        customer_ids=[
            None if isinstance(one.customer, Identity) else one.customer for one in asked
        ],
        issuers=[name and name.issuer for name in names],
        subjects=[name and name.subject for name in names],
        digests=[one.digest for one in asked],
    )
    return [_prepared(one.lines, row) for one, row in zip(asked, rows, strict=True)]


async def place(
    connection: Connection, store_id: StoreId, ready: Sequence[Ready], *, reserve: bool = True
) -> list[Placed]:
    """Write new orders of one currency with all that belongs to them, and the answers under their
    keys; how it ended for each. `short` is the same for all: together they want too much.

    No key may come twice. `reserve` is off when their stock is held already. No order's history
    may be empty.
    """
    orders = [one.order for one in ready]
    rows = await _Q.place_orders.fetch(
        connection,
        store_id=store_id,
        reserve=reserve,
        **placing_rows.of_orders(orders),
        **placing_rows.of_lines(orders),
        **placing_rows.of_history(orders),
        digests=[one.key and one.key.digest for one in ready],
        fingerprints=[one.key and one.key.fingerprint for one in ready],
        statuses=[one.answer and one.answer[0] for one in ready],
        headers=[one.answer and packed(one.answer[1]) for one in ready],
        bodies=[one.answer and one.answer[2] for one in ready],
        event_owners=[owner for owner, one in enumerate(ready, 1) for _ in one.events],
        event_types=[event.value for one in ready for event in one.events],
    )
    return [_placed(row) for row in rows]


async def register_identity(
    connection: Connection, store_id: StoreId, identity: Identity, now: datetime
) -> Customer:
    """The customer behind a name of somebody else's; registered now when it is new."""
    with suppress(_AlreadyRegisteredError):
        async with connection.transaction():
            customer_id = await _Q.register_identity.fetchval(
                connection,
                store_id=store_id,
                issuer=identity.issuer,
                subject=identity.subject,
                name=identity.name,
                email=identity.email,
                now=now,
            )
            if customer_id is None:
                raise _AlreadyRegisteredError
        return Customer(id=CustomerId(customer_id), name=identity.name, email=identity.email)
    row = await _Q.find_identity.fetchrow(
        connection, store_id=store_id, issuer=identity.issuer, subject=identity.subject
    )
    assert row is not None, "an identity is never taken back"
    return Customer(id=CustomerId(row["id"]), name=row["name"], email=row["email"])


async def register_customer(
    connection: Connection, store_id: StoreId, customer_id: CustomerId, now: datetime
) -> None:
    """Register a customer that a client names by number; one that is there stays as it is."""
    await _Q.register_customer.execute(connection, store_id=store_id, id=customer_id, now=now)


async def hold_draft(
    connection: Connection, store_id: StoreId, order: Order, now: datetime
) -> None:
    """Keep an order out of sight until its charge is settled."""
    await _Q.hold_draft.execute(
        connection,
        store_id=store_id,
        order_id=order.id,
        draft=msgspec.json.encode(order),
        now=now,
    )


async def take_draft(connection: Connection, store_id: StoreId, order_id: OrderId) -> Order | None:
    """Take a pending order out. None: it was placed or let go before."""
    draft = await _Q.take_draft.fetchval(connection, store_id=store_id, order_id=order_id)
    return None if draft is None else msgspec.json.decode(draft, type=Order)


def _offer_of(row: _OfferRow) -> Offer | None:
    if row.variant_id is None or row.product_id is None or row.price is None:
        return None
    return Offer(
        product_id=ProductId(row.product_id),
        variant_id=VariantId(row.variant_id),
        product_name=row.product_name or "",
        variant_name=row.variant_name,
        sku=row.sku,
        image=row.image,
        price=row.price,
        available=row.available is True,
    )


def _prepared(lines: Sequence[Wanted], row: Record) -> Prepared:
    offers = _offers.decode(row["offers"])
    return Prepared(
        order_id=OrderId(row["order_id"]),
        number=row["number"],
        line_ids=tuple(LineId(n) for n in row["line_ids"]),
        offers=tuple(_offer_of(offer) for offer in offers),
        known_products=frozenset(
            line.product_id
            for line, offer in zip(lines, offers, strict=True)
            if line.product_id is not None and offer.product_is_known
        ),
        customer=_customer.decode(row["customer"]) if row["customer"] else None,
        known=known_of(row["fingerprint"], row["status"], row["headers"], row["body"])
        if row["fingerprint"] is not None
        else None,
    )


def _placed(row: Record) -> Placed:
    variant_id = row["short_variant_id"]
    if variant_id is None:
        return Placed(row["outcome"])
    return Placed("short", VariantId(variant_id), row["short_available"])
