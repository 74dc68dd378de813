"""How `storefront` shows an order: in a list, in full, after a change. Pure."""

from datetime import datetime
from typing import Final, assert_never

from msgspec import UNSET, UnsetType

from openorders.contracts.kit import Money, moment, pages
from openorders.contracts.storefront import ids
from openorders.contracts.storefront.requests import ListQuery
from openorders.contracts.storefront.schemas import (
    AddressOut,
    CancellationOut,
    CancelledOrder,
    ChangedOrder,
    CustomerOut,
    FullOrderItem,
    HistoryOut,
    ListedOrder,
    NotificationOut,
    OrderItem,
    OrderOut,
    OrdersOut,
    Pagination,
    PaymentOut,
    PaymentStatus,
    RefundOut,
    ShippingDetails,
    ShippingSummary,
    TaxOut,
)
from openorders.contracts.storefront.translate import status_of
from openorders.domain.address import Address
from openorders.domain.money import to_decimal
from openorders.domain.order import Line, Order, PaymentState
from openorders.domain.payment import Payment
from openorders.domain.store_settings import Store
from openorders.usecases.advance_order import Advanced
from openorders.usecases.cancel_order import Cancelled
from openorders.usecases.read_orders import OrderPage

REFUND_TIME: Final = "3-5 business days"


def orders_out(store: Store, query: ListQuery, page: OrderPage) -> OrdersOut:
    """A page of orders."""
    total = page.total or 0
    return OrdersOut(
        orders=[_listed(store, order) for order in page.orders],
        pagination=Pagination(
            total=total, pages=pages(total, query.limit), page=query.page, limit=query.limit
        ),
    )


def order_out(store: Store, order: Order) -> OrderOut:
    """One order in full. Its payments and history must have been read."""
    totals = order.totals
    return OrderOut(
        id=ids.format_order(order.id),
        number=_number(store, order),
        status=status_of(order.word),
        created_at=moment(order.created_at),
        updated_at=moment(order.updated_at),
        completed_at=UNSET if order.completed_at is None else moment(order.completed_at),
        total_amount=_money(order, totals.total),
        currency=order.currency,
        customer=CustomerOut(
            id=ids.format_customer(order.customer.id),
            email=order.customer.email,
            name=order.customer.name,
        ),
        items=[_full_item(order, line) for line in order.lines],
        shipping_address=_address(order.shipping_address),
        billing_address=_address(order.billing_address),
        shipping_details=_shipping(order),
        payment_details=_payment(order),
        subtotal=_money(order, totals.subtotal),
        tax_amount=_money(order, totals.tax),
        tax_details=[
            TaxOut(name=tax.name, rate=tax.rate, amount=_money(order, tax.amount))
            for tax in totals.taxes
        ],
        discount_amount=_money(order, totals.discount),
        discount_code=order.discount_code,
        notes=order.notes,
        status_history=_history(order),
        cancellation=_cancellation(order),
        refund=_refund(order, sum(p.refunded + p.refunding for p in order.payments)),
    )


def changed_out(store: Store, advanced: Advanced) -> ChangedOrder:
    """What staff see after they changed an order's status."""
    order, told = advanced.order, advanced.notification
    return ChangedOrder(
        id=ids.format_order(order.id),
        number=_number(store, order),
        status=status_of(order.word),
        updated_at=moment(order.updated_at),
        shipping_details=_shipping(order),
        status_history=_history(order),
        notification=UNSET
        if told is None
        else NotificationOut(sent=told.sent, method="email", timestamp=moment(told.at)),
    )


def cancelled_out(store: Store, cancelled: Cancelled) -> CancelledOrder:
    """What is left of an order after it was cancelled, and what goes back to the customer."""
    order = cancelled.order
    return CancelledOrder(
        id=ids.format_order(order.id),
        number=_number(store, order),
        status=status_of(order.word),
        updated_at=moment(order.updated_at),
        cancellation=_cancellation(order),
        status_history=_history(order),
        refund=_refund(order, cancelled.refund),
    )


