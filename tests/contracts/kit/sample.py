"""A small contract, made to try everything the kit promises to contracts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from openorders.contracts import kit
from openorders.contracts.kit import Amount, Answer, Call, Money, NoSuch, Rendered, Unreadable
from openorders.domain.ids import OrderId, ProductId
from openorders.domain.refusals import NotAuthenticated, OrderNotFound, Overloaded, Reason, Refused
from openorders.domain.refusals import ProductNotFound as NoProduct


class ItemIn(Struct, rename="camel"):
    product_id: Annotated[str, Meta(max_length=10)]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    price: Amount | None = None
    action: Literal["keep", "drop"] = "keep"


class OrderIn(Struct, rename="camel"):
    customer_id: int
    items: Annotated[list[ItemIn], Meta(min_length=1, max_length=500)]
    note: str | None = None
    paid_at: datetime | None = None


class OrderOut(Struct, rename="camel"):
    order_id: str
    total_amount: Money
    created_at: datetime
    note: str | None
    address: str | UnsetType = UNSET


class NoteIn(Struct):
    text: str


class ErrorOut(Struct):
    error: str


@kit.refuse_unknown("$")
class ListQuery(Struct, rename="camel"):
    status: str | None = None
    limit: Annotated[int, Meta(ge=1, le=100, description="How many at most.")] = 20
    offset: Annotated[int, Meta(ge=0)] = 0
    sort_order: Literal["asc", "desc"] = "desc"
    count: bool = False
    filter: str | None = field(name="$filter", default=None)


SHOWN = {
    "orderId": "S1",
    "totalAmount": Decimal("75.00"),
    "createdAt": "2023-10-27T10:30:00Z",
    "note": None,
}


def an_order(note: str | None = None, amount: Decimal = Decimal("75.00")) -> OrderOut:
    at = kit.moment(datetime(2023, 10, 27, 10, 30, 0, 987654, tzinfo=UTC))
    return OrderOut(order_id="S1", total_amount=amount, created_at=at, note=note)


@kit.get("/orders", answers={200: OrderOut}, summary="List")
async def get_orders(call: Call, query: ListQuery) -> Answer:
    told = {name: getattr(query, name) for name in query.__struct_fields__}
    link = kit.page_links(call, offset=query.offset, limit=query.limit, total=45)
    return kit.answer(200, told, headers=(("Link", link),))


@kit.post(
    "/orders",
    answers={201: OrderOut},
    summary="Create",
    example={"customerId": 5, "items": [{"productId": "P1", "quantity": 1}]},
    answer_example=SHOWN,
    refuses=(NoProduct(ProductId(99)), Unreadable("items", "must have at least 1 entry")),
)
async def create_order(call: Call, data: OrderIn) -> Answer:
    """Creates an order."""

    def done(_: object) -> Answer:
        return kit.answer(201, an_order(data.note, data.items[0].price or Decimal("75.00")), etag=1)

    if data.customer_id == 404:
        return call.reply(done).refused(NoProduct(ProductId(99)))
    return call.reply(done).done(None)


@kit.get(
    "/orders/{order_id}",
    answers={200: OrderOut},
    summary="One",
    etag=True,
    answer_example=SHOWN,
    path_examples={"order_id": "S1"},
    refuses=(NoSuch("order", "S0"), OrderNotFound(OrderId(9))),
)
async def get_order(call: Call, order_id: str) -> Answer:
    match order_id:
        case "S1":
            return kit.answer(200, an_order(), etag=3)
        case "S9":
            raise Refused(OrderNotFound(OrderId(9)))
        case "busy":
            raise Refused(Overloaded(2))
        case "weather":
            raise ConnectionResetError
        case "fault":
            raise RuntimeError("the secret is 4711")
        case _:
            raise NoSuch("order", order_id)


@kit.delete("/orders/{order_id}", answers={204: None}, summary="Cancel", etag=True)
async def cancel_order(call: Call, order_id: str) -> Answer:
    keyed, expected = call.context.keyed, call.context.expected
    told = {"digest": keyed.digest.hex() if keyed else None, "id": order_id}
    told["expected"] = None if expected is None else sorted(expected)
    return kit.answer(200, told)


@kit.put("/orders/{order_id}/note", answers={200: OrderOut}, summary="Note")
async def note_order(call: Call, order_id: str, data: NoteIn | None) -> Answer:
    keyed = call.context.keyed
    told = {"text": data.text if data else None, "base": call.base, "id": order_id}
    told["digest"] = keyed.digest.hex() if keyed else None
    told["fingerprint"] = keyed.fingerprint.hex() if keyed else None
    return Answer(status=200, body=kit.encode(told), replayed=bool(data and data.text == "again"))


@kit.post("/orders/export", answers={200: kit.File(("text/csv",))}, summary="Export", keyed=False)
async def export_orders(call: Call, data: NoteIn) -> kit.Stream | kit.Download:
    if data.text.startswith("/"):
        return kit.Download("text/plain", "orders.txt", Path(data.text))
    return kit.Stream("text/csv", "orders.csv", rows(data.text))


async def rows(text: str) -> AsyncIterator[bytes]:
    if text == "none":
        raise Refused(OrderNotFound(OrderId(9)))
    yield b"a,b\r\n"
    yield b"1,2\r\n"


def render(reason: Reason) -> Rendered:
    match reason:
        case NotAuthenticated():
            return Rendered(401, ErrorOut("not authenticated"))
        case OrderNotFound() | NoProduct():
            return Rendered(404, ErrorOut("not found"))
        case Overloaded():
            return Rendered(503, ErrorOut("busy"))
        case _:
            return Rendered(409, ErrorOut(type(reason).__name__))


def render_unreadable(problem: Unreadable) -> Rendered:
    return Rendered(400, ErrorOut(str(problem)))


def render_unknown(thing: NoSuch) -> Rendered:
    return Rendered(404, ErrorOut(f"no {thing.kind} {thing.text}"))


def render_status(status: int) -> Rendered:
    return Rendered(status, ErrorOut(f"status {status}"))


CONTRACT = kit.Contract(
    name="sample",
    title="Sample",
    description="A contract for tests.",
    routes=(
        get_orders,
        create_order,
        get_order,
        cancel_order,
        note_order,
        export_orders,
    ),
    render=render,
    render_unreadable=render_unreadable,
    render_unknown=render_unknown,
    render_status=render_status,
    error_type=ErrorOut,
)
