"""Paying an order that is there: once, whatever twins, lost answers and retries do."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId
from openorders.domain.order import Order, PaymentState, Word
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import (
    AlreadyPaid,
    AmountNotOwed,
    KeyInFlight,
    NotPayable,
    NotPermitted,
    OrderNotFound,
    PaymentDeclined,
    PaymentInProgress,
    PaymentUnsettled,
    Reason,
    Refused,
    VersionDiffers,
)
from openorders.domain.store_settings import GatewaySettings, StorePolicy
from openorders.store.database import Database
from openorders.usecases.answers import Answer, Reply
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.context import Context
from openorders.usecases.pay_order import ATTEMPTS_MAX, Pay, pay_order
from openorders.usecases.place_order import Charge, place_order
from tests.world import World, a_world, an_order_for, told, told_the_id, wanted

pytestmark = pytest.mark.usefixtures("audited")

PAID = told(lambda paid: json.dumps({"order": paid.order.id, "payment": paid.payment.id}))


async def pay(world: World, order: Order, token: str | None = "tok_visa", **more: Any) -> Answer:
    ctx = more.pop("ctx", None) or world.context()
    return await pay_order(ctx, Pay(order_id=order.id, token=token, **more), PAID)


async def refusal(world: World, order: Order, *args: Any, **more: Any) -> Reason:
    with pytest.raises(Refused) as refused:
        await pay(world, order, *args, **more)
    return refused.value.reason


async def decline(world: World, order: Order, token: str, **more: Any) -> PaymentDeclined:
    """A card that says no is an answer that is kept, in the contract's words for a refusal."""
    reasons: list[Reason] = []

    def refused(reason: Reason) -> Answer:
        reasons.append(reason)
        return Answer(status=402, body=b"")

    ctx = more.pop("ctx", None) or world.context()
    reply = Reply(done=PAID.done, refused=refused)
    answer = await pay_order(ctx, Pay(order_id=order.id, token=token), reply)
    assert answer.status == 402
    (reason,) = reasons
    assert isinstance(reason, PaymentDeclined)
    return reason


async def charged(world: World, order: Order) -> list[int]:
    """What the gateway itself says it took, in how many payments."""
    rows = await world.rows(
        "select captured from sandbox_charges where store_id = $1 and order_id = $2", order.id
    )
    return [row["captured"] for row in rows]


async def attempts(world: World, order: Order) -> list[str]:
    rows = await world.rows(
        "select state from payments where store_id = $1 and order_id = $2 order by id", order.id
    )
    return [row["state"] for row in rows]


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await world.placed(payment_asked=True)


async def test_a_payment_makes_the_order_paid(world: World, order: Order) -> None:
    answer = await pay(world, order)
    assert answer.status == 200
    now = await world.order(order.id)
    assert now.word is Word.PAID
    assert now.payment is PaymentState.PAID
    (payment,) = now.payments
    assert (payment.captured, payment.card_brand, payment.card_last_four) == (2500, "Visa", "4242")
    assert payment.method == "credit_card"
    assert [entry.word for entry in now.history[len(order.history) :]] == [Word.PAID]
    assert await charged(world, order) == [2500]


async def test_the_outside_is_told_of_the_payment(world: World, order: Order) -> None:
    await pay(world, order)
    rows = await world.rows(
        "select type from outbox where store_id = $1 and order_id = $2 order by id", order.id
    )
    assert [row["type"] for row in rows] == [
        "order.created",
        "order.payment_requested",
        "order.paid",
    ]


async def test_the_token_is_forgotten_once_it_has_done_its_work(world: World, order: Order) -> None:
    await pay(world, order)
    row = await world.row("select token from payments where store_id = $1")
    assert row["token"] is None


async def test_paying_twice_is_refused_and_charges_once(world: World, order: Order) -> None:
    await pay(world, order)
    assert await refusal(world, order) == AlreadyPaid(order.id)
    assert await charged(world, order) == [2500]


async def test_a_declined_card_leaves_the_order_payable(world: World, order: Order) -> None:
    reason = await decline(world, order, "tok_chargeDeclinedInsufficientFunds")
    assert reason == PaymentDeclined("insufficient_funds", "Your card has insufficient funds.")
    now = await world.order(order.id)
    assert now.payment is PaymentState.FAILED
    assert now.word is Word.PAYMENT_PENDING
    assert await world.stock(1) == (10_000, 1)
    await pay(world, order, "pm_card_mastercard")
    assert (await world.order(order.id)).word is Word.PAID
    assert await attempts(world, order) == ["declined", "captured"]


