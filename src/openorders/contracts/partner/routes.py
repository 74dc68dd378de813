"""The paths of `partner` in its document's order: read, call, write."""

from openorders.contracts import kit
from openorders.contracts.kit import Answer, Call, NoSuch, Stream, Unreadable
from openorders.contracts.partner import examples, ids, listing, translate
from openorders.contracts.partner.errors import NoItems
from openorders.contracts.partner.schemas import ListQuery, OrderIn, OrderOut, OrdersOut
from openorders.domain.ids import OrderId, ProductId, VariantId
from openorders.domain.order import Order
from openorders.domain.refusals import (
    AmountTooLarge,
    NotAvailable,
    OrderNotFound,
    OutOfStock,
    ProductNotFound,
)
from openorders.usecases.place_order import place_order
from openorders.usecases.read_orders import read_order_with_lines, stream_orders


@kit.post(
    "/orders",
    answers={201: OrderOut},
    summary="Place an order",
    example=examples.CREATE,
    answer_example=examples.ORDER,
    refuses=(
        NoItems(),
        ProductNotFound(ProductId(0)),
        NotAvailable(ProductId(1), VariantId(1)),
        OutOfStock(ProductId(2), VariantId(2), wanted=3, left=2),
        Unreadable("items[0].quantity", "must be at least 1"),
        AmountTooLarge(),
    ),
)
async def create_order(call: Call, data: OrderIn) -> Answer:
    """Places an order for a partner and reserves its stock.

    Names, SKUs and prices are those of the catalogue at this moment and stay with the order. A
    key that is tied to one partner places only that partner's orders.
    """
    return await place_order(call.context, translate.to_place_order(data), call.reply(_created))


@kit.get(
    "/orders",
    answers={200: OrdersOut},
    summary="List every order",
    answer_example=examples.ORDERS,
    refuses=(Unreadable("limit", "must be at least 1", "query"),),
)
async def list_orders(call: Call, query: ListQuery) -> Stream:
    """Every order that the key may see, oldest first, as they all were at one moment.

    The list is complete and is sent while it is read; `limit` and `offset` cut a part out of it.
    """
    opening = stream_orders(call.context, translate.to_search(query))
    return Stream("application/json", None, listing.chunks(opening))


@kit.get(
    "/orders/{order_id}",
    answers={200: OrderOut},
    summary="One order",
    answer_example=examples.ORDER,
    path_examples={"order_id": "OR00001"},
    refuses=(OrderNotFound(OrderId(0)), NoSuch("order", "OR1")),
    etag=True,
)
async def get_order(call: Call, order_id: str) -> Answer:
    """One order with its lines."""
    return _shown(200, await read_order_with_lines(call.context, ids.parse_order(order_id)))


def _created(order: Order) -> Answer:
    return _shown(201, order)


def _shown(status: int, order: Order) -> Answer:
    return kit.answer(status, translate.order_out(order), etag=order.version)


ROUTES = (create_order, list_orders, get_order)
