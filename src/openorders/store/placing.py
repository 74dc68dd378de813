"""Placing orders of one store: one question about everything they need, one statement that writes
it all, for one order or for several that arrived together.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import msgspec
from asyncpg import Record
from msgspec import Struct

from openorders.domain.catalogue import Offer, Wanted
from openorders.domain.customer import Customer, Identity
from openorders.domain.events import EventType
from openorders.domain.ids import CustomerId, LineId, OrderId, ProductId, StoreId, VariantId
from openorders.domain.order import Order
from openorders.store import placing_rows, queries
from openorders.store.database import Connection
from openorders.store.idempotency import Kept, Key, Known, known_of, packed

_Q = queries.load("placing")
_ONE = queries.load("placing_one")


class _OfferRow(msgspec.Struct, array_like=True, frozen=True):
    product_id: int | None
    variant_id: int | None
    product_name: str | None
    variant_name: str | None
    sku: str | None
    image: str | None
    price: int | None
    available: bool | None
    product_is_known: bool


class _CustomerRow(msgspec.Struct, array_like=True, frozen=True):
    place: int
    id: int
    name: str | None
    email: str | None


class _KnownRow(msgspec.Struct, array_like=True, frozen=True):
    place: int
    fingerprint: str
    status: int | None
    headers: str | None
    body: str | None


class _AlreadyRegisteredError(Exception):
    """Somebody was faster; what was begun is rolled back."""


_offers = msgspec.json.Decoder(list[_OfferRow])
_customer = msgspec.json.Decoder(_CustomerRow)
_customers = msgspec.json.Decoder(list[_CustomerRow])
_known = msgspec.json.Decoder(list[_KnownRow])


class Prepared(Struct, frozen=True, kw_only=True):
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


class Asked(Struct, frozen=True, kw_only=True):
    """What one order wants: a place per line, for this customer, under this key."""

    lines: Sequence[Wanted]
    customer: CustomerId | Identity
    digest: bytes | None = None


class Ready(Struct, frozen=True, kw_only=True):
    """An order as it is to be written, with what is told of it, and the answer under its key.

    A customer who is not known to be registered is registered with it.
    """

    order: Order
    events: Sequence[EventType]
    customer_is_known: bool = False
    key: Key | None = None
    answer: Kept | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """How it ended for orders that were to be placed together.

    Either some are short of stock, so that nothing was written: `short` says what is left of
    every variant of which all of them together want more. Or `placed` has the ids of those that
    were written; whichever is missing there lost its key to a twin.
    """

    placed: frozenset[int] = frozenset()
    short: Mapping[VariantId, int] = msgspec.field(default_factory=dict[VariantId, int])


async def prepare(
    connection: Connection, store_id: StoreId, asked: Sequence[Asked]
) -> list[Prepared]:
    """Everything that placing each of these orders needs to know, in one round trip."""
    if len(asked) == 1:
        return [await _prepare_one(connection, store_id, asked[0])]
    lines = [line for one in asked for line in one.lines]
    named = [
        (place, one.customer)
        for place, one in enumerate(asked, 1)
        if isinstance(one.customer, Identity)
    ]
    row = await _Q.prepare_orders.fetchrow(
        connection,
        store_id=store_id,
        orders=len(asked),
        product_ids=[line.product_id for line in lines],
        variant_ids=[line.variant_id for line in lines],
        customer_ids=[
            None if isinstance(one.customer, Identity) else one.customer for one in asked
        ],
        named=[place for place, _ in named],
        issuers=[identity.issuer for _, identity in named],
        subjects=[identity.subject for _, identity in named],
        digests=[one.digest for one in asked],
    )
    assert row is not None, "a row of one always comes"
    return _prepared(asked, row)


async def place(
    connection: Connection, store_id: StoreId, ready: Sequence[Ready], *, reserve: bool = True
) -> Outcome:
    """Write new orders of one currency with all that belongs to them, and the answers under their
    keys: all of them, or when stock is short none.

    No key may come twice. `reserve` is off when their stock is held already. No order's history
    may be empty.
    """
    if len(ready) == 1:
        return await _place_one(connection, store_id, ready[0], reserve=reserve)
    orders = [one.order for one in ready]
    row = await _Q.place_orders.fetchrow(
        connection,
        store_id=store_id,
        reserve=reserve,
        new_customers=[None if one.customer_is_known else one.order.customer.id for one in ready],
        digests=[one.key and one.key.digest for one in ready],
        fingerprints=[one.key and one.key.fingerprint for one in ready],
        statuses=[one.answer and one.answer[0] for one in ready],
        headers=[one.answer and packed(one.answer[1]) for one in ready],
        bodies=[one.answer and one.answer[2] for one in ready],
        **placing_rows.of_several(orders),
        **placing_rows.of_lines(orders),
        **placing_rows.of_events([one.events for one in ready]),
    )
    assert row is not None, "the statement always says how it ended"
    if row["short_variant_ids"]:
        short = zip(row["short_variant_ids"], row["short_available"], strict=True)
        return Outcome(short={VariantId(variant_id): left for variant_id, left in short})
    return Outcome(placed=frozenset(row["placed"] or ()))


async def _prepare_one(connection: Connection, store_id: StoreId, one: Asked) -> Prepared:
    identity = one.customer if isinstance(one.customer, Identity) else None
    row = await _ONE.prepare_order.fetchrow(
        connection,
        store_id=store_id,
        lines=len(one.lines),
        product_ids=[line.product_id for line in one.lines],
        variant_ids=[line.variant_id for line in one.lines],
        customer_id=None if identity else one.customer,
        issuer=identity.issuer if identity else None,
        subject=identity.subject if identity else None,
        digest=one.digest,
    )
    assert row is not None, "a row of one always comes"
    offers = _offers.decode(row["offers"])
    return Prepared(
        order_id=OrderId(row["order_id"]),
        number=row["number"],
        line_ids=tuple(row["line_ids"]),
        offers=tuple(map(_offer_of, offers)),
        known_products=_known_products(one.lines, offers),
        customer=_customer_of(_customer.decode(row["customer"])) if row["customer"] else None,
        known=None
        if row["fingerprint"] is None
        else known_of(row["fingerprint"], row["status"], row["headers"], row["body"]),
    )


async def _place_one(
    connection: Connection, store_id: StoreId, one: Ready, *, reserve: bool
) -> Outcome:
    key, answer = one.key, one.answer
    row = await _ONE.place_order.fetchrow(
        connection,
        store_id=store_id,
        reserve=reserve,
        digest=key and key.digest,
        fingerprint=key and key.fingerprint,
        status=answer and answer[0],
        headers=answer and packed(answer[1]),
        body=answer and answer[2],
        event_types=[event.value for event in one.events],
        **placing_rows.of_one(one.order),
    )
    assert row is not None, "the statement always says how it ended"
    match row["outcome"]:
        case "placed":
            return Outcome(placed=frozenset((one.order.id,)))
        case "short":
            return Outcome(short={VariantId(row["short_variant_id"]): row["short_available"]})
        case _:
            return Outcome()


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


def _prepared(asked: Sequence[Asked], row: Record) -> list[Prepared]:
    offers, line_ids = _offers.decode(row["offers"]), row["line_ids"]
    customers = {
        found.place: _customer_of(found)
        for column in ("customers", "identities")
        if row[column] is not None
        for found in _customers.decode(row[column])
    }
    known = {
        found.place: _known_of(found)
        for found in (_known.decode(row["known"]) if row["known"] is not None else ())
    }
    prepared: list[Prepared] = []
    first = 0
    for place, one in enumerate(asked, 1):
        mine = slice(first, first + len(one.lines))
        first = mine.stop
        prepared.append(
            Prepared(
                order_id=OrderId(row["order_ids"][place - 1]),
                number=row["numbers"][place - 1],
                line_ids=tuple(line_ids[mine]),
                offers=tuple(map(_offer_of, offers[mine])),
                known_products=_known_products(one.lines, offers[mine]),
                customer=customers.get(place),
                known=known.get(place),
            )
        )
    return prepared


def _known_products(lines: Sequence[Wanted], offers: Sequence[_OfferRow]) -> frozenset[ProductId]:
    return frozenset(
        line.product_id
        for line, offer in zip(lines, offers, strict=True)
        if line.product_id is not None and offer.product_is_known
    )


def _customer_of(row: _CustomerRow) -> Customer:
    return Customer(id=CustomerId(row.id), name=row.name, email=row.email)


def _known_of(row: _KnownRow) -> Known:
    """From hexadecimal, which is how bytes travel in JSON."""
    return known_of(
        bytes.fromhex(row.fingerprint),
        row.status,
        None if row.headers is None else bytes.fromhex(row.headers),
        None if row.body is None else bytes.fromhex(row.body),
    )
