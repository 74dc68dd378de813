"""Between the core's orders and what `basic` prints. Pure, and total over every state."""

from functools import cache
from typing import assert_never

from openorders.contracts import kit
from openorders.contracts.basic import ids
from openorders.contracts.basic.schemas import ItemOut, ListQuery, OrderIn, OrderOut, Status
from openorders.domain.catalogue import Wanted
from openorders.domain.ids import CustomerId, OrderId
from openorders.domain.money import to_decimal
from openorders.domain.order import Order, Word
from openorders.domain.search import EVERYTHING, Page, Search, all_of, of_customer, with_words
from openorders.usecases.advance_order import Advance
from openorders.usecases.cancel_order import Cancel
from openorders.usecases.place_order import PlaceOrder
from openorders.usecases.read_orders import OrderPage


@cache
def status_of(word: Word) -> Status:
    """The status that `basic` shows for an order whose word inside this is."""
    match word:
        case Word.CREATED | Word.PAYMENT_PENDING | Word.PAID:
            return "pending"
        case Word.PROCESSING:
            return "processing"
        case Word.SHIPPED:
            return "shipped"
        case Word.DELIVERED | Word.COMPLETED:
            return "delivered"
        case Word.CANCELLED | Word.REFUNDED:
            return "cancelled"
        case _:
            assert_never(word)


def words_of(status: Status) -> frozenset[Word]:
    """Every word inside that shows as this status."""
    return frozenset(word for word in Word if status_of(word) == status)


def target_of(status: Status) -> Word:
    """The word inside that a client asks for with this status."""
    match status:
        case "pending":
            return Word.CREATED
        case "processing":
            return Word.PROCESSING
        case "shipped":
            return Word.SHIPPED
        case "delivered":
            return Word.DELIVERED
        case "cancelled":
            return Word.CANCELLED
        case _:
            assert_never(status)


def to_search(query: ListQuery) -> Search:
    """The orders that a list asks for, oldest first."""
    status, user_id = query.status, query.user_id
    return Search(
        criteria=all_of(
            EVERYTHING if status is None else with_words(words_of(status)),
            EVERYTHING if user_id is None else of_customer(user_id),
        ),
        page=Page(limit=query.limit, offset=query.offset),
    )


def to_place_order(body: OrderIn) -> PlaceOrder:
    """A new order, as it was asked for."""
    return PlaceOrder(
        customer=CustomerId(body.user_id),
        lines=tuple(
            Wanted(product_id=ids.read_product(item.product_id), quantity=item.quantity)
            for item in body.items
        ),
    )


def to_advance(order_id: OrderId, status: Status) -> Advance:
    """A status that already shows is kept as it is."""
    return Advance(order_id=order_id, target=target_of(status), holds=words_of(status))


def to_cancel(order_id: OrderId) -> Cancel:
    """An order that already shows as cancelled is kept as it is."""
    return Cancel(order_id=order_id, holds=words_of("cancelled"))


def total_of(found: OrderPage) -> int:
    """How many orders fit in all, on every page together."""
    assert found.total is not None, "a list of this contract is always counted"
    return found.total


def order_out(order: Order) -> OrderOut:
    """An order as `basic` prints it."""
    return OrderOut(
        id=order.id,
        user_id=order.customer.id,
        order_date=kit.moment(order.created_at),
        total_amount=to_decimal(order.totals.total, order.minor_digits),
        status=status_of(order.word),
        items=[
            ItemOut(
                product_id=line.product_id,
                quantity=line.quantity,
                price=to_decimal(line.unit_price, order.minor_digits),
            )
            for line in order.lines
        ],
    )
