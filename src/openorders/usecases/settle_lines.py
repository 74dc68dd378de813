"""Cancel or verify single lines of an order: all that was asked for, or nothing."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain import progress
from openorders.domain.access import Role
from openorders.domain.change import By, Change
from openorders.domain.ids import LineId, OrderId
from openorders.domain.order import Order
from openorders.store import changes
from openorders.usecases.answers import Answer, Reply, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.find_order import locked
from openorders.usecases.perform_operations import perform_all


class LineAction(Struct, frozen=True, kw_only=True):
    """What is to become of a line: it is verified, or else cancelled."""

    line_id: LineId
    verify: bool
    reason: str | None = None


async def settle_lines(
    ctx: Context, order_id: OrderId, actions: Sequence[LineAction], reply: Reply[Order]
) -> Answer:
    """Do all the actions, each line at most once. Verifying is for staff.

    Cancelling gives stock back, lowers the total and refunds what was paid beyond it; with the
    last open line the order is cancelled. A line that is already as asked stays so. Refuses with
    `LineNotFound`, and with `LineNotOpen` for a line that was shipped or cancelled.
    """

    async def work(unit: Unit) -> Answer:
        order = await locked(unit.connection, ctx, order_id)
        if any(action.verify for action in actions):
            ctx.caller.require(Role.ADMIN, Role.SERVICE, to="verify items")
        change = _decided(ctx, order, actions)
        operations = await changes.save(unit.connection, ctx.store_id, change, ctx.by())
        if operations:
            unit.afterwards.append(lambda: perform_all(ctx.services, ctx.store, operations))
        return reply.done(change.order)

    return await once(ctx, reply, work)


def _decided(ctx: Context, order: Order, actions: Sequence[LineAction]) -> Change:
    verified = [action for action in actions if action.verify]
    cancelled = [action for action in actions if not action.verify]
    first = progress.verify_lines(order, _ids(verified), _by(ctx, verified))
    second = progress.cancel_lines(first.order, _ids(cancelled), _by(ctx, cancelled))
    return _joined(first, second)


def _ids(actions: Sequence[LineAction]) -> tuple[LineId, ...]:
    return tuple(action.line_id for action in actions)


def _by(ctx: Context, actions: Sequence[LineAction]) -> By:
    """One entry in the history says every reason once."""
    reasons = dict.fromkeys(action.reason for action in actions if action.reason)
    return ctx.by("; ".join(reasons) or None)


def _joined(first: Change, second: Change) -> Change:
    """Two changes as one: one version on, with an entry in the history for each."""
    if first.is_nothing or second.is_nothing:
        return second if first.is_nothing else first
    return replace(
        second,
        before=first.before,
        order=replace(second.order, version=first.before.version + 1),
        events=(*first.events, *second.events),
        moves=(*first.moves, *second.moves),
    )
