"""Endpoints are kept by admins; secrets are shown once; what was missed can be told again."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from openorders.domain.access import Role
from openorders.domain.events import EventType
from openorders.domain.ids import EndpointId, EventId
from openorders.domain.order import Word
from openorders.domain.refusals import (
    DeliveryNotFound,
    EndpointIsOff,
    EndpointNotFound,
    EndpointUrlRefused,
    EventNotFound,
    NotPermitted,
    Refused,
    TooManyEndpoints,
    UnknownContract,
)
from openorders.domain.webhooks import DeliveryState, EndpointState, OffReason
from openorders.gateways.outgoing import Outgoing
from openorders.store import webhooks
from openorders.usecases import webhook_endpoints
from openorders.usecases.forget_events import forget_events
from openorders.usecases.forget_webhooks import forget_webhooks
from openorders.usecases.webhook_deliveries import replay_one, replay_range
from openorders.usecases.webhook_endpoints import (
    ENDPOINTS_MAX,
    NewEndpoint,
    create_endpoint,
    list_endpoints,
    remove_endpoint,
    rotate_secret,
)
from tests.receiver import Receiver, answers, listening
from tests.usecases.subscribers import SAID, Shop, a_shop
from tests.world import World, waits_for_a_lock


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as one:
        yield one


@pytest.fixture
async def shop(world: World, receiver: Receiver) -> Shop:
    await world.sells()
    return a_shop(world, receiver)


def refused_with(caught: pytest.ExceptionInfo[Refused]) -> object:
    return caught.value.reason


async def test_a_new_endpoint_has_a_secret_of_32_random_bytes_that_is_never_shown_again(
    shop: Shop,
) -> None:
    first, secret = await shop.endpoint_with_secret()
    _, other = await shop.endpoint_with_secret()
    assert secret.startswith("whsec_")
    assert len(Webhook(secret)._whsecret) == 32
    assert secret != other
    assert secret not in repr(await shop.read(first))
    assert [one.id for one in await list_endpoints(shop.ctx, first, 10)] == [first + 1]


@pytest.mark.parametrize(
    ("url", "contract", "reason"),
    [
        ("http://127.0.0.1/", "commerce", EndpointUrlRefused),
        ("https://127.0.0.1/", "commerce", EndpointUrlRefused),
        ("https://localhost/", "commerce", EndpointUrlRefused),
        ("nonsense", "commerce", EndpointUrlRefused),
        ("https://8.8.8.8/", "pigeon", UnknownContract),
    ],
)
async def test_what_cannot_be_told_is_refused_and_nothing_is_made(
    shop: Shop, url: str, contract: str, reason: type
) -> None:
    strict = dataclasses.replace(shop, services=replace(shop.services, outgoing=Outgoing()))
    with pytest.raises(Refused) as caught:
        await create_endpoint(strict.ctx, NewEndpoint(url=url, contract=contract), SAID)
    assert isinstance(refused_with(caught), reason)
    assert await list_endpoints(shop.ctx, None, 10) == ()
    endpoint_id = await shop.endpoint()
    before = await shop.read(endpoint_id)
    with pytest.raises(Refused):
        await strict.change(endpoint_id, url=url, contract=contract)
    assert await shop.read(endpoint_id) == before


async def test_only_admins_keep_endpoints(shop: Shop) -> None:
    endpoint_id = await shop.endpoint()
    ctx = replace(shop.ctx, caller=shop.world.caller(Role.SERVICE))
    for asked in (
        create_endpoint(ctx, NewEndpoint(url=shop.receiver.url(), contract="basic"), SAID),
        list_endpoints(ctx, None, 10),
        remove_endpoint(ctx, endpoint_id),
        rotate_secret(ctx, endpoint_id, timedelta(), SAID),
        replay_range(ctx, endpoint_id, 0),
    ):
        with pytest.raises(Refused) as caught:
            await asked
        assert isinstance(refused_with(caught), NotPermitted)
    assert (await shop.read(endpoint_id)).state is EndpointState.ACTIVE


async def test_a_store_has_so_many_endpoints_at_most(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ENDPOINTS_MAX == 100
    monkeypatch.setattr(webhook_endpoints, "ENDPOINTS_MAX", 1)
    endpoint_id = await shop.endpoint()
    with pytest.raises(Refused) as caught:
        await shop.endpoint()
    assert refused_with(caught) == TooManyEndpoints(1)
    await remove_endpoint(shop.ctx, endpoint_id)
    await shop.endpoint()


async def test_making_and_rotating_twice_under_one_key_is_doing_it_once(shop: Shop) -> None:
    new = NewEndpoint(url=shop.receiver.url(), contract="basic")
    keyed = replace(shop.world.context(key="make"), caller=shop.ctx.caller, services=shop.services)
    first = await create_endpoint(keyed, new, SAID)
    again = await create_endpoint(keyed, new, SAID)
    assert (again.body, again.replayed) == (first.body, True)
    [endpoint] = await list_endpoints(shop.ctx, None, 10)

    keyed = replace(keyed, keyed=shop.world.context(key="turn").keyed)
    turned = await rotate_secret(keyed, endpoint.id, timedelta(hours=1), SAID)
    again = await rotate_secret(keyed, endpoint.id, timedelta(hours=1), SAID)
    assert (again.body, again.replayed) == (turned.body, True)
    secrets = await shop.world.rows("select 1 from webhook_secrets where store_id = $1")
    assert len(secrets) == 2


async def test_after_a_rotation_both_secrets_sign_for_a_while(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id, old = await shop.endpoint_with_secret()
    shop.world.clock.now = datetime.now(UTC)
    answer = await rotate_secret(shop.ctx, endpoint_id, timedelta(hours=24), SAID)
    _, new = msgspec.json.decode(answer.body)
    await shop.order()
    await shop.deliver()
    [got] = receiver.got
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(got.body, got.headers)

    await shop.later(hours=24, seconds=1)
    shop.world.clock.now = datetime.now(UTC)
    await shop.order()
    await shop.deliver()
    got = receiver.got[1]
    Webhook(new).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(got.body, got.headers)


async def test_rotating_often_keeps_the_newest_few_secrets(shop: Shop, receiver: Receiver) -> None:
    endpoint_id = await shop.endpoint()
    for _ in range(6):
        await rotate_secret(shop.ctx, endpoint_id, timedelta(days=90), SAID)
    await shop.order()
    await shop.deliver()
    assert len(receiver.got[0].headers["webhook-signature"].split(" ")) == 4
    await shop.later(days=7, seconds=1)
    await shop.order()
    await shop.deliver()
    assert len(receiver.got[1].headers["webhook-signature"].split(" ")) == 1


async def test_changing_an_endpoint_changes_only_what_was_named(shop: Shop) -> None:
    endpoint_id = await shop.endpoint(types=frozenset({EventType.ORDER_PAID}))
    before = await shop.read(endpoint_id)
    after = await shop.change(endpoint_id, label="warehouse")
    assert after == replace(before, label="warehouse", updated_at=after.updated_at)
    assert await shop.change(endpoint_id, label="warehouse") == after
    everything = await shop.change(endpoint_id, types=frozenset(EventType))
    assert everything.types is None


async def test_what_happens_while_an_endpoint_is_off_is_told_when_it_is_replayed(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id = await shop.endpoint()
    await shop.order()
    await shop.deliver()
    off = await shop.change(endpoint_id, enabled=False)
    assert (off.state, off.off_reason, off.off_position) == (
        EndpointState.OFF, OffReason.OPERATOR, 1,
    )  # fmt: skip
    await shop.order(Word.PROCESSING)
    assert await shop.deliver() == 0
    with pytest.raises(Refused) as caught:
        await replay_range(shop.ctx, endpoint_id, 1)
    assert refused_with(caught) == EndpointIsOff(endpoint_id)

    await shop.change(endpoint_id, enabled=True)
    assert await shop.deliver() == 0
    replayed = await replay_range(shop.ctx, endpoint_id, 1)
    assert (replayed.queued, replayed.next, replayed.more) == (2, 3, False)
    assert await shop.deliver() == 2
    assert [got.json["type"] for got in receiver.got] == [
        "order.created", "order.created", "order.processing",
    ]  # fmt: skip


async def test_a_range_is_told_again_in_order_and_only_what_was_missed_if_so_asked(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id = await shop.endpoint(types=frozenset({EventType.ORDER_CREATED}))
    for _ in range(3):
        await shop.order(Word.PROCESSING)
    await shop.deliver()
    told = receiver.events()
    missed = await replay_range(shop.ctx, endpoint_id, 0, missed_only=True)
    assert (missed.queued, missed.next) == (0, 6)

    part = await replay_range(shop.ctx, endpoint_id, 0, 4, 3)
    assert (part.queued, part.next, part.more) == (2, 3, True)
    assert await shop.deliver() == 2
    assert receiver.events()[3:] == told[:2]
    again = await replay_range(shop.ctx, endpoint_id, 0)
    assert again.queued == 3
    twice = await replay_range(shop.ctx, endpoint_id, 0)
    assert twice.queued == 0
    assert await shop.deliver() == 3
    assert await shop.lanes() == []


async def test_one_event_can_be_told_again_or_now(shop: Shop, receiver: Receiver) -> None:
    endpoint_id = await shop.endpoint(types=frozenset({EventType.ORDER_CREATED}))
    receiver.behave = answers(500)
    await shop.order(Word.PROCESSING)
    await shop.deliver()
    receiver.behave = answers(200)
    event_id = EventId(int(receiver.events()[0].removeprefix("evt_")))
    now = await replay_one(shop.ctx, endpoint_id, event_id)
    assert (now.state, now.tries) == (DeliveryState.WAITING, 1)
    assert await shop.deliver() == 1
    await replay_one(shop.ctx, endpoint_id, event_id)
    assert await shop.deliver() == 1
    never_meant = EventId(event_id + 1)
    with pytest.raises(Refused) as caught:
        await shop.tries(endpoint_id, never_meant)
    assert refused_with(caught) == DeliveryNotFound(endpoint_id, never_meant)
    await replay_one(shop.ctx, endpoint_id, never_meant)
    assert await shop.deliver() == 1
    assert receiver.got[-1].json["type"] == "order.processing"
    with pytest.raises(Refused) as caught:
        await replay_one(shop.ctx, endpoint_id, EventId(99))
    assert refused_with(caught) == EventNotFound(EventId(99))
    with pytest.raises(Refused) as caught:
        await replay_one(shop.ctx, EndpointId(99), event_id)
    assert refused_with(caught) == EndpointNotFound(EndpointId(99))


async def test_replaying_while_delivering_loses_nothing(shop: Shop, receiver: Receiver) -> None:
    endpoint_id = await shop.endpoint()
    for _ in range(10):
        await shop.order(Word.PROCESSING)
    await asyncio.gather(
        *(replay_range(shop.ctx, endpoint_id, 0) for _ in range(3)),
        *(shop.deliver() for _ in range(3)),
    )
    await shop.deliver()
    assert await shop.lanes() == []
    assert len(set(receiver.events())) == 20


async def test_a_removed_endpoint_is_told_nothing_and_leaves_nothing(
    shop: Shop, receiver: Receiver
) -> None:
    endpoint_id, kept_id = await shop.endpoint(), await shop.endpoint("/kept")
    await shop.order()
    await shop.deliver()
    await shop.order()
    await remove_endpoint(shop.ctx, endpoint_id)
    with pytest.raises(Refused):
        await remove_endpoint(shop.ctx, endpoint_id)
    await shop.order()
    await shop.deliver()
    assert (len(receiver.events()), len(receiver.events("/kept"))) == (1, 3)

    assert await forget_webhooks(shop.services) == 0
    await shop.later(hours=1, seconds=1)
    while await forget_webhooks(shop.services):
        pass
    for table in ("webhook_deliveries", "webhook_attempts", "webhook_lanes", "webhook_secrets"):
        rows = await shop.world.rows(f"select endpoint_id from {table} where store_id = $1")
        assert {row["endpoint_id"] for row in rows} <= {kept_id}
    left = await shop.world.rows("select id from webhook_endpoints where store_id = $1")
    assert [row["id"] for row in left] == [kept_id]


async def test_what_waits_for_an_endpoint_that_is_off_goes_with_its_events(shop: Shop) -> None:
    endpoint_id = await shop.endpoint()
    order = await shop.order(Word.PROCESSING)
    await shop.change(endpoint_id, enabled=False)
    events = await shop.world.rows("select id from outbox where store_id = $1 order by id")
    ids = [EventId(row["id"]) for row in events]
    async with shop.world.database.transaction() as tx:
        assert await webhooks.forget(tx, [shop.world.store.id], ids[:1]) == 1
    assert await shop.lanes() == [(endpoint_id, order.id, 1)]
    async with shop.world.database.transaction() as tx:
        assert await webhooks.forget(tx, [shop.world.store.id], ids[1:]) == 1
    assert await shop.lanes() == []


async def test_events_forgotten_while_they_are_replayed_leave_no_lane_that_tells_nothing(
    shop: Shop,
) -> None:
    endpoint_id = await shop.endpoint()
    await shop.order(Word.PROCESSING)
    await shop.deliver()
    shop.world.clock.now += shop.services.events_kept_for * 2
    async with shop.world.database.transaction() as tx:
        await webhooks.hold_events(tx, shop.world.store.id)
        await webhooks.replay(tx, shop.world.store.id, endpoint_id, after=0, until=None, limit=10)
        forgetting = asyncio.create_task(forget_events(shop.services))
        await waits_for_a_lock(shop.world, unless=forgetting)
        assert not forgetting.done()
    assert await forgetting == 2
    assert await shop.lanes() == []
