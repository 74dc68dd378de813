"""Bring an order to the word a client asks for, and correct its address on the way."""

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain import progress
from openorders.domain.access import Role
from openorders.domain.address import Address
from openorders.domain.change import By, Change, nothing
from openorders.domain.ids import OperationId, OrderId
from openorders.domain.order import Order, Shipment, Word
from openorders.store import changes
from openorders.usecases import send_mail
from openorders.usecases.answers import Answer, Later, Reply, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.find_order import locked
from openorders.usecases.perform_operations import perform_all
from openorders.usecases.refund_order import carry_out, refunds_begun, remember_refunds
from openorders.usecases.send_mail import Notification


class Advance(Struct, frozen=True, kw_only=True):
    """`target` is the word to reach, `holds` the words that already show as what was asked.

    `notify` writes to the customer about where the order is now.
    """

    order_id: OrderId
    target: Word | None = None
    holds: frozenset[Word] = frozenset()
    reason: str | None = None
    tracking: Shipment | None = None
    address: Address | None = None
    notify: bool = False


class Advanced(Struct, frozen=True, kw_only=True):
    """The order as it is now. `notification` is there only when it was asked for."""

    order: Order
    notification: Notification | None = None


async def advance_order(ctx: Context, command: Advance, reply: Reply[Advanced]) -> Answer:
    """Do all that the command asks for, or nothing of it.

    A word that already holds is a success that writes nothing. Refuses what is behind the
    order, cannot be reached, or came too late.
    """

    async def work(unit: Unit) -> Answer | Later:
        begun = await refunds_begun(unit.connection, ctx)
        if begun:
            return Later(lambda: _refunded(ctx, command, begun, reply))
        order = await locked(unit.connection, ctx, command.order_id)
        _require_staff(ctx, order, command)
        by = ctx.by(command.reason)
        change = _decided(order, command, by)
        operations = await changes.save(unit.connection, ctx.store_id, change, by)
        if command.target is Word.REFUNDED and operations:
            await remember_refunds(unit.connection, ctx, operations)
            if command.notify:
                await send_mail.promise(unit.connection, ctx.store_id, operations)
            return Later(lambda: _refunded(ctx, command, operations, reply))
        mail_id = None
        if command.notify:
            mail_id = await send_mail.write(unit.connection, ctx.store, change.order, by)
        if operations:
            unit.afterwards.append(lambda: perform_all(ctx.services, ctx.store, operations))
        if command.notify:
            return Later(lambda: _told(ctx, change.order, mail_id, reply))
        return reply.done(Advanced(order=change.order))

    return await once(ctx, reply, work)


async def _refunded(
    ctx: Context,
    command: Advance,
    operations: tuple[OperationId, ...],
    reply: Reply[Advanced],
) -> Answer:
    """The answer once the gateway was asked: the word holds when it has said yes, and only then
    is there a letter about it.
    """
    returned = await carry_out(ctx, command.order_id, operations)
    if command.notify:
        mail_id = await send_mail.promised(ctx.services, ctx.store_id, operations)
        return await _told(ctx, returned.order, mail_id, reply)
    return reply.done(Advanced(order=returned.order))


async def _told(ctx: Context, order: Order, mail_id: int | None, reply: Reply[Advanced]) -> Answer:
    notification = await send_mail.hand_over(ctx.services, ctx.store, mail_id)
    return reply.done(Advanced(order=order, notification=notification))


def _require_staff(ctx: Context, order: Order, command: Advance) -> None:
    """Customers and partners may cancel and readdress their orders; the rest is the store's."""
    target = command.target
    if target in (None, Word.CANCELLED) or order.word in command.holds:
        return
    ctx.caller.require(Role.ADMIN, Role.SERVICE, to="move orders on")


def _decided(order: Order, command: Advance, by: By) -> Change:
    change = nothing(order)
    if command.address is not None:
        change = progress.readdress(order, command.address, by)
    if command.target is None or order.word in command.holds:
        return change
    step = progress.advance(change.order, command.target, by, tracking=command.tracking)
    if change.is_nothing:
        return step
    return _joined(change, step)


def _joined(first: Change, second: Change) -> Change:
    """Two changes as one: one version on, and one entry in the history."""
    if second.is_nothing:
        return first
    order = replace(
        second.order,
        history=(*first.before.history, second.order.history[-1]),
        version=first.before.version + 1,
    )
    return replace(second, before=first.before, order=order, events=(*first.events, *second.events))
