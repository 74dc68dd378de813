"""Letters to customers: written with their cause, once per cause, handed over until taken."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from openorders.domain.ids import OrderId
from openorders.domain.order import Order, Shipment, Word
from openorders.domain.refusals import Refused
from openorders.gateways.mail import Letter, MailServerUnavailable, MailUndelivered
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.context import Services
from openorders.usecases.forget_mails import forget_mails
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.perform_operations import sweep_operations
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
    world.clock.move(seconds=31)
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
    async with asyncio.timeout(5):
        while not await world.rows("select from mail_promises where store_id = $1"):
            await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert await letters_of(world) == []
    world.faults.delay_s = 0
    world.clock.move(seconds=31)
    assert await refunded(world, paid, key="once") == "refunded True"
    assert len(mails_in(tmp_path / "mail")) == 1


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
    world: World, paid: Order, tmp_path: Path
) -> None:
    assert await shipped(world, paid) == ["sent"]
    unsent = replace(world.services, mailer=ShutMailbox())
    async with world.database.transaction() as tx:
        later = replace(await world.order(paid.id), version=99)
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
    assert await shipped(world, paid) == ["sent"]
    assert len(mails_in(tmp_path / "mail")) == 1
