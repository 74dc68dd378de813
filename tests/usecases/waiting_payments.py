"""Payments that wait for their buyer, and the buyer: at the sandbox's page, or gone."""

from typing import Any, cast

from openorders.domain.order import Order
from openorders.domain.payment import AttemptState, Payment
from openorders.gateways.sandbox import SandboxGateway
from openorders.usecases.answers import Answer
from openorders.usecases.context import Context
from openorders.usecases.pay_order import Paid, Pay, pay_order
from openorders.usecases.perform_operations import sweep_operations
from tests.world import World, told

CARD_THAT_ASKS = "tok_threeDSecure2Required"
BACK = "https://shop.example/thanks"

STATE = told(lambda paid: cast("Paid", paid).payment.state.value)


async def begun(
    world: World,
    order: Order,
    *,
    token: str | None = CARD_THAT_ASKS,
    page: bool = False,
    ctx: Context | None = None,
    **more: Any,
) -> Answer:
    """A payment for which the buyer has to act: a bank that asks, or the gateway's own page."""
    command = Pay(
        order_id=order.id, token=None if page else token, page=page, return_url=BACK, **more
    )
    return await pay_order(ctx or world.context(), command, STATE)


async def waits(world: World, order: Order) -> Payment:
    """The payment of the order that waits."""
    now = await world.order(order.id)
    (payment,) = (p for p in now.payments if p.state is AttemptState.PENDING)
    return payment


async def the_buyer_says(world: World, order: Order, *, yes: bool) -> None:
    """What the buyer answers on the page they were sent to."""
    payment = await waits(world, order)
    assert payment.action_url is not None
    gateway = world.services.gateways.of(world.store, payment.gateway)
    assert isinstance(gateway, SandboxGateway)
    page = await gateway.decide(payment.action_url.rpartition("/")[2], accept=yes)
    assert page is not None


async def states(world: World, order: Order) -> list[AttemptState]:
    now = await world.order(order.id)
    return [payment.state for payment in now.payments]


async def swept(world: World, **span: float) -> None:
    """Time passes, and the sweep comes by."""
    world.clock.move(**(span or {"minutes": 2}))
    await sweep_operations(world.services)
