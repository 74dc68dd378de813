"""Letters to customers: written with their cause, once per cause, handed over until taken."""

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from msgspec.structs import replace

from openorders.domain.ids import OrderId
from openorders.domain.order import Order, Shipment, Word
from openorders.gateways.mail import Letter, MailServerUnavailable, MailUndelivered
from openorders.store.database import ACQUIRE_S
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.context import Services
from openorders.usecases.forget_mails import forget_mails
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


class Down:
    """A mail server that is not there until it is."""

    def __init__(self) -> None:
        self.up = False
        self.taken: list[Letter] = []

    async def send(self, letter: Letter) -> None:
        if not self.up:
            raise MailServerUnavailable("nobody is here")
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


async def an_order_of_jane(world: World) -> Order:
    await world.sells(price=2500)
    order = await world.placed()
    async with world.database.transaction() as tx:
        await tx.execute("update customers set name = 'Jane Smith', email = 'jane@example.com'")
    return order


@pytest.fixture
async def order(world: World) -> Order:
    return await an_order_of_jane(world)


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


async def test_a_letter_in_somebody_elses_hands_is_waited_for(world: World, order: Order) -> None:
    async with world.database.transaction() as tx:
        mail_id = await write(tx, world.store, await world.order(order.id), world.context().by())
    assert mail_id is not None
    began, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def send(self, _letter: Letter) -> None:
            began.set()
            await go_on.wait()

    slow = replace(world.services, mailer=Slow())
    first = asyncio.create_task(hand_over(slow, world.store, mail_id))
    await began.wait()
    second = asyncio.create_task(hand_over(world.services, world.store, mail_id))
    await asyncio.sleep(0.1)
    assert not second.done()
    go_on.set()
    assert (await first).sent
    assert (await second).sent
    assert (await mail_row(world))["tries"] == 1


async def test_a_letter_that_takes_as_long_as_it_may_is_not_sent_by_another_one_too(
    world: World, order: Order
) -> None:
    """The longest time that can be set, and a wait for a connection before it and after it."""
    async with world.database.transaction() as tx:
        mail_id = await write(tx, world.store, await world.order(order.id), world.context().by())
    began, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def send(self, _letter: Letter) -> None:
            began.set()
            await go_on.wait()

    slow = replace(world.services, mailer=Slow())
    first = asyncio.create_task(hand_over(slow, world.store, mail_id))
    await began.wait()
    world.clock.move(seconds=25 + 2 * ACQUIRE_S)
    assert await sweep_mails(world.services) == 0
    go_on.set()
    assert (await first).sent
    assert (await mail_row(world))["tries"] == 1


async def test_one_server_that_takes_nobodys_letters_is_not_asked_again_and_again(
    world: World, order: Order
) -> None:
    class Counting(Down):
        tries = 0

        async def send(self, letter: Letter) -> None:
            self.tries += 1
            await super().send(letter)

    now = await world.order(order.id)
    async with world.database.transaction() as tx:
        for version in range(10):
            await write(tx, world.store, replace(now, version=version), world.context().by())
    world.clock.move(minutes=1)
    down = Counting()
    assert await sweep_mails(replace(world.services, mailer=down)) == 0
    assert down.tries == 2
    assert await sweep_mails(world.services) == 8


async def test_a_letter_waits_for_its_server_and_goes_out_soon_after_it_is_back(
    world: World, order: Order
) -> None:
    server = Down()
    services = replace(world.services, mailer=server)
    assert await shipped(world, order, services) == ["not sent"]
    for _ in range(50):
        world.clock.move(hours=1)
        assert await sweep_mails(services) == 0
    row = await mail_row(world)
    assert (row["tries"], row["given_up_at"], row["failure"]) == (0, None, "nobody is here")
    server.up = True
    world.clock.move(minutes=2)
    assert await sweep_mails(services) == 1
    assert len(server.taken) == 1


async def test_a_letter_does_not_wait_for_its_server_for_ever(world: World, order: Order) -> None:
    server = Down()
    services = replace(world.services, mailer=server)
    assert await shipped(world, order, services) == ["not sent"]
    world.clock.move(days=4)
    await sweep_mails(services)
    assert (await mail_row(world))["given_up_at"] is not None
    server.up = True
    world.clock.move(days=4)
    assert await sweep_mails(services) == 0
    assert server.taken == []


async def test_no_transaction_is_open_while_a_mail_server_is_asked(
    world: World, order: Order
) -> None:
    busy: list[int] = []

    class Looking:
        async def send(self, _letter: Letter) -> None:
            async with world.database.connection() as connection:
                busy.append(
                    await connection.fetchval(
                        """
                        select count(*) from pg_stat_activity
                        where datname = current_database() and xact_start is not null
                            and pid <> pg_backend_pid() and backend_type = 'client backend'
                        """
                    )
                )

    services = replace(world.services, mailer=Looking())
    assert await shipped(world, order, services) == ["sent"]
    assert busy == [0]


async def test_what_was_written_long_ago_is_forgotten_but_not_that_it_was(
    world: World, order: Order, tmp_path: Path
) -> None:
    assert await shipped(world, order) == ["sent"]
    unsent = replace(world.services, mailer=ShutMailbox())
    async with world.database.transaction() as tx:
        later = replace(await world.order(order.id), version=99)
        await write(tx, world.store, later, world.context().by())
    world.clock.move(days=89)
    assert await forget_mails(unsent) == 0
    world.clock.move(days=2)
    assert await forget_mails(unsent) == 1
    assert await forget_mails(unsent) == 0
    rows = await world.rows(
        "select recipient, subject, body_text, body_html, sent_at from mails "
        "where store_id = $1 order by id"
    )
    assert [*rows[0].values()][:4] == ["", "", "", ""]
    assert rows[0]["sent_at"] is not None
    assert rows[1]["recipient"] == "jane@example.com", "what is still to be sent stays"
    assert await shipped(world, order) == ["sent"]
    assert len(mails_in(tmp_path / "mail")) == 1
