"""Transactions that tell of orders, held open as long as a test wants, and a reader of the feed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from openorders.domain.customer import Customer
from openorders.domain.events import Event
from openorders.domain.ids import CustomerId, LineId, OrderId, ProductId, StoreId, VariantId
from openorders.domain.order import Line, Order, Totals
from openorders.store import events
from openorders.store.database import Connection

STORE = StoreId(1)
NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)
SAMPLE = Order(
    id=OrderId(1),
    number=1,
    customer=Customer(id=CustomerId(5)),
    currency="USD",
    minor_digits=2,
    totals=Totals(subtotal=1000),
    lines=(
        Line(
            id=LineId(1),
            product_id=ProductId(1),
            variant_id=VariantId(1),
            product_name="A thing",
            variant_name=None,
            sku=None,
            image=None,
            unit_price=1000,
            quantity=1,
        ),
    ),
    created_at=NOON,
    updated_at=NOON,
)
Told = tuple[int, int]
"""An order's number and version."""


async def prepare(connection: Connection, *, orders: int) -> None:
    """A store, and orders as rows to lock: as few as possible, so that writers meet."""
    await connection.execute("insert into stores values (1, 'a', 'USD', 2, 'UTC', '', '{}', now())")
    await connection.execute(
        "create table versions (order_id bigint primary key, version int not null default 0)"
    )
    await connection.execute(
        "insert into versions (order_id) select generate_series(1, $1::int)", orders
    )


async def tell(connection: Connection, order_id: int) -> Told:
    """Change an order and tell of it, in the transaction that is open; the order stays locked."""
    version = await connection.fetchval(
        "update versions set version = version + 1 where order_id = $1 returning version", order_id
    )
    await connection.execute(
        """
        insert into outbox (store_id, order_id, version, type, payload, at)
        values (1, $1, $2, 'order.updated', $3, now())
        """,
        order_id,
        version,
        msgspec.json.encode(replace(SAMPLE, version=version)),
    )
    return order_id, version


async def step(connection: Connection, *, limit: int = 1_000) -> int | None:
    """One step of the sequencer, committed; None when another one was at it."""
    async with connection.transaction():
        given = await events.give_positions(connection, limit=limit)
    return None if given is None else given.count


async def settle(connection: Connection) -> None:
    """Step until a step would do nothing."""
    async with asyncio.timeout(60):
        while await events.has_news(connection):
            await step(connection)
            await asyncio.sleep(0.001)


@dataclass(slots=True)
class Reader:
    """Goes on from its cursor, and remembers what it read."""

    cursor: int = 0
    seen: list[Event] = field(default_factory=list[Event])

    async def read(self, connection: Connection, *, limit: int = 7) -> None:
        """Read all there is; every position has to be the next one."""
        while True:
            page = await events.read(connection, STORE, after=self.cursor, limit=limit, scan=limit)
            positions = [event.position for event in page.events]
            assert positions == list(range(self.cursor + 1, self.cursor + 1 + len(positions)))
            self.seen += page.events
            self.cursor = page.to
            if page.looked < limit:
                return

    @property
    def told(self) -> list[Told]:
        return [(event.order_id, event.version) for event in self.seen]

    def check(self, committed: list[Told]) -> None:
        """All that was committed was read, once, and each order's versions in their order."""
        assert sorted(self.told) == sorted(committed)
        by_order: dict[int, list[int]] = {}
        for order_id, version in self.told:
            by_order.setdefault(order_id, []).append(version)
        assert all(versions == sorted(versions) for versions in by_order.values())


async def gaps(connection: Connection) -> str:
    """The gaps that are still remembered, as PostgreSQL writes them."""
    return str(await connection.fetchval("select (young + old)::text from event_cursor"))
