"""Endpoints are told of events: all of them, in order, signed, and as often as it takes."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from openorders.domain import webhooks
from openorders.domain.events import EventType
from openorders.domain.order import Word
from openorders.domain.refusals import Refused
from openorders.domain.webhooks import JITTER, WAITS, DeliveryState, EndpointState, OffReason
from openorders.gateways.outgoing import Outgoing, Rules
from openorders.store.database import Database
from openorders.usecases.event_bodies import body_of, event_name
from openorders.usecases.read_events import read_events
from tests.receiver import Got, Receiver, answers, hangs, listening, writes
from tests.usecases.subscribers import HASTY, LOCAL, Shop, a_shop
from tests.world import World, a_world


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as one:
        yield one


@pytest.fixture
async def shop(world: World, receiver: Receiver) -> Shop:
    await world.sells()
    return a_shop(world, receiver)


async def test_an_order_that_was_placed_is_told_in_the_words_of_the_contract(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id, secret = await shop.endpoint_with_secret(contract="partner")
    shop.world.clock.now = datetime.now(UTC)
    order = await shop.order()

    assert await shop.deliver() == 1

    [got] = receiver.got
    assert got.headers["content-type"] == "application/json"
    said = Webhook(secret).verify(got.body, got.headers)
    assert said == got.json
    assert (said["id"], said["type"], said["contract"]) == (got.event, "order.created", "partner")
    assert said["data"]["order_id"] == f"OR{order.id:05d}"
    assert await shop.lanes() == []
    [delivery] = await shop.deliveries(endpoint_id)
    assert (delivery.state, delivery.tries) == ("delivered", 1)


async def test_only_the_wanted_types_are_told(shop: Shop, receiver: Receiver) -> None:
    await shop.endpoint("/all")
    await shop.endpoint("/some", types=frozenset({EventType.ORDER_PROCESSING}))
    await shop.order(Word.PROCESSING)
    await shop.deliver()
    assert [got.json["type"] for got in receiver.got if got.path == "/all"] == [
        "order.created", "order.processing",
    ]  # fmt: skip
    assert [got.json["type"] for got in receiver.got if got.path == "/some"] == ["order.processing"]


async def test_a_failure_holds_up_its_order_and_no_other(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The database's own clock says what is due: seconds would go by while the test looks.
    monkeypatch.setattr(webhooks, "WAITS", (timedelta(hours=1), *WAITS[1:]))
    endpoint_id = await shop.endpoint()
    receiver.behave = answers(500, b"broken")
    first = await shop.order(Word.PROCESSING)
    assert await shop.deliver() == 1
    receiver.behave = answers(204)
    second = await shop.order(Word.PROCESSING)

    assert await shop.deliver() == 2
    assert await shop.lanes() == [(endpoint_id, first.id, 2)]

    await shop.later(minutes=50)
    assert await shop.deliver() == 0
    await shop.later(minutes=17)
    assert await shop.deliver() == 2
    told = [got.json["data"]["orderId"] for got in receiver.got]
    assert told[1:3] == [f"ORD{second.id:09d}"] * 2
    assert [got.json["type"] for got in receiver.got] == [
        "order.created", "order.created", "order.processing", "order.created", "order.processing",
    ]  # fmt: skip
    shown = await shop.tries(endpoint_id, receiver.got[0].event)
    assert [(one.status, one.answer) for one in shown.attempts] == [(500, "broken"), (204, None)]
    assert shown.delivery.tries == 2


async def test_an_endpoint_that_is_gone_is_switched_off_at_once_and_says_so(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id = await shop.endpoint()
    receiver.behave = answers(410, b"gone")
    first = await shop.order()
    with capture_logs() as logged:
        assert await shop.deliver() == 1

    endpoint = await shop.read(endpoint_id)
    assert (endpoint.state, endpoint.off_reason) == (EndpointState.OFF, OffReason.GONE)
    assert endpoint.off_position == 1
    assert [entry["event"] for entry in logged] == ["webhook_endpoint_switched_off"]
    await shop.order()
    await shop.later(days=30)
    assert await shop.deliver() == 0
    assert await shop.lanes() == [(endpoint_id, first.id, 1)]


async def test_an_endpoint_that_keeps_failing_is_switched_off_after_three_days(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id = await shop.endpoint()
    receiver.behave = answers(500)
    order = await shop.order(Word.PROCESSING)
    tries = await shop.deliver()
    for wait in WAITS:
        assert (await shop.read(endpoint_id)).state is EndpointState.ACTIVE
        await shop.later(seconds=wait.total_seconds() * (1 + JITTER) + 1)
        tries += await shop.deliver()

    endpoint = await shop.read(endpoint_id)
    assert (endpoint.state, endpoint.off_reason) == (EndpointState.OFF, OffReason.FAILING)
    assert len(receiver.got) == tries == 10
    assert await shop.lanes() == [(endpoint_id, order.id, 2)]

    receiver.behave = answers(200)
    await shop.change(endpoint_id, enabled=True)
    assert await shop.deliver() == 2
    assert [got.json["type"] for got in receiver.got[10:]] == ["order.created", "order.processing"]
    endpoint = await shop.read(endpoint_id)
    assert (endpoint.failures, endpoint.failing_since, endpoint.off_at) == (0, None, None)


async def test_one_event_that_is_never_taken_is_given_up_and_its_order_goes_on(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id = await shop.endpoint()

    async def behave(got: Got, writer: asyncio.StreamWriter) -> None:
        bad = got.json["type"] == "order.created" and got.json["data"]["orderId"] == poison
        await answers(500 if bad else 200)(got, writer)

    receiver.behave = behave
    placed = await shop.order(Word.PROCESSING)
    poison = f"ORD{placed.id:09d}"
    for wait in (timedelta(), *WAITS):
        await shop.later(seconds=wait.total_seconds() * (1 + JITTER) + 1)
        await shop.deliver()
        await shop.order()
        await shop.deliver()

    created, processing, *_ = await shop.deliveries(endpoint_id)
    assert (created.state, created.tries) == (DeliveryState.FAILED, 10)
    assert processing.state is DeliveryState.DELIVERED
    assert (await shop.read(endpoint_id)).state is EndpointState.ACTIVE
    assert await shop.lanes() == []


async def test_a_receiver_that_asks_for_time_gets_it_for_everything(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id = await shop.endpoint()
    receiver.behave = answers(429, retry_after="3000")
    await shop.order()
    assert await shop.deliver() == 1
    receiver.behave = answers(200)
    await shop.order()
    assert await shop.deliver() == 0
    assert (await shop.read(endpoint_id)).paused_until is not None

    await shop.later(minutes=49)
    assert await shop.deliver() == 0
    await shop.later(minutes=2)
    assert await shop.deliver() == 2
    assert (await shop.read(endpoint_id)).paused_until is None


async def test_asking_for_a_year_is_not_obeyed(shop: Shop, receiver: Receiver) -> None:
    await shop.endpoint()
    receiver.behave = answers(503, retry_after="31536000")
    await shop.order()
    await shop.deliver()
    receiver.behave = answers(200)
    await shop.later(hours=24, seconds=1)
    assert await shop.deliver() == 1


async def test_every_attempt_is_recorded(shop: Shop, receiver: Receiver) -> None:
    endpoint_id = await shop.endpoint()
    await shop.order()
    never = hangs()
    behaviours = [
        answers(500, b"x" * 5000),
        answers(302, location="http://127.0.0.1/"),
        writes(b""),
        never,
        answers(202, b"taken"),
    ]
    for behaviour, wait in zip(behaviours, (timedelta(), *WAITS), strict=False):
        receiver.behave = behaviour
        await shop.later(seconds=wait.total_seconds() * (1 + JITTER) + 1)
        patience = HASTY if behaviour is never else LOCAL
        assert await shop.with_rules(patience).deliver() == 1

    shown = await shop.tries(endpoint_id, receiver.got[0].event)
    assert [one.status for one in shown.attempts] == [500, 302, None, None, 202]
    assert [one.failure for one in shown.attempts] == [
        None,
        "redirects are not followed",
        "the connection was closed without an answer",
        "no answer within 1 s",
        None,
    ]
    assert shown.attempts[0].answer == "x" * 1024
    assert shown.attempts[4].answer == "taken"
    assert 1000 <= shown.attempts[3].took_ms < 5000
    assert [one.at for one in shown.attempts] == sorted(one.at for one in shown.attempts)


async def test_every_try_has_the_same_id_and_body_and_a_time_of_its_own(
    shop: Shop, receiver: Receiver
) -> None:
    _, secret = await shop.endpoint_with_secret()
    receiver.behave = answers(500)
    await shop.order()
    await shop.deliver()
    receiver.behave = answers(200)
    shop.world.clock.now = datetime.now(UTC)
    await shop.later(seconds=10)
    await shop.deliver()
    first, second = receiver.got
    assert first.event == second.event
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    Webhook(secret).verify(second.body, second.headers)


async def test_what_was_told_twice_is_the_same_in_the_feed(shop: Shop, receiver: Receiver) -> None:
    await shop.endpoint(contract="storefront")
    await shop.order(Word.PROCESSING)
    await shop.deliver()
    page = await read_events(shop.ctx, None, 10)
    bodies = [body_of(shop.services, shop.world.store, one, "storefront") for one in page.events]
    assert [got.body for got in receiver.got] == bodies
    assert receiver.events() == [event_name(one.id) for one in page.events]


async def test_an_address_inside_is_refused_also_when_it_was_allowed_before(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id = await shop.endpoint()
    await shop.order()
    outgoing = Outgoing(Rules(allow_http=True))
    strict = dataclasses.replace(shop, services=replace(shop.services, outgoing=outgoing))
    assert await strict.deliver() == 1
    assert receiver.connections == 0
    [delivery] = await shop.deliveries(endpoint_id)
    shown = await shop.tries(endpoint_id, delivery.event_id)
    assert shown.attempts[0].failure == "The URL's address is not a public one."


async def test_an_event_that_cannot_be_worded_holds_up_only_its_order(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id = await shop.endpoint()
    order = await shop.order()
    await shop.world.rows("update outbox set payload = 'broken' where store_id = $1 returning 1")
    await shop.order()
    with capture_logs() as logged:
        assert await shop.deliver() == 2
    assert [entry["event"] for entry in logged] == ["webhook_not_worded"]
    assert len(await shop.world.rows("select 1 from webhook_attempts where store_id = $1")) == 2
    assert len(receiver.got) == 1
    assert await shop.lanes() == [(endpoint_id, order.id, 1)]
    assert (await shop.read(endpoint_id)).failures == 0


async def test_stores_are_told_only_of_their_own_orders(
    shop: Shop, receiver: Receiver, database: Database, tmp_path: Path
) -> None:
    other_world = await a_world(database, tmp_path / "other", name="other")
    await other_world.sells()
    other = a_shop(other_world, receiver)
    await shop.endpoint("/mine")
    endpoint_of_other = await other.endpoint("/other")
    mine, theirs = await shop.order(), await other.order()
    await shop.deliver()
    assert [got.json["data"]["orderId"] for got in receiver.got if got.path == "/mine"] == [
        f"ORD{mine.id:09d}"
    ]
    assert [got.json["data"]["orderId"] for got in receiver.got if got.path == "/other"] == [
        f"ORD{theirs.id:09d}"
    ]
    with pytest.raises(Refused):
        await shop.read(endpoint_of_other)
    with pytest.raises(Refused):
        await shop.deliveries(endpoint_of_other)