@pytest.mark.parametrize("token", ["tok_visa_chargeDeclinedStolenCard", "tok_radarBlock"])
async def test_a_stolen_card_is_not_told_that_it_is(world: World, order: Order, token: str) -> None:
    reason = await decline(world, order, token)
    assert reason == PaymentDeclined("card_declined", "Your card was declined.")


async def test_nobody_tries_cards_without_end(world: World, order: Order) -> None:
    await world.rows(
        "insert into payments (store_id, order_id, gateway, method, amount, currency, state,"
        " created_at, settled_at) select $1, $2, 'sandbox', 'credit_card', 1000, 'USD',"
        " 'declined', $3, $3 from generate_series(1, $4::int) returning id",
        order.id, world.clock(), ATTEMPTS_MAX - 1,
    )  # fmt: skip
    assert (await decline(world, order, "tok_chargeDeclined")).code == "card_declined"
    assert (await decline(world, order, "tok_visa", ctx=world.context(key="k"))).code == (
        "too_many_attempts"
    )
    assert await charged(world, order) == []
    assert len(await attempts(world, order)) == ATTEMPTS_MAX


async def test_a_token_nobody_knows_is_declined(world: World, order: Order) -> None:
    reason = await decline(world, order, "tok_of_mine")
    assert reason.code == "invalid_token"


@pytest.mark.parametrize("token", ["4242424242424242", "tok 4242 4242 4242 4242"])
async def test_a_card_number_is_never_stored(world: World, order: Order, token: str) -> None:
    reason = await refusal(world, order, token)
    assert isinstance(reason, PaymentDeclined)
    assert await attempts(world, order) == []


async def test_without_a_card_nothing_is_begun(world: World, order: Order) -> None:
    reason = await refusal(world, order, None)
    assert isinstance(reason, PaymentDeclined)
    assert reason.code == "missing_token"
    assert await attempts(world, order) == []


@pytest.mark.parametrize("amount", ["24.99", "25.001", "0", "-25", "1E+20"])
async def test_an_amount_that_is_not_owed_is_refused(
    world: World, order: Order, amount: str
) -> None:
    reason = await refusal(world, order, amount=Decimal(amount))
    assert isinstance(reason, AmountNotOwed)
    assert (reason.owed, reason.minor_digits) == (2500, 2)
    assert await charged(world, order) == []


async def test_the_amount_that_is_owed_may_be_named(world: World, order: Order) -> None:
    await pay(world, order, amount=Decimal("25.0"))
    assert await charged(world, order) == [2500]


async def test_a_cancelled_order_is_not_paid(world: World, order: Order) -> None:
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    assert await refusal(world, order) == NotPayable(order.id, Word.CANCELLED)


async def test_somebody_elses_order_is_not_there(world: World, order: Order) -> None:
    stranger = world.caller(Role.CUSTOMER, customer_id=CustomerId(6))
    reason = await refusal(world, order, ctx=world.context(stranger))
    assert reason == OrderNotFound(order.id)
    assert await charged(world, order) == []


async def test_another_version_than_expected_is_not_paid(world: World, order: Order) -> None:
    ctx = world.context(expected=frozenset({order.version + 1}))
    assert isinstance(await refusal(world, order, ctx=ctx), VersionDiffers)
    assert await attempts(world, order) == []


async def test_two_at_once_charge_once(world: World, order: Order) -> None:
    world.faults.delay_s = 0.05
    answers = await asyncio.gather(*(pay(world, order) for _ in range(8)), return_exceptions=True)
    done = [answer for answer in answers if isinstance(answer, Answer)]
    refused = [answer.reason for answer in answers if isinstance(answer, Refused)]
    assert len(done) == 1
    assert set(refused) <= {PaymentInProgress(order.id), AlreadyPaid(order.id)}
    assert len(refused) == 7
    assert await charged(world, order) == [2500]


