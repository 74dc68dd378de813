"""New orders as the columns of arrays that the statement which places them takes.

Several orders go in one array per column; lines, history and events say by its id to which order
they belong.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from openorders.domain.events import EventType
from openorders.domain.order import Order


def of_orders(orders: Sequence[Order]) -> dict[str, Any]:
    """What is once per order. All of them have the first one's currency."""
    return {
        "currency": orders[0].currency,
        "minor_digits": orders[0].minor_digits,
        "ids": [order.id for order in orders],
        "numbers": [order.number for order in orders],
        "customer_ids": [order.customer.id for order in orders],
        "partner_names": [order.partner_name for order in orders],
        "customer_references": [order.customer_reference for order in orders],
        "subtotals": [order.totals.subtotal for order in orders],
        "discounts": [order.totals.discount for order in orders],
        "shippings": [order.totals.shipping for order in orders],
        "tax_sums": [order.totals.tax for order in orders],
        "totals": [order.totals.total for order in orders],
        "taxes": [_json(order.totals.taxes) for order in orders],
        "discount_codes": [order.discount_code for order in orders],
        "progresses": [order.progress.value for order in orders],
        "payments": [order.payment.value for order in orders],
        "fulfilments": [order.fulfilment.value for order in orders],
        "payments_asked": [order.payment_asked for order in orders],
        "shipping_methods": [order.shipping_method for order in orders],
        "deliveries": [order.estimated_delivery for order in orders],
        "shipping_addresses": [_json(order.shipping_address) for order in orders],
        "billing_addresses": [_json(order.billing_address) for order in orders],
        "payment_methods": [order.payment_method for order in orders],
        "payment_gateways": [order.payment_gateway for order in orders],
        "payment_tokens": [order.payment_token for order in orders],
        "notes": [order.notes for order in orders],
        "times": [order.created_at for order in orders],
        "versions": [order.version for order in orders],
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
    """What is once per line."""
    lines = [line for order in orders for line in order.lines]
    return {
        "order_ids": [order.id for order in orders for _ in order.lines],
        "line_times": [order.created_at for order in orders for _ in order.lines],
        "positions": [n for order in orders for n in range(1, len(order.lines) + 1)],
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
    }


def of_history(orders: Sequence[Order]) -> dict[str, Any]:
    """What is once per entry of a history."""
    entries = [entry for order in orders for entry in order.history]
    return {
        "word_order_ids": [order.id for order in orders for _ in order.history],
        "word_positions": [n for order in orders for n in range(1, len(order.history) + 1)],
        "words": [entry.word.value for entry in entries],
        "word_times": [entry.at for entry in entries],
        "actors": [entry.actor for entry in entries],
        "contracts": [entry.contract for entry in entries],
    }


def of_events(told: Sequence[tuple[Order, Sequence[EventType]]]) -> dict[str, Any]:
    """What is once per event: each carries the whole order."""
    orders = [order for order, events in told for _ in events]
    payloads = [(msgspec.json.encode(order), events) for order, events in told]
    return {
        "event_order_ids": [order.id for order in orders],
        "event_versions": [order.version for order in orders],
        "event_times": [order.created_at for order in orders],
        "event_types": [event.value for _, events in told for event in events],
        "payloads": [payload for payload, events in payloads for _ in events],
    }


def _shares(shares: Sequence[int]) -> str:
    return "[" + ",".join(map(str, shares)) + "]" if shares else "[]"


def _json(value: object) -> str | None:
    if value is None:
        return None
    return msgspec.json.encode(value).decode() if value != () else "[]"
