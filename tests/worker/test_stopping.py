# ruff: noqa: ARG002 - the library calls these with all it has
"""A worker's process is told to stop in the middle of its work: it finishes, or gives back."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from openorders.domain.store_settings import StorePolicy
from openorders.store.database import Database
from openorders.usecases.sequence_events import sequence
from openorders.usecases.verify_ledgers import verify
from tests.cli import program
from tests.gateways.mail_servers import Mailbox, serving
from tests.receiver import Got, Receiver, answers, hangs, listening
from tests.usecases.subscribers import Shop, a_shop
from tests.world import World, a_world

PATIENCE_S = 60
WEBHOOKS = {
    "OPENORDERS_WEBHOOK_ALLOW_PRIVATE": "true",
    "OPENORDERS_WEBHOOK_ALLOW_HTTP": "true",
}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as one:
        yield one


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """A store in the time of the worker's clock, an hour ago."""
    policy = StorePolicy(unpaid_expiry_minutes=30)
    world = await a_world(database, tmp_path / "mail", policy=policy)
    world.clock.now = datetime.now(UTC) - timedelta(hours=1)
    return world


@pytest.fixture
async def shop(world: World, receiver: Receiver) -> Shop:
    await world.sells()
    return a_shop(world, receiver)


@contextmanager
def a_worker(url: str, folder: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        program.command("worker", "--database-url", url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=program.environment(folder, **more),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


async def stopped(process: subprocess.Popen[str], *, within_s: float) -> None:
    """Told to stop, it ends well and in time."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(within_s):
        code = await asyncio.to_thread(process.wait, PATIENCE_S)
    assert process.stdout is not None
    said = process.stdout.read()
    assert code == 0, said
    assert "Traceback" not in said


async def test_a_delivery_that_is_answered_soon_is_finished(
    shop: Shop, receiver: Receiver, database_url: str, tmp_path: Path
) -> None:
    endpoint = await shop.endpoint()
    receiver.behave = hangs(1.0)
    await shop.order()
    with a_worker(database_url, tmp_path, **WEBHOOKS) as process:
        await receiver.until(lambda: len(receiver.got) == 1, PATIENCE_S)
        await stopped(process, within_s=20)
    [delivery] = await shop.deliveries(endpoint)
    assert (delivery.state, delivery.tries) == ("delivered", 1)
    assert await shop.lanes() == []


async def test_a_delivery_that_hangs_is_given_back_and_taken_by_the_next_at_once(
    shop: Shop, receiver: Receiver, database_url: str, tmp_path: Path
) -> None:
    endpoint = await shop.endpoint()
    receiver.behave = hangs(PATIENCE_S)
    await shop.order()
    with a_worker(database_url, tmp_path, **WEBHOOKS) as process:
        await receiver.until(lambda: len(receiver.got) == 1, PATIENCE_S)
        await stopped(process, within_s=25)
    due = await shop.world.row(
        "select due_at <= now() as due, claim from webhook_lanes where store_id = $1"
    )
    assert (due["due"], due["claim"]) == (True, None), "nobody has to wait for the lease"
    receiver.behave = answers(200)
    assert await shop.deliver() == 1
    [delivery] = await shop.deliveries(endpoint)
    assert delivery.state == "delivered"


async def test_orders_of_events_hold_over_a_stop(
    shop: Shop, receiver: Receiver, database_url: str, tmp_path: Path
) -> None:
    await shop.endpoint()
    first = asyncio.Event()

    async def slowly(got: Got, writer: asyncio.StreamWriter) -> None:
        first.set()
        await asyncio.sleep(0.02)
        await answers(200)(got, writer)

    receiver.behave = slowly
    for _ in range(40):
        await shop.world.placed()
    while await sequence(shop.services):
        pass
    with a_worker(database_url, tmp_path, **WEBHOOKS) as process:
        await asyncio.wait_for(first.wait(), PATIENCE_S)
        await stopped(process, within_s=20)
    await shop.deliver()
    events = receiver.events()
    assert len(events) == len(set(events)) == 40, "none was lost, none was told twice"


class SlowMailbox(Mailbox):
    """Takes a mail, and says so only after a while."""

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.taken.append(envelope)
        await asyncio.sleep(1.0)
        return "250 OK"


async def test_a_mail_under_way_is_sent_once(
    world: World, database_url: str, tmp_path: Path
) -> None:
    await world.sells()
    order = await world.placed()
    await world.rows(MAIL, order.id, world.clock.now)
    mailbox = SlowMailbox()
    async with serving(mailbox) as port:
        smtp = {
            "OPENORDERS_SMTP_HOST": "127.0.0.1",
            "OPENORDERS_SMTP_PORT": str(port),
            "OPENORDERS_SMTP_SECURITY": "none",
        }
        with a_worker(database_url, tmp_path, **smtp) as process:
            async with asyncio.timeout(PATIENCE_S):
                while not mailbox.taken:
                    await asyncio.sleep(0.02)
            await stopped(process, within_s=20)
    mail = await world.row("select sent_at, tries, due_at from mails where store_id = $1")
    assert len(mailbox.taken) == 1
    assert mail["sent_at"] is not None
    assert mail["tries"] == 1


MAIL = """
insert into mails (store_id, order_id, template, cause, recipient, subject, body_text, body_html,
    due_at, created_at)
values ($1, $2, 'paid', 'a', 'jane@example.com', 's', 't', '<p>h</p>', $3, $3)
"""


async def test_expiry_stops_between_two_orders_and_the_next_goes_on(
    world: World, database_url: str, tmp_path: Path
) -> None:
    await world.sells(stock=1000)
    for _ in range(60):
        await world.placed(payment_asked=True)

    async def cancelled() -> int:
        row = await world.row(
            "select count(*) from orders where store_id = $1 and progress = 'cancelled'"
        )
        return row[0]

    async def until(count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await cancelled() < count:
                await asyncio.sleep(0.01)

    with a_worker(database_url, tmp_path) as process:
        await until(1)
        await stopped(process, within_s=25)
    assert await world.stock(1) == (1000, 60 - await cancelled())
    assert [found async for found in verify(world.services)] == []
    with a_worker(database_url, tmp_path) as process:
        await until(60)
        await stopped(process, within_s=25)
    assert await world.stock(1) == (1000, 0)
