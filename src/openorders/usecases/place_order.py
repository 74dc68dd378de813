"""Place an order: price it, reserve its stock, take the payment if one came with it.

Two round trips without a charge: what is needed, then one statement that writes all of it;
orders of a store that arrive at the same time share both. With a charge the order stays out of
sight until the gateway has said yes.
"""

from functools import partial

from openorders.domain.change import MoveKind, moves_of
from openorders.domain.events import EventType
from openorders.domain.order import Order
from openorders.domain.refusals import Refused
from openorders.store import placing, stock
from openorders.store.database import Connection
from openorders.store.placing import Asked, Ready
from openorders.usecases import charge_order
from openorders.usecases.answers import Answer, Later, Reply, keep_refusal, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.draft_order import (
    Charge,
    PlaceOrder,
    check_caller,
    draft,
    out_of_stock,
)
from openorders.usecases.gathering import Gathering, gathering_of
from openorders.usecases.place_together import Placing, place_together, registered

__all__ = ["Charge", "PlaceOrder", "place_order"]


async def place_order(ctx: Context, command: PlaceOrder, reply: Reply[Order]) -> Answer:
    """Place an order, once per idempotency key.

    Refuses what the store does not sell, does not have, or does not do; then nothing is written.
    """
    if command.charge is not None:
        return await _place_with_charge(ctx, command, command.charge, reply)
    try:
        return await _place_at_once(ctx, command, reply)
    except Refused as refused:
        return await keep_refusal(ctx, reply.refused, refused)


async def _place_at_once(ctx: Context, command: PlaceOrder, reply: Reply[Order]) -> Answer:
    check_caller(ctx, command)
    gathering = gathering_of(
        ctx.services.placing,
        ctx.store_id,
        lambda: Gathering(
            partial(place_together, ctx.services), weight=lambda one: len(one.command.lines)
        ),
    )
    answer = await gathering.join(Placing(ctx=ctx, command=command, reply=reply))
    ctx.services.bell.ring()
    return answer


async def _place_with_charge(
    ctx: Context, command: PlaceOrder, charge: Charge, reply: Reply[Order]
) -> Answer:
    async def work(unit: Unit) -> Answer | Later:
        begun = await charge_order.begun(unit.connection, ctx)
        if begun is not None:
            return charge_order.finish(ctx, begun, charge_order.placed(reply))
        order = await _draft(unit.connection, ctx, command)
        if order.totals.total == 0:
            return await _place_for_nothing(ctx, unit, order, reply)
        moves = moves_of(MoveKind.RESERVE, order.lines)
        short = await stock.move(unit.connection, ctx.store_id, order.id, moves, order.created_at)
        if short is not None:
            raise out_of_stock(order, short)
        await placing.register_customer(
            unit.connection, ctx.store_id, order.customer.id, order.created_at
        )
        await placing.hold_draft(unit.connection, ctx.store_id, order, order.created_at)
        assert order.payment_gateway is not None, "a charge needs a gateway"
        attempt = await charge_order.begin(
            unit.connection,
            ctx,
            order,
            gateway=order.payment_gateway,
            token=charge.token,
            method=charge.method,
            amount=order.totals.total,
        )
        return charge_order.finish(ctx, attempt, charge_order.placed(reply))

    return await once(ctx, reply, work)


async def _draft(connection: Connection, ctx: Context, command: PlaceOrder) -> Order:
    """The order as it will be. Who is new under another name is registered with it, in the
    transaction that is open.
    """
    check_caller(ctx, command)
    asked = Asked(lines=command.lines, customer=command.customer)
    (prepared,) = await placing.prepare(connection, ctx.store_id, [asked])
    return draft(ctx, command, prepared, await registered(connection, ctx, command, prepared))


async def _place_for_nothing(ctx: Context, unit: Unit, order: Order, reply: Reply[Order]) -> Answer:
    """An order that costs nothing is paid by being placed; no gateway takes a charge of zero."""
    ready = Ready(order=order, events=[EventType.ORDER_CREATED, EventType.ORDER_PAID])
    outcome = await placing.place(unit.connection, ctx.store_id, [ready])
    for variant_id, left in outcome.short.items():
        raise out_of_stock(order, stock.Short(variant_id, left))
    return reply.done(order)
