"""A store seen through the management API: one of everything that it can name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openorders.domain.access import Role
from openorders.domain.order import Word
from openorders.usecases.sequence_events import sequence
from tests.contracts.asking import Request, Told
from tests.contracts.commerce.driver import DRIVER as COMMERCE
from tests.contracts.journeys import CUSTOMER, move, place
from tests.contracts.shop import Shop

MANAGE = "manage"
HOOK = "https://1.1.1.1/hooks"
"""An address that is public without asking anybody; nothing is sent in these tests."""


@dataclass
class Desk:
    """The management of a shop."""

    shop: Shop

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Told:
        """Ask the management API below `/v1`, as the shop's admin unless a key is named."""
        request = Request(method=method, path=f"/v1{path}", body=body)
        return await self.shop.ask(MANAGE, request, key=key, headers=headers)

    async def done(self, method: str, path: str, body: object = None, **how: Any) -> Any:
        """Ask for what works; what was told."""
        told = await self.ask(method, path, body, **how)
        assert told.status < 300, told
        return told.json if told.body else None

    async def order(self, price: str = "25.00", quantity: int = 2, *, shipped: bool = False) -> str:
        """A new order of one line, which nobody has paid."""
        sold = await self.shop.sells(price)
        number = await place(self.shop, COMMERCE, [sold.times(quantity)])
        if shipped:
            await move(self.shop, number, Word.SHIPPED)
        return f"order_{number}"

    async def paid(self, price: str = "25.00", quantity: int = 2, *, shipped: bool = False) -> str:
        """An order that a card has paid."""
        order = await self.order(price, quantity)
        await self.done("POST", f"/orders/{order}/payments", {"token": "tok_visa"})
        if shipped:
            await move(self.shop, int(order.removeprefix("order_")), Word.SHIPPED)
        return order

    async def sequenced(self) -> None:
        """Give whatever was told its place in the feed."""
        while await sequence(self.shop.served.services):
            pass

    async def service_key(self) -> str:
        """A key of the role that may read some things."""
        return await self.shop.key(Role.SERVICE)


async def one_of_each(desk: Desk) -> dict[str, str]:
    """Something behind every parameter that a path of the management API can have."""
    endpoint = await desk.done("POST", "/webhook-endpoints", {"url": HOOK, "contract": "partner"})
    order = await desk.paid(shipped=True)
    await desk.sequenced()
    refund = await desk.done("POST", f"/orders/{order}/refunds", {"amount": 5})
    payments = await desk.done("GET", f"/orders/{order}/payments")
    method = await desk.done(
        "POST", f"/customers/cus_{CUSTOMER}/payment-methods", {"token": "tok_visa"}
    )
    key = await desk.done("POST", "/keys", {"role": "service"})
    events = await desk.done("GET", "/events")
    return {
        "order_id": order,
        "payment_id": payments["payments"][0]["id"],
        "refund_id": refund["id"],
        "customer_id": f"cus_{CUSTOMER}",
        "method_id": method["id"],
        "event_id": events["events"][-1]["id"],
        "endpoint_id": endpoint["id"],
        "key_id": key["id"],
    }
