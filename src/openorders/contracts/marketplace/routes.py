"""The operations of `marketplace` in its document's order: read, call, write."""

from typing import Final, assert_never

from openorders.contracts import kit
from openorders.contracts.kit import Answer, Call, Download, File, NoSuch, Stream, Unreadable
from openorders.contracts.marketplace import (
    bulk,
    examples,
    exporting,
    figures,
    ids,
    listing,
    translate,
)
from openorders.contracts.marketplace.requests import (
    BulkCancelIn,
    ExportIn,
    ItemActionsIn,
    MetricsQuery,
    NoOptions,
    ODataQuery,
    OrderIn,
    PaymentIn,
    StatusIn,
)
from openorders.contracts.marketplace.schemas import (
    BulkCancelOut,
    CreatedOut,
    ItemsOut,
    MetricsOut,
    OrderOut,
    OrdersOut,
    PaymentOut,
    StatusOut,
)
from openorders.domain import refusals as no
from openorders.domain.ids import LineId, OrderId, ProductId, VariantId
from openorders.domain.order import Order, Word
from openorders.usecases.advance_order import advance_order
from openorders.usecases.cancel_many import cancel_many
from openorders.usecases.export_orders import export_csv, export_excel
from openorders.usecases.measure_orders import measure_orders
from openorders.usecases.pay_order import pay_order
from openorders.usecases.place_order import place_order
from openorders.usecases.read_orders import list_orders, read_order_with_lines
from openorders.usecases.refund_order import refund_order, void_order
from openorders.usecases.settle_lines import settle_lines

_ORDER: Final = {"id": "ord_789"}
_ID: Final = OrderId(789)
_NO_ORDER: Final = (no.OrderNotFound(OrderId(999)), NoSuch("order", "ord_0999"))
_TOO_LATE: Final = no.TooLateToCancel(_ID, Word.SHIPPED)
_CANNOT_PLACE: Final = (
    Unreadable("items[0].quantity", "must be at least 1"),
    no.PriceDiffers(VariantId(456), 9000, 9999, 2, 0),
    no.OutOfStock(ProductId(456), VariantId(456), 3, 2),
    no.VariantNotFound(VariantId(999)),
    no.UnknownGateway("stripe_9"),
)
_BAD_QUERY: Final = (
    Unreadable("$filter", "at position 8: expected an operator such as eq", "query"),
    no.QueryTooExpensive("$filter at position 1: contains(tolower(paymentMethod), 'x')"),
    no.QueryFailed("division by zero", "$filter at position 1 (1 div totalAmount)"),
)


async def _create(call: Call, data: OrderIn) -> Answer:
    store = call.caller.store

    def created(order: Order) -> Answer:
        shown = translate.created_out(order, store, call.origin)
        return kit.answer(201, shown, etag=order.version)

    return await place_order(
        call.context, translate.to_place_order(data, store), call.reply(created)
    )


@kit.post(
    "/api/orders/initiate-payment",
    answers={201: CreatedOut},
    summary="Create an order with its payment",
    example=examples.CREATE,
    answer_example=examples.CREATED,
    refuses=_CANNOT_PLACE,
    etag=True,
)
async def initiate_payment(call: Call, data: OrderIn) -> Answer:
    """Places an order whose payment is asked for: its stock is reserved at once.

    A person can pay at `paymentUrl`, a program with `process-payment`. Prices are the store's; one
    that is sent is only compared.
    """
    return await _create(call, data)


@kit.post(
    "/api/orders",
    answers={201: CreatedOut},
    summary="Create an order",
    example=examples.CREATE,
    answer_example=examples.CREATED,
    refuses=_CANNOT_PLACE,
    etag=True,
)
async def create_order(call: Call, data: OrderIn) -> Answer:
    """The same as `initiate-payment`."""
    return await _create(call, data)


@kit.get(
    "/api/orders/{id}",
    answers={200: OrderOut},
    summary="One order with its items",
    answer_example=examples.ONE,
    path_examples=_ORDER,
    refuses=_NO_ORDER,
    etag=True,
)
async def get_order(call: Call, id: str, query: NoOptions) -> Answer:  # noqa: A002, ARG001 - the document's name
    """One order as it is now."""
    order = await read_order_with_lines(call.context, ids.parse_order(id))
    return kit.answer(200, translate.order_out(order), etag=order.version)


