"""Between `partner`'s shapes and the order book's: pure, total, without HTTP."""

import json
from functools import cache
from typing import assert_never

from openorders.contracts.partner import ids
from openorders.contracts.partner.errors import NoItems
from openorders.contracts.partner.schemas import ItemOut, ListQuery, OrderIn, OrderOut, Status
from openorders.domain.catalogue import Wanted
from openorders.domain.customer import Identity
from openorders.domain.money import to_decimal
from openorders.domain.order import Line, Order, Word
from openorders.domain.search import Column, Field, Page, Search, SortKey
from openorders.usecases.place_order import PlaceOrder

ISSUER = "partner"
"""Under which issuer a partner's customers are registered."""

_EVERYTHING = 2**63 - 1


def to_place_order(body: OrderIn) -> PlaceOrder:
    """The command. Raises `Unreadable` for an identifier that is none, and for no items."""
    if not body.items:
        raise NoItems
    return PlaceOrder(
        lines=tuple(
            Wanted(
                product_id=ids.read_product(item.product_id, f"items[{i}].product_id"),
                quantity=item.quantity,
            )
            for i, item in enumerate(body.items)
        ),
        customer=_customer(body.partner_name, body.customer_reference),
        partner_name=body.partner_name,
        customer_reference=body.customer_reference,
    )


def _customer(partner_name: str, reference: str | None) -> Identity:
    # As JSON, so that no two pairs of texts become the same subject.
    subject = json.dumps([partner_name, reference], ensure_ascii=False)
    return Identity(issuer=ISSUER, subject=subject, name=partner_name)


def to_search(query: ListQuery) -> Search:
    """Every order from the oldest on, or the part of them that was asked for."""
    whole = query.limit is None and query.offset == 0
    return Search(
        sort=(SortKey(key=Column(field=Field.CREATED_AT)),),
        page=None if whole else Page(limit=query.limit or _EVERYTHING, offset=query.offset),
    )


def order_out(order: Order) -> OrderOut:
    """The order as this contract shows it."""
    return OrderOut(
        order_id=ids.format_order(order.id),
        partner_name=_shown_partner(order),
        customer_reference=order.customer_reference,
        status=status_of(order.word),
        total_amount=to_decimal(order.totals.total, order.minor_digits),
        currency=order.currency,
        items=[_item_out(line, order.minor_digits) for line in order.lines],
    )


@cache
def status_of(word: Word) -> Status:
    """The word that this contract shows."""
    match word:
        case Word.CREATED:
            return "created"
        case Word.PAYMENT_PENDING:
            return "payment_pending"
        case Word.PAID:
            return "paid"
        case Word.PROCESSING:
            return "processing"
        case Word.SHIPPED:
            return "shipped"
        case Word.DELIVERED:
            return "delivered"
        case Word.COMPLETED:
            return "completed"
        case Word.CANCELLED:
            return "cancelled"
        case Word.REFUNDED:
            return "refunded"
        case _:
            assert_never(word)


def _shown_partner(order: Order) -> str:
    return order.partner_name or order.customer.name or ids.format_customer(order.customer.id)


def _item_out(line: Line, digits: int) -> ItemOut:
    return ItemOut(
        order_item_id=ids.format_line(line.id),
        product_id=ids.format_product(line.product_id),
        sku=line.sku,
        product_name=line.product_name,
        quantity=line.quantity,
        unit_price=to_decimal(line.unit_price, digits),
        line_total=to_decimal(line.subtotal, digits),
    )
