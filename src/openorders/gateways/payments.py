"""What the order book asks of a payment gateway, whoever is behind it.

A gateway acts at once and remembers every key it was called with: the same key and the same
call have one effect and one answer, however often they are sent. It knows nothing of orders'
states, and nobody here may call it while a transaction is open.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from openorders.domain.ids import OrderId, StoreId
from openorders.domain.payment import MANUAL_GATEWAY, OperationKind
from openorders.domain.store_settings import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCall:
    """One thing asked of a gateway. `amount` is minor units of `currency`.

    `token` stands for the buyer's card and comes with what opens a payment; `reference` is the
    gateway's own name of a payment and comes with everything that follows.
    """

    key: str
    kind: OperationKind
    amount: int
    currency: str
    order_id: OrderId
    token: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """It is done. `reference` names the payment at the gateway."""

    reference: str
    card_brand: str | None = None
    card_last_four: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """It was not done and never will be under this key. Both texts are fit for a buyer."""

    code: str
    message: str


Outcome = Succeeded | Declined


class GatewayUnreachable(Exception):
    """The answer did not arrive: whether the call had its effect is not known."""


class GatewayMisused(Exception):
    """The gateway refuses the call itself, for instance a key that came with another one."""


class UnknownGatewayKind(Exception):
    """A store names a kind of gateway that this installation does not have."""


class Gateway(Protocol):
    """One account at a gateway. Every call may raise `GatewayUnreachable`."""

    async def charge(self, call: GatewayCall) -> Outcome:
        """Take the money at once."""
        ...

    async def authorise(self, call: GatewayCall) -> Outcome:
        """Reserve the money on the buyer's card."""
        ...

    async def capture(self, call: GatewayCall) -> Outcome:
        """Take what was reserved, or part of it; the rest is released."""
        ...

    async def refund(self, call: GatewayCall) -> Outcome:
        """Give back what was taken, or part of it."""
        ...

    async def void(self, call: GatewayCall) -> Outcome:
        """Release what was reserved."""
        ...

    async def look_up(self, key: str) -> Outcome | None:
        """What became of an earlier call; None when no call with this key ever arrived."""
        ...


GatewayFactory = Callable[[StoreId, str], Gateway]
"""Opens the account of a store that the store calls by this name."""


class Gateways:
    """The kinds of gateway this installation has; accounts are opened when they are first used."""

    def __init__(self, kinds: Mapping[str, GatewayFactory]) -> None:
        self._kinds = kinds
        self._open: dict[tuple[StoreId, str, str], Gateway] = {}

    def of(self, store: Store, name: str) -> Gateway:
        """The account behind a name that payments of the store carry.

        Raises `UnknownGatewayKind` when the store no longer has the gateway, or never could.
        """
        kind = MANUAL_GATEWAY
        if name != MANUAL_GATEWAY:
            settings = store.gateway(name)
            if settings is None:
                raise UnknownGatewayKind(f"{store.name} has no gateway {name!r}")
            kind = settings.kind
        factory = self._kinds.get(kind)
        if factory is None:
            raise UnknownGatewayKind(f"no gateway of kind {kind!r} is installed")
        account = (store.id, name, kind)
        if account not in self._open:
            self._open[account] = factory(store.id, name)
        return self._open[account]
