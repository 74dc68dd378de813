"""Cards that customers leave at a gateway: kept once, shown, paid with, let go of."""

import asyncio
import json
from typing import Any

import pytest

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId, MethodId
from openorders.domain.refusals import (
    MethodNotFound,
    NotPermitted,
    Overloaded,
    PaymentDeclined,
    Refused,
    UnknownGateway,
)
from openorders.gateways.payments import Declined, GatewayMisused, SavedMethod
from openorders.gateways.sandbox import SandboxGateway
from openorders.store import saved_methods
from openorders.usecases import saved_methods as use_cases
from openorders.usecases.answers import Answer
from openorders.usecases.context import Context
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.saved_methods import (
    METHODS_MAX,
    SaveMethod,
    clear_methods,
    forget_method,
    list_methods,
    read_method,
    save_method,
)
from tests.world import World, told, waits_for_a_lock

BUYER = CustomerId(5)
NUMBER = told(lambda method: str(method.id))
STATE = told(lambda paid: paid.payment.state.value)

pytestmark = pytest.mark.usefixtures("audited")


async def saved(
    world: World, token: str = "tok_visa", *, ctx: Context | None = None, **more: Any
) -> Answer:
    command = SaveMethod(**{"customer_id": BUYER, "token": token, **more})
    return await save_method(ctx or world.context(), command, NUMBER)


async def pays_with(world: World, method: int, *, customer: int = 5, key: str = "k") -> Answer:
    order = await world.placed(customer=customer, payment_asked=True)
    command = Pay(order_id=order.id, token=None, saved_method=MethodId(method))
    return await pay_order(world.context(key=f"{key}{order.id}"), command, STATE)


async def test_a_saved_card_is_listed_and_pays(world: World) -> None:
    await world.sells(price=2500)
    number = int((await saved(world)).body)
    (method,) = await list_methods(world.context(), BUYER)
    assert (method.id, method.gateway, method.card_last_four) == (number, "sandbox", "4242")
    assert method.expires is not None
    assert await read_method(world.context(), method.id) == method
    for _ in range(2):
        assert (await pays_with(world, number)).body == b"captured"


async def test_the_same_request_keeps_a_card_once(world: World) -> None:
    first = await saved(world, ctx=world.context(key="once"))
    again = await saved(world, ctx=world.context(key="once"))
    assert (again.body, again.replayed) == (first.body, True)
    assert len(await list_methods(world.context(), BUYER)) == 1


async def test_a_retry_after_a_lost_answer_keeps_it_once(world: World) -> None:
    world.faults.lose_requests = 1
    with pytest.raises(Refused) as refused:
        await saved(world, ctx=world.context(key="once"))
    assert isinstance(refused.value.reason, Overloaded)
    assert await list_methods(world.context(), BUYER) == ()
    answer = await saved(world, ctx=world.context(key="once"))
    (method,) = await list_methods(world.context(), BUYER)
    assert answer.body == str(method.id).encode()


async def test_a_gateway_that_fails_in_its_own_way_is_asked_again_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: object) -> SavedMethod | Declined:
        raise GatewayMisused("the key of the account was revoked")

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "save_method", refuses)
        with pytest.raises(Refused) as refused:
            await saved(world, ctx=world.context(key="once"))
    assert isinstance(refused.value.reason, Overloaded)
    assert (await saved(world, ctx=world.context(key="once"))).status == 200
    assert len(await list_methods(world.context(), BUYER)) == 1


async def test_many_requests_at_once_keep_one_each(world: World) -> None:
    await asyncio.gather(*(saved(world) for _ in range(5)))
    methods = await list_methods(world.context(), BUYER)
    assert len({method.id for method in methods}) == 5


async def test_a_declined_card_is_not_kept(world: World) -> None:
    answer = await saved(world, "tok_chargeDeclined", ctx=world.context(key="no"))
    assert answer.status == 400
    row = await world.row("select count(*) as n from saved_methods where store_id = $1")
    assert row["n"] == 0


async def test_a_cards_number_is_never_taken(world: World) -> None:
    with pytest.raises(Refused):
        await saved(world, "4242424242424242")
    row = await world.row("select count(*) as n from saved_methods where store_id = $1")
    assert row["n"] == 0


