"""Between the management API's bodies and the use cases, for everything about money."""

from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

import msgspec

from openorders.contracts import kit
from openorders.contracts.kit import Unreadable
from openorders.contracts.manage import ids
from openorders.contracts.manage.money_schemas import (
    FullPaymentOut,
    MethodOut,
    NextAction,
    OperationOut,
    PaymentIn,
    PaymentOut,
    RefundedLineOut,
    RefundIn,
    RefundOut,
)
from openorders.domain.ids import LineId, MethodId, OrderId
from openorders.domain.money import minor_digits, to_decimal
from openorders.domain.payment import AttemptState, Operation, Payment
from openorders.domain.refund import Refund as GivenBack
from openorders.domain.refunding import RefundLine
from openorders.domain.saved_method import StoredMethod
from openorders.usecases.pay_order import Pay
from openorders.usecases.read_payments import PaymentView, RefundView
from openorders.usecases.record_payment import RecordPayment
from openorders.usecases.refund_order import Refund

_CARD_FIELDS: Final = ("token", "payment_method_id", "gateway", "return_url")
_HAND_FIELDS: Final = ("how", "reference")


def to_payment(order_id: OrderId, body: PaymentIn) -> Pay | RecordPayment:
    """What is to be done. Raises `Unreadable` where fields of two ways to pay are mixed."""
    return _to_pay(order_id, body) if body.method is None else _to_record(order_id, body)


def _to_record(order_id: OrderId, body: PaymentIn) -> RecordPayment:
    for name in _CARD_FIELDS:
        if getattr(body, name) is not None:
            raise Unreadable(_camel(name), "does not go with a payment by hand")
    if body.page:
        raise Unreadable("page", "does not go with a payment by hand")
    if body.amount is None:
        raise Unreadable("amount", "is required")
    if body.how is None:
        raise Unreadable("how", "is required")
    return RecordPayment(
        order_id=order_id,
        amount=body.amount,
        method=body.how,
        reference=_printable("reference", body.reference),
        reason=_printable("reason", body.reason),
    )


def _to_pay(order_id: OrderId, body: PaymentIn) -> Pay:
    for name in _HAND_FIELDS:
        if getattr(body, name) is not None:
            raise Unreadable(_camel(name), 'goes with the method "manual", and only with it')
    if body.reason is not None:
        raise Unreadable("reason", 'goes with the method "manual", and only with it')
    ways = [body.token is not None, body.payment_method_id is not None, body.page]
    if sum(ways) != 1:
        raise Unreadable("body", "must have one of token, paymentMethodId, page and method")
    if body.page and body.return_url is None:
        raise Unreadable("returnUrl", "is required")
    if body.return_url is not None:
        _require_address(body.return_url)
    saved = body.payment_method_id
    return Pay(
        order_id=order_id,
        token=body.token,
        amount=body.amount,
        gateway=body.gateway,
        saved_method=(
            None if saved is None else MethodId(ids.METHOD.read(saved, "paymentMethodId"))
        ),
        part=True,
        return_url=body.return_url,
        page=body.page,
    )


def to_refund(order_id: OrderId, body: RefundIn) -> Refund:
    """What is to be given back. Raises `Unreadable` for a line that is named twice."""
    lines = tuple(
        RefundLine(
            line_id=LineId(ids.LINE.read(line.line_id, f"lines[{position}].lineId")),
            quantity=line.quantity,
        )
        for position, line in enumerate(body.lines)
    )
    seen: set[LineId] = set()
    for position, line in enumerate(lines):
        if line.line_id in seen:
            raise Unreadable(f"lines[{position}].lineId", "was given twice")
        seen.add(line.line_id)
    if body.shipping and body.shipping_amount is not None:
        raise Unreadable("shippingAmount", "does not go with shipping, which is all of it")
    return Refund(
        order_id=order_id,
        amount=body.amount,
        lines=lines,
        shipping=True if body.shipping else body.shipping_amount,
        reason=_printable("reason", body.reason),
        restock=body.restock,
    )


