"""Advancing and cancelling on a real database: stock, money, history and mail follow."""

import asyncio

import pytest

from openorders.domain.access import Role
from openorders.domain.address import Address
from openorders.domain.ids import CustomerId, OrderId
from openorders.domain.order import Order, PaymentState, Shipment, Word
from openorders.domain.refusals import (
    MoveNotAllowed,
    NotPermitted,
    OrderNotFound,
    PaymentDeclined,
    Reason,
    Refused,
    TooLateToCancel,
    VersionDiffers,
)
from openorders.usecases.advance_order import Advance, Advanced, advance_order
from openorders.usecases.cancel_order import Cancel, Cancelled, cancel_order
from openorders.usecases.context import Context
from openorders.usecases.place_order import Charge
from tests.world import World, told, wanted

ADVANCED = told(lambda done: f"{done.order.word}:{done.order.version}")
CANCELLED = told(lambda done: f"{done.order.word}:{done.refund}")
CARD = Charge(token="tok_visa", method="credit_card")


async def advanced(world: World, order: Order, word: Word, **more: object) -> Order:
    await advance_order(
        world.context(),
        Advance(order_id=order.id, target=word, **more),  # type: ignore[arg-type]
        ADVANCED,
    )
    return await world.order(order.id)


async def refusal(ctx: Context, order_id: OrderId, target: Word) -> Reason:
    with pytest.raises(Refused) as refused:
        await advance_order(ctx, Advance(order_id=order_id, target=target), ADVANCED)
    return refused.value.reason


async def test_shipping_takes_the_goods_out_of_stock(world: World) -> None:
    await world.sells(1, stock=10)
    order = await world.placed(wanted(1, 4))
    parcel = Shipment(carrier="USPS", tracking_number="1Z")
    shipped = await advanced(world, order, Word.SHIPPED, tracking=parcel, reason="packed")
    assert (shipped.word, shipped.version) == (Word.SHIPPED, 2)
    assert shipped.shipment is not None
    assert shipped.shipment.carrier == "USPS"
    assert await world.stock(1) == (6, 0)
    assert [(entry.word, entry.reason) for entry in shipped.history] == [
        (Word.CREATED, None),
        (Word.SHIPPED, "packed"),
    ]


async def test_the_events_of_skipped_steps_are_told_in_their_order(world: World) -> None:
    await world.sells(1)
    order = await world.placed()
    await advanced(world, order, Word.COMPLETED)
    rows = await world.rows("select type from outbox where store_id = $1 order by id")
    assert [row["type"] for row in rows] == [
        "order.created",
        "order.shipped",
        "order.delivered",
        "order.completed",
    ]


async def test_a_word_that_holds_writes_nothing(world: World) -> None:
    await world.sells(1)
    order = await advanced(world, await world.placed(), Word.PROCESSING)
    events = await world.row("select count(*) from outbox where store_id = $1")
    assert await advanced(world, order, Word.PROCESSING) == order
    assert await world.row("select count(*) from outbox where store_id = $1") == events


async def test_a_payment_taken_elsewhere_is_recorded(world: World) -> None:
    await world.sells(1, price=1234)
    paid = await advanced(world, await world.placed(), Word.PAID)
    assert (paid.word, paid.payment) == (Word.PAID, PaymentState.PAID)
    assert [(p.gateway, p.captured) for p in paid.payments] == [("manual", 1234)]


async def test_address_and_status_change_together_or_not_at_all(world: World) -> None:
    await world.sells(1)
    order = await world.placed()
    address = Address(line1="2 New Road")
    both = await advanced(world, order, Word.SHIPPED, address=address)
    assert (both.shipping_address, both.word, both.version) == (address, Word.SHIPPED, 2)
    with pytest.raises(Refused):
        await advanced(world, both, Word.DELIVERED, address=Address(line1="3 Late Road"))
    assert await world.order(order.id) == both


async def test_going_back_is_refused_and_changes_nothing(world: World) -> None:
    await world.sells(1)
    order = await advanced(world, await world.placed(), Word.SHIPPED)
    assert await refusal(world.context(), order.id, Word.PAID) == MoveNotAllowed(
        order.id, Word.SHIPPED, Word.PAID
    )
    assert await world.order(order.id) == order


async def test_cancelling_gives_back_stock_and_money_once(world: World) -> None:
    await world.sells(1, price=500, stock=10)
    order = await world.placed(wanted(1, 3), charge=CARD)
    command = Cancel(order_id=order.id, reason="Changed mind", comments="Found another")
    first = await cancel_order(world.context(), command, CANCELLED)
    again = await cancel_order(world.context(), command, CANCELLED)
    assert first.body == again.body == b"cancelled:1500"
    assert await world.stock(1) == (10, 0)
    cancelled = await world.order(order.id)
    assert cancelled.payment is PaymentState.REFUNDED
    assert [(p.captured, p.refunded) for p in cancelled.payments] == [(1500, 1500)]
    row = await world.row("select sum(refunded) from sandbox_charges where store_id = $1")
    assert row["sum"] == 1500


async def test_a_refund_that_was_asked_for_is_in_the_answer(world: World) -> None:
    await world.sells(1, price=500)
    order = await world.placed(charge=CARD)
    answer = await advance_order(
        world.context(key="k"), Advance(order_id=order.id, target=Word.REFUNDED), ADVANCED
    )
    assert answer.body == b"refunded:2"
    assert (await world.order(order.id)).payment is PaymentState.REFUNDED


