"""The operations on one order: see it, take money for it, give money back."""

from typing import Final

from openorders.contracts import kit
from openorders.contracts.kit import Answer, Call, NoSuch, Unreadable
from openorders.contracts.manage import cursors
from openorders.contracts.manage import money_examples as examples
from openorders.contracts.manage import money_translate as translate
from openorders.contracts.manage.access import ADMIN, STAFF
from openorders.contracts.manage.ids import ORDER
from openorders.contracts.manage.money_schemas import (
    FullPaymentOut,
    PaymentIn,
    PaymentOut,
    PaymentsOut,
    RefundIn,
    RefundOut,
    RefundsOut,
)
from openorders.contracts.manage.order_schemas import OrderOut
from openorders.contracts.manage.order_translate import order_out
from openorders.contracts.manage.schemas import PageQuery
from openorders.domain.ids import LineId, MethodId, OrderId, PaymentId, RefundId
from openorders.domain.order import Word
from openorders.domain.refusals import (
    AlreadyPaid,
    AmountNotOwed,
    LineNotFound,
    LineNotOpen,
    MethodNotFound,
    NothingToRefund,
    NotPayable,
    OrderNotFound,
    PaymentDeclined,
    PaymentInProgress,
    PaymentUnsettled,
    UnitsNotLeft,
    UnknownGateway,
)
from openorders.usecases.pay_order import Paid, Pay, pay_order
from openorders.usecases.read_orders import read_order
from openorders.usecases.read_payments import list_payments, list_refunds
from openorders.usecases.record_payment import record_payment
from openorders.usecases.refund_order import Returned, refund_order

ORDERS: Final = "Orders"
PAYMENTS: Final = "Payments"
REFUNDS: Final = "Refunds"

_EXAMPLE: Final = OrderId(42)
_ORDER_ID: Final = {"order_id": "order_42"}
_NO_ORDER: Final = (OrderNotFound(OrderId(999)), NoSuch("order", "order_042"))
_DECLINED: Final = PaymentDeclined("insufficient_funds", "Your card has insufficient funds.")


@kit.get(
    "/v1/orders/{order_id}",
    answers={200: OrderOut},
    summary="One order with its money",
    answer_example=examples.ORDER,
    path_examples=_ORDER_ID,
    etag=True,
    only=ADMIN,
    tag=ORDERS,
    refuses=_NO_ORDER,
)
async def get_order(call: Call, order_id: str) -> Answer:
    """The order line by line, with every payment, every refund and its history."""
    order = await read_order(call.context, OrderId(ORDER.parse(order_id)))
    return kit.answer(200, order_out(order, call.origin), etag=order.version)


@kit.get(
    "/v1/orders/{order_id}/payments",
    answers={200: PaymentsOut},
    summary="An order's payments",
    answer_example=PaymentsOut(payments=[examples.FULL_PAYMENT], next=None),
    path_examples=_ORDER_ID,
    only=STAFF,
    tag=PAYMENTS,
    refuses=(*_NO_ORDER, cursors.NO_CURSOR),
)
async def get_order_payments(call: Call, order_id: str, query: PageQuery) -> Answer:
    """Every attempt to pay the order, with the calls that were made to gateways."""
    number = OrderId(ORDER.parse(order_id))
    place = cursors.of("payments", number)
    after = cursors.after(place, query.after)
    found = await list_payments(
        call.context,
        number,
        after=None if after is None else PaymentId(after),
        limit=query.limit + 1,
    )
    page = cursors.page_of(call, place, found, query.limit, lambda view: view.payment.id)
    shown: list[FullPaymentOut] = [
        translate.full_payment_out(view, call.origin) for view in page.entries
    ]
    return kit.answer(200, PaymentsOut(payments=shown, next=page.next), headers=page.headers)


