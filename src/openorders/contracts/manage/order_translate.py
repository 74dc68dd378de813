"""An order in the management API's words: the three axes by themselves, and all of its money."""

from decimal import Decimal

from openorders.contracts import kit
from openorders.contracts.manage import ids
from openorders.contracts.manage.money_translate import payment_out, refund_out
from openorders.contracts.manage.order_schemas import (
    BalanceOut,
    CustomerOut,
    HistoryOut,
    LineOut,
    OrderOut,
    TotalsOut,
)
from openorders.domain import balance
from openorders.domain.money import to_decimal
from openorders.domain.order import Line, Order
from openorders.domain.payment import captured, refundable


def order_out(order: Order, origin: str) -> OrderOut:
    """An order that was read whole."""
    return OrderOut(
        id=ids.ORDER.format(order.id),
        customer=CustomerOut(
            id=ids.CUSTOMER.format(order.customer.id),
            name=order.customer.name,
            email=order.customer.email,
        ),
        status=order.word.value,
        progress=order.progress.value,
        payment=order.payment.value,
        fulfilment=order.fulfilment.value,
        currency=order.currency,
        lines=[_line_out(order, line) for line in order.lines],
        totals=_totals_out(order),
        balance=_balance_out(order),
        payments=[payment_out(one, order.id, order.currency, origin) for one in order.payments],
        refunds=[refund_out(one, order.id, order.currency) for one in order.refunds],
        history=[
            HistoryOut(
                status=entry.word.value,
                at=kit.moment(entry.at),
                actor=entry.actor,
                through=entry.contract,
                reason=entry.reason,
            )
            for entry in order.history
        ],
        version=order.version,
        created_at=kit.moment(order.created_at),
        updated_at=kit.moment(order.updated_at),
    )


def _line_out(order: Order, line: Line) -> LineOut:
    quantity, refunded = balance.refunded_of(order, line)
    return LineOut(
        id=ids.LINE.format(line.id),
        product_id=ids.PRODUCT.format(line.product_id),
        variant_id=ids.VARIANT.format(line.variant_id),
        name=line.product_name,
        sku=line.sku,
        quantity=line.quantity,
        unit_price=_money(order, line.unit_price),
        discount=_money(order, line.discount_share),
        tax=_money(order, sum(line.tax_shares)),
        total=_money(order, line.share),
        refunded_quantity=quantity,
        refunded=_money(order, refunded),
        state=line.state.value,
    )


def _totals_out(order: Order) -> TotalsOut:
    totals = order.totals
    return TotalsOut(
        subtotal=_money(order, totals.subtotal),
        discount=_money(order, totals.discount),
        shipping=_money(order, totals.shipping),
        tax=_money(order, totals.tax),
        total=_money(order, totals.total),
    )


def _balance_out(order: Order) -> BalanceOut:
    taken, left = captured(order.payments), refundable(order.payments)
    return BalanceOut(
        price=_money(order, balance.price_of(order)),
        captured=_money(order, taken),
        refunded=_money(order, taken - left),
        owed=_money(order, balance.owed(order)),
        refundable=_money(order, left),
    )


def _money(order: Order, minor: int) -> Decimal:
    return to_decimal(minor, order.minor_digits)