async def test_nobody_pays_with_another_customers_card(world: World) -> None:
    await world.sells(price=2500)
    number = int((await saved(world)).body)
    answer = await pays_with(world, number, customer=6)
    assert json.loads(answer.body)[0] == "MethodNotFound"
    row = await world.row("select count(*) as n from payments where store_id = $1")
    assert row["n"] == 0


async def test_a_forgotten_card_pays_no_more_and_is_let_go_of(world: World) -> None:
    await world.sells(price=2500)
    number = int((await saved(world)).body)
    await forget_method(world.context(), MethodId(number))
    assert await list_methods(world.context(), BUYER) == ()
    assert json.loads((await pays_with(world, number)).body)[0] == "MethodNotFound"
    with pytest.raises(Refused) as refused:
        await forget_method(world.context(), MethodId(number))
    assert refused.value.reason == MethodNotFound(MethodId(number))


async def test_a_card_that_the_gateway_was_not_told_to_forget_is_forgotten_later(
    world: World,
) -> None:
    number = int((await saved(world)).body)
    world.faults.lose_requests = 1
    await forget_method(world.context(), MethodId(number))
    row = await world.row("select count(*) as n from saved_methods where store_id = $1")
    assert row["n"] == 1
    assert await list_methods(world.context(), BUYER) == ()
    world.clock.move(minutes=2)
    assert await clear_methods(world.services) == 1
    row = await world.row("select count(*) as n from saved_methods where store_id = $1")
    assert row["n"] == 0
    assert await clear_methods(world.services) == 0


async def test_what_was_begun_and_never_kept_is_cleared_after_a_day(world: World) -> None:
    world.faults.lose_requests = 1
    with pytest.raises(Refused):
        await saved(world)
    world.clock.move(hours=23)
    assert await clear_methods(world.services) == 0
    world.clock.move(hours=2)
    assert await clear_methods(world.services) == 1
    row = await world.row("select count(*) as n from saved_methods where store_id = $1")
    assert row["n"] == 0


async def test_a_customer_has_a_bounded_number_of_cards(world: World) -> None:
    for _ in range(METHODS_MAX):
        await saved(world)
    with pytest.raises(Refused):
        await saved(world)
    assert len(await list_methods(world.context(), BUYER)) == METHODS_MAX


async def test_cards_saved_at_once_are_no_more_than_a_customer_may_have(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_cases, "METHODS_MAX", 2)
    await saved(world)
    reached, go = asyncio.Event(), asyncio.Event()
    begin = saved_methods.begin

    async def slowly(*given: Any, **more: Any) -> Any:
        if not reached.is_set():
            reached.set()
            await go.wait()
        return await begin(*given, **more)

    monkeypatch.setattr(saved_methods, "begin", slowly)
    async with asyncio.timeout(60):
        first = asyncio.create_task(saved(world))
        await reached.wait()
        second = asyncio.create_task(saved(world))
        await waits_for_a_lock(world, unless=second)
        assert (await saved(world, customer_id=CustomerId(6))).status == 200
        go.set()
        assert (await first).status == 200
        with pytest.raises(Refused) as refused:
            await second
    assert isinstance(refused.value.reason, PaymentDeclined)
    assert refused.value.reason.code == "too_many_methods"
    assert len(await list_methods(world.context(), BUYER)) == 2


async def test_only_staff_see_and_change_saved_cards(world: World) -> None:
    number = MethodId(int((await saved(world)).body))
    ctx = world.context(world.caller(Role.CUSTOMER, customer_id=BUYER))
    for doing in (
        saved(world, ctx=ctx),
        list_methods(ctx, BUYER),
        read_method(ctx, number),
        forget_method(ctx, number),
    ):
        with pytest.raises(Refused) as refused:
            await doing
        assert isinstance(refused.value.reason, NotPermitted)
    assert len(await list_methods(world.context(), BUYER)) == 1


async def test_only_a_gateway_that_keeps_cards_is_asked(world: World) -> None:
    with pytest.raises(Refused) as refused:
        await saved(world, gateway="elsewhere")
    assert refused.value.reason == UnknownGateway("elsewhere")
