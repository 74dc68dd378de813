"""Between the core's orders and what `marketplace` reads and prints. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, assert_never

from openorders.contracts import kit
from openorders.contracts.kit import Unreadable
from openorders.contracts.marketplace import ids
from openorders.contracts.marketplace.requests import (
    ItemActionIn,
    ItemIn,
    OrderIn,
    PaymentDetailsIn,
    PaymentIn,
    StatusIn,
)
from openorders.contracts.marketplace.schemas import (
    CreatedOut,
    ItemOut,
    ItemResultOut,
    ItemsOut,
    ItemStatus,
    OrderOut,
    PaymentOut,
    PaymentStatus,
    StatusOut,
)
from openorders.contracts.marketplace.words import status_of, target_of, words_of
from openorders.domain.catalogue import Wanted
from openorders.domain.ids import LineId, OrderId
from openorders.domain.money import from_decimal, to_decimal
from openorders.domain.order import Line, LineState, Order, PaymentState
from openorders.domain.payment import AttemptState, Payment
from openorders.domain.store_settings import Store
from openorders.usecases.advance_order import Advance
from openorders.usecases.pay_order import Paid, Pay
from openorders.usecases.pay_page import pay_path
from openorders.usecases.place_order import PlaceOrder
from openorders.usecases.refund_order import Refund, Returned, Void
from openorders.usecases.settle_lines import LineAction

_NOBODYS_PRICE: Final = -1
"""What a price that cannot be written in the store's currency is compared as."""


def to_place_order(body: OrderIn, store: Store) -> PlaceOrder:
    """A new order whose payment is asked for."""
    return PlaceOrder(
        customer=ids.read_customer(body.customer_id, "customerId"),
        lines=tuple(_wanted(item, position, store) for position, item in enumerate(body.items)),
        payment_method=body.payment_method,
        gateway=body.payment_gateway_id,
        payment_asked=True,
    )


def _wanted(item: ItemIn, position: int, store: Store) -> Wanted:
    price = None if item.price is None else from_decimal(item.price, store.minor_digits)
    if item.price is not None and price is None:
        price = _NOBODYS_PRICE
    return Wanted(
        variant_id=ids.read_offer(item.offer_id, f"items[{position}].offerId"),
        quantity=item.quantity,
        price=price,
    )


def created_out(order: Order, store: Store, origin: str) -> CreatedOut:
    """A new order, with the page on which it can be paid."""
    return CreatedOut(
        order_id=ids.format_order(order.id),
        status=status_of(order.word),
        total_amount=amount(order.totals.total, order),
        payment_url=f"{origin}{pay_path(store.id, order)}",
        created_at=kit.moment(order.created_at),
    )


def order_out(order: Order) -> OrderOut:
    """An order as it is printed."""
    return OrderOut(
        id=ids.format_order(order.id),
        customer_id=ids.format_customer(order.customer.id),
        status=status_of(order.word),
        items=items_out(order),
        total_amount=amount(order.totals.total, order),
        created_at=kit.moment(order.created_at),
    )


def items_out(order: Order) -> list[ItemOut]:
    """The lines, in the order in which they were sent."""
    return [
        ItemOut(
            id=ids.format_item(line.id),
            offer_id=ids.format_offer(line.variant_id),
            quantity=line.quantity,
            price=amount(line.unit_price, order),
            status=item_status(line),
        )
        for line in order.lines
    ]


def amount(minor: int, order: Order) -> Decimal:
    """An amount of the order, with the digits of its currency."""
    return to_decimal(minor, order.minor_digits)


def item_status(line: Line) -> ItemStatus:
    """The line's state in this contract's words, which are those inside."""
    match line.state:
        case LineState.PENDING:
            return "pending"
        case LineState.VERIFIED:
            return "verified"
        case LineState.FULFILLED:
            return "fulfilled"
        case LineState.CANCELLED:
            return "cancelled"
        case _:
            assert_never(line.state)


