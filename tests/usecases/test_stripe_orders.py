"""Orders paid through Stripe, from the click to the books: localstripe behind its double."""

from decimal import Decimal

import pytest

from openorders.domain.ids import CustomerId, MethodId, OrderId
from openorders.domain.order import PaymentState, Progress, Word
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import PaymentUnsettled, Refused
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.capture_payment import CapturePayment, capture_payment
from openorders.usecases.expire_unpaid import expire_unpaid
from openorders.usecases.place_order import Charge, place_order
from openorders.usecases.refund_order import Refund, refund_order
from openorders.usecases.saved_methods import SaveMethod, forget_method, save_method
from tests.usecases.stripe_world import AtStripe
from tests.world import an_order_for, told, told_the_id

ANY = told(lambda _done: "done")


async def test_a_card_pays_at_once(shop: AtStripe) -> None:
    order = await shop.order()
    assert (await shop.pays(order)).body == b"captured"
    payment = await shop.payment(order)
    assert (payment.captured, payment.card_last_four) == (2500, "4242")
    assert (await shop.world.order(order.id)).word is Word.PAID
    assert await shop.differences() == []


async def test_a_declined_card_pays_nothing_and_another_one_does(shop: AtStripe) -> None:
    order = await shop.order()
    ctx = shop.world.context(key="declined")
    assert (await shop.pays(order, "pm_card_chargeDeclined", ctx=ctx)).status == 400
    assert (await shop.world.order(order.id)).payment is PaymentState.FAILED
    assert (await shop.pays(order)).body == b"captured"
    assert await shop.differences() == []


async def test_a_charge_whose_answer_was_lost_is_found_and_taken_once(shop: AtStripe) -> None:
    order = await shop.order()
    shop.stripe.faults.lose_answers = 10
    with pytest.raises(Refused) as refused:
        await shop.pays(order)
    assert refused.value.reason == PaymentUnsettled(order.id)
    shop.stripe.faults.lose_answers = 0
    await shop.sweeps()
    assert (await shop.world.order(order.id)).word is Word.PAID
    assert len(shop.stripe.events.of_type("payment_intent.succeeded")) == 1
    assert await shop.differences() == []


@pytest.mark.parametrize("by_notice", [False, True])
async def test_a_buyer_whose_bank_asked_has_paid(shop: AtStripe, *, by_notice: bool) -> None:
    order = await shop.order()
    assert (await shop.pays(order, "pm_card_threeDSecure2Required")).body == b"pending"
    payment = await shop.payment(order)
    assert payment.action_url is not None
    assert payment.reference is not None
    await shop.stripe.authenticate(payment.reference)
    if by_notice:
        await shop.told("payment_intent.succeeded")
    else:
        await shop.sweeps()
    assert (await shop.world.order(order.id)).word is Word.PAID
    assert await shop.differences() == []


@pytest.mark.parametrize("by_notice", [False, True])
async def test_a_buyer_who_fails_at_their_bank_has_not_paid(
    shop: AtStripe, *, by_notice: bool
) -> None:
    order = await shop.order()
    await shop.pays(order, "pm_card_threeDSecure2Required")
    reference = (await shop.payment(order)).reference
    assert reference is not None
    await shop.stripe.authenticate(reference, success=False)
    if by_notice:
        await shop.told("payment_intent.payment_failed")
    else:
        await shop.sweeps()
    assert (await shop.payment(order)).state is AttemptState.DECLINED
    assert (await shop.pays(order)).body == b"captured"
    assert await shop.differences() == []


@pytest.mark.parametrize("by_notice", [False, True])
async def test_an_order_is_paid_on_stripes_own_page(shop: AtStripe, *, by_notice: bool) -> None:
    order = await shop.order()
    assert (await shop.pays(order, None, page=True)).body == b"pending"
    payment = await shop.payment(order)
    assert payment.reference is not None
    assert payment.reference.startswith("cs_")
    await shop.stripe.pay_page(payment.reference)
    if by_notice:
        await shop.told("checkout.session.completed", "payment_intent.succeeded", times=3)
    else:
        await shop.sweeps()
    payment = await shop.payment(order)
    assert payment.captured == 2500
    assert payment.reference is not None
    assert payment.reference.startswith("pi_")
    assert (await shop.types(order)).count("paid") == 1
    await refund_order(shop.world.context(), Refund(order_id=order.id), ANY)
    assert (await shop.payment(order)).refunded == 2500
    assert await shop.differences() == []


async def test_a_page_that_ran_out_leaves_the_order_to_be_paid(shop: AtStripe) -> None:
    order = await shop.order()
    await shop.pays(order, None, page=True)
    reference = (await shop.payment(order)).reference
    assert reference is not None
    await shop.stripe.expire_page(reference)
    await shop.told("checkout.session.expired")
    assert (await shop.payment(order)).state is AttemptState.DECLINED
    assert (await shop.pays(order)).body == b"captured"


async def test_a_page_that_waits_is_closed_when_its_order_ends(shop: AtStripe) -> None:
    order = await shop.order()
    await shop.pays(order, None, page=True)
    shop.world.clock.move(minutes=61)
    assert await expire_unpaid(shop.world.services) == 1
    assert (await shop.payment(order)).state is AttemptState.VOIDED
    assert (await shop.world.order(order.id)).progress is Progress.CANCELLED
    assert await shop.differences() == []