async def test_a_refund_whose_answer_was_lost_is_finished_under_the_same_key(
    world: World,
) -> None:
    await world.sells(1, price=500)
    order = await world.placed(charge=CARD)
    ctx = world.context(key="refund", request="r")
    command = Advance(order_id=order.id, target=Word.REFUNDED)
    world.faults.lose_requests = 1

    def crash(_: Advanced) -> str:
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await advance_order(ctx, command, told(crash))
    world.clock.move(seconds=31)
    answer = await advance_order(ctx, command, ADVANCED)
    assert answer.body.startswith(b"refunded:"), answer
    row = await world.row("select sum(refunded) from sandbox_charges where store_id = $1")
    assert row["sum"] == 500


async def test_a_refund_that_the_gateway_will_not_do_is_refused(world: World) -> None:
    await world.sells(1, price=500)
    order = await world.placed(charge=Charge(token="tok_refundFail"))
    reason = await refusal(world.context(), order.id, Word.REFUNDED)
    assert isinstance(reason, PaymentDeclined)
    assert (await world.order(order.id)).word is Word.PAID


async def test_cancel_against_ship_ends_one_way_or_the_other(world: World) -> None:
    await world.sells(1, stock=100)
    for _ in range(10):
        order = await world.placed()
        results = await asyncio.gather(
            cancel_order(world.context(), Cancel(order_id=order.id), CANCELLED),
            advance_order(
                world.context(), Advance(order_id=order.id, target=Word.SHIPPED), ADVANCED
            ),
            return_exceptions=True,
        )
        refused = [result for result in results if isinstance(result, Refused)]
        assert len(refused) == 1
        word = (await world.order(order.id)).word
        expected = (
            TooLateToCancel(order.id, Word.SHIPPED)
            if word is Word.SHIPPED
            else MoveNotAllowed(order.id, Word.CANCELLED, Word.SHIPPED)
        )
        assert refused[0].reason == expected
    on_hand, reserved = await world.stock(1)
    shipped = await world.row(
        "select count(*) from orders where store_id = $1 and word = 'shipped'"
    )
    assert (on_hand, reserved) == (100 - shipped["count"], 0)


async def test_parallel_cancels_refund_once(world: World) -> None:
    await world.sells(1, price=500)
    order = await world.placed(charge=CARD)
    await asyncio.gather(
        *(cancel_order(world.context(), Cancel(order_id=order.id), CANCELLED) for _ in range(6))
    )
    row = await world.row("select sum(refunded) from sandbox_charges where store_id = $1")
    assert row["sum"] == 500
    assert len((await world.order(order.id)).history) == 2


async def test_if_match_lets_only_the_known_version_change(world: World) -> None:
    await world.sells(1)
    order = await world.placed()
    stale = world.context(expected=frozenset({7}))
    assert await refusal(stale, order.id, Word.SHIPPED) == VersionDiffers(order.id, 1)
    fresh = world.context(expected=frozenset({1}))
    answer = await advance_order(fresh, Advance(order_id=order.id, target=Word.SHIPPED), ADVANCED)
    assert answer.body == b"shipped:2"


async def test_somebody_elses_order_is_not_there(world: World) -> None:
    await world.sells(1)
    order = await world.placed(partner_name="RayTech")
    for caller in (
        world.caller(Role.PARTNER, partner_name="Other"),
        world.caller(Role.CUSTOMER, customer_id=CustomerId(6)),
    ):
        ctx = world.context(caller)
        assert await refusal(ctx, order.id, Word.SHIPPED) == OrderNotFound(order.id)
        with pytest.raises(Refused) as refused:
            await cancel_order(ctx, Cancel(order_id=order.id), CANCELLED)
        assert refused.value.reason == OrderNotFound(order.id)


async def test_a_customer_may_cancel_but_not_move_an_order_on(world: World) -> None:
    await world.sells(1)
    order = await world.placed()
    own = world.context(world.caller(Role.CUSTOMER, customer_id=CustomerId(5)))
    for word in (Word.PAID, Word.SHIPPED, Word.REFUNDED):
        assert await refusal(own, order.id, word) == NotPermitted("move orders on")
    assert await world.order(order.id) == order
    answer = await advance_order(own, Advance(order_id=order.id, target=Word.CANCELLED), ADVANCED)
    assert answer.body == b"cancelled:2"


async def test_the_answer_of_a_change_is_kept_under_its_key(world: World) -> None:
    await world.sells(1)
    order = await world.placed()
    ctx = world.context(key="ship", request="r")
    command = Advance(order_id=order.id, target=Word.SHIPPED)
    first = await advance_order(ctx, command, ADVANCED)
    await advanced(world, order, Word.DELIVERED)
    again = await advance_order(ctx, command, ADVANCED)
    assert (again.body, again.replayed) == (first.body, True)


async def test_the_customer_is_written_to_and_told_so(world: World) -> None:
    await world.sells(1)
    order = await world.placed()
    async with world.database.connection() as connection:
        await connection.execute(
            "update customers set email = 'jane@example.com' where store_id = $1", world.store.id
        )
    results: list[Advanced] = []
    reply = told(lambda done: results.append(done) or "done")  # type: ignore[func-returns-value]
    await advance_order(
        world.context(), Advance(order_id=order.id, target=Word.SHIPPED, notify=True), reply
    )
    assert results[-1].notification is not None
    assert results[-1].notification.sent


async def test_cancelled_says_what_goes_back(world: World) -> None:
    await world.sells(1, price=700)
    results: list[Cancelled] = []
    reply = told(lambda done: results.append(done) or "done")  # type: ignore[func-returns-value]
    unpaid = await world.placed()
    await cancel_order(world.context(), Cancel(order_id=unpaid.id), reply)
    assert (results[-1].order.word, results[-1].refund) == (Word.CANCELLED, 0)
