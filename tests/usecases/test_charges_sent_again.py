"""A charge that a retry sends again, late: never twice, and never taken for one that failed."""

from typing import Any

import pytest

from openorders.domain.order import Order, Word
from openorders.domain.refusals import PaymentDeclined, Refused
from openorders.gateways.payments import GatewayCall, GatewayUnreachable, Outcome
from openorders.gateways.sandbox import SandboxGateway
from openorders.usecases.perform_operations import perform, sweep_operations
from openorders.usecases.settle_payment import NEVER_ARRIVED
from tests.usecases.test_sweep_operations import charges, recorded, sweep_until_quiet
from tests.world import World

pytestmark = pytest.mark.usefixtures("audited")


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    return await world.placed(payment_asked=True)


async def test_a_charge_whose_key_a_gateway_may_have_forgotten_is_not_sent_again(
    world: World, order: Order
) -> None:
    operation_id = await recorded(world, order)
    world.clock.move(hours=25)
    settled = await perform(world.services, world.store, operation_id)
    assert settled.declined == PaymentDeclined(NEVER_ARRIVED.code, NEVER_ARRIVED.message)
    assert await charges(world) == []


@pytest.mark.parametrize("in_between", [False, True])
async def test_a_charge_that_is_sent_again_is_not_judged_by_its_age(
    world: World, order: Order, monkeypatch: pytest.MonkeyPatch, *, in_between: bool
) -> None:
    operation_id = await recorded(world, order)
    world.clock.move(seconds=44)
    charge, look_up = SandboxGateway.charge, SandboxGateway.look_up

    async def on_its_way(self: SandboxGateway, call: GatewayCall) -> Outcome:
        if not in_between:
            world.clock.move(seconds=2)
            await sweep_operations(world.services)
        await charge(self, call)
        raise GatewayUnreachable("the answer was lost")

    async def sent_meanwhile(self: SandboxGateway, call: GatewayCall, since: Any) -> Any:
        known = await look_up(self, call, since)
        if known is None:
            with pytest.raises(Refused):
                await perform(world.services, world.store, operation_id)
            world.clock.move(seconds=2)
        return known

    monkeypatch.setattr(SandboxGateway, "charge", on_its_way)
    if in_between:
        monkeypatch.setattr(SandboxGateway, "look_up", sent_meanwhile)
        await sweep_operations(world.services)
    else:
        with pytest.raises(Refused):
            await perform(world.services, world.store, operation_id)
    await sweep_until_quiet(world)
    assert (await world.order(order.id)).word is Word.PAID
    assert await charges(world) == [(2500, 0)]
