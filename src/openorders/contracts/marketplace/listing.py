"""The OData list of `marketplace`: options to a search, a page of orders to the fields chosen."""

from collections.abc import Callable
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from msgspec import UNSET

from openorders.contracts import kit
from openorders.contracts.kit import Unreadable
from openorders.contracts.marketplace import translate
from openorders.contracts.marketplace.ids import format_customer, format_order
from openorders.contracts.marketplace.odata import InvalidQuery, OrderQuery, read_options
from openorders.contracts.marketplace.requests import ODataQuery
from openorders.contracts.marketplace.schemas import ListedOut, OrdersOut
from openorders.contracts.marketplace.words import status_of
from openorders.domain.order import Order
from openorders.usecases.read_orders import OrderPage

_FIELDS: Final = MappingProxyType[str, tuple[str, Callable[[Order], Any]]](
    {
        "id": ("id", lambda order: format_order(order.id)),
        "customerId": ("customer_id", lambda order: format_customer(order.customer.id)),
        "status": ("status", lambda order: status_of(order.word)),
        "items": ("items", translate.items_out),
        "totalAmount": ("total_amount", lambda order: translate.amount(order.totals.total, order)),
        "createdAt": ("created_at", lambda order: kit.moment(order.created_at)),
        "currency": ("currency", lambda order: order.currency),
        "paymentMethod": ("payment_method", lambda order: order.payment_method),
        "updatedAt": ("updated_at", lambda order: kit.moment(order.updated_at)),
    }
)


def to_query(query: ODataQuery, now: datetime) -> OrderQuery:
    """What is asked for. Raises `Unreadable` with the position and what was expected there."""
    try:
        return read_options(query.pairs(), now=now)
    except InvalidQuery as invalid:
        problem = str(invalid).removeprefix(invalid.option).strip(" .")
        raise Unreadable(invalid.option, problem, "query") from None


def costly_part(query: OrderQuery) -> str:
    """What to name when the query takes too long: what no index serves, else its largest part."""
    if query.costly is not None:
        costly = query.costly
        return f"{costly.option} at position {costly.position}: {costly.text}"
    page = query.search.page
    if page is not None and page.offset:
        return f"$skip: {page.offset} orders"
    return "$count: all matches"


def calculation(query: OrderQuery) -> str:
    """What to name when a division or an overflow stops the query on some order."""
    part = query.calculation
    return "$filter" if part is None else f"{part.option} at position {part.position} ({part.text})"


def orders_out(found: OrderPage, query: OrderQuery) -> OrdersOut:
    """The page, each order with the fields that were chosen."""
    chosen = [_FIELDS[name] for name in query.select]
    return OrdersOut(
        value=[
            ListedOut(**{field: value_of(order) for field, value_of in chosen})
            for order in found.orders
        ],
        count=UNSET if found.total is None else found.total,
    )