def to_advance(order_id: OrderId, body: StatusIn) -> Advance:
    """A status that already shows is kept as it is."""
    return Advance(
        order_id=order_id,
        target=target_of(body.status),
        holds=words_of(body.status),
        reason=body.reason,
    )


def status_out(order: Order) -> StatusOut:
    """What a change of the status answers."""
    return StatusOut(
        id=ids.format_order(order.id),
        status=status_of(order.word),
        updated_at=kit.moment(order.updated_at),
    )


def to_actions(items: Sequence[ItemActionIn]) -> tuple[LineAction, ...]:
    """What is to become of each item. Raises `Unreadable` for one that is named twice."""
    seen: set[LineId] = set()
    actions: list[LineAction] = []
    for position, item in enumerate(items):
        at = f"items[{position}].itemId"
        line_id = ids.read_item(item.item_id, at)
        if line_id in seen:
            raise Unreadable(at, "must not be named before")
        seen.add(line_id)
        actions.append(
            LineAction(line_id=line_id, verify=item.action == "verify", reason=item.reason)
        )
    return tuple(actions)


def items_changed_out(order: Order, actions: Sequence[LineAction]) -> ItemsOut:
    """The items that were named, in that order, as they are now."""
    lines = {line.id: line for line in order.lines}
    return ItemsOut(
        order_id=ids.format_order(order.id),
        items=[
            ItemResultOut(
                item_id=ids.format_item(action.line_id), status=item_status(lines[action.line_id])
            )
            for action in actions
        ],
    )


def to_pay(body: PaymentIn, store: Store) -> Pay:
    """Take what is owed. Raises `Unreadable` when there is nothing to pay with, and nobody in
    the store who could have taken it by hand.
    """
    details = _details(body)
    order_id = ids.read_order(body.order_id, "orderId")
    by_hand = any(gateway.is_by_hand for gateway in store.policy.gateways)
    if details.token is None and not by_hand:
        raise Unreadable("paymentDetails.token", "is required")
    return Pay(
        order_id=order_id,
        method=details.method,
        token=details.token,
        amount=details.amount,
    )


def to_refund(body: PaymentIn) -> Refund:
    """Give back all, or the amount that is named."""
    order_id = ids.read_order(body.order_id, "orderId")
    return Refund(order_id=order_id, amount=_details(body).amount)


def to_void(body: PaymentIn) -> Void:
    """Release what is only authorised."""
    return Void(order_id=ids.read_order(body.order_id, "orderId"))


def _details(body: PaymentIn) -> PaymentDetailsIn:
    return body.payment_details or PaymentDetailsIn()


def paid_out(paid: Paid) -> PaymentOut:
    """The payment that was made."""
    captured = paid.payment.state is AttemptState.CAPTURED
    return _payment_out(paid.order, paid.payment, "completed" if captured else "authorised")


def refunded_out(returned: Returned) -> PaymentOut:
    """The payment that the money went back to: the latest of them that any went back to."""
    order = returned.order
    given_back = [payment for payment in order.payments if payment.captured]
    if returned.pending:
        return _payment_out(order, given_back[-1], "pending")
    touched = [payment for payment in given_back if payment.refunded]
    whole = order.payment is PaymentState.REFUNDED
    return _payment_out(order, touched[-1], "refunded" if whole else "part_refunded")


def voided_out(returned: Returned) -> PaymentOut:
    """The payment that was released."""
    order = returned.order
    touched = [payment for payment in order.payments if payment.state is AttemptState.VOIDED]
    if returned.pending or not touched:
        return _payment_out(order, order.payments[-1], "pending")
    return _payment_out(order, touched[-1], "voided")


def _payment_out(order: Order, payment: Payment, status: PaymentStatus) -> PaymentOut:
    return PaymentOut(
        order_id=ids.format_order(order.id),
        payment_status=status,
        transaction_id=ids.format_transaction(payment.id),
    )
