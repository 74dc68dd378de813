"""Mails that are written by themselves: each cause once, never the past, whoever dies meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from openorders.domain.ids import CustomerId
from openorders.domain.mails import AUTOMATIC, MailPolicy, OwnTemplate, Template
from openorders.domain.order import Order, Shipment, Word
from openorders.domain.refunding import RefundLine
from openorders.domain.store_settings import Capture, GatewaySettings, Store, StorePolicy
from openorders.gateways.mail import Letter
from openorders.store import stores
from openorders.store.database import Database, opened
from openorders.usecases import letters
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.news import News
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.record_payment import RecordPayment, record_payment
from openorders.usecases.refund_order import Refund, refund_order
from openorders.usecases.send_mail import sweep_mails
from openorders.usecases.sequence_events import sequence
from openorders.usecases.set_language import set_customer_language
from openorders.usecases.write_mails import EVENTS_LIMIT, write_mails
from tests.world import World, a_world, told


@dataclass(slots=True)
class Postbox:
    """Takes everything."""

    taken: list[Letter] = field(default_factory=list)

    async def send(self, letter: Letter) -> None:
        self.taken.append(letter)


def wants(*events: Template, **more: Any) -> StorePolicy:
    return StorePolicy(mails=MailPolicy(events=events, **more))


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await a_shop(database, tmp_path, wants(*AUTOMATIC))


async def a_shop(
    database: Database, tmp_path: Path, policy: StorePolicy, *, name: str = "shop"
) -> World:
    world = await a_world(database, tmp_path / "mail" / name, name=name, policy=policy)
    await world.sells(price=2500)
    await introduced(world)
    return world


async def introduced(world: World, *, language: str | None = None) -> None:
    async with world.database.transaction() as tx:
        await tx.execute(
            """
            insert into customers (store_id, id, name, email, language, created_at)
            values ($1, 5, 'Jane Smith', 'jane@example.com', $2, now())
            on conflict (store_id, id) do update set language = excluded.language
            """,
            world.store.id, language,
        )  # fmt: skip


async def followed(world: World) -> int:
    """Everything that was told gets its position, and its letter."""
    while await sequence(world.services):
        pass
    while await write_mails(world.services) == EVENTS_LIMIT:
        pass
    return len(await written(world))


async def written(world: World) -> list[tuple[str, str]]:
    rows = await world.rows("select template, cause from mails where store_id = $1 order by id")
    return [(row["template"], row["cause"]) for row in rows]


async def subjects(world: World) -> list[str]:
    rows = await world.rows("select subject from mails where store_id = $1 order by id")
    return [row["subject"] for row in rows]


async def moved(world: World, order: Order, target: Word, **more: Any) -> str:
    command = Advance(order_id=order.id, target=target, holds=frozenset({target}), **more)
    answer = await advance_order(
        world.context(),
        command,
        told(lambda done: str(done.notification and done.notification.sent)),
    )
    return answer.body.decode()


async def paid(world: World, order: Order, token: str = "tok_visa", **more: Any) -> None:
    await pay_order(world.context(), Pay(order_id=order.id, token=token, **more), told(str))


@pytest.fixture
async def second(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, connections=4) as pool:
        yield pool


async def test_a_whole_life_is_written_about_and_each_step_once(
    world: World, tmp_path: Path
) -> None:
    order = await world.placed(payment_asked=True)
    await paid(world, order)
    await moved(world, order, Word.SHIPPED, tracking=Shipment(carrier="USPS", tracking_number="1Z"))
    await refund_order(
        world.context(), Refund(order_id=order.id, amount=Decimal("10.00")), told(str)
    )
    await refund_order(
        world.context(), Refund(order_id=order.id, amount=Decimal("15.00")), told(str)
    )
    assert await followed(world) == 5
    assert await subjects(world) == [
        "We have received your order 1",
        "Your order 1 is paid",
        "Your order 1 has been shipped",
        "A refund for your order 1",
        "A refund for your order 1",
    ]
    assert await followed(world) == 5
    assert await sweep_mails(world.services) == 5
    assert await sweep_mails(world.services) == 0
    found = [
        cast("EmailMessage", message_from_bytes(path.read_bytes(), policy=cast("Any", default)))
        for path in (tmp_path / "mail" / "shop").glob("*.eml")
    ]
    bodies = {str(mail["Message-ID"]): mail.get_body(("plain",)) for mail in found}
    texts = [part.get_content() for _, part in sorted(bodies.items()) if part is not None]
    assert len(texts) == 5
    assert "Tracking number: 1Z" in texts[2]
    assert "We have refunded 10.00 USD to you." in texts[3]
    assert "We have refunded 15.00 USD to you." in texts[4]
    assert "Refunded in all: 25.00 USD" in texts[4]


async def test_a_cancelled_order_is_written_about_and_so_is_the_money(world: World) -> None:
    order = await world.placed(payment_asked=True)
    await paid(world, order)
    await cancel_order(world.context(), Cancel(order_id=order.id), told(str))
    await followed(world)
    assert [template for template, _ in await written(world)] == [
        "placed",
        "paid",
        "cancelled",
        "refunded",
    ]


async def test_parts_of_a_payment_are_one_letter_when_all_is_paid(world: World) -> None:
    order = await world.placed(payment_asked=True)
    for amount in ("10.00", "15.00"):
        await record_payment(
            world.context(),
            RecordPayment(
                order_id=order.id,
                amount=Decimal(amount),
                method="cash",
                reference=None,
                reason=None,
            ),
            told(str),
        )
        await followed(world)
        expected = 1 if amount == "10.00" else 2
        assert len(await written(world)) == expected
    assert (await written(world))[1][0] == "paid"


async def test_money_that_is_only_reserved_is_called_approved_once(
    database: Database, tmp_path: Path
) -> None:
    by_hand = GatewaySettings(name="sandbox", capture=Capture.BY_HAND)
    world = await a_shop(
        database, tmp_path, replace(wants(Template.PAID), gateways=(by_hand,)), name="careful"
    )
    order = await world.placed(payment_asked=True)
    await paid(world, order)
    await followed(world)
    assert await subjects(world) == ["The payment for your order 1 is approved"]


async def test_a_store_that_wants_none_writes_none(database: Database, tmp_path: Path) -> None:
    world = await a_shop(database, tmp_path, StorePolicy(), name="silent")
    order = await world.placed(payment_asked=True)
    await paid(world, order)
    assert await followed(world) == 0


async def test_a_store_gets_only_what_it_wants(database: Database, tmp_path: Path) -> None:
    world = await a_shop(database, tmp_path, wants(Template.SHIPPED), name="terse")
    order = await world.placed(payment_asked=True)
    await paid(world, order)
    await moved(world, order, Word.SHIPPED)
    await followed(world)
    assert [template for template, _ in await written(world)] == ["shipped"]


async def test_a_store_switched_on_later_does_not_write_about_the_past(
    database: Database, tmp_path: Path
) -> None:
    world = await a_shop(database, tmp_path, StorePolicy(), name="late")
    old = await world.placed(payment_asked=True)
    await sequence(world.services)
    unseen = await world.placed(payment_asked=True)
    async with database.transaction() as tx:
        await stores.change(tx, replace(world.store, policy=wants(*AUTOMATIC)))
    new = await world.placed(payment_asked=True)
    await followed(world)
    rows = await world.rows("select order_id from mails where store_id = $1")
    assert [row["order_id"] for row in rows] == [new.id]
    assert old.id != unseen.id != new.id
    async with database.transaction() as tx:
        await stores.change(tx, replace(world.store, policy=wants(Template.PAID)))
    await world.placed(payment_asked=True)
    async with database.transaction() as tx:
        await stores.change(tx, world.store)
    await world.placed(payment_asked=True)
    async with database.transaction() as tx:
        await stores.change(tx, replace(world.store, policy=wants(*AUTOMATIC)))
    assert await followed(world) == 1


async def test_an_event_that_commits_after_the_switch_but_began_before_it_is_of_the_past(
    database: Database, second: Database, tmp_path: Path
) -> None:
    world = await a_shop(database, tmp_path, StorePolicy(), name="racing")
    template = await world.placed(payment_asked=True)
    async with second.transaction() as slow:
        await slow.execute(
            """
            insert into outbox (store_id, order_id, version, type, payload, at)
            select store_id, order_id, version, type, payload, at from outbox
            where store_id = $1 and order_id = $2 limit 1
            """,
            world.store.id, template.id,
        )  # fmt: skip
        async with database.transaction() as tx:
            await stores.change(tx, replace(world.store, policy=wants(*AUTOMATIC)))
        assert await followed(world) == 0
    assert await followed(world) == 0
    await world.placed(payment_asked=True)
    assert await followed(world) == 1


async def test_what_the_customer_was_told_at_once_is_not_told_again(world: World) -> None:
    order = await world.placed(payment_asked=True)
    await paid(world, order)
    assert await moved(world, order, Word.SHIPPED, notify=True) == "True"
    assert await followed(world) == 3
    assert await moved(world, order, Word.REFUNDED, notify=True) == "True"
    assert await followed(world) == 4
    postbox = Postbox()
    await sweep_mails(replace(world.services, mailer=postbox))
    assert sorted(letter.subject for letter in postbox.taken) == [
        "We have received your order 1",
        "Your order 1 is paid",
    ]


async def test_a_customer_without_an_address_holds_up_nobody(world: World) -> None:
    async with world.database.transaction() as tx:
        await tx.execute("update customers set email = null")
    await world.placed()
    assert await followed(world) == 0
    async with world.database.transaction() as tx:
        await tx.execute("update customers set email = 'jane@example.com'")
    await world.placed()
    assert await followed(world) == 1


async def test_letters_are_in_the_customers_language(world: World) -> None:
    assert await set_customer_language(world.context(), CustomerId(5), "de_AT") == "de-AT"
    await world.placed()
    await followed(world)
    await set_customer_language(world.context(), CustomerId(5), None)
    await world.placed()
    await followed(world)
    assert await subjects(world) == [
        "Wir haben Ihre Bestellung 1 erhalten",
        "We have received your order 2",
    ]


async def test_a_template_that_fails_is_noted_with_the_letter(
    database: Database, tmp_path: Path
) -> None:
    broken = OwnTemplate(event=Template.PLACED, language="en", subject="{{ nobody }}")
    world = await a_shop(database, tmp_path, wants(Template.PLACED, templates=(broken,)), name="x")
    await world.placed()
    await followed(world)
    row = await world.row("select subject, template_failure from mails where store_id = $1")
    assert row["subject"] == "We have received your order 1"
    assert row["template_failure"] == "placed in en: 'nobody' is undefined"


async def test_stores_do_not_read_each_others_mail(
    world: World, database: Database, tmp_path: Path
) -> None:
    other = await a_shop(database, tmp_path, wants(Template.PLACED), name="other")
    await world.placed()
    await other.placed()
    await followed(world)
    assert await written(world) == [("placed", "version 1")]
    assert await written(other) == [("placed", "version 1")]


async def test_a_store_that_cannot_be_written_for_silences_no_other(
    world: World, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await a_shop(database, tmp_path, wants(Template.PLACED), name="other")
    for one in (world, other):
        await one.placed()
    await sequence(world.services)
    about = letters.about

    def fails_for_one(order: Order, store: Store, news: News) -> Any:
        if store.id == world.store.id:
            raise KeyError(store.time_zone)
        return about(order, store, news)

    with monkeypatch.context() as patch:
        patch.setattr(letters, "about", fails_for_one)
        with pytest.raises(KeyError):
            await write_mails(world.services)
    assert (await written(world), await written(other)) == ([], [("placed", "version 1")])
    assert await followed(world) == 1


async def test_a_refund_of_lines_says_which(world: World) -> None:
    order = await world.placed(payment_asked=True)
    await paid(world, order)
    await refund_order(
        world.context(),
        Refund(order_id=order.id, lines=(RefundLine(line_id=order.lines[0].id),)),
        told(str),
    )
    await followed(world)
    row = await world.row(
        "select body_text from mails where store_id = $1 and template = 'refunded'"
    )
    assert "This refund: 25.00 USD\n  1 x Product 1\n" in row["body_text"]
