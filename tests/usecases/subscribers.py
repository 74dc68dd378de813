"""A store with subscribers, a receiver of theirs, and time that can be moved on."""

import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import msgspec
from msgspec.structs import replace

from openorders.domain.access import Role
from openorders.domain.events import EventType
from openorders.domain.ids import EndpointId, EventId
from openorders.domain.order import Order, Word
from openorders.domain.webhooks import Delivery, Endpoint
from openorders.gateways.outgoing import Outgoing, Rules
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.context import Context, Services
from openorders.usecases.deliver_webhooks import deliver
from openorders.usecases.sequence_events import sequence
from openorders.usecases.webhook_deliveries import (
    DeliveryWithAttempts,
    list_deliveries,
    read_delivery,
)
from openorders.usecases.webhook_endpoints import (
    Changes,
    Created,
    NewEndpoint,
    change_endpoint,
    create_endpoint,
    read_endpoint,
)
from tests.receiver import Receiver
from tests.world import World, told

LOCAL = Rules(allow_private=True, allow_http=True, timeout_s=20.0)
"""What an operator allows whose receivers are on the same machine, which may be a slow one."""

HASTY = replace(LOCAL, timeout_s=1.0)
"""For receivers that are never to answer."""

SAID = told(lambda made: msgspec.json.encode([made.endpoint.id, made.secret]).decode())


@dataclass(slots=True)
class Shop:
    """A store whose events go to a receiver of the test's own."""

    world: World
    receiver: Receiver
    services: Services

    @property
    def ctx(self) -> Context:
        return replace(self.world.context(self.world.caller(Role.ADMIN)), services=self.services)

    def with_rules(self, rules: Rules) -> Self:
        """The same, delivering by other rules."""
        return dataclasses.replace(self, services=replace(self.services, outgoing=Outgoing(rules)))

    async def endpoint(
        self,
        path: str = "/hook",
        *,
        contract: str = "commerce",
        types: frozenset[EventType] | None = None,
    ) -> EndpointId:
        return (await self.endpoint_with_secret(path, contract=contract, types=types))[0]

    async def endpoint_with_secret(
        self, path: str = "/hook", *, contract: str = "commerce", **more: Any
    ) -> tuple[EndpointId, str]:
        new = NewEndpoint(url=self.receiver.url(path), contract=contract, **more)
        answer = await create_endpoint(self.ctx, new, SAID)
        endpoint_id, secret = msgspec.json.decode(answer.body)
        return EndpointId(endpoint_id), secret

    async def order(self, *words: Word) -> Order:
        """An order that was placed and went on to each of the words; its events are queued."""
        order = await self.world.placed()
        for word in words:
            await self.moved(order, word)
        await sequence(self.services)
        return order

    async def moved(self, order: Order, word: Word) -> None:
        reply = told(lambda done: str(done.order.version))
        await advance_order(self.world.context(), Advance(order_id=order.id, target=word), reply)

    async def deliver(self) -> int:
        """Deliver until nothing is due any more. How many tries that were."""
        tries = 0
        while done := await deliver(self.services):
            tries += done
        return tries

    async def later(self, **span: float) -> None:
        """So much time goes by for everything that waits."""
        past = timedelta(**span)
        for table, times in (
            ("webhook_lanes", ("due_at",)),
            ("webhook_endpoints", ("failing_since", "paused_until")),
            ("webhook_secrets", ("until",)),
        ):
            moved = ", ".join(f"{time} = {time} - $2::interval" for time in times)
            await self.world.rows(
                f"update {table} set {moved} where store_id = $1 returning 1", past
            )
        self.world.clock.now += past

    async def read(self, endpoint_id: EndpointId) -> Endpoint:
        return await read_endpoint(self.ctx, endpoint_id)

    async def change(self, endpoint_id: EndpointId, **changes: Any) -> Endpoint:
        return await change_endpoint(self.ctx, endpoint_id, Changes(**changes))

    async def deliveries(self, endpoint_id: EndpointId) -> tuple[Delivery, ...]:
        """Oldest first."""
        return tuple(reversed(await list_deliveries(self.ctx, endpoint_id, None, 200)))

    async def tries(self, endpoint_id: EndpointId, event: str | int) -> DeliveryWithAttempts:
        number = int(str(event).removeprefix("evt_"))
        return await read_delivery(self.ctx, endpoint_id, EventId(number))

    async def lanes(self) -> list[tuple[int, int, int]]:
        """Endpoint, order and how many events wait, of every lane; each counts what is there."""
        rows = await self.world.rows(
            """
            select l.endpoint_id, l.order_id, l.queued, (
                select count(*) from webhook_deliveries d
                where d.store_id = l.store_id and d.endpoint_id = l.endpoint_id
                    and d.order_id = l.order_id and d.state = 'waiting'
            ) as waiting
            from webhook_lanes l
            where l.store_id = $1
            order by 1, 2
            """
        )
        assert all(row["queued"] == row["waiting"] for row in rows)
        lost = await self.world.rows(
            """
            select d.position from webhook_deliveries d
            where d.store_id = $1 and d.state = 'waiting' and not exists (
                select from webhook_lanes l
                where l.store_id = d.store_id and l.endpoint_id = d.endpoint_id
                    and l.order_id = d.order_id
            )
            """
        )
        assert lost == []
        return [(row["endpoint_id"], row["order_id"], row["queued"]) for row in rows]


def a_shop(world: World, receiver: Receiver, rules: Rules = LOCAL) -> Shop:
    return Shop(world, receiver, replace(world.services, outgoing=Outgoing(rules)))


__all__ = ["HASTY", "LOCAL", "SAID", "Created", "Shop", "a_shop"]
