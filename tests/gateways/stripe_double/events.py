"""Events: delivered when a test says so (late, twice, in any order), or by themselves."""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import aiohttp

from tests.gateways.stripe_double.books import Account
from tests.gateways.stripe_double.wire import Params, collapsed

DELIVERY_S: Final = 10.0
TRIES: Final = 5
"""How often an endpoint that answers badly is told again, when events go out by themselves."""


class Delivery(Enum):
    """When events go out."""

    HELD = "when the test says so"
    BEFORE_THE_ANSWER = "before the call that caused them is answered"
    SOON = "beside the call, and again when the endpoint fails"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Who is told. `secret` signs what is sent there."""

    url: str
    secret: str


class Events:
    """What happened, and who is told."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.all: list[Params] = []
        self.endpoints: list[Endpoint] = []
        self.delivery = Delivery.HELD
        self._now = now
        self._underway: set[asyncio.Task[None]] = set()

    async def emit(self, account: Account, kind: str, shown: Params) -> None:
        """Something happened to an object."""
        event = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": self._now(),
            "data": {"object": json.loads(json.dumps(collapsed(shown, [])))},
            "livemode": False,
            "pending_webhooks": len(self.endpoints),
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        del account
        self.all.append(event)
        match self.delivery:
            case Delivery.HELD:
                pass
            case Delivery.BEFORE_THE_ANSWER:
                await self.deliver([event])
            case Delivery.SOON:
                task = asyncio.create_task(self._insist(event))
                self._underway.add(task)
                task.add_done_callback(self._underway.discard)

    def of_type(self, *kinds: str) -> list[Params]:
        """Everything of these types that happened so far, in order."""
        return [event for event in self.all if event["type"] in kinds]

    async def deliver(self, events: Iterable[Params]) -> list[int]:
        """Send events to every endpoint, in this order; the statuses of the answers."""
        async with aiohttp.ClientSession() as session:
            return [
                await self._send(session, endpoint, event)
                for event in events
                for endpoint in self.endpoints
            ]

    async def stop(self) -> None:
        """Let go of what is still on its way."""
        for task in tuple(self._underway):
            task.cancel()
        await asyncio.gather(*self._underway, return_exceptions=True)

    async def _insist(self, event: Params) -> None:
        for pause in range(TRIES):
            await asyncio.sleep(pause)
            try:
                statuses = await self.deliver([event])
            except (aiohttp.ClientError, TimeoutError):
                continue
            if all(status < 300 for status in statuses):
                return

    async def _send(self, session: aiohttp.ClientSession, endpoint: Endpoint, event: Params) -> int:
        headers, body = signed(event, endpoint.secret, self._now())
        async with session.post(
            endpoint.url,
            data=body,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=DELIVERY_S),
        ) as response:
            return response.status


def signed(event: Any, secret: str, at: int) -> tuple[dict[str, str], bytes]:
    """An event as it is sent: headers and body, signed as Stripe documents it."""
    body = json.dumps(event, indent=2).encode()
    signature = hmac.new(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json; charset=utf-8",
        "stripe-signature": f"t={at},v1={signature},v0={'0' * 64}",
    }
    return headers, body
