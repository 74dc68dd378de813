"""What Stripe tells by itself has its effect once: twice, at once, in any order, too early, forged,
too old, about somebody else.
"""

import asyncio
import itertools
from datetime import timedelta
from decimal import Decimal

import pytest

from openorders.domain.ids import StoreId
from openorders.domain.order import PaymentState, Progress, Word
from openorders.domain.payment import AttemptState
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.expire_unpaid import expire_unpaid
from openorders.usecases.notices import (
    KEPT_FOR,
    NoticeUnread,
    NoticeUnsettled,
    UnknownAccount,
    forget_notices,
    take_notice,
)
from openorders.usecases.perform_operations import sweep_operations
from openorders.usecases.place_order import Charge, place_order
from openorders.usecases.refund_order import Refund, refund_order
from tests.usecases.stripe_world import SECRET, AtStripe
from tests.world import an_order_for, told, told_the_id

ANY = told(lambda _done: "done")
CARD_THAT_ASKS = "pm_card_threeDSecure2Required"


async def remembered(shop: AtStripe) -> int:
    row = await shop.world.row("select count(*) as n from gateway_notices where store_id = $1")
    return row["n"]


async def version(shop: AtStripe, order) -> int:
    return (await shop.world.order(order.id)).version


async def test_the_same_notice_three_times_at_once_has_one_effect(shop: AtStripe) -> None:
    order = await shop.order()
    await shop.pays(order, CARD_THAT_ASKS)
    reference = (await shop.payment(order)).reference
    assert reference is not None
    await shop.stripe.authenticate(reference)
    await shop.told("payment_intent.succeeded", times=3)
    assert (await shop.types(order)).count("paid") == 1
    assert await remembered(shop) == 1
    settled = await version(shop, order)
    await shop.told("payment_intent.succeeded")
    assert await version(shop, order) == settled


async def test_a_notice_may_come_before_our_own_call_is_answered(shop: AtStripe) -> None:
    order = await shop.order()
    world = shop.world
    shop.stripe.faults.delay_s = 600
    paying = asyncio.create_task(shop.pays(order, ctx=world.context(key="once")))
    while not shop.stripe.events.of_type("payment_intent.succeeded"):
        await asyncio.sleep(0.02)
    await shop.told("payment_intent.succeeded", "charge.succeeded")
    assert (await world.order(order.id)).word is Word.PAID
    assert not paying.done()
    shop.stripe.faults.delay_is_over.set()
    assert (await paying).body == b"captured"
    payment = await shop.payment(order)
    assert (payment.captured, payment.card_last_four) == (2500, "4242")
    assert (await shop.types(order)).count("paid") == 1
    again = await shop.pays(order, ctx=world.context(key="once"))
    assert (again.body, again.replayed) == (b"captured", True)


async def test_a_notice_makes_an_order_that_comes_with_its_charge_visible_once(
    shop: AtStripe,
) -> None:
    world = shop.world
    shop.stripe.faults.delay_s = 600
    command = an_order_for(gateway="stripe", charge=Charge(token="pm_card_visa"))
    placing = asyncio.create_task(place_order(world.context(key="new"), command, told_the_id()))
    while not shop.stripe.events.of_type("payment_intent.succeeded"):
        await asyncio.sleep(0.02)
    await shop.told("payment_intent.succeeded", times=3)
    row = await world.row("select count(*) as n from orders where store_id = $1")
    assert row["n"] == 1
    shop.stripe.faults.delay_is_over.set()
    assert (await placing).status == 200
    row = await world.row("select count(*) as n from orders where store_id = $1")
    assert row["n"] == 1


@pytest.mark.parametrize("turn", range(6))
async def test_notices_of_a_page_in_any_order_end_the_same(shop: AtStripe, turn: int) -> None:
    order = await shop.order()
    await shop.pays(order, None, page=True)
    reference = (await shop.payment(order)).reference
    assert reference is not None
    await shop.stripe.pay_page(reference)
    kinds = ("payment_intent.succeeded", "charge.succeeded", "checkout.session.completed")
    orders = list(itertools.permutations(shop.stripe.events.of_type(*kinds)))
    await shop.sends_all(orders[turn % len(orders)])
    payment = await shop.payment(order)
    assert (payment.state, payment.captured) == (AttemptState.CAPTURED, 2500)
    assert payment.card_last_four == "4242"
    assert (await shop.types(order)).count("paid") == 1


