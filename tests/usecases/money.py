"""What the tests about money ask of a world: pay, record, capture, give back, and look it up."""

import json
from decimal import Decimal
from typing import Any

import pytest

from openorders.domain.ids import LineId, PaymentId
from openorders.domain.order import Order
from openorders.domain.refunding import RefundLine
from openorders.domain.refusals import Reason, Refused
from openorders.usecases.answers import Answer
from openorders.usecases.capture_payment import CapturePayment, capture_payment
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.record_payment import RecordPayment, record_payment
from openorders.usecases.refund_order import Refund, refund_order
from tests.world import World, told

PAID = told(lambda paid: json.dumps([paid.payment.id, paid.payment.state, paid.order.payment]))
RETURNED = told(lambda back: json.dumps([back.refund.id, back.amount, back.refund.state]))


async def pay(
    world: World, order: Order, amount: str | None = None, token: str = "tok_visa", **more: Any
) -> Answer:
    """Pay what is owed, or a part of it."""
    ctx = more.pop("ctx", None) or world.context()
    command = Pay(
        order_id=order.id,
        token=token,
        amount=Decimal(amount) if amount else None,
        part=amount is not None,
        **more,
    )
    return await pay_order(ctx, command, PAID)


async def record(
    world: World, order: Order, amount: str, method: str = "bank_transfer", **more: Any
) -> Answer:
    ctx = more.pop("ctx", None) or world.context()
    command = RecordPayment(order_id=order.id, amount=Decimal(amount), method=method, **more)
    return await record_payment(ctx, command, PAID)


async def capture(
    world: World, payment_id: PaymentId, amount: str | None = None, **more: Any
) -> Answer:
    ctx = more.pop("ctx", None) or world.context()
    command = CapturePayment(
        payment_id=payment_id, amount=Decimal(amount) if amount else None, **more
    )
    return await capture_payment(ctx, command, PAID)


async def give_back(world: World, order: Order, *lines: tuple[LineId, int | None], **more: Any):
    """Refund lines by their units, and what else the command says."""
    ctx = more.pop("ctx", None) or world.context()
    asked = tuple(RefundLine(line_id=line, quantity=units) for line, units in lines)
    return await refund_order(ctx, Refund(order_id=order.id, lines=asked, **more), RETURNED)


async def reason_of(asking: Any) -> Reason:
    """Why it was refused, without a key to keep the refusal under."""
    with pytest.raises(Refused) as refused:
        await asking
    return refused.value.reason


async def at_the_gateway(world: World, order: Order) -> tuple[int, int]:
    """What the gateway's own books say was captured, and refunded."""
    row = await world.row(
        """
        select coalesce(sum(captured), 0)::int as captured,
            coalesce(sum(refunded), 0)::int as refunded
        from sandbox_charges where store_id = $1 and order_id = $2
        """,
        order.id,
    )
    return row["captured"], row["refunded"]


async def rows_of_money(world: World) -> tuple[int, ...]:
    """How many records of money there are: a refusal leaves none behind."""
    row = await world.row(
        """
        select (select count(*) from payments where store_id = $1),
            (select count(*) from payment_operations where store_id = $1),
            (select count(*) from refunds where store_id = $1),
            (select count(*) from stock_movements where store_id = $1),
            (select count(*) from outbox where store_id = $1)
        """
    )
    return tuple(row)


async def forget_answers(world: World) -> None:
    """What a process that died left of its idempotency keys: claimed, and never answered."""
    async with world.database.transaction() as tx:
        await tx.execute("update idempotency_keys set status = null, headers = null, body = null")
    world.clock.move(minutes=1)
