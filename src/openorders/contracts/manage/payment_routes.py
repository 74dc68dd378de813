"""The operations on payments and refunds, whatever order they belong to."""

from typing import Final

from openorders.contracts import kit
from openorders.contracts.kit import Answer, Call, NoSuch
from openorders.contracts.manage import cursors
from openorders.contracts.manage import money_examples as examples
from openorders.contracts.manage import money_translate as translate
from openorders.contracts.manage.access import ADMIN, STAFF
from openorders.contracts.manage.ids import PAYMENT, REFUND
from openorders.contracts.manage.money_schemas import (
    CaptureIn,
    FullPaymentOut,
    PaymentOut,
    PaymentsOut,
    PaymentsQuery,
    RefundOut,
    RefundsOut,
    VoidIn,
)
from openorders.contracts.manage.order_routes import PAYMENTS, REFUNDS
from openorders.contracts.manage.schemas import PageQuery
from openorders.domain.ids import OrderId, PaymentId, RefundId
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import (
    AmountNotOwed,
    NothingToCapture,
    NothingToVoid,
    PaymentDeclined,
    PaymentInProgress,
    PaymentNotFound,
    PaymentUnsettled,
    RefundNotFound,
)
from openorders.usecases.capture_payment import CapturePayment, capture_payment
from openorders.usecases.pay_order import Paid
from openorders.usecases.read_payments import (
    list_payments,
    list_refunds,
    read_payment,
    read_refund,
)
from openorders.usecases.refund_order import Returned, Void, void_order

_PAYMENT_ID: Final = {"payment_id": "pay_7"}
_NO_PAYMENT: Final = (PaymentNotFound(PaymentId(999)), NoSuch("payment", "pay_07"))
_NO_REFUND: Final = (RefundNotFound(RefundId(999)), NoSuch("refund", "ref_07"))
_EXAMPLE: Final = OrderId(42)


@kit.get(
    "/v1/payments",
    answers={200: PaymentsOut},
    summary="The store's payments",
    answer_example=PaymentsOut(payments=[examples.FULL_PAYMENT], next=None),
    only=STAFF,
    tag=PAYMENTS,
    refuses=(cursors.NO_CURSOR,),
)
async def get_payments(call: Call, query: PaymentsQuery) -> Answer:
    """Every attempt to take money, oldest first, also those whose order never came to be."""
    place = cursors.of("payments", "all", query.state)
    after = cursors.after(place, query.after)
    found = await list_payments(
        call.context,
        after=None if after is None else PaymentId(after),
        limit=query.limit + 1,
        state=None if query.state is None else AttemptState(query.state),
    )
    page = cursors.page_of(call, place, found, query.limit, lambda view: view.payment.id)
    shown = [translate.full_payment_out(view, call.origin) for view in page.entries]
    return kit.answer(200, PaymentsOut(payments=shown, next=page.next), headers=page.headers)


@kit.get(
    "/v1/payments/{payment_id}",
    answers={200: FullPaymentOut},
    summary="One payment",
    answer_example=examples.FULL_PAYMENT,
    path_examples=_PAYMENT_ID,
    only=STAFF,
    tag=PAYMENTS,
    refuses=_NO_PAYMENT,
)
async def get_payment(call: Call, payment_id: str) -> Answer:
    """One attempt to take money, with every call that was made for it."""
    view = await read_payment(call.context, PaymentId(PAYMENT.parse(payment_id)))
    return kit.answer(200, translate.full_payment_out(view, call.origin))


@kit.post(
    "/v1/payments/{payment_id}/capture",
    answers={200: PaymentOut},
    summary="Capture what is reserved",
    example={},
    answer_example=examples.PAYMENT,
    path_examples=_PAYMENT_ID,
    etag=True,
    only=ADMIN,
    tag=PAYMENTS,
    refuses=(
        *_NO_PAYMENT,
        NothingToCapture(PaymentId(7)),
        AmountNotOwed(6000, 5597, 2),
        PaymentInProgress(_EXAMPLE),
        PaymentUnsettled(_EXAMPLE),
        PaymentDeclined("expired", "The reservation has expired."),
    ),
)
async def capture(call: Call, payment_id: str, data: CaptureIn | None) -> Answer:
    """Take what is reserved on the buyer's card, or a part of it: the gateway releases the rest.
    `If-Match` and `ETag` are about the order.
    """
    wanted = data or CaptureIn()
    command = CapturePayment(
        payment_id=PaymentId(PAYMENT.parse(payment_id)), amount=wanted.amount, reason=wanted.reason
    )

    def done(paid: Paid) -> Answer:
        order = paid.order
        shown = translate.payment_out(paid.payment, order.id, order.currency, call.origin)
        return kit.answer(200, shown, etag=order.version)

    return await capture_payment(call.context, command, call.reply(done))


@kit.post(
    "/v1/payments/{payment_id}/void",
    answers={200: PaymentOut},
    summary="Release what is reserved",
    example={"reason": "The buyer changed their mind"},
    answer_example=examples.VOIDED,
    path_examples=_PAYMENT_ID,
    etag=True,
    only=ADMIN,
    tag=PAYMENTS,
    refuses=(
        *_NO_PAYMENT,
        NothingToVoid(_EXAMPLE),
        PaymentDeclined("not_possible", "It was captured meanwhile."),
    ),
)
async def void(call: Call, payment_id: str, data: VoidIn | None) -> Answer:
    """Give up a payment that is reserved and not captured, or that waits for its buyer. Its state
    is `voided` once the gateway has answered. `If-Match` and `ETag` are about the order.
    """
    number = PaymentId(PAYMENT.parse(payment_id))
    view = await read_payment(call.context, number)
    command = Void(
        order_id=view.order_id, payment_id=number, reason=None if data is None else data.reason
    )

    def done(returned: Returned) -> Answer:
        order = returned.order
        payment = next(one for one in order.payments if one.id == number)
        shown = translate.payment_out(payment, order.id, order.currency, call.origin)
        return kit.answer(200, shown, etag=order.version)

    return await void_order(call.context, command, call.reply(done))


@kit.get(
    "/v1/refunds",
    answers={200: RefundsOut},
    summary="The store's refunds",
    answer_example=RefundsOut(refunds=[examples.REFUND], next=None),
    only=STAFF,
    tag=REFUNDS,
    refuses=(cursors.NO_CURSOR,),
)
async def get_refunds(call: Call, query: PageQuery) -> Answer:
    """All money that goes or went back, oldest first."""
    place = cursors.of("refunds", "all")
    after = cursors.after(place, query.after)
    found = await list_refunds(
        call.context, after=None if after is None else RefundId(after), limit=query.limit + 1
    )
    page = cursors.page_of(call, place, found, query.limit, lambda view: view.refund.id)
    shown = [translate.refund_view_out(view) for view in page.entries]
    return kit.answer(200, RefundsOut(refunds=shown, next=page.next), headers=page.headers)


@kit.get(
    "/v1/refunds/{refund_id}",
    answers={200: RefundOut},
    summary="One refund",
    answer_example=examples.REFUND,
    path_examples={"refund_id": "ref_3"},
    only=STAFF,
    tag=REFUNDS,
    refuses=_NO_REFUND,
)
async def get_refund(call: Call, refund_id: str) -> Answer:
    """One refund, and what became of it."""
    view = await read_refund(call.context, RefundId(REFUND.parse(refund_id)))
    return kit.answer(200, translate.refund_view_out(view))
