"""What the order book asks of a payment gateway, whoever is behind it.

A gateway acts at once and remembers every key it was called with: the same key and the same
call have one effect and one answer, however often they are sent. It knows nothing of orders'
states, and nobody here may call it while a transaction is open.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from openorders.domain.ids import CustomerId, OrderId
from openorders.domain.payment import MANUAL_GATEWAY, OperationKind
from openorders.domain.store_settings import GatewaySettings, Store


class GatewayCall(Struct, frozen=True, kw_only=True):
    """One thing asked of a gateway. `amount` is minor units of `currency` (ISO 4217's digits;
    a gateway converts them to its own).

    What opens a payment comes with a `token` that stands for the buyer's card (`customer` is the
    gateway's own name of the buyer, where the token is a saved method), and with the
    `return_url` to which the buyer comes back when they have to act; without one nobody can act,
    and a card that asks for it is declined. Everything that follows comes with the `reference`,
    the gateway's own name of the payment.
    """

    key: str
    kind: OperationKind
    amount: int
    currency: str
    order_id: OrderId
    token: str | None = None
    customer: str | None = None
    return_url: str | None = None
    reference: str | None = None


class Succeeded(Struct, frozen=True, kw_only=True):
    """It is done. `reference` names the payment at the gateway; for a refund, it may name that."""

    reference: str
    card_brand: str | None = None
    card_last_four: str | None = None


class Declined(Struct, frozen=True, kw_only=True):
    """It was not done and never will be under this key. Both texts are fit for a buyer."""

    code: str
    message: str


class Pending(Struct, frozen=True, kw_only=True):
    """The gateway waits: for the buyer at `action_url`, or for a bank. How it ends comes as a
    notice, and `look_up` tells it too.
    """

    reference: str
    action_url: str | None = None


Outcome = Succeeded | Declined | Pending


class SavedMethod(Struct, frozen=True, kw_only=True):
    """A card that a buyer left at the gateway to pay with later."""

    reference: str
    customer: str
    card_brand: str | None
    card_last_four: str | None
    expires: str | None
    """Year and month, `2030-04`."""


class Notice(Struct, frozen=True, kw_only=True):
    """News that a gateway sent by itself: `outcome` of the call with this `key`.

    `id` is the gateway's own name of the notice, the same however often it is sent.
    """

    id: str
    key: str
    outcome: Outcome


class Entry(Struct, frozen=True, kw_only=True):
    """One payment in the gateway's own books. Amounts are minor units of `currency` (ISO).

    `key` is that of the call that opened it, None when it was not ours. `authorised` is the
    payment's amount where it is held or was taken, and 0 where it was declined, was cancelled or
    waits; `captured` was ever taken, `refunded` really went back.
    """

    reference: str
    key: str | None
    currency: str
    authorised: int
    captured: int
    refunded: int
    at: datetime


class GatewayUnreachable(Exception):
    """The answer did not arrive: whether the call had its effect is not known."""


class AnswerDisbelieved(GatewayUnreachable):
    """An answer that cannot be about the call, for instance of another amount. It is no answer."""


class GatewayMisused(Exception):
    """The gateway refuses the call itself, for instance a key that came with another one."""


class NoticeRefused(Exception):
    """A notice is not the gateway's, or too old to be believed; the message may be told."""


class UnknownGatewayKind(Exception):
    """A store names a kind of gateway that this installation does not have."""


class Gateway(Protocol):
    """One account at a gateway. Every awaited call may raise `GatewayUnreachable`."""

    @property
    def has_pages(self) -> bool:
        """Whether it shows buyers pages of its own (`open_page`)."""
        ...

    async def charge(self, call: GatewayCall) -> Outcome:
        """Take the money at once."""
        ...

    async def authorise(self, call: GatewayCall) -> Outcome:
        """Reserve the money on the buyer's card."""
        ...

    async def open_page(self, call: GatewayCall) -> Outcome:
        """Open a page of the gateway where the buyer pays; `call.kind` says charge or authorise.

        `Pending` with the page's address; `call.return_url` is where it sends the buyer back.
        """
        ...

    async def capture(self, call: GatewayCall) -> Outcome:
        """Take what was reserved, or part of it; the rest is released."""
        ...

    async def refund(self, call: GatewayCall) -> Outcome:
        """Give back what was taken, or part of it."""
        ...

    async def void(self, call: GatewayCall) -> Outcome:
        """Release what was reserved, or give up what waits for its buyer."""
        ...

    async def look_up(self, call: GatewayCall, since: datetime) -> Outcome | None:
        """What became of an earlier call, first sent at `since`; nothing is asked for anew.

        None when no call with this key ever arrived.
        """
        ...

    async def save_method(
        self, key: str, customer_id: CustomerId, customer: str | None, token: str
    ) -> SavedMethod | Declined:
        """Keep a buyer's card for later. `customer` is the gateway's name of them, if known."""
        ...

    async def forget_method(self, reference: str) -> None:
        """Let go of a saved card; one that is gone already is no failure."""
        ...

    def read_notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice | None:
        """Check and read what claims to be news of the gateway; header names in lower case.

        None for news about what is not ours or does not matter. Raises `NoticeRefused`.
        """
        ...

    def entries(self, since: datetime, until: datetime) -> AsyncIterator[Entry]:
        """Every payment in the gateway's books that was opened from `since` until `until`."""
        ...


GatewayFactory = Callable[[Store, GatewaySettings], Gateway]
"""Opens an account of a store by what the store says of it."""


class Gateways:
    """The kinds of gateway this installation has; accounts are opened when they are first used."""

    def __init__(self, kinds: Mapping[str, GatewayFactory]) -> None:
        self._kinds = kinds
        self._open: dict[tuple[int, str], tuple[GatewaySettings, Gateway]] = {}

    def of(self, store: Store, name: str) -> Gateway:
        """The account behind a name that payments of the store carry.

        Raises `UnknownGatewayKind` when the store no longer has the gateway, or never could.
        """
        settings = store.gateway(name)
        if settings is None and name == MANUAL_GATEWAY:
            settings = GatewaySettings(name=MANUAL_GATEWAY, kind=MANUAL_GATEWAY)
        if settings is None:
            raise UnknownGatewayKind(f"{store.name} has no gateway {name!r}")
        factory = self._kinds.get(settings.kind)
        if factory is None:
            raise UnknownGatewayKind(f"no gateway of kind {settings.kind!r} is installed")
        known = self._open.get((store.id, name))
        if known is None or known[0] != settings:
            known = settings, factory(store, settings)
            self._open[store.id, name] = known
        return known[1]
