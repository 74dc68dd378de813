"""The operations of `commerce`, in its document's order: read, call, write."""

from typing import Final

from openorders.contracts import kit
from openorders.contracts.commerce import examples, translate
from openorders.contracts.commerce.ids import parse_order
from openorders.contracts.commerce.schemas import (
    ListQuery,
    OrderChange,
    OrderIn,
    OrderOut,
    OrdersOut,
)
from openorders.contracts.kit import Answer, Call, NoSuch, Unreadable
from openorders.domain.ids import CustomerId, OrderId, ProductId, VariantId
from openorders.domain.order import Word
from openorders.domain.refusals import (
    AddressFixed,
    AmountTooLarge,
    CustomerNotFound,
    MoveNotAllowed,
    NotAvailable,
    OrderNotFound,
    OutOfStock,
    PaymentDeclined,
    ProductNotFound,
    TooLateToCancel,
)
from openorders.usecases.advance_order import advance_order
from openorders.usecases.cancel_order import cancel_order
from openorders.usecases.place_order import place_order
from openorders.usecases.read_orders import list_orders, read_order_with_lines

_EXAMPLE: Final = OrderId(123456789)
_ORDER_ID: Final = {"order_id": "ORD123456789"}
_NO_ORDER: Final = (OrderNotFound(OrderId(999999999)), NoSuch("order", "ORD0123456789"))
_TOO_LATE: Final = TooLateToCancel(_EXAMPLE, Word.SHIPPED)


@kit.get(
    "/v1/orders",
    answers={200: OrdersOut},
    summary="List orders",
    answer_example=examples.LISTED,
    refuses=(Unreadable("limit", "must be at most 100", "query"),),
)
async def get_orders(call: Call, query: ListQuery) -> Answer:
    """The store's orders, newest first unless asked otherwise, page by page."""
    found = await list_orders(call.context, translate.to_search(query))
    return kit.answer(200, translate.orders_out(found, query))


@kit.post(
    "/v1/orders",
    answers={201: OrderOut},
    summary="Create an order",
    example=examples.NEW,
    answer_example=examples.CREATED,
    etag=True,
    refuses=(
        Unreadable("items[0].quantity", "must be at least 1"),
        ProductNotFound(ProductId(999)),
        CustomerNotFound(CustomerId(98765)),
        OutOfStock(ProductId(1), VariantId(1), 3, 2),
        NotAvailable(ProductId(1), VariantId(1)),
        AmountTooLarge(),
        PaymentDeclined("card_declined", "Your card was declined."),
    ),
)
async def create_order(call: Call, data: OrderIn) -> Answer:
    """Place an order. Prices are the store's; the stock is reserved at once.

    With `paymentMethodId` the total is charged at once, and an order whose charge is declined is
    not placed. The first order of a customer registers the customer.
    """
    command = translate.to_place_order(data)
    return await place_order(
        call.context,
        command,
        call.reply(lambda order: kit.answer(201, translate.entry_out(order), etag=order.version)),
    )


@kit.get(
    "/v1/orders/{order_id}",
    answers={200: OrderOut},
    summary="Retrieve an order",
    answer_example=examples.ONE,
    path_examples=_ORDER_ID,
    etag=True,
    refuses=_NO_ORDER,
)
async def get_order(call: Call, order_id: str) -> Answer:
    """One order as it is now, with its address when it has one."""
    order = await read_order_with_lines(call.context, parse_order(order_id))
    return kit.answer(200, translate.order_out(order), etag=order.version)


@kit.put(
    "/v1/orders/{order_id}",
    answers={200: OrderOut},
    summary="Update an order",
    example=examples.CHANGE,
    answer_example=examples.CHANGED,
    path_examples=_ORDER_ID,
    etag=True,
    refuses=(
        *_NO_ORDER,
        MoveNotAllowed(_EXAMPLE, Word.SHIPPED, Word.PROCESSING),
        AddressFixed(_EXAMPLE, Word.SHIPPED),
        _TOO_LATE,
    ),
)
async def update_order(call: Call, order_id: str, data: OrderChange) -> Answer:
    """Move an order on, send it elsewhere, or both at once or neither.

    The status moves forward only and may skip steps; one that holds already changes nothing. An
    address replaces the old one whole, and is fixed once anything was shipped.
    """
    command = translate.to_advance(parse_order(order_id), data)
    return await advance_order(
        call.context,
        command,
        call.reply(
            lambda done: kit.answer(200, translate.order_out(done.order), etag=done.order.version)
        ),
    )


@kit.delete(
    "/v1/orders/{order_id}",
    answers={204: None},
    summary="Cancel an order",
    path_examples=_ORDER_ID,
    etag=True,
    refuses=(*_NO_ORDER, _TOO_LATE),
)
async def cancel(call: Call, order_id: str) -> Answer:
    """Cancel an order before anything of it was shipped: stock and money go back.

    Cancelling it once more succeeds and does nothing.
    """
    command = translate.to_cancel(parse_order(order_id))
    return await cancel_order(call.context, command, call.reply(lambda _: kit.no_content()))
