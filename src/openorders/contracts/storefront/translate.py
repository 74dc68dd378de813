"""Between `storefront`'s shapes and the order book's: pure, total, without HTTP."""

from functools import cache
from typing import Final, assert_never

from openorders.contracts.kit import Unreadable
from openorders.contracts.storefront import ids, periods
from openorders.contracts.storefront.requests import (
    AddressIn,
    BillingIn,
    CancelIn,
    ItemIn,
    ListQuery,
    OrderIn,
    StatusIn,
)
from openorders.contracts.storefront.schemas import Status
from openorders.domain.access import Caller
from openorders.domain.address import Address
from openorders.domain.catalogue import Wanted
from openorders.domain.ids import CustomerId, OrderId
from openorders.domain.order import Shipment, Word
from openorders.domain.search import (
    EVERYTHING,
    Column,
    Field,
    Page,
    Search,
    SortKey,
    all_of,
    created_between,
    with_words,
)
from openorders.usecases.advance_order import Advance
from openorders.usecases.cancel_order import Cancel
from openorders.usecases.place_order import Charge, PlaceOrder

NEWEST_FIRST: Final = (SortKey(key=Column(field=Field.CREATED_AT), descending=True),)


@cache
def status_of(word: Word) -> Status:
    """The word that this contract shows; it knows all of the words inside."""
    match word:
        case Word.CREATED:
            return "created"
        case Word.PAYMENT_PENDING:
            return "payment_pending"
        case Word.PAID:
            return "paid"
        case Word.PROCESSING:
            return "processing"
        case Word.SHIPPED:
            return "shipped"
        case Word.DELIVERED:
            return "delivered"
        case Word.COMPLETED:
            return "completed"
        case Word.CANCELLED:
            return "cancelled"
        case Word.REFUNDED:
            return "refunded"
        case _:
            assert_never(word)


def word_of(status: Status) -> Word:
    """The word inside that a client asks for with this status."""
    match status:
        case "created":
            return Word.CREATED
        case "payment_pending":
            return Word.PAYMENT_PENDING
        case "paid":
            return Word.PAID
        case "processing":
            return Word.PROCESSING
        case "shipped":
            return Word.SHIPPED
        case "delivered":
            return Word.DELIVERED
        case "completed":
            return Word.COMPLETED
        case "cancelled":
            return Word.CANCELLED
        case "refunded":
            return Word.REFUNDED
        case _:
            assert_never(status)


def to_search(query: ListQuery) -> Search:
    """A page of orders, the newest first. Raises `Unreadable` for a date that is none."""
    start, end = query.from_date, query.to_date
    return Search(
        criteria=all_of(
            EVERYTHING if query.status is None else with_words({word_of(query.status)}),
            created_between(
                None if start is None else periods.start_of(start, "fromDate"),
                None if end is None else periods.end_of(end, "toDate"),
            ),
        ),
        sort=NEWEST_FIRST,
        page=Page(limit=query.limit, offset=(query.page - 1) * query.limit),
    )


def to_place_order(body: OrderIn, caller: Caller) -> PlaceOrder:
    """The command. Raises `Unreadable` or `NoSuch` for an identifier that is none."""
    shipping = None if body.shipping_address is None else _address(body.shipping_address)
    payment = body.payment_details
    return PlaceOrder(
        lines=tuple(_wanted(item, f"items[{i}]") for i, item in enumerate(body.items)),
        customer=_customer(body.customer_id, caller),
        shipping_address=shipping,
        billing_address=_billing(body.billing_address, shipping),
        shipping_method=body.shipping_method,
        discount_code=body.discount_code,
        notes=body.notes,
        payment_method=None if payment is None else payment.method,
        charge=None if payment is None else Charge(token=payment.token, method=payment.method),
        payment_asked=payment is None,
        start_when_paid=True,
    )


def to_advance(order_id: OrderId, body: StatusIn) -> Advance:
    """A status that already shows is kept as it is."""
    word = word_of(body.status)
    return Advance(
        order_id=order_id,
        target=word,
        holds=frozenset({word}),
        tracking=Shipment(
            carrier=body.carrier,
            tracking_number=body.tracking_number,
            tracking_url=body.tracking_url,
        ),
        notify=body.notify_customer is True,
    )


def to_cancel(order_id: OrderId, body: CancelIn | None) -> Cancel:
    """The command; nobody needs to say why."""
    body = body or CancelIn()
    return Cancel(order_id=order_id, reason=body.reason, comments=body.comments)


def _wanted(item: ItemIn, at: str) -> Wanted:
    variant = item.variant_id
    return Wanted(
        product_id=ids.read_product(item.product_id, f"{at}.productId"),
        variant_id=None if variant is None else ids.read_variant(variant, f"{at}.variantId"),
        quantity=item.quantity,
    )


def _customer(named: str | None, caller: Caller) -> CustomerId:
    if named is not None:
        return ids.read_customer(named, "customerId")
    if caller.customer_id is not None:
        return caller.customer_id
    raise Unreadable("customerId", "is required unless a customer orders")


def _billing(billing: BillingIn | None, shipping: Address | None) -> Address | None:
    if billing is None:
        return None
    return shipping if billing.same_as_shipping else _address(billing)


def _address(address: AddressIn) -> Address | None:
    """The address; None where no part of it was given."""
    given = Address(
        name=address.name,
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        state=address.state,
        postal_code=address.postal_code,
        country=address.country,
        phone=address.phone,
    )
    return None if given == Address() else given
