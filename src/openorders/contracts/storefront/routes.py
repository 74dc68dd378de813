"""The paths of `storefront` in its document's order: read, call, write."""

from openorders.contracts import kit
from openorders.contracts.kit import Answer, Call, NoSuch, Unreadable
from openorders.contracts.storefront import examples, ids, presenting, translate
from openorders.contracts.storefront.requests import CancelIn, ListQuery, OrderIn, StatusIn
from openorders.contracts.storefront.schemas import (
    CancelledOrder,
    ChangedOrder,
    OrderOut,
    OrdersOut,
)
from openorders.domain import refusals as no
from openorders.domain.access import Role
from openorders.domain.ids import OrderId, ProductId, VariantId
from openorders.domain.order import Order, Word
from openorders.usecases.advance_order import Advanced, advance_order
from openorders.usecases.cancel_order import Cancelled, cancel_order
from openorders.usecases.place_order import place_order
from openorders.usecases.read_orders import list_orders, read_order_with_payments

_ORDER = {"orderId": "order_123456"}
_NOBODYS = (no.OrderNotFound(OrderId(999)), NoSuch("order", "order_0999"))


@kit.get(
    "/api/orders",
    answers={200: OrdersOut},
    summary="List orders",
    answer_example=examples.LIST,
    refuses=(
        Unreadable("limit", "must be at most 50", "query"),
        Unreadable("status", "is not one of the values that are allowed", "query"),
    ),
)
async def get_orders(call: Call, query: ListQuery) -> Answer:
    """A page of the customer's own orders, the newest first; staff get everybody's.

    A bare day in `fromDate` and `toDate` is that whole day in UTC; both are inclusive.
    """
    page = await list_orders(call.context, translate.to_search(query))
    return kit.answer(200, presenting.orders_out(call.caller.store, query, page))


@kit.get(
    "/api/orders/{orderId}",
    answers={200: OrderOut},
    summary="One order",
    answer_example=examples.FULL,
    path_examples=_ORDER,
    refuses=_NOBODYS,
    etag=True,
)
async def get_order(call: Call, orderId: str) -> Answer:  # noqa: N803 - the document's name
    """One order in full. Somebody else's is not found."""
    order = await read_order_with_payments(call.context, ids.parse_order(orderId))
    return kit.answer(200, presenting.order_out(call.caller.store, order), etag=order.version)


@kit.post(
    "/api/orders",
    answers={201: OrderOut},
    summary="Place an order",
    examples={"customer": examples.CREATE, "staff": examples.PLACE_FOR},
    answer_example=examples.FULL,
    refuses=(
        Unreadable("items[0].quantity", "must be at least 1"),
        no.NotPermitted("place orders for another customer"),
        no.ProductNotFound(ProductId(999)),
        no.VariantNotFound(VariantId(999)),
        NoSuch("product", "prod_99999999999999999999"),
        no.OutOfStock(ProductId(1), VariantId(1), wanted=3, left=2),
        no.UnknownDiscountCode("SUMMER"),
        no.UnknownShippingMethod("pigeon"),
        no.PaymentDeclined("card_declined", "Your card was declined."),
    ),
)
async def create_order(call: Call, data: OrderIn) -> Answer:
    """Places an order for the customer who calls, or for the one that staff name.

    With `paymentDetails` the money is taken at once and the order is being processed; a card that
    is declined leaves no order. Without them the order awaits its payment.
    """
    store = call.caller.store

    def created(order: Order) -> Answer:
        return kit.answer(201, presenting.order_out(store, order), etag=order.version)

    command = translate.to_place_order(data, call.caller)
    return await place_order(call.context, command, call.reply(created))


@kit.patch(
    "/api/admin/orders/{orderId}/status",
    answers={200: ChangedOrder},
    summary="Change an order's status",
    example=examples.CHANGE_STATUS,
    answer_example=examples.CHANGED,
    path_examples=_ORDER,
    refuses=(
        Unreadable("status", "is not one of the values that are allowed"),
        no.NotPermitted("change the status of orders"),
        *_NOBODYS,
        no.MoveNotAllowed(OrderId(42), Word.DELIVERED, Word.SHIPPED),
        no.TooLateToCancel(OrderId(42), Word.SHIPPED),
        no.NothingToRefund(OrderId(42)),
    ),
    etag=True,
    only=kit.Only((Role.ADMIN,), to="change the status of orders"),
)
async def change_status(call: Call, orderId: str, data: StatusIn) -> Answer:  # noqa: N803
    """Brings an order to a later status, or ends it; what lies between is done on the way.

    Needs an admin's credential. A status that already holds changes nothing. With
    `notifyCustomer` the customer gets a mail about it.
    """
    store = call.caller.store

    def changed(advanced: Advanced) -> Answer:
        shown = presenting.changed_out(store, advanced)
        return kit.answer(200, shown, etag=advanced.order.version)

    command = translate.to_advance(ids.parse_order(orderId), data)
    return await advance_order(call.context, command, call.reply(changed))


@kit.post(
    "/api/orders/{orderId}/cancel",
    answers={200: CancelledOrder},
    summary="Cancel an order",
    example=examples.CANCEL,
    answer_example=examples.CANCELLED,
    path_examples=_ORDER,
    refuses=(*_NOBODYS, no.TooLateToCancel(OrderId(42), Word.SHIPPED)),
    etag=True,
)
async def cancel(call: Call, orderId: str, data: CancelIn | None) -> Answer:  # noqa: N803
    """Cancels an order of which nothing was shipped: its stock and its money go back.

    Cancelling again succeeds and does nothing.
    """
    store = call.caller.store

    def cancelled(done: Cancelled) -> Answer:
        shown = presenting.cancelled_out(store, done)
        return kit.answer(200, shown, etag=done.order.version)

    command = translate.to_cancel(ids.parse_order(orderId), data)
    return await cancel_order(call.context, command, call.reply(cancelled))


ROUTES = (get_orders, get_order, create_order, change_status, cancel)
