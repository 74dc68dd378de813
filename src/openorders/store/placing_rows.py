"""New orders as the statements that place them take them.

One by itself goes as a value per column. Several go as one document each, with what the document
does not say in arrays beside it: stock's lines say by its id to which order they belong, events by
its place.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from openorders.domain.events import EventType
from openorders.domain.order import Order


def of_several(orders: Sequence[Order]) -> dict[str, Any]:
    """All of several orders: each as one document, and by itself what the document does not say
    or what is needed before it is read.
    """
    documents = [msgspec.json.encode(order) for order in orders]
    return {
        "orders": (b"[" + b",".join(documents) + b"]").decode(),
        "payloads": documents,
        "ids": [order.id for order in orders],
        "times": [order.created_at for order in orders],
        "tax_sums": [order.totals.tax for order in orders],
        "totals": [order.totals.total for order in orders],
    }


def of_one(order: Order) -> dict[str, Any]:
    """All of one order, for the statement that places it by itself."""
    lines, history, totals = order.lines, order.history, order.totals
    return {
        "id": order.id,
        "number": order.number,
        "customer_id": order.customer.id,
        "partner_name": order.partner_name,
        "customer_reference": order.customer_reference,
        "currency": order.currency,
        "minor_digits": order.minor_digits,
        "subtotal": totals.subtotal,
        "discount": totals.discount,
        "shipping": totals.shipping,
        "tax": totals.tax,
        "total": totals.total,
        "taxes": _json(totals.taxes),
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
        "payload": msgspec.json.encode(order),
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
        "tax_shares": [_shares(line.tax_shares) for line in lines],
        "words": [entry.word.value for entry in history],
        "word_times": [entry.at for entry in history],
        "actors": [entry.actor for entry in history],
        "contracts": [entry.contract for entry in history],
    }


def of_lines(orders: Sequence[Order]) -> dict[str, Any]:
    """What is moved in stock, a place per line."""
    return {
        "order_ids": [order.id for order in orders for _ in order.lines],
        "line_times": [order.created_at for order in orders for _ in order.lines],
        "variant_ids": [line.variant_id for order in orders for line in order.lines],
        "quantities": [line.quantity for order in orders for line in order.lines],
    }


def of_events(told: Sequence[Sequence[EventType]]) -> dict[str, Any]:
    """What is told of each order, by the place (from 1) of the order."""
    return {
        "event_places": [place for place, events in enumerate(told, 1) for _ in events],
        "event_types": [event.value for events in told for event in events],
    }


def _shares(shares: Sequence[int]) -> str:
    return "[" + ",".join(map(str, shares)) + "]" if shares else "[]"


def _json(value: object) -> str | None:
    if value is None:
        return None
    return msgspec.json.encode(value).decode() if value != () else "[]"
