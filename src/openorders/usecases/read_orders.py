"""Read orders: one, a page, or a stream of all that a search finds."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain.access import Role
from openorders.domain.ids import OrderId
from openorders.domain.narrowing import in_minor_units
from openorders.domain.order import Order
from openorders.domain.refusals import QueryFailed, QueryTooExpensive, Refused
from openorders.domain.search import Expression, Search, all_of, of_customer, of_partner
from openorders.store import listing
from openorders.store.orders import Depth
from openorders.usecases.context import Context
from openorders.usecases.find_order import visible
from openorders.usecases.read_together import read_together


class OrderPage(Struct, frozen=True, kw_only=True):
    """Orders with their lines. `total` counts all matches, not only this page's."""

    orders: tuple[Order, ...]
    total: int | None


class OrderStream(Struct, frozen=True, kw_only=True):
    """`count` is exactly the number of orders that `orders` will give."""

    count: int
    orders: AsyncIterator[Order]


async def read_order(ctx: Context, order_id: OrderId) -> Order:
    """One order with its payments, refunds and history."""
    return await _seen(ctx, order_id, Depth.WHOLE)


async def read_order_with_lines(ctx: Context, order_id: OrderId) -> Order:
    """One order as lists show it: for who shows no payments, refunds or history of it."""
    return await _seen(ctx, order_id, Depth.LINES)


async def read_order_with_payments(ctx: Context, order_id: OrderId) -> Order:
    """One order with its payments and history: for who shows no refunds of it."""
    return await _seen(ctx, order_id, Depth.PAYMENTS)


async def _seen(ctx: Context, order_id: OrderId, depth: Depth) -> Order:
    order = await read_together(ctx.services, ctx.store_id, order_id, depth)
    return visible(ctx, order_id, order)


async def list_orders(
    ctx: Context,
    search: Search,
    *,
    total: bool = True,
    costly: str = "the search",
    calculation: str = "the search",
) -> OrderPage:
    """A page of what the caller may see, with the exact number of all matches.

    Refuses with `QueryTooExpensive` (which names what is `costly`) a search that runs too long,
    and with `QueryFailed` one whose `calculation` divides by zero or overflows on an order.
    """
    scoped = replace(search, criteria=scope(ctx, search.criteria))
    # A store keeps its currency once it has orders, so all of them have its digits.
    wanted = in_minor_units(scoped, ctx.store.minor_digits)
    try:
        found = await listing.find(ctx.services.database, ctx.store_id, wanted, total=total)
    except TimeoutError:
        raise Refused(QueryTooExpensive(costly)) from None
    except listing.FAILURES as failure:
        raise Refused(QueryFailed(listing.problem(failure), calculation)) from None
    return OrderPage(orders=found.orders, total=found.total)


@asynccontextmanager
async def stream_orders(ctx: Context, search: Search) -> AsyncGenerator[OrderStream, None]:
    """All that the caller may see of a search, from one snapshot, in constant memory."""
    scoped = replace(search, criteria=scope(ctx, search.criteria))
    async with ctx.services.database.snapshot() as connection:
        count = await listing.clipped_count(connection, ctx.store_id, scoped)
        yield OrderStream(count=count, orders=listing.stream(connection, ctx.store_id, scoped))


def scope(ctx: Context, criteria: Expression) -> Expression:
    """The criteria within what the caller may see: the one fence of every list and export."""
    caller = ctx.caller
    match caller.role:
        case Role.ADMIN | Role.SERVICE:
            return criteria
        case Role.PARTNER:
            assert caller.partner_name is not None, "the keys table holds this"
            return all_of(of_partner(caller.partner_name), criteria)
        case Role.CUSTOMER:
            assert caller.customer_id is not None, "the keys table holds this"
            return all_of(of_customer(caller.customer_id), criteria)
