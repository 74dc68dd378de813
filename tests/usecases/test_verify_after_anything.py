"""Whatever several clients do at once, in whatever order, the books add up afterwards."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from openorders.domain.ids import OrderId
from openorders.domain.order import Word
from openorders.domain.payment import AttemptState
from openorders.domain.refunding import RefundLine
from openorders.domain.refusals import Refused
from openorders.domain.store_settings import (
    Capture,
    DiscountCode,
    GatewaySettings,
    ShippingMethod,
    StorePolicy,
    TaxRate,
)
from openorders.store.database import Database
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.capture_payment import CapturePayment, capture_payment
from openorders.usecases.fold_figures import fold_figures
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.place_order import Charge, place_order
from openorders.usecases.read_payments import list_payments
from openorders.usecases.record_payment import RecordPayment, record_payment
from openorders.usecases.refund_order import Refund, refund_order
from openorders.usecases.settle_lines import LineAction, settle_lines
from openorders.usecases.verify_ledgers import verify
from tests.world import World, a_world, an_order_for, told, told_the_id, wanted

POLICY = StorePolicy(
    taxes=(
        TaxRate(name="State", rate=Decimal("0.06")),
        TaxRate(name="City", rate=Decimal("0.0425")),
    ),
    shipping_methods=(ShippingMethod(code="standard", cost=599, days=1),),
    discount_codes=(
        DiscountCode(code="THIRD", percent=Decimal("33.3")),
        DiscountCode(code="TEN", amount=1000),
    ),
    gateways=(
        GatewaySettings(name="sandbox"),
        GatewaySettings(name="reserving", capture=Capture.BY_HAND),
    ),
)
CARDS = (
    "tok_visa",
    "tok_visa",
    "tok_chargeDeclined",
    "tok_timeoutAfterCharge",
    "tok_pendingRefund",
    "tok_refundFail",
)


@dataclass
class Crowd:
    """Clients that do anything, and remember the orders there are."""

    world: World
    chance: random.Random
    orders: list[OrderId] = field(default_factory=list)

    async def act(self) -> None:
        verbs: list[Callable[[], Awaitable[object]]] = [self.place]
        if self.orders:
            verbs += [self.place, self.advance, self.advance, self.cancel, self.settle, self.settle]
            verbs += [self.pay, self.pay_a_part, self.record, self.capture, self.capture]
            verbs += [self.refund, self.refund_lines, self.refund_lines, self.fold]
        try:
            await self.chance.choice(verbs)()
        except Refused:
            return

    async def place(self) -> None:
        draw = self.chance
        lines = [wanted(draw.randint(1, 4), draw.randint(1, 5)) for _ in range(draw.randint(1, 4))]
        charged = draw.random() < 0.4
        command = an_order_for(
            *lines,
            charge=Charge(token=draw.choice(CARDS)) if charged else None,
            start_when_paid=draw.random() < 0.5,
            payment_asked=not charged and draw.random() < 0.5,
            discount_code=draw.choice((None, "THIRD", "TEN")),
            shipping_method=draw.choice((None, "standard")),
        )
        answer = await place_order(self.world.context(), command, told_the_id())
        if answer.status == 200:
            self.orders.append(OrderId(int(answer.body)))

    async def fold(self) -> None:
        await fold_figures(self.world.services)

    async def advance(self) -> None:
        target = self.chance.choice(list(Word)[1:])
        command = Advance(order_id=self.chance.choice(self.orders), target=target)
        await advance_order(self.world.context(), command, told(str))

    async def cancel(self) -> None:
        command = Cancel(order_id=self.chance.choice(self.orders))
        await cancel_order(self.world.context(), command, told(str))

    async def pay(self) -> None:
        order_id, token = self.chance.choice(self.orders), self.chance.choice(CARDS)
        await pay_order(self.world.context(), Pay(order_id=order_id, token=token), told(str))

    async def pay_a_part(self) -> None:
        order_id, token = self.chance.choice(self.orders), self.chance.choice(CARDS)
        gateway = self.chance.choice(("sandbox", "reserving"))
        amount = Decimal(self.chance.randint(1, 1000)) / 100
        command = Pay(order_id=order_id, token=token, gateway=gateway, amount=amount, part=True)
        await pay_order(self.world.context(), command, told(str))

    async def record(self) -> None:
        command = RecordPayment(
            order_id=self.chance.choice(self.orders),
            amount=Decimal(self.chance.randint(1, 3000)) / 100,
            method="cash",
        )
        await record_payment(self.world.context(), command, told(str))

    async def capture(self) -> None:
        held = await list_payments(self.world.context(), limit=20, state=AttemptState.AUTHORISED)
        if held:
            payment_id = self.chance.choice(held).payment.id
            amount = self.chance.choice((None, Decimal("0.50"), Decimal("3.00")))
            command = CapturePayment(payment_id=payment_id, amount=amount)
            await capture_payment(self.world.context(), command, told(str))

    async def refund_lines(self) -> None:
        order = await self.world.order(self.chance.choice(self.orders))
        lines = self.chance.sample(order.lines, self.chance.randint(1, len(order.lines)))
        command = Refund(
            order_id=order.id,
            lines=tuple(
                RefundLine(line_id=line.id, quantity=self.chance.choice((None, 1)))
                for line in lines
            ),
            shipping=self.chance.choice((None, True)),
            restock=self.chance.random() < 0.5,
        )
        await refund_order(self.world.context(), command, told(str))

    async def refund(self) -> None:
        amount = self.chance.choice((None, Decimal("1.00"), Decimal("0.01")))
        command = Refund(order_id=self.chance.choice(self.orders), amount=amount)
        await refund_order(self.world.context(), command, told(str))

    async def settle(self) -> None:
        order = await self.world.order(self.chance.choice(self.orders))
        lines = self.chance.sample(order.lines, self.chance.randint(1, len(order.lines)))
        actions = [LineAction(line_id=line.id, verify=self.chance.random() < 0.4) for line in lines]
        await settle_lines(self.world.context(), order.id, actions, told(str))


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_books_add_up_after_anything(database: Database, tmp_path: Path, seed: int):
    world = await a_world(database, tmp_path, policy=POLICY)
    for variant, price in ((1, 333), (2, 1999), (3, 50)):
        await world.sells(variant, price=price, stock=100)
    await world.sells(4, price=777, stock=None)
    crowd = Crowd(world, random.Random(seed))  # noqa: S311 - chance that can be repeated
    for _ in range(40):
        await asyncio.gather(*(crowd.act() for _ in range(5)))
    words = {(await world.order(number)).word for number in crowd.orders}
    assert {Word.CANCELLED, Word.SHIPPED, Word.REFUNDED} & words
    assert [found async for found in verify(world.services)] == []
    while await fold_figures(world.services):
        pass
    assert [found async for found in verify(world.services)] == []
