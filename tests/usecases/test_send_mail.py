"""Letters to customers: written with their cause, once per cause, handed over until taken."""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from openorders.domain.ids import OrderId
from openorders.domain.order import Order, Shipment, Word
from openorders.gateways.mail import Letter, MailUndelivered
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.context import Services
from openorders.usecases.send_mail import WAITS, Notification, hand_over, sweep_mails, write
from tests.world import World, a_world, told


class ShutMailbox:
    """A mail server that takes nothing until it is opened."""

    def __init__(self, *, for_good: bool = False) -> None:
        self.for_good = for_good
        self.open = False
        self.taken: list[Letter] = []
        self.tries = 0

    async def send(self, letter: Letter) -> None:
        self.tries += 1
        if not self.open:
            raise MailUndelivered("nobody is here", for_good=self.for_good)
        self.taken.append(letter)


async def shipped(world: World, order: Order, services: Services | None = None) -> list[str]:
    """Ship and notify; what the answer says about the notification."""
    ctx = world.context()
    if services is not None:
        ctx = replace(ctx, services=services)
    command = Advance(
        order_id=order.id,
        target=Word.SHIPPED,
        holds=frozenset({Word.SHIPPED}),
        tracking=Shipment(
            carrier="USPS", tracking_number="1Z", tracking_url="https://example.com/t?a=1&b=2"
        ),
        notify=True,
    )
    answer = await advance_order(
        ctx, command, told(lambda done: "sent" if done.notification.sent else "not sent")
    )
    return [answer.body.decode()]


def mails_in(folder: Path) -> list[EmailMessage]:
    return [
        message_from_bytes(path.read_bytes(), policy=default)  # type: ignore[arg-type]
        for path in sorted(folder.glob("*.eml"))
    ]


async def mail_row(world: World) -> dict[str, object]:
    return dict(
        await world.row("select sent_at, given_up_at, tries, failure from mails where store_id=$1")
    )


@pytest.fixture
async def order(world: World) -> Order:
    await world.sells(price=2500)
    order = await world.placed()
    async with world.database.transaction() as tx:
        await tx.execute("update customers set name = 'Jane Smith', email = 'jane@example.com'")
    return order


async def test_a_notification_is_really_written(world: World, order: Order, tmp_path: Path) -> None:
    assert await shipped(world, order) == ["sent"]
    (mail,) = mails_in(tmp_path / "mail")
    assert mail["To"] == "Jane Smith <jane@example.com>"
    assert mail["Subject"] == "Your order 1 has been shipped"
    text = mail.get_body(("plain",))
    html = mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Tracking number: 1Z" in text.get_content()
    assert "25.00 USD" in text.get_content()
    assert 'href="https://example.com/t?a=1&amp;b=2"' in html.get_content()
    assert (await mail_row(world))["sent_at"] is not None


async def test_a_customer_without_an_address_is_told_nothing(
    world: World, order: Order, tmp_path: Path
) -> None:
    async with world.database.transaction() as tx:
        await tx.execute("update customers set email = null")
    assert await shipped(world, order) == ["not sent"]
    assert mails_in(tmp_path / "mail") == []


async def test_asking_twice_writes_once(world: World, order: Order, tmp_path: Path) -> None:
    assert await shipped(world, order) == ["sent"]
    assert await shipped(world, order) == ["sent"]
    assert len(mails_in(tmp_path / "mail")) == 1


async def test_a_mail_that_was_not_taken_is_retried_in_the_background(
    world: World, order: Order
) -> None:
    mailbox = ShutMailbox()
    services = replace(world.services, mailer=mailbox)
    assert await shipped(world, order, services) == ["not sent"]
    assert await sweep_mails(services) == 0
    world.clock.move(minutes=2)
    assert await sweep_mails(services) == 1
    mailbox.open = True
    world.clock.move(minutes=10)
    assert await sweep_mails(services) == 1
    assert len(mailbox.taken) == 1
    world.clock.move(days=3)
    assert await sweep_mails(services) == 0


async def test_retries_have_an_end(world: World, order: Order) -> None:
    mailbox = ShutMailbox()
    services = replace(world.services, mailer=mailbox)
    await shipped(world, order, services)
    for _ in range(20):
        world.clock.move(days=2)
        await sweep_mails(services)
    assert mailbox.tries == len(WAITS) + 1
    row = await mail_row(world)
    assert row["given_up_at"] is not None
    assert row["failure"] == "nobody is here"


async def test_an_address_that_is_none_is_given_up_at_once(world: World, order: Order) -> None:
    async with world.database.transaction() as tx:
        await tx.execute("update customers set email = $1", "no address\r\nBcc: a@example.com")
    assert await shipped(world, order) == ["not sent"]
    assert (await mail_row(world))["given_up_at"] is not None


async def test_a_mail_whose_process_died_is_sent_by_the_background(
    world: World, order: Order, tmp_path: Path
) -> None:
    async with world.database.transaction() as tx:
        now = await world.order(order.id)
        mail_id = await write(tx, world.store, now, world.context().by())
    assert mail_id is not None
    world.clock.move(seconds=31)
    assert await sweep_mails(world.services) == 1
    assert len(mails_in(tmp_path / "mail")) == 1
    told_now = await hand_over(world.services, world.store, mail_id)
    assert told_now.sent
    assert len(mails_in(tmp_path / "mail")) == 1


async def test_nothing_to_hand_over_is_not_sent(world: World) -> None:
    notification = await hand_over(world.services, world.store, None)
    assert notification == Notification(sent=False, at=notification.at)


async def test_a_subject_stays_one_line(world: World, order: Order, tmp_path: Path) -> None:
    store = replace(world.store, number_prefix="A\r\nBcc: b@example.com\n")
    async with world.database.transaction() as tx:
        mail_id = await write(tx, store, await world.order(order.id), world.context().by())
    assert (await hand_over(world.services, store, mail_id)).sent
    (mail,) = mails_in(tmp_path / "mail")
    assert mail["Bcc"] is None
    assert "\n" not in str(mail["Subject"])


async def test_another_stores_mail_is_not_handed_over(
    world: World, order: Order, tmp_path: Path
) -> None:
    other = await a_world(world.database, tmp_path / "other", name="other")
    async with world.database.transaction() as tx:
        mail_id = await write(
            tx, world.store, await world.order(OrderId(order.id)), world.context().by()
        )
    assert not (await hand_over(other.services, other.store, mail_id)).sent
