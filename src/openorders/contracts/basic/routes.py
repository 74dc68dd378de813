"""The operations of `basic`, in its document's order: read, call, write."""

from typing import Final

from openorders.contracts import kit
from openorders.contracts.basic import examples, translate
from openorders.contracts.basic.ids import parse_order
from openorders.contracts.basic.schemas import ListQuery, OrderIn, OrderOut, StatusIn
from openorders.contracts.kit import Answer, Call, NoSuch, Unreadable
from openorders.domain.ids import CustomerId, OrderId, ProductId, VariantId
from openorders.domain.order import Word
from openorders.domain.refusals import (
    AmountTooLarge,
    CustomerNotFound,
    MoveNotAllowed,
    NotAvailable,
    OrderNotFound,
    OutOfStock,
    ProductNotFound,
    TooLateToCancel,
)
from openorders.usecases.advance_order import advance_order
from openorders.usecases.cancel_order import cancel_order
from openorders.usecases.place_order import place_order
from openorders.usecases.read_orders import list_orders, read_order_with_lines

_ORDER_ID: Final = {"order_id": "101"}
_NO_ORDER: Final = (OrderNotFound(OrderId(999)), NoSuch("order", "0101"))
_TOO_LATE: Final = TooLateToCancel(OrderId(101), Word.SHIPPED)


@kit.get(
    "/orders",
    answers={200: list[OrderOut]},
    summary="List all orders",
    answer_example=examples.LISTED,
    refuses=(
        Unreadable("status", "is not one of the values that are allowed", "query"),
        Unreadable("limit", "must be at most 100", "query"),
    ),
)
async def get_orders(call: Call, query: ListQuery) -> Answer:
    """The store's orders, oldest first and page by page.

    `X-Total-Count` says how many orders fit in all, and `Link` where the first, previous, next
    and last page are.
    """
    found = await list_orders(call.context, translate.to_search(query))
    total = translate.total_of(found)
    links = kit.page_links(call, offset=query.offset, limit=query.limit, total=total)
    return kit.answer(
        200,
        [translate.order_out(order) for order in found.orders],
        headers=(("X-Total-Count", str(total)), ("Link", links)),
    )


@kit.post(
    "/orders",
    answers={201: OrderOut},
    summary="Create a new order",
    example=examples.NEW,
    answer_example=examples.CREATED,
    etag=True,
    refuses=(
        ProductNotFound(ProductId(99)),
        CustomerNotFound(CustomerId(12)),
        OutOfStock(ProductId(20), VariantId(20), 3, 2),
        NotAvailable(ProductId(20), VariantId(20)),
        AmountTooLarge(),
    ),
)
async def create_order(call: Call, data: OrderIn) -> Answer:
    """Place an order for a user. Prices are the store's; the stock is reserved at once.

    The first order of a user registers the user.
    """
    command = translate.to_place_order(data)
    return await place_order(
        call.context,
        command,
        call.reply(lambda order: kit.answer(201, translate.order_out(order), etag=order.version)),
    )


@kit.get(
    "/orders/{order_id}",
    answers={200: OrderOut},
    summary="Get an order by its ID",
    answer_example=examples.ONE,
    path_examples=_ORDER_ID,
    etag=True,
    refuses=_NO_ORDER,
)
async def get_order(call: Call, order_id: str) -> Answer:
    """One order as it is now."""
    order = await read_order_with_lines(call.context, parse_order(order_id))
    return kit.answer(200, translate.order_out(order), etag=order.version)


@kit.put(
    "/orders/{order_id}",
    answers={200: OrderOut},
    summary="Update an order's status",
    example={"status": "delivered"},
    answer_example=examples.DELIVERED,
    path_examples=_ORDER_ID,
    etag=True,
    refuses=(*_NO_ORDER, MoveNotAllowed(OrderId(101), Word.SHIPPED, Word.PROCESSING), _TOO_LATE),
)
async def update_order(call: Call, order_id: str, data: StatusIn) -> Answer:
    """Move an order on: forward only, and steps may be skipped.

    The status that an order has already is answered with the order and changes nothing.
    """
    command = translate.to_advance(parse_order(order_id), data.status)
    return await advance_order(
        call.context,
        command,
        call.reply(
            lambda done: kit.answer(200, translate.order_out(done.order), etag=done.order.version)
        ),
    )


@kit.delete(
    "/orders/{order_id}",
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
