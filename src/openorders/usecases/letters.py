"""What we write to a customer about an order: a subject, a text, and the same in HTML.

Pure wording. Everything that came from outside is escaped in the HTML, and a link is only made
of an http(s) address.
"""

from dataclasses import dataclass
from html import escape
from typing import Final

from openorders.domain import money
from openorders.domain.order import LineState, Order, Word
from openorders.domain.store_settings import Store

NEWS: Final = {
    Word.CREATED: ("We have received your order {number}", "Thank you. We have your order."),
    Word.PAYMENT_PENDING: (
        "Your order {number} awaits payment",
        "We have your order and are waiting for its payment.",
    ),
    Word.PAID: ("Your order {number} is paid", "Thank you. We have received your payment."),
    Word.PROCESSING: ("Your order {number} is being prepared", "We are preparing your order."),
    Word.SHIPPED: ("Your order {number} has been shipped", "Your order is on its way to you."),
    Word.DELIVERED: ("Your order {number} was delivered", "Your order has been delivered."),
    Word.COMPLETED: ("Your order {number} is complete", "Your order is complete. Thank you."),
    Word.CANCELLED: (
        "Your order {number} was cancelled",
        "Your order was cancelled. What you paid is given back to you.",
    ),
    Word.REFUNDED: (
        "Your order {number} was refunded",
        "What you paid for your order is given back to you.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A letter without its envelope."""

    subject: str
    text: str
    html: str


def about(order: Order, store: Store) -> Wording:
    """What there is to say about an order as it stands."""
    number = f"{store.number_prefix}{order.number}"
    subject, sentence = NEWS[order.word]
    subject = subject.format(number=number)
    greeting = f"Dear {order.customer.name}," if order.customer.name else "Hello,"
    parcel = _parcel(order)
    rows = _rows(order)
    total = _amount(order, order.totals.total)
    text = "\n".join(
        (
            greeting,
            "",
            sentence,
            *(f"{name}: {value}" for name, value in parcel),
            "",
            f"Order {number}",
            *(f"  {quantity} x {name}  {amount}" for quantity, name, amount in rows),
            f"  Total  {total}",
            "",
            store.name,
            "",
        )
    )
    return Wording(
        subject=subject,
        text=text,
        html=_html(subject, greeting, sentence, parcel, number, rows, total, store.name),
    )


def _parcel(order: Order) -> tuple[tuple[str, str], ...]:
    shipment = order.shipment
    if shipment is None or order.word not in (Word.SHIPPED, Word.DELIVERED):
        return ()
    named = (
        ("Carrier", shipment.carrier),
        ("Tracking number", shipment.tracking_number),
        ("Follow it at", shipment.tracking_url),
    )
    return tuple((name, value) for name, value in named if value)


def _rows(order: Order) -> tuple[tuple[int, str, str], ...]:
    return tuple(
        (
            line.quantity,
            " ".join(part for part in (line.product_name, line.variant_name) if part),
            _amount(order, line.subtotal),
        )
        for line in order.lines
        if line.state is not LineState.CANCELLED or order.word is Word.CANCELLED
    )


def _amount(order: Order, minor: int) -> str:
    return f"{money.to_decimal(minor, order.minor_digits)} {order.currency}"


def _html(
    subject: str,
    greeting: str,
    sentence: str,
    parcel: tuple[tuple[str, str], ...],
    number: str,
    rows: tuple[tuple[int, str, str], ...],
    total: str,
    signature: str,
) -> str:
    news = "".join(f"<p>{escape(name)}: {_linked(value)}</p>" for name, value in parcel)
    lines = "".join(
        f"<tr><td>{quantity} &times;</td><td>{escape(name)}</td><td>{escape(amount)}</td></tr>"
        for quantity, name, amount in rows
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(subject)}</title></head><body>"
        f"<p>{escape(greeting)}</p><p>{escape(sentence)}</p>{news}"
        f"<h2>Order {escape(number)}</h2><table>{lines}"
        f"<tr><td></td><td>Total</td><td>{escape(total)}</td></tr></table>"
        f"<p>{escape(signature)}</p></body></html>\n"
    )


def _linked(value: str) -> str:
    if value.startswith(("https://", "http://")):
        return f'<a href="{escape(value)}">{escape(value)}</a>'
    return escape(value)
