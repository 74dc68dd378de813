"""Placing an order: one question about everything it needs, one statement that writes it all."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from openorders.domain.catalogue import Offer, Wanted
from openorders.domain.customer import Customer, Identity
from openorders.domain.events import EventType
from openorders.domain.ids import CustomerId, LineId, OrderId, ProductId, StoreId, VariantId
from openorders.domain.order import Line, Order
from openorders.store import queries
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


@dataclass(frozen=True, slots=True)
class Placed:
    """How the statement ended: `placed`, `short` of a variant, or a `twin` was faster."""

    outcome: Literal["placed", "short", "twin"]
    variant_id: VariantId | None = None
    left: int = 0


async def prepare(
    connection: Connection,
    store_id: StoreId,
    lines: Sequence[Wanted],
    customer: CustomerId | Identity,
    digest: bytes | None,
) -> Prepared:
    """Everything that placing these lines for this customer needs to know, in one round trip."""
    identity = customer if isinstance(customer, Identity) else None
    row = await _Q.prepare_order.fetchrow(
        connection,
        store_id=store_id,
        lines=len(lines),
        product_ids=[line.product_id for line in lines],
        variant_ids=[line.variant_id for line in lines],
        customer_id=None if identity else customer,
        issuer=identity.issuer if identity else None,
        subject=identity.subject if identity else None,
        digest=digest,
    )
    assert row is not None, "a row of one always comes"
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


async def place(
    connection: Connection,
    store_id: StoreId,
    order: Order,
    events: Sequence[EventType],
    *,
    key: Key | None = None,
    answer: Kept | None = None,
    reserve: bool = True,
) -> Placed:
    """Write a new order with all that belongs to it, and the answer under its key.

    `reserve` is off when its stock is held already. The order's history must not be empty.
    """
    row = await _Q.place_order.fetchrow(
        connection,
        store_id=store_id,
        reserve=reserve,
        event_types=[event.value for event in events],
        payload=msgspec.json.encode(order),
        **_key_parameters(key, answer),
        **_order_parameters(order),
        **_line_parameters(order.lines),
        **_history_parameters(order),
    )
    assert row is not None, "the statement always says how it ended"
    variant_id = row["short_variant_id"]
    if variant_id is None:
        return Placed(row["outcome"])
    return Placed("short", VariantId(variant_id), row["short_available"])


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


def _key_parameters(key: Key | None, answer: Kept | None) -> dict[str, Any]:
    if key is None or answer is None:
        return dict.fromkeys(("digest", "fingerprint", "status", "headers", "body"))
    status, headers, body = answer
    return {
        "digest": key.digest,
        "fingerprint": key.fingerprint,
        "status": status,
        "headers": packed(headers),
        "body": body,
    }


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _order_parameters(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "customer_id": order.customer.id,
        "partner_name": order.partner_name,
        "customer_reference": order.customer_reference,
        "currency": order.currency,
        "minor_digits": order.minor_digits,
        "subtotal": order.totals.subtotal,
        "discount": order.totals.discount,
        "shipping": order.totals.shipping,
        "tax": order.totals.tax,
        "total": order.totals.total,
        "taxes": _json(order.totals.taxes) if order.totals.taxes else "[]",
        "discount_code": order.discount_code,
        "progress": order.progress.value,
        "payment": order.payment.value,
        "fulfilment": order.fulfilment.value,
        "payment_asked": order.payment_asked,
        "shipping_method": order.shipping_method,
        "estimated_delivery": order.estimated_delivery,
        "shipping_address": _json(order.shipping_address),
        "billing_address": _json(order.billing_address),
        "payment_method": order.payment_method,
        "payment_gateway": order.payment_gateway,
        "payment_token": order.payment_token,
        "notes": order.notes,
        "created_at": order.created_at,
        "version": order.version,
    }


def _line_parameters(lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "line_ids": [line.id for line in lines],
        "product_ids": [line.product_id for line in lines],
        "variant_ids": [line.variant_id for line in lines],
        "product_names": [line.product_name for line in lines],
        "variant_names": [line.variant_name for line in lines],
        "skus": [line.sku for line in lines],
        "images": [line.image for line in lines],
        "unit_prices": [line.unit_price for line in lines],
        "quantities": [line.quantity for line in lines],
        "discount_shares": [line.discount_share for line in lines],
        "tax_shares": ["[" + ",".join(map(str, line.tax_shares)) + "]" for line in lines],
    }


def _history_parameters(order: Order) -> dict[str, Any]:
    first = order.history[0]
    return {
        "words": [entry.word.value for entry in order.history],
        "word_times": [entry.at for entry in order.history],
        "actor": first.actor,
        "contract": first.contract,
    }
