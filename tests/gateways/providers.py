"""The providers that one suite of tests is put to: the sandbox, and Stripe by its double.

What differs is how a test plays the buyer, the bank, and the bad line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from msgspec.structs import replace

from openorders.domain.ids import OrderId, StoreId
from openorders.domain.payment import OperationKind
from openorders.gateways.payments import (
    Declined,
    Entry,
    Gateway,
    GatewayCall,
    Outcome,
    Pending,
    Succeeded,
)
from openorders.gateways.sandbox import Faults, SandboxGateway
from openorders.gateways.stripe import StripeGateway
from openorders.gateways.stripe_line import StripeLine
from openorders.store.sandbox_ledger import SandboxLedger
from tests.gateways.stripe_double.double import StripeDouble
from tests.world import Clock

HERE, ELSEWHERE = StoreId(1), StoreId(2)
FOR_EVER = 10**9

HELD = (2500, 0, 0)
TAKEN = (2500, 2500, 0)
NOTHING = (0, 0, 0)
"""What `books` says of a payment of 25.00 that is reserved, taken, or neither."""


class Provider(Protocol):
    """A provider with two accounts, of which `another` must see nothing of the first."""

    @property
    def gateway(self) -> Gateway: ...
    @property
    def another(self) -> Gateway: ...

    def now(self) -> datetime:
        """The provider's own time."""
        ...

    async def decide(self, pending: Pending, *, accept: bool) -> None:
        """What the buyer does where they were sent."""
        ...

    async def finish_refunds(self, *, well: bool) -> None:
        """What banks say, later, of refunds that they took their time over."""
        ...

    def requests_lost(self) -> Any:
        """While this lasts, no request arrives."""
        ...

    def answers_lost(self) -> Any:
        """While this lasts, every request has its effect and no answer arrives."""
        ...


@dataclass(slots=True)
class Sandbox:
    """The sandbox on a real database."""

    ledger: SandboxLedger
    clock: Clock
    faults: Faults
    gateway: SandboxGateway
    another: SandboxGateway

    @classmethod
    def over(cls, ledger: SandboxLedger, clock: Clock) -> "Sandbox":
        faults = Faults()
        return cls(
            ledger,
            clock,
            faults,
            SandboxGateway(ledger, HERE, "sandbox", faults=faults),
            SandboxGateway(ledger, HERE, "another"),
        )

    def now(self) -> datetime:
        return self.clock()

    async def decide(self, pending: Pending, *, accept: bool) -> None:
        assert pending.action_url is not None
        token = pending.action_url.rpartition("/")[2]
        await self.gateway.decide(token, accept=accept)

    async def finish_refunds(self, *, well: bool) -> None:
        """The sandbox's banks are done when they are asked again."""

    @contextmanager
    def requests_lost(self) -> Iterator[None]:
        self.faults.lose_requests = FOR_EVER
        yield
        self.faults.lose_requests = 0

    @contextmanager
    def answers_lost(self) -> Iterator[None]:
        self.faults.lose_answers = FOR_EVER
        yield
        self.faults.lose_answers = 0


@dataclass(slots=True)
class Stripe:
    """Stripe's SDK and our gateway, with the double on the other end."""

    double: StripeDouble
    gateway: StripeGateway
    another: StripeGateway

    @classmethod
    def at(cls, double: StripeDouble, line: StripeLine) -> "Stripe":
        return cls(
            double,
            StripeGateway(line.account("sk_test_here"), "whsec_here"),
            StripeGateway(line.account("sk_test_another"), "whsec_another"),
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.double.clock(), UTC)

    async def decide(self, pending: Pending, *, accept: bool) -> None:
        if pending.reference.startswith("pi_"):
            await self.double.authenticate(pending.reference, success=accept)
        elif accept:
            await self.double.pay_page(pending.reference)
        else:
            await self.double.expire_page(pending.reference)

    async def finish_refunds(self, *, well: bool) -> None:
        refunds = self.double.account("sk_test_here").refunds
        for name, refund in tuple(refunds.items()):
            if well is (refund.status == "pending"):
                await self.double.finish_refund(name, "succeeded" if well else "failed")

    @contextmanager
    def requests_lost(self) -> Iterator[None]:
        self.double.faults.lose_requests = FOR_EVER
        yield
        self.double.faults.lose_requests = 0

    @contextmanager
    def answers_lost(self) -> Iterator[None]:
        self.double.faults.lose_answers = FOR_EVER
        yield
        self.double.faults.lose_answers = 0


def a_call(key: str, kind: OperationKind = OperationKind.CHARGE, **more: Any) -> GatewayCall:
    """25.00 dollars on a good card, unless said otherwise."""
    call = GatewayCall(key=key, kind=kind, amount=2500, currency="USD", order_id=OrderId(7))
    if kind in (OperationKind.CHARGE, OperationKind.AUTHORISE):
        call = replace(call, token="tok_visa")
    return replace(call, **more)


def a_page(key: str, kind: OperationKind = OperationKind.CHARGE, **more: Any) -> GatewayCall:
    """A page of the provider's own; the buyer chooses a card there."""
    return a_call(key, kind, token=None, return_url="https://shop.example/back", **more)


def about(reference: str, key: str, kind: OperationKind, amount: int = 2500) -> GatewayCall:
    """Something asked about a payment that is there."""
    return a_call(key, kind, reference=reference, amount=amount)


def done(outcome: Outcome | None) -> str:
    """The reference of what has to be a yes."""
    assert isinstance(outcome, Succeeded), outcome
    return outcome.reference


def waits(outcome: Outcome | None) -> Pending:
    """What has to wait for its buyer, somewhere."""
    assert isinstance(outcome, Pending), outcome
    assert outcome.action_url is not None
    return outcome


def is_no(outcome: object, code: str) -> bool:
    """Whether this is a no with this code."""
    return isinstance(outcome, Declined) and outcome.code == code


async def entries(provider: Provider, gateway: Gateway | None = None) -> list[Entry]:
    """Everything in the account's books, the oldest first."""
    now, day = provider.now(), timedelta(days=1)
    found = (gateway or provider.gateway).entries(now - day, now + day)
    return sorted([entry async for entry in found], key=lambda one: (one.at, one.key or ""))


async def books(provider: Provider) -> list[tuple[int, int, int]]:
    """Authorised, captured and refunded of every payment in the account's books."""
    return [(one.authorised, one.captured, one.refunded) for one in await entries(provider)]
