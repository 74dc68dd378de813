"""A letter that was asked for with a refund: written when the money is back, and told of truly."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openorders.domain.order import Order, Word
from openorders.domain.refusals import Refused
from openorders.gateways.mail import Letter
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.perform_operations import sweep_operations
from openorders.usecases.send_mail import sweep_mails
from tests.usecases.test_send_mail import an_order_of_jane, mail_row, mails_in
from tests.world import World, told


@pytest.fixture
async def order(world: World) -> Order:
    return await an_order_of_jane(world)


async def refunded(world: World, order: Order, *, key: str | None = None, **more: Any) -> str:
    """Refund all of it and notify; what the answer says about the notification."""
    ctx = replace(world.context(key=key), services=more.get("services", world.services))
    command = Advance(
        order_id=order.id, target=Word.REFUNDED, holds=frozenset({Word.REFUNDED}), notify=True
    )
    answer = await advance_order(
        ctx, command, told(lambda done: f"{done.order.word} {done.notification.sent}")
    )
    return answer.body.decode()


@pytest.fixture
async def paid(world: World, order: Order) -> Order:
    await pay_order(world.context(), Pay(order_id=order.id, token="tok_visa"), told(str))
    return order


async def letters_of(world: World) -> list[str]:
    rows = await world.rows("select template from mails where store_id = $1 order by id")
    return [row["template"] for row in rows]


async def test_a_refund_is_written_about_when_the_money_is_back(
    world: World, paid: Order, tmp_path: Path
) -> None:
    assert await refunded(world, paid) == "refunded True"
    (mail,) = mails_in(tmp_path / "mail")
    text = mail.get_body(("plain",))
    assert text is not None
    assert mail["Subject"] == "A refund for your order 1"
    assert "We have refunded 25.00 USD to you." in text.get_content()


async def test_a_refund_that_fails_is_not_written_about(
    world: World, order: Order, tmp_path: Path
) -> None:
    await pay_order(world.context(), Pay(order_id=order.id, token="tok_refundFail"), told(str))
    with suppress(Refused):
        await refunded(world, order)
    world.clock.move(minutes=5)
    await sweep_mails(world.services)
    assert await letters_of(world) == []
    assert mails_in(tmp_path / "mail") == []


async def test_a_refund_that_takes_longer_is_written_about_when_it_is_done(
    world: World, order: Order, tmp_path: Path
) -> None:
    await pay_order(world.context(), Pay(order_id=order.id, token="tok_pendingRefund"), told(str))
    with suppress(Refused):
        assert (await refunded(world, order)).endswith("False")
    assert await letters_of(world) == []
    for _ in range(3):
        world.clock.move(minutes=5)
        await sweep_operations(world.services)
    assert await letters_of(world) == ["refunded"]
    world.clock.move(minutes=1)
    await sweep_mails(world.services)
    assert len(mails_in(tmp_path / "mail")) == 1


class DiesOnce:
    """A mail server at which the process that asks first dies, before or after it was heard."""

    def __init__(self, *, heard: bool) -> None:
        self.heard = heard
        self.taken: list[Letter] = []

    async def send(self, letter: Letter) -> None:
        first = not self.taken
        if self.heard or not first:
            self.taken.append(letter)
        if first:
            self.taken.append(letter)
            raise asyncio.CancelledError


@pytest.mark.parametrize("heard", [True, False])
async def test_a_retry_after_a_crash_tells_the_truth_about_the_letter(
    world: World, paid: Order, heard: bool
) -> None:
    mailer = DiesOnce(heard=heard)
    services = replace(world.services, mailer=mailer)
    with pytest.raises(asyncio.CancelledError):
        await refunded(world, paid, key="once", services=services)
    row = await mail_row(world)
    assert (row["sent_at"], row["tries"]) == (None, 1)
    world.clock.move(seconds=61)
    assert await refunded(world, paid, key="once", services=services) == "refunded True"
    assert (await mail_row(world))["sent_at"] is not None
    assert len({letter.id for letter in mailer.taken}) == 1
    assert await refunded(world, paid, key="once", services=services) == "refunded True"
    assert await letters_of(world) == ["refunded"]
    assert (await world.order(paid.id)).payments[0].refunded == 2500


async def test_a_retry_after_a_crash_before_the_refund_was_asked_for_tells_the_truth(
    world: World, paid: Order, tmp_path: Path
) -> None:
    world.faults.delay_s = 30
    dying = asyncio.create_task(refunded(world, paid, key="once"))
    async with asyncio.timeout(60):
        while not await world.rows("select from mail_promises where store_id = $1"):
            await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert await letters_of(world) == []
    world.faults.delay_s = 0
    world.clock.move(seconds=61)
    assert await refunded(world, paid, key="once") == "refunded True"
    assert len(mails_in(tmp_path / "mail")) == 1
