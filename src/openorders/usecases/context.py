"""Who is calling, what time it is, and what a use case needs from outside.

The composition root builds one `Services`; a contract builds one `Context` per request.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from openorders.domain.access import Caller
from openorders.domain.change import By
from openorders.domain.ids import OrderId, StoreId
from openorders.domain.order import Order
from openorders.domain.refusals import Refused, VersionDiffers
from openorders.domain.store_settings import Store
from openorders.gateways.mail import Mailer
from openorders.gateways.outgoing import Outgoing
from openorders.gateways.payments import Gateways
from openorders.gateways.tokens import TokenVerifier
from openorders.store.bell import Bell, News
from openorders.store.database import Connection, Database
from openorders.store.known import KnownCallers
from openorders.store.orders import Depth
from openorders.usecases.gathering import Gathering


class Services(Struct, frozen=True, kw_only=True):
    """What is shared by all requests of a process. `token` gives unguessable URL-safe text.

    `bell` is rung after a commit that may have told something, `news` wakes who follows the feed,
    `dialects` writes an order in a contract's words, by the contract's name, `outgoing` is the
    way to addresses that customers chose, `placing` gathers the orders of each store that arrive
    together, and `reading` those that are asked for together.
    """

    database: Database
    gateways: Gateways
    mailer: Mailer
    verifier: TokenVerifier
    known: KnownCallers
    clock: Callable[[], datetime]
    token: Callable[[], str]
    public_url: str | None = None
    open_contracts: dict[str, str | None] = msgspec.field(default_factory=dict[str, str | None])
    events_kept_for: timedelta = timedelta(days=30)
    mails_kept_for: timedelta = timedelta(days=90)
    bell: Bell = msgspec.field(default_factory=Bell)
    news: News = msgspec.field(default_factory=News)
    placing: dict[StoreId, Gathering[Any, Any]] = msgspec.field(
        default_factory=dict[StoreId, Gathering[Any, Any]]
    )
    reading: dict[tuple[StoreId, Depth], Gathering[OrderId, Order | None]] = msgspec.field(
        default_factory=dict[tuple[StoreId, Depth], Gathering[OrderId, Order | None]]
    )
    dialects: Mapping[str, Callable[[Store, Order], bytes]] = msgspec.field(
        default_factory=dict[str, Callable[[Store, Order], bytes]]
    )
    outgoing: Outgoing = msgspec.field(default_factory=Outgoing)


class Keyed(Struct, frozen=True, kw_only=True):
    """A client's idempotency key for this request.

    `digest` names the key (SHA-256 over credential, method, path and key), `fingerprint` the
    request that came with it (SHA-256 of the parsed body in canonical form).
    """

    digest: bytes
    fingerprint: bytes


class Context(Struct, frozen=True, kw_only=True):
    """One request. `expected` holds the versions that `If-Match` allows; None allows any."""

    services: Services
    caller: Caller
    keyed: Keyed | None = None
    expected: frozenset[int] | None = None
    request_id: str = ""

    @property
    def store(self) -> Store:
        """The tenant whose key is calling."""
        return self.caller.store

    @property
    def store_id(self) -> StoreId:
        """The tenant's id, the first parameter of every statement."""
        return self.caller.store.id

    def now(self) -> datetime:
        """The time of this change: aware, UTC, cut to the microseconds the database keeps."""
        return self.services.clock()

    def by(self, reason: str | None = None) -> By:
        """Who does this, now, and why: what the history will say."""
        return By(
            actor=self.caller.actor,
            contract=self.caller.contract,
            at=self.now(),
            reason=reason,
        )

    def require_version(self, order: Order) -> None:
        """Refuse with `VersionDiffers` when `If-Match` named other versions."""
        if self.expected is not None and order.version not in self.expected:
            raise Refused(VersionDiffers(order.id, order.version))


@dataclass(slots=True)
class Unit:
    """One transaction of a use case. What is in `afterwards` runs once it is committed: its
    failure is logged and left to the sweep, never shown to the caller.
    """

    connection: Connection
    store_id: StoreId
    afterwards: list[Callable[[], Awaitable[object]]] = field(
        default_factory=list[Callable[[], Awaitable[object]]]
    )
