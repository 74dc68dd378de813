"""What the double knows of an account beside what localstripe keeps, and the way to localstripe."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.gateways.stripe_double.cards import Card
from tests.gateways.stripe_double.wire import Params, Refusal, flat

Emit = Callable[["Account", str, Params], Awaitable[None]]
"""Tells that something happened to an object of an account."""


@dataclass(slots=True, kw_only=True)
class Intent:
    """What localstripe does not say of a payment intent. Amounts are Stripe's."""

    id: str
    created: int
    card: Card | None
    page: str | None = None
    captured: int = 0
    return_url: str | None = None
    failure: Params | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None


@dataclass(slots=True, kw_only=True)
class Refund:
    """A refund that was asked for through the double."""

    id: str
    created: int
    intent: str
    charge: str
    amount: int
    currency: str
    status: str
    metadata: dict[str, str]
    failure_reason: str | None = None

    @property
    def counts(self) -> bool:
        """Whether the money went back, or is going."""
        return self.status in ("succeeded", "pending")


@dataclass(slots=True, kw_only=True)
class Page:
    """A checkout session. `status` is open, complete or expired."""

    id: str
    created: int
    params: Params
    status: str = "open"
    intent: str | None = None


@dataclass(slots=True, kw_only=True)
class Account:
    """One account at Stripe: everything that was made with one secret key."""

    key: str
    intents: dict[str, Intent] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    owners: dict[str, str | None] = field(default_factory=dict)
    customers: set[str] = field(default_factory=set)
    answers: dict[str, Any] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def check_method(self, name: str, customer: str | None) -> None:
        """Refuses a payment method that is not there, or not this customer's to use."""
        if name not in self.cards:
            raise Refusal(
                400,
                f"No such PaymentMethod: '{name}'",
                code="resource_missing",
                param="payment_method",
            )
        owner = self.owners.get(name, customer)
        if owner is None:
            raise Refusal(400, "The provided PaymentMethod was detached. It may not be used again.")
        if owner != customer:
            raise Refusal(
                400,
                f"The customer does not have a payment method with the ID {name}.",
                param="payment_method",
            )


class Localstripe:
    """The localstripe behind the double."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def post(self, path: str, **params: object) -> Params:
        """Raises `Refusal` with what localstripe answered."""
        return await self._ask("POST", path, flat(params))

    async def get(self, path: str) -> Params:
        """Raises `Refusal` with what localstripe answered."""
        return await self._ask("GET", path, None)

    async def _ask(self, method: str, path: str, form: dict[str, str] | None) -> Params:
        async with self._session.request(
            method,
            f"{self._url}/v1/{path}",
            data=form,
            headers={"authorization": "Bearer sk_test_double"},
        ) as response:
            answer = await response.json()
        if response.status >= 400:
            error = answer.get("error", {})
            raise Refusal(response.status, f"localstripe, {path}: {error.get('message')}")
        return answer


@dataclass(slots=True, kw_only=True)
class Desk:
    """What every part of the double works with."""

    localstripe: Localstripe
    emit: Emit
    now: Callable[[], int]
    new_id: Callable[[str], str]
    url: str = ""


def page_of(rows: list[Params], params: Params, largest: int) -> Params:
    """One page of a list, the newest first, as Stripe cuts it."""
    created = params.get("created", {})
    if not isinstance(created, dict):
        created = {"gte": created, "lte": created}
    low = max(int(created.get("gte", 0)), int(created.get("gt", -1)) + 1)
    high = min(int(created.get("lte", 2**62)), int(created.get("lt", 2**62)) - 1)
    rows = [row for row in reversed(rows) if low <= row["created"] <= high]
    after = params.get("starting_after")
    if after is not None:
        ids = [row["id"] for row in rows]
        if after not in ids:
            raise Refusal(400, f"No such object: '{after}'", param="starting_after")
        rows = rows[ids.index(after) + 1 :]
    limit = min(int(params.get("limit", 10)), largest)
    return {"object": "list", "data": rows[:limit], "has_more": len(rows) > limit}
