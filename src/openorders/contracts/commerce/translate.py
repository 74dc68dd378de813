"""Between the core's orders and what `commerce` prints. Pure, and total over every state."""

from functools import cache
from typing import Final, assert_never

from msgspec import UNSET, UnsetType

from openorders.contracts import kit
from openorders.contracts.commerce import ids
from openorders.contracts.commerce.schemas import (
    AddressIn,
    AddressOut,
    ItemOut,
    ListQuery,
    OrderChange,
    OrderIn,
    OrderOut,
    OrdersOut,
    Pagination,
    SortBy,
    Status,
)
from openorders.contracts.kit import Unreadable
from openorders.domain.address import Address
from openorders.domain.catalogue import Wanted
from openorders.domain.ids import OrderId
from openorders.domain.money import to_decimal
from openorders.domain.order import Order, Word
from openorders.domain.search import (
    EVERYTHING,
    Column,
    Field,
    Page,
    Search,
    SortKey,
    with_words,
)
from openorders.usecases.advance_order import Advance
from openorders.usecases.cancel_order import Cancel
from openorders.usecases.place_order import Charge, PlaceOrder
from openorders.usecases.read_orders import OrderPage

_SORT_FIELDS: Final[dict[SortBy, Field]] = {
    "createdAt": Field.CREATED_AT,
    "updatedAt": Field.UPDATED_AT,
    "totalAmount": Field.TOTAL,
}


@cache
def status_of(word: Word) -> Status:
    """The status that `commerce` shows for an order whose word inside this is."""
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
    """The orders that a list asks for."""
    by = Column(field=_SORT_FIELDS[query.sort_by])
    return Search(
        criteria=EVERYTHING if query.status is None else with_words(words_of(query.status)),
        sort=(SortKey(key=by, descending=query.sort_order == "desc"),),
        page=Page(limit=query.limit, offset=query.offset),
    )


def to_place_order(body: OrderIn) -> PlaceOrder:
    """A new order, as it was asked for."""
    token = body.payment_method_id
    return PlaceOrder(
        customer=ids.read_customer(body.customer_id, "customerId"),
        lines=tuple(
            Wanted(
                product_id=ids.read_product(item.product_id, f"items[{position}].productId"),
                quantity=item.quantity,
            )
            for position, item in enumerate(body.items)
        ),
        shipping_address=_address(body.shipping_address),
        charge=None if token is None else Charge(method=None, token=token),
    )


def to_advance(order_id: OrderId, body: OrderChange) -> Advance:
    """A change of status, of address, or of both. A status that already shows is kept as it is.

    Raises `Unreadable` when the body asks for neither.
    """
    status, address = body.status, _address(body.shipping_address)
    if status is None and address is None:
        raise Unreadable("body", "must have a status or a shippingAddress")
    return Advance(
        order_id=order_id,
        target=None if status is None else target_of(status),
        holds=frozenset() if status is None else words_of(status),
        address=address,
    )


def to_cancel(order_id: OrderId) -> Cancel:
    """An order that already shows as cancelled is kept as it is."""
    return Cancel(order_id=order_id, holds=words_of("cancelled"))


def order_out(order: Order) -> OrderOut:
    """One order, with its address when it has one."""
    return _order_out(order, _address_out(order.shipping_address))


def entry_out(order: Order) -> OrderOut:
    """An order in a list, or one just placed: without its address."""
    return _order_out(order, UNSET)


def orders_out(found: OrderPage, query: ListQuery) -> OrdersOut:
    """A page of orders and where it stands among all of them."""
    total = found.total
    assert total is not None, "a list of this contract is always counted"
    return OrdersOut(
        data=[entry_out(order) for order in found.orders],
        pagination=Pagination(
            total=total,
            limit=query.limit,
            offset=query.offset,
            next_offset=kit.next_offset(query.offset, query.limit, total),
            prev_offset=kit.prev_offset(query.offset, query.limit),
        ),
    )


def _order_out(order: Order, address: AddressOut | UnsetType) -> OrderOut:
    return OrderOut(
        order_id=ids.format_order(order.id),
        customer_id=ids.format_customer(order.customer.id),
        status=status_of(order.word),
        total_amount=to_decimal(order.totals.total, order.minor_digits),
        currency=order.currency,
        created_at=kit.moment(order.created_at),
        updated_at=kit.moment(order.updated_at),
        shipping_address=address,
        items=[
            ItemOut(
                product_id=ids.format_product(line.product_id),
                quantity=line.quantity,
                price=to_decimal(line.unit_price, order.minor_digits),
            )
            for line in order.lines
        ],
    )


def _address(sent: AddressIn | None) -> Address | None:
    if sent is None:
        return None
    address = Address(
        line1=sent.street,
        city=sent.city,
        state=sent.state,
        postal_code=sent.zip_code,
        country=sent.country,
    )
    if address == Address():
        raise Unreadable("shippingAddress", "must have at least one part")
    return address


def _address_out(address: Address | None) -> AddressOut | UnsetType:
    if address is None:
        return UNSET
    return AddressOut(
        street=address.line1,
        city=address.city,
        state=address.state,
        zip_code=address.postal_code,
        country=address.country,
    )
