"""What staff see of money: every attempt with its calls, every refund with its state."""

from decimal import Decimal

import pytest

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId, OrderId, PaymentId, RefundId
from openorders.domain.order import Order
from openorders.domain.payment import AttemptState, OperationKind, OperationState
from openorders.domain.refund import RefundState
from openorders.domain.refusals import (
    NotPermitted,
    OrderNotFound,
    PaymentNotFound,
    RefundNotFound,
)
from openorders.usecases.read_payments import (
    list_payments,
    list_refunds,
    read_payment,
    read_refund,
)
from tests.usecases.money import give_back, pay, reason_of, record
from tests.world import World, wanted

pytestmark = pytest.mark.usefixtures("audited")


@pytest.fixture
async def orders(world: World) -> tuple[Order, Order]:
    """One that was declined, paid in parts and refunded twice, one that was paid by hand."""
    await world.sells(price=2500)
    first = await world.placed(wanted(), payment_asked=True)
    second = await world.placed(wanted(), payment_asked=True)
    await pay(world, first, token="tok_chargeDeclined")
    await pay(world, first, "10.00")
    await record(world, second, "25.00", reference="RF18")
    await pay(world, first)
    await give_back(world, first, amount=Decimal("16.00"), reason="Scratched")
    await give_back(world, first, amount=Decimal("1.00"))
    return await world.order(first.id), await world.order(second.id)


async def test_the_attempts_of_an_order_are_listed_with_their_calls(
    world: World, orders: tuple[Order, Order]
) -> None:
    seen = await list_payments(world.context(), orders[0].id, limit=10)
    assert [(view.payment.state, view.payment.captured) for view in seen] == [
        (AttemptState.DECLINED, 0),
        (AttemptState.CAPTURED, 1000),
        (AttemptState.CAPTURED, 1500),
    ]
    assert {(view.order_id, view.currency) for view in seen} == {(orders[0].id, "USD")}
    assert tuple(view.payment for view in seen) == orders[0].payments
    (declined,) = seen[0].operations
    assert (declined.kind, declined.state) == (OperationKind.CHARGE, OperationState.FAILED)
    assert declined.failure is not None
    charge, refund = seen[2].operations
    assert (charge.kind, refund.kind, refund.amount) == (
        OperationKind.CHARGE,
        OperationKind.REFUND,
        1500,
    )
    assert (refund.refund_id, refund.reason) == (orders[0].refunds[0].id, "Scratched")


async def test_pages_follow_each_other(world: World, orders: tuple[Order, Order]) -> None:
    ctx, seen, after = world.context(), [], None
    while page := await list_payments(ctx, after=after, limit=3):
        seen += [view.payment.id for view in page]
        after = seen[-1]
    payments = (*orders[0].payments, *orders[1].payments)
    assert seen == sorted(payment.id for payment in payments)


async def test_a_state_can_be_asked_for(world: World, orders: tuple[Order, Order]) -> None:
    ctx = world.context()
    declined = await list_payments(ctx, limit=10, state=AttemptState.DECLINED)
    assert [view.payment.id for view in declined] == [orders[0].payments[0].id]
    of_order = await list_payments(ctx, orders[1].id, limit=10, state=AttemptState.DECLINED)
    assert of_order == ()


async def test_refunds_are_listed_as_they_stand(world: World, orders: tuple[Order, Order]) -> None:
    ctx = world.context()
    of_order = await list_refunds(ctx, orders[0].id, limit=10)
    assert tuple(view.refund for view in of_order) == orders[0].refunds
    assert [(view.refund.amount, view.refund.goodwill) for view in of_order] == [
        (1600, 1600),
        (100, 100),
    ]
    assert {view.refund.state for view in of_order} == {RefundState.SUCCEEDED}
    assert await list_refunds(ctx, limit=1) == of_order[:1]
    assert await list_refunds(ctx, limit=5, after=of_order[0].refund.id) == of_order[1:]
    assert await read_refund(ctx, of_order[1].refund.id) == of_order[1]


async def test_one_payment_is_read_as_it_is_listed(
    world: World, orders: tuple[Order, Order]
) -> None:
    (listed,) = await list_payments(world.context(), orders[1].id, limit=1)
    assert await read_payment(world.context(), listed.payment.id) == listed
    assert listed.payment.reference == "RF18"


async def test_what_does_not_exist_is_not_found(world: World, orders: tuple[Order, Order]) -> None:
    ctx, nowhere = world.context(), OrderId(999)
    for asked in (list_payments(ctx, nowhere, limit=1), list_refunds(ctx, nowhere, limit=1)):
        assert await reason_of(asked) == OrderNotFound(nowhere)
    assert await reason_of(read_payment(ctx, PaymentId(99))) == PaymentNotFound(PaymentId(99))
    assert await reason_of(read_refund(ctx, RefundId(99))) == RefundNotFound(RefundId(99))


async def test_only_staff_see_payments(world: World, orders: tuple[Order, Order]) -> None:
    ctx = world.context(world.caller(Role.CUSTOMER, customer_id=CustomerId(5)))
    for asked in (
        list_payments(ctx, limit=1),
        list_refunds(ctx, limit=1),
        read_payment(ctx, orders[0].payments[0].id),
        read_refund(ctx, orders[0].refunds[0].id),
    ):
        assert isinstance(await reason_of(asked), NotPermitted)