async def _list(call: Call, query: ODataQuery) -> Answer:
    asked = listing.to_query(query, call.context.now())
    found = await list_orders(
        call.context,
        asked.search,
        total=asked.count,
        costly=listing.costly_part(asked),
        calculation=listing.calculation(asked),
    )
    return kit.answer(200, listing.orders_out(found, asked))


@kit.get(
    "/api/orders/odata",
    answers={200: OrdersOut},
    summary="Orders by OData options",
    answer_example=examples.LISTED,
    refuses=_BAD_QUERY,
)
async def list_odata(call: Call, query: ODataQuery) -> Answer:
    """A page of orders. `count` is the exact number of all matches, unless `$count=false`.

    `$filter` knows id, customerId, status, totalAmount, currency, paymentMethod, createdAt,
    updatedAt and `items/any(i: …)`, `items/all(i: …)` over offerId, quantity, price, status; the
    operators eq ne gt ge lt le in and or not add sub mul div mod; the functions contains
    startswith endswith tolower toupper length year month day hour date now. A query that would
    run longer than 2 seconds is refused, and its costly part named.
    """
    return await _list(call, query)


@kit.get(
    "/api/orders",
    answers={200: OrdersOut},
    summary="Orders",
    answer_example=examples.LISTED,
    refuses=_BAD_QUERY,
)
async def list_all(call: Call, query: ODataQuery) -> Answer:
    """The same as `odata`."""
    return await _list(call, query)


@kit.get(
    "/api/orders/aggregated",
    answers={200: MetricsOut},
    summary="Metrics",
    answer_example=examples.MEASURED,
    refuses=(
        Unreadable("startDate", "must be a date like 2023-10-27", "query"),
        no.QueryTooExpensive("groupBy=offer over so many days", 20),
    ),
)
async def get_metrics(call: Call, query: MetricsQuery) -> Answer:
    """How many orders there are, and what they bring in. Days are days of the store's time zone.

    All orders are counted; revenue and average leave cancelled and refunded orders out, the
    average is rounded half to even. `groupBy` adds figures for each group; of customers and
    offers the 1,000 with the largest revenue, and `groupsTotal`. The revenue of an offer is
    price times quantity less discount, without its cancelled items. Customers and offers are
    added up from the orders themselves: where that takes too long, fewer days take less.
    """
    grouping = figures.to_grouping(query)
    measured = await measure_orders(
        call.context, figures.to_period(query), grouping, costly=figures.costly(query)
    )
    return kit.answer(200, figures.metrics_out(measured, grouping, call.caller.store))


@kit.put(
    "/api/orders/{id}/status",
    answers={200: StatusOut},
    summary="Change an order's status",
    example=examples.CHANGE,
    answer_example=examples.CHANGED,
    path_examples={"id": "ord_792"},
    refuses=(
        *_NO_ORDER,
        Unreadable("status", "is not one of the values that are allowed"),
        no.MoveNotAllowed(_ID, Word.COMPLETED, Word.PROCESSING),
        _TOO_LATE,
        no.NothingToRefund(_ID),
    ),
    etag=True,
)
async def update_status(call: Call, id: str, data: StatusIn) -> Answer:  # noqa: A002 - the document's name
    """Brings an order to a later status, or ends it; what lies between is done on the way.

    A status that already holds is answered and changes nothing. Cancelling gives stock and money
    back and is possible before anything was shipped; everything else is for staff.
    """
    return await advance_order(
        call.context,
        translate.to_advance(ids.parse_order(id), data),
        call.reply(
            lambda done: kit.answer(200, translate.status_out(done.order), etag=done.order.version)
        ),
    )


