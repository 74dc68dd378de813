"""Refunds by line and by shipping: the exact shares, once, with the goods back on the shelf."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openorders.domain.ids import LineId
from openorders.domain.order import Order, PaymentState, Word
from openorders.domain.refund import RefundState
from openorders.domain.refusals import (
    AmountNotOwed,
    LineNotFound,
    LineNotOpen,
    NothingToRefund,
    PaymentDeclined,
    UnitsNotLeft,
)
from openorders.domain.store_settings import ShippingMethod, StorePolicy, TaxRate
from openorders.store.database import Database
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.answers import Answer
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.perform_operations import sweep_operations
from openorders.usecases.settle_lines import LineAction, settle_lines
from openorders.usecases.verify_ledgers import verify
from tests.usecases.money import (
    at_the_gateway,
    forget_answers,
    give_back,
    pay,
    reason_of,
    record,
    rows_of_money,
)
from tests.world import World, a_world, told, wanted

POLICY = StorePolicy(
    taxes=(TaxRate(name="State", rate=Decimal("0.06")),),
    shipping_methods=(ShippingMethod(code="standard", cost=599, days=1),),
)


@pytest.fixture
async def shop(database: Database, tmp_path: Path) -> Any:
    """A store with taxes and shipping, whose books add up after every test."""
    world = await a_world(database, tmp_path, policy=POLICY)
    await world.sells(1, price=333, stock=100)
    await world.sells(2, price=1000, stock=100)
    yield world
    assert [difference async for difference in verify(world.services)] == []


async def paid_order(shop: World, token: str = "tok_visa") -> Order:
    """Three at 3.33 and one at 10.00, 6 % tax, 5.99 shipping: 27.18 in all."""
    order = await shop.placed(
        wanted(1, 3), wanted(2), shipping_method="standard", payment_asked=True
    )
    await pay(shop, order, token=token)
    return await shop.order(order.id)


@pytest.fixture
async def order(shop: World) -> Order:
    return await paid_order(shop)


async def test_the_units_of_a_line_come_to_its_share(shop: World, order: Order) -> None:
    line = order.lines[0]
    back = [json.loads((await give_back(shop, order, (line.id, 1))).body)[1] for _ in range(3)]
    assert sum(back) == line.share == 1059
    assert await at_the_gateway(shop, order) == (order.totals.total, 1059)
    reason = await reason_of(give_back(shop, order, (line.id, 1)))
    assert reason == UnitsNotLeft(order.id, line.id, 0)


async def test_lines_and_shipping_are_all_there_was(shop: World, order: Order) -> None:
    first, second = order.lines
    await give_back(shop, order, (first.id, 2), shipping=Decimal("2.00"), reason="Late")
    half = await shop.order(order.id)
    assert (half.payment, half.word) == (PaymentState.PART_REFUNDED, Word.PAID)
    await give_back(shop, order, (first.id, None), (second.id, None), shipping=True)
    now = await shop.order(order.id)
    assert (now.payment, now.word) == (PaymentState.REFUNDED, Word.REFUNDED)
    assert [(refund.shipping, refund.reason) for refund in now.refunds] == [
        (200, "Late"),
        (399, None),
    ]
    assert sum(refund.amount for refund in now.refunds) == order.totals.total
    assert await reason_of(give_back(shop, order, shipping=True)) == NothingToRefund(order.id)


async def test_an_amount_beside_lines_must_be_what_they_come_to(shop: World, order: Order) -> None:
    line, before = order.lines[1].id, await rows_of_money(shop)
    wrong = await reason_of(give_back(shop, order, (line, 1), amount=Decimal("10.61")))
    assert wrong == AmountNotOwed(1061, 1060, 2)
    assert await rows_of_money(shop) == before
    await give_back(shop, order, (line, 1), amount=Decimal("10.60"))
    assert await at_the_gateway(shop, order) == (order.totals.total, 1060)


@pytest.mark.parametrize("restock", [True, False])
async def test_shipped_units_are_on_hand_again_only_when_staff_say_so(
    shop: World, order: Order, restock: bool
) -> None:
    await advance_order(shop.context(), Advance(order_id=order.id, target=Word.SHIPPED), told(str))
    assert await shop.stock(1) == (97, 0)
    await give_back(shop, order, (order.lines[0].id, 2), restock=restock)
    assert await shop.stock(1) == (99 if restock else 97, 0)
    (refund,) = (await shop.order(order.id)).refunds
    assert (refund.restock, refund.lines[0].restocked) == (restock, 2 if restock else 0)


async def test_what_was_not_shipped_stays_reserved(shop: World, order: Order) -> None:
    await give_back(shop, order, (order.lines[0].id, 2), restock=True)
    assert await shop.stock(1) == (100, 3)


async def test_a_line_that_was_refunded_in_part_gives_back_the_rest_when_it_is_cancelled(
    shop: World, order: Order
) -> None:
    line = order.lines[0]
    await give_back(shop, order, (line.id, 1))
    action = LineAction(line_id=line.id, verify=False)
    await settle_lines(shop.context(), order.id, (action,), told(str))
    assert await at_the_gateway(shop, order) == (order.totals.total, line.share)
    reason = await reason_of(give_back(shop, order, (line.id, 1)))
    assert reason == LineNotOpen(order.id, line.id, "cancelled")


async def test_a_cancelled_order_gives_back_what_refunds_have_left(
    shop: World, order: Order
) -> None:
    await give_back(shop, order, (order.lines[0].id, 1), shipping=True)
    await give_back(shop, order, amount=Decimal("1.00"))
    await cancel_order(shop.context(), Cancel(order_id=order.id), told(str))
    assert await at_the_gateway(shop, order) == (order.totals.total,) * 2
    now = await shop.order(order.id)
    assert sum(refund.amount for refund in now.refunds) == order.totals.total


async def test_refunds_of_one_line_at_once_never_exceed_it(shop: World, order: Order) -> None:
    shop.faults.delay_s = 0.02
    line = order.lines[0]
    answers = await asyncio.gather(
        *(give_back(shop, order, (line.id, 1)) for _ in range(7)), return_exceptions=True
    )
    assert sum(isinstance(answer, Answer) for answer in answers) == 3
    assert await at_the_gateway(shop, order) == (order.totals.total, line.share)


async def test_refunds_of_everything_at_once_never_exceed_the_captures(
    shop: World, order: Order
) -> None:
    """Over two payments: what one request takes, no other finds."""
    order = await shop.placed(wanted(2, 4), shipping_method="standard", payment_asked=True)
    await pay(shop, order, "20.00")
    await record(shop, order, str(Decimal(order.totals.total - 2000) / 100))
    line = order.lines[0].id
    await asyncio.gather(
        *(give_back(shop, order, amount=Decimal("7.77")) for _ in range(4)),
        *(give_back(shop, order, (line, 1)) for _ in range(4)),
        give_back(shop, order),
        return_exceptions=True,
    )
    now = await shop.order(order.id)
    assert now.payment is PaymentState.REFUNDED
    assert sum(payment.refunded for payment in now.payments) == order.totals.total
    assert sum(refund.amount for refund in now.refunds) == order.totals.total


async def test_a_refund_of_a_line_under_one_key_happens_once(shop: World, order: Order) -> None:
    line = (order.lines[0].id, 1)
    first = await give_back(shop, order, line, ctx=shop.context(key="back"))
    again = await give_back(shop, order, line, ctx=shop.context(key="back"))
    assert (again.body, again.replayed) == (first.body, True)
    await forget_answers(shop)
    found = await give_back(shop, order, line, ctx=shop.context(key="back"))
    assert found.body == first.body
    assert len((await shop.order(order.id)).refunds) == 1


async def test_a_refund_that_nobody_answered_is_finished_by_the_sweep(
    shop: World, order: Order
) -> None:
    shop.faults.lose_requests = 1
    answer = await give_back(shop, order, (order.lines[1].id, 1))
    assert json.loads(answer.body)[1:] == [1060, "started"]
    assert (await shop.order(order.id)).refunds[0].state is RefundState.STARTED
    shop.clock.move(minutes=1)
    await sweep_operations(shop.services)
    assert (await shop.order(order.id)).refunds[0].state is RefundState.SUCCEEDED
    assert await at_the_gateway(shop, order) == (order.totals.total, 1060)


async def test_a_refund_that_failed_can_be_asked_for_again_and_restocks_once(shop: World) -> None:
    order = await paid_order(shop, "tok_refundFail")
    await advance_order(shop.context(), Advance(order_id=order.id, target=Word.SHIPPED), told(str))
    line = order.lines[0].id
    for _ in range(2):
        reason = await reason_of(give_back(shop, order, (line, None), restock=True))
        assert isinstance(reason, PaymentDeclined)
    now = await shop.order(order.id)
    assert [refund.state for refund in now.refunds] == [RefundState.FAILED] * 2
    assert now.payment is PaymentState.PAID
    assert await shop.stock(1) == (100, 0)


async def test_the_part_of_a_refund_that_failed_is_still_owed_to_the_buyer(shop: World) -> None:
    order = await shop.placed(wanted(2, 2), payment_asked=True)
    await pay(shop, order, "15.00", token="tok_refundFail")
    await record(shop, order, "6.20", "cash")
    answer = await give_back(shop, order, (order.lines[0].id, None))
    assert json.loads(answer.body)[1:] == [620, "part_failed"]
    now = await shop.order(order.id)
    assert (now.refunds[0].amount, now.refunds[0].failed) == (2120, 1500)
    assert now.payment is PaymentState.PART_REFUNDED
    assert await reason_of(give_back(shop, order, amount=Decimal("15.01"))) == AmountNotOwed(
        1501, 1500, 2
    )
    assert isinstance(await reason_of(give_back(shop, order)), PaymentDeclined)
    assert (await shop.order(order.id)).refunds[0].firm


async def test_a_refund_that_cannot_be_is_refused_and_changes_nothing(
    shop: World, order: Order
) -> None:
    before = await rows_of_money(shop)
    other = LineId(order.lines[-1].id + 1)
    assert await reason_of(give_back(shop, order, (other, 1))) == LineNotFound(order.id, other)
    line = order.lines[0].id
    assert await reason_of(give_back(shop, order, (line, 4))) == UnitsNotLeft(order.id, line, 3)
    for shipping in (Decimal("6.00"), Decimal("0.001")):
        refused = await reason_of(give_back(shop, order, shipping=shipping))
        assert isinstance(refused, AmountNotOwed)
    assert await rows_of_money(shop) == before
    assert await shop.order(order.id) == order


async def test_what_goes_back_is_told_with_the_refund(shop: World, order: Order) -> None:
    await give_back(shop, order, (order.lines[0].id, 1))
    rows = await shop.rows(
        "select type, payload from outbox where store_id = $1 and order_id = $2 order by id",
        order.id,
    )
    told_of = [
        (row["type"], [one["state"] for one in json.loads(row["payload"])["refunds"]])
        for row in rows
    ]
    assert told_of[-2:] == [("order.updated", ["started"]), ("order.refunded", ["succeeded"])]
