"""What is kept for a while only, of the last days: events in the outbox, and idempotency keys.

An event's payload is the whole order as it was right then, written as the product writes it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final

import msgspec

from bench import orders_words as words
from bench.orders_drawn import DAY, Past, Plan
from bench.orders_rows import (
    CURRENCY,
    DISCOUNT_CODE,
    LINES_MAX,
    TAX,
    Costs,
    Numbers,
    costs_of,
    customer_name,
    line_state,
    moment,
    states_of,
    token,
    variant,
)
from openorders.domain.customer import Customer
from openorders.domain.events import EventType
from openorders.domain.ids import CustomerId, LineId, OrderId, ProductId, VariantId
from openorders.domain.order import (
    Fulfilment,
    HistoryEntry,
    Line,
    LineState,
    Order,
    PaymentState,
    Progress,
    Shipment,
    Tax,
    Totals,
    Word,
)
from openorders.store.idempotency import packed

EVENTS_KEPT: Final = 30 * DAY
KEYS_KEPT: Final = DAY
_HEADERS: Final = packed((("content-type", "application/json"),))


def events_of(plan: Plan, numbers: Numbers, past: Past, actor: str, contract: str) -> Iterator[str]:
    """Rows of what was told lately: order, version, type, payload and time."""
    oldest = plan.until - EVENTS_KEPT
    if past.last_at < oldest:
        return
    for version in range(1, len(past.steps) + 2):
        then = _as_it_was(past, version - 1)
        if then.last_at < oldest:
            continue
        order = order_of(plan, numbers, then, actor, contract)
        payload = msgspec.json.encode(order).hex()
        for event in _events(then):
            yield (
                f"{numbers.store}\t{order.id}\t{version}\t{event}\t\\\\x{payload}\t"
                f"{moment(then.last_at)}\n"
            )


def keys_of(plan: Plan, numbers: Numbers, past: Past, actor: str, contract: str) -> Iterator[str]:
    """The row of the key that an order of the last day came under, with what was answered."""
    if past.at < plan.until - KEYS_KEPT:
        return
    first = _as_it_was(past, 0)
    body = msgspec.json.encode(order_of(plan, numbers, first, actor, contract)).hex()
    digest = sha256(f"{plan.seed}:{past.place}".encode()).hexdigest()
    yield (
        f"{numbers.store}\t\\\\x{digest}\t\\\\x{digest[::-1]}\t201\t\\\\x{_HEADERS.hex()}\t"
        f"\\\\x{body}\t{moment(past.at)}\n"
    )


def _as_it_was(past: Past, steps: int) -> Past:
    """The order after so many of its steps."""
    taken = past.steps[:steps]
    known = dict(taken)
    return replace(
        past,
        steps=taken,
        words=known,
        refund=past.refund if "refunded" in known else None,
        declined_at=past.declined_at if steps or not past.steps else None,
    )


def _events(then: Past) -> tuple[str, ...]:
    if then.steps:
        return (f"order.{then.steps[-1][0]}",)
    asked = (EventType.ORDER_PAYMENT_REQUESTED.value,) if then.asked else ()
    return (EventType.ORDER_CREATED.value, *asked)


def order_of(plan: Plan, numbers: Numbers, past: Past, actor: str, contract: str) -> Order:
    """The order as the product would have it in its hands."""
    costs = costs_of(plan, past)
    progress, payment, fulfilment = states_of(past)
    name, email = customer_name(past.customer)
    method = costs.method
    at, shipped = _time(past.at), past.words.get("shipped")
    return Order(
        id=OrderId(numbers.order + past.place + 1),
        number=past.place + 1,
        customer=Customer(
            id=CustomerId(numbers.customer_id(past.customer)), name=name, email=email
        ),
        currency=CURRENCY,
        minor_digits=2,
        totals=Totals(
            subtotal=costs.subtotal,
            discount=costs.discount,
            shipping=costs.shipping,
            taxes=(Tax(name=TAX[0], rate=Decimal(TAX[1]), amount=costs.tax),)
            if costs.taxed
            else (),
        ),
        lines=_lines(numbers, past, costs),
        created_at=at,
        updated_at=_time(past.last_at),
        version=1 + len(past.steps),
        progress=Progress(progress),
        payment=PaymentState(payment),
        fulfilment=Fulfilment(fulfilment),
        payment_asked=past.asked,
        partner_name=None if past.partner is None else words.PARTNERS[past.partner],
        discount_code=DISCOUNT_CODE if costs.discount else None,
        shipping_method=method[0] if method else None,
        estimated_delivery=(at + timedelta(days=method[2])).date() if method else None,
        payment_gateway=past.gateway,
        payment_token=token(past.place, plan.seed),
        shipment=Shipment(carrier="UPS", shipped_at=_time(shipped)) if shipped else None,
        history=tuple(
            HistoryEntry(word=Word(word), at=_time(when), actor=actor, contract=contract)
            for word, when in (("created", past.at), *past.steps)
        ),
    )


def _lines(numbers: Numbers, past: Past, costs: Costs) -> tuple[Line, ...]:
    first = numbers.line + past.place * LINES_MAX + 1
    state = LineState(line_state(past))
    lines: list[Line] = []
    for n, (number, quantity) in enumerate(past.lines):
        sold = variant(number)
        lines.append(
            Line(
                id=LineId(first + n),
                product_id=ProductId(sold.product),
                variant_id=VariantId(number),
                product_name=sold.product_name,
                variant_name=sold.name,
                sku=sold.sku,
                image=None,
                unit_price=costs.prices[n],
                quantity=quantity,
                discount_share=costs.discounts[n],
                tax_shares=(costs.taxes[n],) if costs.taxed else (),
                state=state,
            )
        )
    return tuple(lines)


def _time(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
