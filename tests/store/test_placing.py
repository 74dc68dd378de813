"""One order by itself and several together are placed by two statements that do the same."""

import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from openorders.domain.address import Address
from openorders.domain.customer import Customer, Identity
from openorders.domain.events import EventType
from openorders.domain.ids import CustomerId, LineId, OrderId, VariantId
from openorders.domain.order import Order, PaymentState, Tax, Totals
from openorders.store import placing, queries
from openorders.store.database import Database
from openorders.store.placing import Asked, Ready
from openorders.usecases.place_order import PlaceOrder, place_order
from tests.world import World, a_world, told_the_id, wanted

ONE = queries.load("placing_one").place_order.sql
SEVERAL = queries.load("placing").place_orders.sql
TABLES = ("orders", "order_lines", "order_history", "stock_movements", "outbox")
EVENTS = [EventType.ORDER_CREATED, EventType.ORDER_PAYMENT_REQUESTED]


def test_both_write_the_same_columns_of_the_same_tables_in_the_same_order() -> None:
    assert written_by(ONE) == written_by(SEVERAL)


def written_by(sql: str) -> list[tuple[str, list[str]]]:
    """The tables that a statement adds rows to, and their columns."""
    found = re.findall(r"insert into (\w+)\s*\((.*?)\)", sql, re.DOTALL)
    return [(table, re.findall(r"\w+", columns)) for table, columns in found]


async def test_both_write_the_same_rows(database: Database, tmp_path: Path) -> None:
    world = await a_world(database, tmp_path)
    await world.sells(1, price=700, stock=1_000)
    await world.sells(2, price=250, stock=None)
    await world.sells(3, price=1, stock=1_000)
    model = await world.placed(wanted(3, 2), wanted(1, 3), wanted(2, 1), wanted(1, 1))
    ids = count(10_000)
    for one in (model, full(model)):
        alone, *together = [another(one, ids) for _ in range(4)]
        async with database.connection() as connection:
            for group in ([alone], together):
                ready = [await ready_to_go(world, order) for order in group]
                outcome = await placing.place(connection, world.store.id, ready)
                assert outcome.placed == {order.id for order in group}
        expected = await rows_of(world, alone)
        assert [len(rows) for rows in expected] == [1, 4, len(one.history), 1, 2, 1, 1]
        for order in together:
            assert await rows_of(world, order) == expected
    assert await world.stock(1) == (1_000, 9 * 4)
    assert await world.stock(3) == (1_000, 9 * 2)


async def test_both_are_told_the_same(database: Database, tmp_path: Path) -> None:
    world = await a_world(database, tmp_path)
    await world.sells(1, price=10**11, stock=None)
    await world.sells(2, available=False)
    await world.sells(21, product_id=2)
    jane = Identity(issuer="https://id.example", subject="jane", name='"J', email=None)
    await world.placed(wanted(1), ctx=world.context(key="used"), customer=8)
    await place_order(
        world.context(),
        PlaceOrder(lines=(wanted(2, variant_id=VariantId(21)),), customer=jane),
        told_the_id(),
    )
    lines = (wanted(1, 2), wanted(2), wanted(2, variant_id=VariantId(21)), wanted(99), wanted(1))
    asked = [
        Asked(lines=lines, customer=customer, digest=keyed and keyed.digest)
        for customer in (CustomerId(8), CustomerId(9), jane, replace(jane, subject="joe"))
        for keyed in (world.context(key="used").keyed, world.context(key="new").keyed, None)
    ]
    async with database.connection() as connection:
        alone = [(await placing.prepare(connection, world.store.id, [one]))[0] for one in asked]
        together = await placing.prepare(connection, world.store.id, asked)
    for one, other in zip(alone, together, strict=True):
        assert replace(one, order_id=OrderId(0), number=0, line_ids=()) == replace(
            other, order_id=OrderId(0), number=0, line_ids=()
        )
        assert len(one.line_ids) == len(other.line_ids) == len(lines)
    assert len({line for one in (*alone, *together) for line in one.line_ids}) == 24 * len(lines)
    assert [one.known is not None for one in together] == [True, False, False] * 4
    assert [one.customer is not None for one in together[::3]] == [True, False, True, False]


async def ready_to_go(world: World, order: Order) -> Ready:
    key = world.context(key=f"key {order.id}", request="asked").keyed
    return Ready(order=order, events=EVENTS, key=key, answer=(201, (("A", "b"),), b"told"))


def another(order: Order, ids: "count[int]") -> Order:
    """The same for somebody else, under ids of its own."""
    return replace(
        order,
        id=OrderId(next(ids)),
        number=next(ids),
        customer=Customer(id=CustomerId(next(ids))),
        payment_token=f"token {next(ids)}",
        lines=tuple(replace(line, id=LineId(next(ids))) for line in order.lines),
    )


def full(order: Order) -> Order:
    """With everything that an order may have."""
    first = order.history[0]
    return replace(
        order,
        totals=Totals(
            subtotal=3_052,
            discount=52,
            shipping=500,
            taxes=(Tax(name="GST", rate=Decimal("0.05"), amount=150),),
        ),
        lines=tuple(
            replace(line, variant_name="red", image="/a.png", discount_share=13, tax_shares=(n, 7))
            for n, line in enumerate(order.lines)
        ),
        partner_name="Barrel & Sons",
        customer_reference='{"a", null}',
        discount_code="SPRING",
        shipping_method="express",
        estimated_delivery=date(2026, 6, 9),
        shipping_address=Address(name="J. \u00d8", line1='"1', city=None),
        billing_address=Address(country="NO"),
        payment_method="card",
        payment_gateway="sandbox",
        notes="a\nb\\c",
        payment=PaymentState.PENDING,
        payment_asked=True,
        version=1,
        history=(first, replace(first, at=first.at + timedelta(seconds=1), contract="admin")),
    )


async def rows_of(world: World, order: Order) -> list[list[dict[str, Any]]]:
    """All that was written of an order, but for what is its own."""
    found = [
        await world.rows(
            f"select * from {table} where store_id = $1 and"
            f" {'id' if table == 'orders' else 'order_id'} = $2",
            order.id,
        )
        for table in TABLES
    ]
    found.append(
        await world.rows(
            "select * from customers where store_id = $1 and id = $2", order.customer.id
        )
    )
    digest = world.context(key=f"key {order.id}").keyed
    assert digest is not None
    found.append(
        await world.rows(
            "select * from idempotency_keys where store_id = $1 and digest = $2", digest.digest
        )
    )
    own = {"id", "order_id", "number", "customer_id", "payment_token", "digest", "txid"}
    plain = [
        [
            {name: value for name, value in row.items() if name not in own}
            for row in sorted(rows, key=lambda row: (row.get("id", 0), row.get("position", 0)))
        ]
        for rows in found
    ]
    for rows in plain:
        for row in rows:
            if "payload" in row:
                row["payload"] = row["payload"] == msgspec.json.encode(order)
            if "variant_ids" in row:
                pairs = zip(row.pop("variant_ids"), row.pop("quantities"), strict=True)
                row["moved"] = sorted(pairs)
    return plain