async def test_twins_with_one_key_get_one_answer(world: World, order: Order) -> None:
    world.faults.delay_s = 600

    def keyed() -> Context:
        return world.context(key="pay")

    paying = [asyncio.create_task(pay(world, order, ctx=keyed())) for _ in range(4)]
    async with asyncio.timeout(60):
        while sum(task.done() for task in paying) < 3:  # nobody came when all was over
            await asyncio.sleep(0.01)
    world.delay_is_over.set()
    answers = await asyncio.gather(*paying, return_exceptions=True)
    assert sum(isinstance(answer, Answer) for answer in answers) == 1
    assert all(answer.reason == KeyInFlight() for answer in answers if isinstance(answer, Refused))
    again = await pay(world, order, ctx=keyed())
    assert again.replayed
    assert again.body == next(a.body for a in answers if isinstance(a, Answer))
    assert await charged(world, order) == [2500]


async def test_a_decline_is_the_same_under_its_key(world: World, order: Order) -> None:
    first = await pay(world, order, "tok_chargeDeclined", ctx=world.context(key="pay"))
    again = await pay(world, order, "tok_chargeDeclined", ctx=world.context(key="pay"))
    assert (again.body, again.replayed) == (first.body, True)
    assert await attempts(world, order) == ["declined"]


async def test_a_lost_answer_is_an_unknown_outcome_and_a_retry_finds_the_charge(
    world: World, order: Order
) -> None:
    world.faults.lose_answers = 1
    reason = await refusal(world, order, ctx=world.context(key="pay"))
    assert reason == PaymentUnsettled(order.id)
    assert await attempts(world, order) == ["started"]
    assert (await world.order(order.id)).payment is PaymentState.PENDING
    answer = await pay(world, order, ctx=world.context(key="pay"))
    assert (answer.status, answer.replayed) == (200, False)
    assert await charged(world, order) == [2500]
    assert await attempts(world, order) == ["captured"]


async def test_a_lost_request_is_sent_again_under_the_same_key(world: World, order: Order) -> None:
    world.faults.lose_requests = 1
    assert isinstance(await refusal(world, order, ctx=world.context(key="pay")), PaymentUnsettled)
    await pay(world, order, ctx=world.context(key="pay"))
    assert await charged(world, order) == [2500]
    assert await attempts(world, order) == ["captured"]


async def test_while_an_outcome_is_unknown_nobody_else_pays(world: World, order: Order) -> None:
    world.faults.lose_answers = 1
    await refusal(world, order)
    assert await refusal(world, order) == PaymentInProgress(order.id)
    assert await charged(world, order) == [2500]


async def test_an_order_that_nobody_asked_to_pay_can_be_paid(world: World) -> None:
    await world.sells(price=100)
    order = await world.placed()
    assert order.word is Word.CREATED
    await pay(world, order)
    now = await world.order(order.id)
    assert [entry.word for entry in now.history] == [Word.CREATED, Word.PAID]
    assert now.payments[0].state is AttemptState.CAPTURED


@pytest.fixture
async def till(database: Database, tmp_path: Path) -> World:
    """A store whose money is taken by hand."""
    policy = StorePolicy(gateways=(GatewaySettings(name="till", kind="manual"),))
    world = await a_world(database, tmp_path, name="till", policy=policy)
    await world.sells(price=1000)
    return world


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SERVICE])
async def test_staff_say_that_money_was_taken_by_hand_and_need_no_token(till: World, role: Role):
    order = await till.placed(payment_asked=True)
    await pay(till, order, token=None, ctx=till.context(till.caller(role)))
    paid = await till.order(order.id)
    assert (paid.word, paid.payments[0].gateway) == (Word.PAID, "till")


@pytest.mark.parametrize("token", ["tok_visa", None])
@pytest.mark.parametrize(
    ("role", "tie"),
    [(Role.CUSTOMER, {"customer_id": CustomerId(5)}), (Role.PARTNER, {"partner_name": "Bob's"})],
)
async def test_nobody_else_can_say_that_money_was_taken_by_hand(
    till: World, role: Role, tie: dict[str, Any], token: str | None
):
    caller = till.caller(role, **tie)
    order = await till.placed(payment_asked=True, ctx=till.context(caller))
    reason = await refusal(till, order, token, ctx=till.context(caller))
    assert reason == NotPermitted("say that money was taken by hand")
    assert await attempts(till, order) == []
    charged = an_order_for(wanted(), charge=Charge(token="tok_visa"))
    with pytest.raises(Refused) as refused:
        await place_order(till.context(caller), charged, told_the_id())
    assert isinstance(refused.value.reason, NotPermitted)
    assert len(await till.rows("select id from orders where store_id = $1")) == 1