@kit.post(
    "/v1/orders/{order_id}/payments",
    answers={201: PaymentOut},
    summary="Take a payment, or record one",
    examples={"card": examples.CARD, "saved card": examples.SAVED, "by hand": examples.BY_HAND},
    answer_example=examples.PAYMENT,
    path_examples=_ORDER_ID,
    etag=True,
    only=ADMIN,
    tag=PAYMENTS,
    refuses=(
        *_NO_ORDER,
        Unreadable("amount", "is required"),
        AmountNotOwed(6000, 5597, 2),
        AlreadyPaid(_EXAMPLE),
        NotPayable(_EXAMPLE, Word.CANCELLED),
        UnknownGateway("bank_9"),
        MethodNotFound(MethodId(999)),
        PaymentInProgress(_EXAMPLE),
        PaymentUnsettled(_EXAMPLE),
        _DECLINED,
    ),
)
async def create_payment(call: Call, order_id: str, data: PaymentIn) -> Answer:
    """Take what is owed, or with `amount` a part of it: by a card, a saved card, or on the
    gateway's own page. A payment that is `pending` waits for its buyer at `nextAction.url`.

    With the method `manual` the money is here already. Any amount may have come, for an order in
    any state: what is not owed goes back, by hand as it came, and the history says so.
    """
    command = translate.to_payment(OrderId(ORDER.parse(order_id)), data)

    def done(paid: Paid) -> Answer:
        order = paid.order
        shown = translate.payment_out(paid.payment, order.id, order.currency, call.origin)
        return kit.answer(201, shown, etag=order.version)

    if isinstance(command, Pay):
        return await pay_order(call.context, command, call.reply(done))
    return await record_payment(call.context, command, call.reply(done))


@kit.get(
    "/v1/orders/{order_id}/refunds",
    answers={200: RefundsOut},
    summary="An order's refunds",
    answer_example=RefundsOut(refunds=[examples.REFUND], next=None),
    path_examples=_ORDER_ID,
    only=STAFF,
    tag=REFUNDS,
    refuses=(*_NO_ORDER, cursors.NO_CURSOR),
)
async def get_order_refunds(call: Call, order_id: str, query: PageQuery) -> Answer:
    """All money that went back, also for cancelled lines and for what was paid too much."""
    number = OrderId(ORDER.parse(order_id))
    place = cursors.of("refunds", number)
    after = cursors.after(place, query.after)
    found = await list_refunds(
        call.context,
        number,
        after=None if after is None else RefundId(after),
        limit=query.limit + 1,
    )
    page = cursors.page_of(call, place, found, query.limit, lambda view: view.refund.id)
    shown = [translate.refund_view_out(view) for view in page.entries]
    return kit.answer(200, RefundsOut(refunds=shown, next=page.next), headers=page.headers)


@kit.post(
    "/v1/orders/{order_id}/refunds",
    answers={201: RefundOut},
    summary="Give money back",
    examples={"a line": examples.GIVE_BACK, "goodwill": examples.GIVE_BACK_GOODWILL},
    answer_example=examples.REFUND,
    path_examples=_ORDER_ID,
    etag=True,
    only=ADMIN,
    tag=REFUNDS,
    refuses=(
        *_NO_ORDER,
        Unreadable("lines[0].quantity", "must be at least 1"),
        LineNotFound(_EXAMPLE, LineId(999)),
        LineNotOpen(_EXAMPLE, LineId(5), "cancelled"),
        UnitsNotLeft(_EXAMPLE, LineId(5), 1),
        AmountNotOwed(6000, 5597, 2),
        NothingToRefund(_EXAMPLE),
        _DECLINED,
    ),
)
async def create_refund(call: Call, order_id: str, data: RefundIn) -> Answer:
    """Give back what lines and shipping were worth, to the cent, or an amount as goodwill, or,
    with an empty object, everything that can go back.

    A refund that is `started` is with its gateway, which is asked until it has answered.
    """
    command = translate.to_refund(OrderId(ORDER.parse(order_id)), data)

    def done(returned: Returned) -> Answer:
        order = returned.order
        assert returned.refund is not None, "money that goes back is a refund"
        shown = translate.refund_out(returned.refund, order.id, order.currency)
        return kit.answer(201, shown, etag=order.version)

    return await refund_order(call.context, command, call.reply(done))