@pytest.mark.parametrize("page", [False, True])
async def test_money_that_was_quicker_than_the_end_of_its_order_goes_back(
    shop: AtStripe, *, page: bool
) -> None:
    order = await shop.order()
    await shop.pays(order, None if page else "pm_card_threeDSecure2Required", page=page)
    reference = (await shop.payment(order)).reference
    assert reference is not None
    if page:
        await shop.stripe.pay_page(reference)
    else:
        await shop.stripe.authenticate(reference)
    await cancel_order(shop.world.context(), Cancel(order_id=order.id), ANY)
    await shop.sweeps()
    payment = await shop.payment(order)
    assert (payment.captured, payment.refunded) == (2500, 2500)
    assert await shop.differences() == []


async def test_refunds_add_up_to_what_was_taken(shop: AtStripe) -> None:
    order = await shop.order()
    await shop.pays(order)
    for amount in ("10.00", "14.99", "0.01"):
        command = Refund(order_id=order.id, amount=Decimal(amount))
        await refund_order(shop.world.context(), command, ANY)
    payment = await shop.payment(order)
    assert (payment.captured, payment.refunded) == (2500, 2500)
    assert await shop.differences() == []


async def test_a_refund_that_fails_later_moves_back_and_shows(shop: AtStripe) -> None:
    order = await shop.order()
    await shop.pays(order, "pm_card_refundFail")
    await refund_order(
        shop.world.context(), Refund(order_id=order.id, amount=Decimal("10.00")), ANY
    )
    (created,) = shop.stripe.events.of_type("refund.created")
    await shop.stripe.finish_refund(created["data"]["object"]["id"], "failed")
    await shop.told("refund.failed", times=3)
    payment = await shop.payment(order)
    assert (payment.captured, payment.refunded) == (2500, 0)
    now = await shop.world.order(order.id)
    assert now.payment is PaymentState.PAID
    assert any("failed" in (entry.reason or "") for entry in now.history)
    assert (await shop.types(order))[-1] == "updated"
    assert await shop.differences() == []


async def test_money_is_reserved_and_part_of_it_taken(shop_by_hand: AtStripe) -> None:
    shop = shop_by_hand
    order = await shop.order()
    assert (await shop.pays(order)).body == b"authorised"
    assert (await shop.world.order(order.id)).payment is PaymentState.AUTHORISED
    payment = await shop.payment(order)
    part = CapturePayment(payment_id=payment.id, amount=Decimal("20.00"), reason=None)
    await capture_payment(shop.world.context(), part, ANY)
    assert (await shop.payment(order)).captured == 2000
    assert await shop.differences() == []


async def test_an_order_that_comes_with_its_charge_is_reserved_only(
    shop_by_hand: AtStripe,
) -> None:
    shop = shop_by_hand
    command = an_order_for(gateway="stripe", charge=Charge(token="pm_card_visa"))
    placed = await place_order(shop.world.context(), command, told_the_id())
    order = await shop.world.order(OrderId(int(placed.body)))
    assert order.payment is PaymentState.AUTHORISED
    assert (order.payments[0].state, order.payments[0].captured) == (AttemptState.AUTHORISED, 0)
    whole = CapturePayment(payment_id=order.payments[0].id, amount=None, reason=None)
    await capture_payment(shop.world.context(), whole, ANY)
    assert (await shop.world.order(order.id)).payment is PaymentState.PAID
    assert await shop.differences() == []


async def test_a_cancelled_order_releases_what_was_reserved(shop_by_hand: AtStripe) -> None:
    shop = shop_by_hand
    order = await shop.order()
    await shop.pays(order)
    await cancel_order(shop.world.context(), Cancel(order_id=order.id), ANY)
    assert (await shop.payment(order)).state is AttemptState.VOIDED
    await shop.told("payment_intent.canceled", times=2)
    assert (await shop.payment(order)).state is AttemptState.VOIDED
    assert await shop.differences() == []


async def test_a_reservation_that_ran_out_is_gone_and_shows(shop_by_hand: AtStripe) -> None:
    shop = shop_by_hand
    order = await shop.order()
    await shop.pays(order)
    reference = (await shop.payment(order)).reference
    assert reference is not None
    await shop.stripe.run_out(reference)
    await shop.told("payment_intent.canceled", times=3)
    now = await shop.world.order(order.id)
    assert now.payments[0].state is AttemptState.VOIDED
    assert now.payment is PaymentState.PENDING
    assert sum("lapsed" in (entry.reason or "") for entry in now.history) == 1
    assert (await shop.pays(order)).body == b"authorised"
    assert await shop.differences() == []


async def saved(shop: AtStripe, token: str) -> MethodId:
    """A card that the orders' customer leaves at Stripe."""
    command = SaveMethod(customer_id=CustomerId(5), token=token)
    answer = await save_method(shop.world.context(), command, told(lambda method: str(method.id)))
    return MethodId(int(answer.body))


async def test_a_card_saved_at_stripe_pays_there_and_is_let_go_of(shop: AtStripe) -> None:
    world = shop.world
    first = await saved(shop, "pm_card_visa")
    second = await saved(shop, "pm_card_mastercard")
    rows = await world.rows("select distinct customer from saved_methods where store_id = $1")
    assert len(rows) == 1, "both belong to one customer of Stripe's"
    order = await shop.order()
    answer = await shop.pays(order, None, saved_method=second)
    assert answer.body == b"captured"
    assert (await shop.payment(order)).card_last_four == "4444"
    assert (await world.order(order.id)).word is Word.PAID
    for method in (first, second):
        await forget_method(world.context(), method)
    row = await world.row("select count(*) as n from saved_methods where store_id = $1")
    assert row["n"] == 0
    assert await shop.differences() == []
