"""What tests of use cases stand on: services over a real database, a store, goods, a caller."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from openorders.dialects import Dialects
from openorders.domain.access import Caller, Role
from openorders.domain.catalogue import Wanted
from openorders.domain.ids import CustomerId, OrderId, ProductId, StoreId, VariantId
from openorders.domain.order import Order
from openorders.domain.refusals import Reason
from openorders.domain.store_settings import Store, StorePolicy
from openorders.gateways.mail import FolderMailer
from openorders.gateways.manual import ManualGateway
from openorders.gateways.payments import GatewayFactory, Gateways
from openorders.gateways.sandbox import Faults, SandboxGateway
from openorders.gateways.tokens import TokenVerifier
from openorders.store import orders, stores
from openorders.store.database import Database
from openorders.store.known import KnownCallers
from openorders.store.sandbox_ledger import SandboxLedger
from openorders.usecases.answers import Answer, Reply
from openorders.usecases.context import Context, Keyed, Services
from openorders.usecases.place_order import PlaceOrder, place_order

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """A clock that moves when told, and a microsecond at each look so that times differ."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass(slots=True)
class World:
    """One store with its services. `faults` are those of its gateway's line; the answers that they
    delay go out at once when `delay_is_over`.
    """

    services: Services
    store: Store
    clock: Clock
    faults: Faults
    delay_is_over: asyncio.Event
    keys: Any = field(default_factory=itertools.count)

    @property
    def database(self) -> Database:
        return self.services.database

    def caller(
        self, role: Role = Role.SERVICE, *, contract: str = "commerce", **tie: Any
    ) -> Caller:
        return Caller(
            store=self.store,
            role=role,
            actor="key:1",
            credential="key:1",
            contract=contract,
            **tie,
        )

    def context(
        self,
        caller: Caller | None = None,
        *,
        key: str | None = None,
        request: str = "",
        expected: frozenset[int] | None = None,
    ) -> Context:
        keyed = None
        if key is not None:
            keyed = Keyed(digest=key.encode().ljust(32, b"."), fingerprint=request.encode() or b"-")
        return Context(
            services=self.services,
            caller=caller or self.caller(),
            keyed=keyed,
            expected=expected,
            request_id="test",
        )

    async def sells(
        self,
        variant_id: int = 1,
        *,
        price: int = 1000,
        stock: int | None = 10_000,
        available: bool = True,
        product_id: int | None = None,
    ) -> VariantId:
        """A product with one variant, both of that number unless said otherwise."""
        async with self.database.transaction() as tx:
            await tx.execute(
                """
                with product as (
                    insert into products (store_id, id, name, default_variant_id, created_at)
                    values ($1, $2::bigint, 'Product ' || $2::bigint::text, $3, $4)
                    on conflict do nothing
                ), variant as (
                    insert into variants
                        (store_id, id, product_id, sku, price, available, updated_at)
                    values ($1, $3::bigint, $2, 'SKU-' || $3::bigint::text, $5, $6, $4)
                )
                insert into stock (store_id, variant_id, on_hand)
                select $1, $3, $7::bigint where $7::bigint is not null
                """,
                self.store.id, product_id or variant_id, variant_id, NOON, price, available, stock,
            )  # fmt: skip
            if stock is not None:
                await tx.execute(
                    """
                    insert into stock_movements (store_id, kind, variant_ids, quantities, at)
                    values ($1, 'receive', array[$2::bigint], array[$3::bigint], $4)
                    """,
                    self.store.id, variant_id, stock, NOON,
                )  # fmt: skip
        return VariantId(variant_id)

    async def placed(self, *lines: Wanted, ctx: Context | None = None, **more: Any) -> Order:
        """An order that was placed, read back whole."""
        answer = await place_order(
            ctx or self.context(), an_order_for(*lines, **more), told_the_id()
        )
        return await self.order(OrderId(int(answer.body)))

    async def order(self, order_id: OrderId) -> Order:
        async with self.database.connection() as connection:
            order = await orders.read(connection, self.store.id, order_id)
        assert order is not None
        return order

    async def stock(self, variant_id: int) -> tuple[int, int]:
        """On hand and reserved."""
        row = await self.row(
            "select on_hand, reserved from stock where store_id = $1 and variant_id = $2",
            variant_id,
        )
        return row["on_hand"], row["reserved"]

    async def row(self, sql: str, *more: object) -> Any:
        async with self.database.connection() as connection:
            return await connection.fetchrow(sql, self.store.id, *more)

    async def rows(self, sql: str, *more: object) -> Any:
        async with self.database.connection() as connection:
            return await connection.fetch(sql, self.store.id, *more)


async def a_world(
    database: Database,
    mail_folder: Path,
    *,
    name: str = "shop",
    currency: str = "USD",
    policy: StorePolicy | None = None,
    more_gateways: Mapping[str, GatewayFactory] | None = None,
) -> World:
    """A new store in the database, with a sandbox gateway and a mail folder."""
    clock, faults, delay_is_over = Clock(), Faults(), asyncio.Event()

    async def delay(seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await delay_is_over.wait()

    ledger = SandboxLedger(database, clock)
    kinds: dict[str, GatewayFactory] = {
        "sandbox": lambda store, account: SandboxGateway(
            ledger, store.id, account.name, faults=faults, sleep=delay
        ),
        "manual": lambda _store, _account: ManualGateway(),
        **(more_gateways or {}),
    }
    services = Services(
        database=database,
        gateways=Gateways(kinds),
        mailer=FolderMailer(mail_folder, "shop@example.com"),
        verifier=TokenVerifier(),
        known=KnownCallers(),
        clock=clock,
        token=lambda: "token",
        dialects=Dialects(),
    )
    store = Store(id=StoreId(0), name=name, currency=currency, policy=policy or StorePolicy())
    async with database.transaction() as tx:
        store_id = await stores.create(tx, store, NOON)
    assert store_id is not None
    return World(services, replace(store, id=store_id), clock, faults, delay_is_over)


async def waits_for_a_lock(world: World, *, unless: asyncio.Task[Any] | None = None) -> None:
    """Until somebody waits for what another transaction has, or this task is done."""
    waiting = (
        "select 1 from pg_stat_activity where $1::bigint is not null"
        " and datname = current_database() and wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(60):
        while not (unless is not None and unless.done()) and not await world.rows(waiting):
            await asyncio.sleep(0.01)


def wanted(product_id: int = 1, quantity: int = 1, **more: Any) -> Wanted:
    return Wanted(product_id=ProductId(product_id), quantity=quantity, **more)


def an_order_for(*lines: Wanted, customer: int = 5, **more: Any) -> PlaceOrder:
    return PlaceOrder(lines=lines or (wanted(),), customer=CustomerId(customer), **more)


def told_the_id() -> Reply[Order]:
    """A contract that answers with the order's id, and refuses with the reason."""
    return told(lambda order: str(order.id))


def told(say: Callable[[Any], str]) -> Reply[Any]:
    """A contract of one line."""
    return Reply(
        done=lambda result: Answer(status=200, body=say(result).encode()),
        refused=_refused,
    )


def _refused(reason: Reason) -> Answer:
    return Answer(status=400, body=msgspec.json.encode([type(reason).__name__, repr(reason)]))