@pytest.mark.parametrize("turn", range(6))
async def test_notices_of_a_refund_in_any_order_end_the_same(shop: AtStripe, turn: int) -> None:
    order = await shop.order()
    await shop.pays(order, "pm_card_refundFail")
    command = Refund(order_id=order.id, amount=Decimal("10.00"))
    await refund_order(shop.world.context(), command, ANY)
    (created,) = shop.stripe.events.of_type("refund.created")
    await shop.stripe.finish_refund(created["data"]["object"]["id"], "failed")
    events = [event for event in shop.stripe.events.all if "refund" in event["type"]]
    orders = list(itertools.permutations(events))
    await shop.sends_all(orders[turn * len(orders) // 6])
    payment = await shop.payment(order)
    assert (payment.captured, payment.refunded) == (2500, 0)
    assert (await shop.world.order(order.id)).payment is PaymentState.PAID


async def test_an_old_no_does_not_undo_what_a_buyer_has_paid_since(shop: AtStripe) -> None:
    order = await shop.order()
    await shop.pays(order, "pm_card_chargeDeclined", ctx=shop.world.context(key="no"))
    await shop.pays(order)
    settled = await version(shop, order)
    await shop.told("payment_intent.payment_failed")
    assert await version(shop, order) == settled
    assert (await shop.world.order(order.id)).word is Word.PAID


async def test_money_that_arrives_for_an_order_that_has_ended_is_given_back_at_once(
    shop: AtStripe,
) -> None:
    order = await shop.order()
    await shop.pays(order, None, page=True)
    reference = (await shop.payment(order)).reference
    assert reference is not None
    shop.stripe.faults.lose_requests = 100
    await cancel_order(shop.world.context(), Cancel(order_id=order.id), ANY)
    shop.stripe.faults.lose_requests = 0
    await shop.stripe.pay_page(reference)
    await shop.told("checkout.session.completed")
    payment = await shop.payment(order)
    assert (payment.captured, payment.refunded) == (2500, 2500)
    await shop.sweeps()
    assert await shop.differences() == []


async def test_what_follows_from_a_notice_is_done_although_its_process_dies(
    shop: AtStripe,
) -> None:
    world = shop.world
    order = await shop.order()
    await shop.pays(order, None, page=True)
    reference = (await shop.payment(order)).reference
    assert reference is not None
    shop.stripe.faults.lose_requests = 100
    await cancel_order(world.context(), Cancel(order_id=order.id), ANY)
    shop.stripe.faults.lose_requests = 0
    await shop.stripe.pay_page(reference)
    (event,) = shop.stripe.events.of_type("payment_intent.succeeded")
    headers, body = shop.stripe.signed(event, SECRET)
    await take_notice(world.services, world.store.id, "stripe", headers, body)
    payment = await shop.payment(order)
    assert (payment.captured, payment.refunded) == (2500, 0)
    await shop.sweeps()
    payment = await shop.payment(order)
    assert (payment.captured, payment.refunded) == (2500, 2500)
    assert await shop.differences() == []


async def test_a_buyer_pays_in_the_moment_in_which_the_order_expires(shop: AtStripe) -> None:
    """Whoever is first, nothing is kept of an order that ended, nor lost of one that did not."""
    world = shop.world
    for _ in range(5):
        order = await shop.order()
        await shop.pays(order, None, page=True)
        reference = (await shop.payment(order)).reference
        assert reference is not None
        await shop.stripe.pay_page(reference)
        event = shop.stripe.events.of_type("payment_intent.succeeded")[-1]
        world.clock.move(minutes=61)
        await asyncio.gather(
            *(shop.sends(event) for _ in range(3)),
            expire_unpaid(world.services),
            sweep_operations(world.services),
        )
        await shop.sweeps()
        now = await world.order(order.id)
        kept = sum(payment.captured - payment.refunded for payment in now.payments)
        assert kept == (0 if now.progress is Progress.CANCELLED else 2500)
        assert (await shop.types(order)).count("paid") <= 1
    assert await shop.differences() == []


async def test_a_forged_notice_changes_nothing(shop: AtStripe) -> None:
    order = await shop.order()
    await shop.pays(order, CARD_THAT_ASKS)
    reference = (await shop.payment(order)).reference
    assert reference is not None
    await shop.stripe.authenticate(reference)
    (event,) = shop.stripe.events.of_type("payment_intent.succeeded")
    world = shop.world
    headers, body = shop.stripe.signed(event, "whsec_of_somebody_else")
    for sent in (headers, {}, {"stripe-signature": "t=1,v1=00"}):
        with pytest.raises(NoticeUnread):
            await take_notice(world.services, world.store.id, "stripe", sent, body)
    good, _ = shop.stripe.signed(event, SECRET)
    with pytest.raises(NoticeUnread):
        await take_notice(world.services, world.store.id, "stripe", good, body + b" ")
    assert (await shop.payment(order)).state is AttemptState.PENDING
    assert await remembered(shop) == 0


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
async def test_a_notice_of_another_time_changes_nothing(shop: AtStripe, age: timedelta) -> None:
    order = await shop.order()
    await shop.pays(order, None, page=True)
    reference = (await shop.payment(order)).reference
    assert reference is not None
    await shop.stripe.pay_page(reference)
    (event,) = shop.stripe.events.of_type("payment_intent.succeeded")
    world = shop.world
    at = (world.clock() - age).timestamp()
    headers, body = shop.stripe.signed(event, SECRET, at=at)
    with pytest.raises(NoticeUnread):
        await take_notice(world.services, world.store.id, "stripe", headers, body)
    assert (await shop.payment(order)).state is AttemptState.PENDING


async def test_a_notice_about_somebody_elses_call_is_taken_and_means_nothing(
    shop: AtStripe,
) -> None:
    order = await shop.order()
    await shop.pays(order)
    (event,) = shop.stripe.events.of_type("payment_intent.payment_failed") or (
        shop.stripe.events.of_type("payment_intent.succeeded")
    )
    settled = await version(shop, order)
    for key in (
        "",
        "1-1",
        "1-1-1",
        "2-1-1780401600",
        "x-y-z",
        "1-99999999999999999999-1",
        "9" * 500,
    ):
        strange = {**event, "id": f"evt_{key}", "type": "payment_intent.canceled"}
        strange["data"] = {
            "object": {**event["data"]["object"], "metadata": {"openorders_key": key}}
        }
        await shop.sends(strange)
    assert await version(shop, order) == settled
    assert await remembered(shop) == 0


async def test_an_account_that_is_not_there_is_unknown(shop: AtStripe) -> None:
    services, store = shop.world.services, shop.world.store
    for store_id, name in ((store.id, "paypal"), (StoreId(99), "stripe"), (store.id, "manual")):
        with pytest.raises(UnknownAccount):
            await take_notice(services, store_id, name, {}, b"{}")


async def test_news_that_contradicts_what_is_settled_is_asked_about(shop: AtStripe) -> None:
    """A no after a yes is believed only when Stripe, asked, says the same."""
    order = await shop.order()
    await shop.pays(order)
    command = Refund(order_id=order.id, amount=Decimal("10.00"))
    await refund_order(shop.world.context(), command, ANY)
    (event,) = shop.stripe.events.of_type("refund.created")
    refund = {**event["data"]["object"], "status": "failed"}
    false = {**event, "id": "evt_false", "type": "refund.failed", "data": {"object": refund}}
    await shop.sends(false)
    assert (await shop.payment(order)).refunded == 1000
    shop.stripe.faults.lose_requests = 100
    with pytest.raises(NoticeUnsettled):
        await shop.sends({**false, "id": "evt_false_again"})
    assert (await shop.payment(order)).refunded == 1000


async def test_notices_are_forgotten_long_after_stripe_has_stopped_sending(shop: AtStripe) -> None:
    order = await shop.order()
    await shop.pays(order)
    await shop.told("payment_intent.succeeded")
    assert await remembered(shop) == 1
    assert await forget_notices(shop.world.services) == 0
    shop.world.clock.move(seconds=KEPT_FOR / timedelta(seconds=1))
    assert await forget_notices(shop.world.services) == 1
    assert await remembered(shop) == 0
