"""Single lines verified or cancelled: all that was asked for, or nothing."""

from typing import Any

import pytest

from openorders.domain import refusals as no
from openorders.domain.ids import LineId
from openorders.domain.order import LineState, Order, PaymentState, Word
from openorders.domain.refusals import Refused
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.settle_lines import LineAction, settle_lines
from tests.world import World, told, wanted


def verify(line_id: LineId, **more: Any) -> LineAction:
    return LineAction(line_id=line_id, verify=True, **more)


def cancel(line_id: LineId, **more: Any) -> LineAction:
    return LineAction(line_id=line_id, verify=False, **more)


async def settle(world: World, order: Order, *actions: LineAction, **more: Any) -> Order:
    reply = told(lambda done: str(done.id))
    await settle_lines(world.context(**more), order.id, actions, reply)
    return await world.order(order.id)


@pytest.fixture
async def order(world: World) -> Order:
    """Three lines of 10.00, 40.00 and 2.50."""
    for variant, price in ((1, 1000), (2, 2000), (3, 250)):
        await world.sells(variant, price=price, stock=100)
    return await world.placed(wanted(1, 1), wanted(2, 2), wanted(3, 1))


def states(order: Order) -> list[LineState]:
    return [line.state for line in order.lines]


async def test_verified_and_cancelled_in_one_change(world: World, order: Order) -> None:
    one, two, three = (line.id for line in order.lines)
    now = await settle(
        world, order, cancel(two, reason="broken"), verify(one, reason="seen"), verify(three)
    )
    assert states(now) == [LineState.VERIFIED, LineState.CANCELLED, LineState.VERIFIED]
    assert now.totals.total == 1250
    assert now.version == order.version + 1
    reasons = [entry.reason for entry in now.history[len(order.history) :]]
    assert reasons == ["seen", "broken"]
    assert await world.stock(2) == (100, 0)
    rows = await world.rows(
        "select type from outbox where store_id = $1 and version = $2 order by id", now.version
    )
    assert [row["type"] for row in rows] == ["order.line_verified", "order.line_cancelled"]


async def test_what_is_so_already_stays_so(world: World, order: Order) -> None:
    one, two, _ = (line.id for line in order.lines)
    now = await settle(world, order, verify(one), cancel(two))
    assert await settle(world, order, verify(one), cancel(two)) == now


async def test_one_line_that_cannot_leaves_all_as_they_were(world: World, order: Order) -> None:
    one, two, _ = (line.id for line in order.lines)
    before = await settle(world, order, cancel(two))
    for action, reason in (
        (verify(two), no.LineNotOpen(order.id, two, "cancelled")),
        (cancel(LineId(999_999)), no.LineNotFound(order.id, LineId(999_999))),
    ):
        with pytest.raises(Refused) as refused:
            await settle(world, order, verify(one), action)
        assert refused.value.reason == reason
        assert await world.order(order.id) == before


async def test_what_was_paid_too_much_goes_back(world: World, order: Order) -> None:
    pay = Pay(order_id=order.id, token="tok_visa", method="credit_card")
    await pay_order(world.context(), pay, told(lambda paid: str(paid.order.id)))
    one, two, three = (line.id for line in order.lines)
    now = await settle(world, order, cancel(two))
    assert now.totals.total == 1250
    (payment,) = now.payments
    assert (payment.captured, payment.refunded) == (5250, 4000)
    now = await settle(world, order, cancel(one), cancel(three))
    assert now.word is Word.CANCELLED
    assert now.payment is PaymentState.REFUNDED
    assert now.totals.total == 1250
    assert [payment.refunded for payment in now.payments] == [5250]


async def test_a_line_that_was_shipped_stays_shipped(world: World, order: Order) -> None:
    command = Advance(order_id=order.id, target=Word.SHIPPED)
    await advance_order(world.context(), command, told(lambda done: str(done.order.id)))
    before = await world.order(order.id)
    for action in (verify, cancel):
        with pytest.raises(Refused) as refused:
            await settle(world, order, action(order.lines[0].id))
        assert refused.value.reason == no.LineNotOpen(order.id, order.lines[0].id, "fulfilled")
    assert await world.order(order.id) == before


async def test_another_version_is_refused(world: World, order: Order) -> None:
    with pytest.raises(Refused) as refused:
        await settle(world, order, verify(order.lines[0].id), expected=frozenset({7}))
    assert refused.value.reason == no.VersionDiffers(order.id, 1)
