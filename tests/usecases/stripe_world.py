"""A store that takes its payments through Stripe, and Stripe's notices as they reach it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from openorders.domain.order import Order
from openorders.domain.payment import Payment
from openorders.domain.store_settings import Capture, GatewaySettings, StorePolicy
from openorders.gateways.stripe import stripe_gateways
from openorders.gateways.stripe_line import StripeLine
from openorders.store.database import Database
from openorders.usecases.answers import Answer
from openorders.usecases.context import Context
from openorders.usecases.notices import follow_up, take_notice
from openorders.usecases.pay_order import Paid, Pay, pay_order
from openorders.usecases.perform_operations import sweep_operations
from openorders.usecases.reconcile import Difference, reconcile
from tests.gateways.stripe_double.double import StripeDouble
from tests.world import World, a_world, told

SECRET = "whsec_of_the_shop"
BACK = "https://shop.example/thanks"
STATE = told(lambda paid: cast("Paid", paid).payment.state.value)


@dataclass(slots=True)
class AtStripe:
    """The store's world, and its account at Stripe."""

    world: World
    stripe: StripeDouble

    async def order(self, **more: Any) -> Order:
        """A new order over 25.00 that wants to be paid."""
        return await self.world.placed(payment_asked=True, **more)

    async def pays(
        self,
        order: Order,
        token: str | None = "pm_card_visa",
        *,
        ctx: Context | None = None,
        **more: Any,
    ) -> Answer:
        """What paying with a card answers; the buyer is there to act."""
        command = Pay(order_id=order.id, token=token, return_url=BACK, **more)
        return await pay_order(ctx or self.world.context(), command, STATE)

    async def payment(self, order: Order) -> Payment:
        """The order's latest payment."""
        return (await self.world.order(order.id)).payments[-1]

    async def told(self, *kinds: str, times: int = 1) -> None:
        """Stripe sends its events of these types, all at once, as often as said."""
        events = self.stripe.events.of_type(*kinds)
        assert events, [event["type"] for event in self.stripe.events.all]
        await asyncio.gather(*(self.sends(event) for event in events for _ in range(times)))

    async def sends(self, event: Any) -> None:
        """Stripe sends one event, and what follows from it is done."""
        headers, body = self.stripe.signed(event, SECRET)
        services, store = self.world.services, self.world.store
        taken = await take_notice(services, store.id, "stripe", headers, body)
        await follow_up(services, *taken)

    async def sends_all(self, events: Iterable[Any]) -> None:
        """Stripe sends events one after the other, in this order."""
        for event in events:
            await self.sends(event)

    async def sweeps(self, **span: float) -> None:
        """Time passes, and the sweep comes by."""
        self.world.clock.move(**(span or {"minutes": 2}))
        await sweep_operations(self.world.services)

    async def differences(self) -> list[Difference]:
        """What differs between our books and Stripe's, once everything has settled."""
        self.world.clock.move(minutes=5)
        now = self.world.clock()
        found = reconcile(self.world.services, self.world.store, now - timedelta(days=1), now)
        return [difference async for difference in found]

    async def types(self, order: Order) -> list[str]:
        """What was told of the order, in order."""
        rows = await self.world.rows(
            "select type from outbox where store_id = $1 and order_id = $2 order by id", order.id
        )
        return [row["type"].removeprefix("order.") for row in rows]


async def a_world_at_stripe(
    database: Database,
    mail_folder: Path,
    stripe: StripeDouble,
    line: StripeLine,
    *,
    capture: Capture = Capture.AT_ONCE,
    currency: str = "USD",
) -> AtStripe:
    """A store with goods at 25.00."""
    account = GatewaySettings(
        name="stripe",
        kind="stripe",
        capture=capture,
        secret_key="sk_test_shop",
        webhook_secret=SECRET,
    )
    policy = StorePolicy(gateways=(account,), unpaid_expiry_minutes=60)
    world = await a_world(
        database,
        mail_folder,
        policy=policy,
        currency=currency,
        more_gateways={"stripe": stripe_gateways(line)},
    )
    stripe.clock = lambda: world.clock().timestamp()
    await world.sells(price=2500, stock=1000)
    return AtStripe(world, stripe)