def _listed(store: Store, order: Order) -> ListedOrder:
    totals = order.totals
    return ListedOrder(
        id=ids.format_order(order.id),
        number=_number(store, order),
        status=status_of(order.word),
        created_at=moment(order.created_at),
        updated_at=moment(order.updated_at),
        total_amount=_money(order, totals.total),
        currency=order.currency,
        items=[_item(order, line) for line in order.lines],
        shipping_details=ShippingSummary(
            method=order.shipping_method,
            cost=_money(order, totals.shipping),
            estimated_delivery=order.estimated_delivery,
        ),
        tax_amount=_money(order, totals.tax),
        discount_amount=_money(order, totals.discount),
        discount_code=order.discount_code,
    )


def _number(store: Store, order: Order) -> str:
    return f"{store.number_prefix}{order.number}"


def _money(order: Order, minor: int) -> Money:
    return to_decimal(minor, order.minor_digits)


def _item(order: Order, line: Line) -> OrderItem:
    return OrderItem(
        id=ids.format_line(line.id),
        product_id=ids.format_product(line.product_id),
        name=line.product_name,
        variant_name=line.variant_name,
        price=_money(order, line.unit_price),
        quantity=line.quantity,
        subtotal=_money(order, line.subtotal),
    )


def _full_item(order: Order, line: Line) -> FullOrderItem:
    return FullOrderItem(
        id=ids.format_line(line.id),
        product_id=ids.format_product(line.product_id),
        name=line.product_name,
        variant_name=line.variant_name,
        sku=line.sku,
        price=_money(order, line.unit_price),
        quantity=line.quantity,
        subtotal=_money(order, line.subtotal),
        image=line.image,
    )


def _address(address: Address | None) -> AddressOut | None:
    if address is None:
        return None
    return AddressOut(
        name=address.name,
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        state=address.state,
        postal_code=address.postal_code,
        country=address.country,
        phone=address.phone,
    )


def _shipping(order: Order) -> ShippingDetails:
    parcel = order.shipment
    return ShippingDetails(
        method=order.shipping_method,
        carrier=parcel.carrier if parcel else None,
        tracking_number=parcel.tracking_number if parcel else None,
        tracking_url=parcel.tracking_url if parcel else None,
        cost=_money(order, order.totals.shipping),
        estimated_delivery=order.estimated_delivery,
        shipped_at=_moment(parcel.shipped_at) if parcel else None,
    )


def _moment(at: datetime | None) -> datetime | None:
    return None if at is None else moment(at)


def _payment(order: Order) -> PaymentOut:
    payment = _shown_payment(order.payments)
    taken = payment is not None and payment.captured > 0
    return PaymentOut(
        method=payment.method if payment else order.payment_method,
        status=_payment_status(order.payment),
        last_four=payment.card_last_four if payment else None,
        card_type=payment.card_brand if payment else None,
        paid_at=_moment(payment.settled_at) if payment and taken else None,
    )


def _shown_payment(payments: tuple[Payment, ...]) -> Payment | None:
    """The latest that brought money; while there is none, the latest attempt."""
    taken = [payment for payment in payments if payment.captured > 0]
    return next(reversed(taken or payments), None)


def _payment_status(payment: PaymentState) -> PaymentStatus | None:
    match payment:
        case PaymentState.NONE:
            return None
        case PaymentState.PENDING:
            return "pending"
        case PaymentState.AUTHORISED:
            return "authorized"
        case PaymentState.PAID:
            return "paid"
        case PaymentState.PART_REFUNDED:
            return "partially_refunded"
        case PaymentState.REFUNDED:
            return "refunded"
        case PaymentState.FAILED:
            return "failed"
        case _:
            assert_never(payment)


def _history(order: Order) -> list[HistoryOut]:
    """When each status began. What else happened to the order has no place here."""
    words = [None, *(entry.word for entry in order.history)]
    return [
        HistoryOut(status=status_of(entry.word), timestamp=moment(entry.at))
        for before, entry in zip(words, order.history, strict=False)
        if entry.word is not before
    ]


def _cancellation(order: Order) -> CancellationOut | UnsetType:
    ended = order.cancellation
    if ended is None:
        return UNSET
    return CancellationOut(
        reason=ended.reason, comments=ended.comments, cancelled_at=moment(ended.at)
    )


def _refund(order: Order, amount: int) -> RefundOut | UnsetType:
    if amount == 0:
        return UNSET
    done = sum(payment.refunded for payment in order.payments) >= amount
    return RefundOut(
        status="completed" if done else "processing",
        amount=_money(order, amount),
        estimated_processing_time=REFUND_TIME,
    )