def payment_out(payment: Payment, order_id: OrderId, currency: str, origin: str) -> PaymentOut:
    """One attempt. `origin` completes the address of a page of our own."""
    digits = minor_digits(currency)
    return PaymentOut(
        id=ids.PAYMENT.format(payment.id),
        order_id=ids.ORDER.format(order_id),
        state=payment.state.value,
        amount=to_decimal(payment.amount, digits),
        captured=to_decimal(payment.captured, digits),
        refunded=to_decimal(payment.refunded, digits),
        refunding=to_decimal(payment.refunding, digits),
        currency=currency,
        gateway=payment.gateway,
        method=payment.method,
        reference=payment.reference,
        card_brand=payment.card_brand,
        card_last_four=payment.card_last_four,
        decline_code=payment.decline_code,
        next_action=_next_action(payment, origin),
        created_at=kit.moment(payment.created_at),
        settled_at=None if payment.settled_at is None else kit.moment(payment.settled_at),
    )


def full_payment_out(view: PaymentView, origin: str) -> FullPaymentOut:
    """One attempt with its calls."""
    shown = payment_out(view.payment, view.order_id, view.currency, origin)
    digits = minor_digits(view.currency)
    return FullPaymentOut(
        **msgspec.structs.asdict(shown),
        operations=[_operation_out(one, digits) for one in view.operations],
    )


def refund_view_out(view: RefundView) -> RefundOut:
    """One refund, as it was found."""
    return refund_out(view.refund, view.order_id, view.currency)


def refund_out(refund: GivenBack, order_id: OrderId, currency: str) -> RefundOut:
    """One refund of an order."""

    def money(minor: int) -> Decimal:
        return to_decimal(minor, minor_digits(currency))

    return RefundOut(
        id=ids.REFUND.format(refund.id),
        order_id=ids.ORDER.format(order_id),
        state=refund.state.value,
        amount=money(refund.amount),
        failed=money(refund.failed),
        currency=currency,
        lines=[
            RefundedLineOut(
                line_id=ids.LINE.format(line.line_id),
                quantity=line.quantity,
                amount=money(line.amount),
                restocked=line.restocked,
            )
            for line in refund.lines
        ],
        shipping=money(refund.shipping),
        goodwill=money(refund.goodwill),
        reason=refund.reason,
        restock=refund.restock,
        created_at=kit.moment(refund.at),
    )


def method_out(method: StoredMethod) -> MethodOut:
    """One saved card."""
    return MethodOut(
        id=ids.METHOD.format(method.id),
        customer_id=ids.CUSTOMER.format(method.customer_id),
        gateway=method.gateway,
        card_brand=method.card_brand,
        card_last_four=method.card_last_four,
        expires=method.expires,
        created_at=kit.moment(method.created_at),
    )


def _operation_out(operation: Operation, digits: int) -> OperationOut:
    refund_id, settled_at = operation.refund_id, operation.settled_at
    return OperationOut(
        id=ids.OPERATION.format(operation.id),
        kind=operation.kind.value,
        state=operation.state.value,
        amount=to_decimal(operation.amount, digits),
        reason=operation.reason,
        reference=operation.reference,
        failure=operation.failure,
        refund_id=None if refund_id is None else ids.REFUND.format(refund_id),
        created_at=kit.moment(operation.created_at),
        settled_at=None if settled_at is None else kit.moment(settled_at),
    )


def _next_action(payment: Payment, origin: str) -> NextAction | None:
    url = payment.action_url
    if url is None or payment.state is not AttemptState.PENDING:
        return None
    return NextAction(url=f"{origin}{url}" if url.startswith("/") else url)


def _require_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_one = False
    if not is_one or not url.isascii() or not url.isprintable() or " " in url:
        raise Unreadable("returnUrl", "must be an absolute http(s) URL")


def _printable(field: str, text: str | None) -> str | None:
    if text is not None and not text.isprintable():
        raise Unreadable(field, "must be printable")
    return text


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
