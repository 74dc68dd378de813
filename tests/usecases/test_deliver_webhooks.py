"""Endpoints are told of events: all of them, in order, signed, and as often as it takes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from openorders.domain.events import EventType
from openorders.domain.order import Word
from tests.receiver import Receiver, answers, listening
from tests.usecases.subscribers import Shop, a_shop
from tests.world import World


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


async def test_a_failure_holds_up_its_order_and_no_other(shop: Shop, receiver: Receiver) -> None:
    endpoint_id = await shop.endpoint()
    receiver.behave = answers(500, b"broken")
    first = await shop.order(Word.PROCESSING)
    assert await shop.deliver() == 1
    receiver.behave = answers(204)
    second = await shop.order(Word.PROCESSING)

    assert await shop.deliver() == 2
    assert await shop.lanes() == [(endpoint_id, first.id, 2)]

    await shop.later(seconds=4)
    assert await shop.deliver() == 0
    await shop.later(seconds=2)
    assert await shop.deliver() == 2
    told = [got.json["data"]["orderId"] for got in receiver.got]
    assert told[1:3] == [f"ORD{second.id:09d}"] * 2
    assert [got.json["type"] for got in receiver.got] == [
        "order.created", "order.created", "order.processing", "order.created", "order.processing",
    ]  # fmt: skip
    shown = await shop.tries(endpoint_id, receiver.got[0].event)
    assert [(one.status, one.answer) for one in shown.attempts] == [(500, "broken"), (204, None)]
    assert shown.delivery.tries == 2