@kit.post(
    "/api/orders/bulk-cancel",
    answers={200: BulkCancelOut},
    summary="Cancel many orders",
    example=examples.CANCEL_MANY,
    answer_example=examples.CANCELLED_MANY,
    refuses=(Unreadable("orderIds", "must have at most 1000 entries"),),
)
async def bulk_cancel(call: Call, data: BulkCancelIn) -> Answer:
    """Cancels each order for itself: one that cannot be cancelled spoils nothing for the others."""
    named = bulk.read(data.order_ids)
    order_ids = [order_id for order_id in named if order_id is not None]
    return await cancel_many(
        call.context,
        order_ids,
        data.reason,
        call.reply(lambda fates: kit.answer(200, bulk.told(data.order_ids, named, fates))),
    )


@kit.post(
    "/api/orders/items",
    answers={200: ItemsOut},
    summary="Cancel or verify items",
    example=examples.CANCEL_ITEM,
    answer_example=examples.ITEM_CANCELLED,
    refuses=(
        *_NO_ORDER,
        no.LineNotFound(_ID, LineId(9)),
        no.LineNotOpen(_ID, LineId(1), "fulfilled"),
    ),
)
async def settle_items(call: Call, data: ItemActionsIn) -> Answer:
    """Does all that is asked of the items, or nothing.

    Cancelling gives stock back, lowers the total and refunds what was paid beyond it; with the
    last item the order is cancelled. Verifying is for staff.
    """
    order_id = ids.read_order(data.order_id, "orderId")
    actions = translate.to_actions(data.items)
    return await settle_lines(
        call.context,
        order_id,
        actions,
        call.reply(
            lambda order: kit.answer(
                200, translate.items_changed_out(order, actions), etag=order.version
            )
        ),
    )


@kit.post(
    "/api/orders/export",
    answers={200: File((exporting.CSV, exporting.EXCEL))},
    summary="Export orders to a file",
    examples={"csv": examples.EXPORT, "excel": examples.EXPORT_ITEMS},
    refuses=(Unreadable("columns[0]", "names no column: there is no colour"), no.Overloaded(30)),
    keyed=False,
)
async def export(call: Call, data: ExportIn) -> Stream | Download:
    """The orders that are asked for as one file from one moment.

    The oldest come first, but for a CSV of all orders of a store that has more than 50,000. CSV is
    sent while it is read: UTF-8 without a mark, CRLF, a header with the columns as asked.
    A text that a spreadsheet would calculate has an apostrophe in front. Excel is complete when
    it is sent: numbers and times typed, times in UTC, texts never formulas.
    """
    asked = exporting.to_export(data, call.caller.store)
    match data.format:
        case "csv":
            return Stream(exporting.CSV, "orders.csv", export_csv(call.context, asked))
        case "excel":
            path = await export_excel(call.context, asked)
            return Download(exporting.EXCEL, "orders.xlsx", path)
        case _:
            assert_never(data.format)


@kit.post(
    "/api/orders/process-payment",
    answers={200: PaymentOut},
    summary="Take, give back or release a payment",
    examples={"process": examples.PAY, "refund": examples.REFUND},
    answer_example=examples.PAID,
    refuses=(
        *_NO_ORDER,
        no.AmountNotOwed(9000, 9999, 2),
        no.PaymentDeclined("card_declined", "Your card was declined."),
        no.AlreadyPaid(_ID),
        no.PaymentInProgress(_ID),
        no.PaymentUnsettled(_ID),
        no.NotPayable(_ID, Word.CANCELLED),
        no.NothingToRefund(_ID),
        no.NothingToVoid(_ID),
    ),
)
async def process_payment(call: Call, data: PaymentIn) -> Answer:
    """Takes what is owed, gives back what was taken, or releases what is only authorised.

    A declined card leaves the order payable and its stock reserved. `refund` and `void` are for
    staff.
    """
    match data.action:
        case "process":
            return await pay_order(
                call.context,
                translate.to_pay(data, call.caller.store),
                call.reply(lambda paid: kit.answer(200, translate.paid_out(paid))),
            )
        case "refund":
            return await refund_order(
                call.context,
                translate.to_refund(data),
                call.reply(lambda done: kit.answer(200, translate.refunded_out(done))),
            )
        case "void":
            return await void_order(
                call.context,
                translate.to_void(data),
                call.reply(lambda done: kit.answer(200, translate.voided_out(done))),
            )
        case _:
            assert_never(data.action)
