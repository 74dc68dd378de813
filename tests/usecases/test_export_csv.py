"""CSV exports, read back by Python's own reader."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openorders.domain.access import Role
from openorders.domain.address import Address
from openorders.domain.ids import CustomerId
from openorders.domain.order import Order, Shipment, Word
from openorders.domain.search import all_of, created_between, of_customer, with_words
from openorders.domain.store_settings import DiscountCode, ShippingMethod, StorePolicy, TaxRate
from openorders.domain.table import LinePart, OrderPart, Part, TableColumn
from openorders.store import exports
from openorders.usecases.advance_order import Advance, advance_order
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.context import Context
from openorders.usecases.export_orders import Export, export_csv
from tests.usecases.placed_orders import PlacedOrder, some_orders, write
from tests.world import World, a_world, told, wanted

AT = datetime(2026, 6, 2, 10, 30, tzinfo=UTC)
ID = TableColumn(name="id", part=OrderPart.ID, prefix="ord_")
NOTES = TableColumn(name="notes", part=OrderPart.NOTES)
MIB = 1024 * 1024

PLAIN = [
    "please, ring twice",
    'a "quoted" word',
    "two\nlines",
    "two\r\nlines",
    "a\rb",
    "back\\slash \\n \\. \\N",
    "\\.",
    "tab\tinside",
    "grüße 中文 \U0001f600",
    " blanks around ",
    "",
    "'already",
    "1-2",
    "a=b",
    "\x01 control \x0b \x0c \x08",
    "x" * 40_000,
]
FORMULAS = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=", '=HYPERLINK("http://x", "y")'),
    *("\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "=a,b\r\nc"),
]


async def exported(ctx: Context, *columns: TableColumn, **more: Any) -> bytes:
    return b"".join([part async for part in export_csv(ctx, Export(columns=columns, **more))])


async def rows(ctx: Context, *columns: TableColumn, **more: Any) -> list[list[str]]:
    text = (await exported(ctx, *columns, **more)).decode()
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


async def ids(ctx: Context, **more: Any) -> list[int]:
    column = TableColumn(name="id", part=OrderPart.ID)
    return [int(row[0]) for row in await rows(ctx, column, **more)]


async def with_notes(world: World, *texts: str | None) -> None:
    orders = [PlacedOrder(id=n, at=AT, notes=text) for n, text in enumerate(texts, 1)]
    await write(world, orders)


async def test_every_text_comes_back_as_it_was(world: World) -> None:
    await with_notes(world, *PLAIN)
    told = await rows(world.context(), ID, NOTES)
    assert told == [[f"ord_{n}", text] for n, text in enumerate(PLAIN, 1)]


async def test_a_text_that_would_be_calculated_has_an_apostrophe(world: World) -> None:
    await with_notes(world, *FORMULAS)
    assert await rows(world.context(), NOTES) == [["'" + text] for text in FORMULAS]


async def test_the_file_is_plain_utf_8_with_crlf_and_quotes_where_needed(world: World) -> None:
    await with_notes(world, "plain", "a,b", None, "é")
    told = await exported(world.context(), ID, NOTES)
    assert told == 'id,notes\r\nord_1,plain\r\nord_2,"a,b"\r\nord_3,\r\nord_4,é\r\n'.encode()
    assert (
        await exported(world.context(), NOTES) == 'notes\r\nplain\r\n"a,b"\r\n""\r\né\r\n'.encode()
    )


async def test_of_no_orders_there_is_the_header(world: World) -> None:
    assert await exported(world.context(), ID, NOTES) == b"id,notes\r\n"


@pytest.fixture
async def full(world: World) -> tuple[World, Order, Order]:
    """An order with everything that an order can have, and one that was cancelled."""
    policy = StorePolicy(
        taxes=(TaxRate(name="State", rate=Decimal("0.06")),),
        shipping_methods=(ShippingMethod(code="standard", cost=599, days=3),),
        discount_codes=(DiscountCode(code="TEN", amount=1000),),
    )
    world.store = replace(world.store, policy=policy, number_prefix="=MNKY,")
    await world.sells(1, price=4999)
    await world.sells(2, price=150)
    shipped = await world.placed(
        wanted(1, 2),
        wanted(2, 1),
        customer=7,
        customer_reference="PO 7",
        shipping_address=Address(name="Jane", line1="1 Main St", city="Bonn", postal_code="1"),
        billing_address=Address(name="Joe", line2="-", state="NW", country="DE", phone="+49 1"),
        shipping_method="standard",
        discount_code="TEN",
        notes="ring twice",
        payment_method="credit_card",
    )
    tracking = Shipment(carrier="UPS", tracking_number="1Z", tracking_url="https://t.example/1Z")
    advance = Advance(order_id=shipped.id, target=Word.COMPLETED, tracking=tracking)
    await advance_order(world.context(), advance, told(lambda done: str(done.order.id)))
    cancelled = await world.placed(wanted(2, 1), customer=8)
    cancel = Cancel(order_id=cancelled.id, reason="changed my mind")
    await cancel_order(world.context(), cancel, told(lambda done: str(done.order.id)))
    return world, await world.order(shipped.id), await world.order(cancelled.id)


def moment(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def money(minor: int) -> str:
    return f"{Decimal(minor) / 100:.2f}"


def expected(order: Order) -> dict[OrderPart, str]:
    """Every cell of the order, said without the export's own words."""
    ship, bill = order.shipping_address or Address(), order.billing_address or Address()
    parcel = order.shipment or Shipment()
    cells: dict[OrderPart, object] = {
        OrderPart.ID: order.id,
        OrderPart.NUMBER: f"'=MNKY,{order.number}",
        OrderPart.CUSTOMER_ID: order.customer.id,
        OrderPart.CUSTOMER_NAME: order.customer.name,
        OrderPart.CUSTOMER_EMAIL: order.customer.email,
        OrderPart.WORD: order.word.value,
        OrderPart.PAYMENT: order.payment.value,
        OrderPart.FULFILMENT: order.fulfilment.value,
        OrderPart.CURRENCY: "USD",
        OrderPart.SUBTOTAL: money(order.totals.subtotal),
        OrderPart.DISCOUNT: money(order.totals.discount),
        OrderPart.DISCOUNT_CODE: order.discount_code,
        OrderPart.SHIPPING: money(order.totals.shipping),
        OrderPart.TAX: money(order.totals.tax),
        OrderPart.TOTAL: money(order.totals.total),
        OrderPart.PAYMENT_METHOD: order.payment_method,
        OrderPart.PAYMENT_GATEWAY: order.payment_gateway,
        OrderPart.PARTNER_NAME: order.partner_name,
        OrderPart.CUSTOMER_REFERENCE: order.customer_reference,
        OrderPart.SHIPPING_METHOD: order.shipping_method,
        OrderPart.ESTIMATED_DELIVERY: order.estimated_delivery,
        OrderPart.CARRIER: parcel.carrier,
        OrderPart.TRACKING_NUMBER: parcel.tracking_number,
        OrderPart.TRACKING_URL: parcel.tracking_url,
        OrderPart.SHIPPED_AT: moment(parcel.shipped_at),
        OrderPart.NOTES: order.notes,
        OrderPart.CANCELLATION_REASON: order.cancellation and order.cancellation.reason,
        OrderPart.CANCELLED_AT: moment(order.cancellation.at if order.cancellation else None),
        OrderPart.CREATED_AT: moment(order.created_at),
        OrderPart.UPDATED_AT: moment(order.updated_at),
        OrderPart.COMPLETED_AT: moment(order.completed_at),
        OrderPart.VERSION: order.version,
    }
    for prefix, address in (("SHIP_TO", ship), ("BILL_TO", bill)):
        for field in ("name", "line1", "line2", "city", "state", "postal_code", "country", "phone"):
            text = getattr(address, field)
            guarded = f"'{text}" if text and text[0] in "+-" else text
            cells[OrderPart[f"{prefix}_{field.upper()}"]] = guarded
    return {part: "" if cell is None else str(cell) for part, cell in cells.items()}


async def test_every_field_of_an_order_can_be_had(full: tuple[World, Order, Order]) -> None:
    world, *orders = full
    columns = [TableColumn(name=part.name, part=part) for part in OrderPart]
    told = await rows(world.context(), *columns)
    for row, order in zip(told, orders, strict=True):
        cells = expected(order)
        assert dict(zip(OrderPart, row, strict=True)) == {part: cells[part] for part in OrderPart}


async def test_a_line_repeats_its_order(full: tuple[World, Order, Order]) -> None:
    world, *orders = full
    parts: list[Part] = [OrderPart.ID, *LinePart]
    columns = [TableColumn(name=part.name, part=part) for part in parts]
    told = await rows(world.context(), *columns)
    lines = [(order, line) for order in orders for line in order.lines]
    for row, (order, line) in zip(told, lines, strict=True):
        cells = [
            *(order.id, line.id, line.product_id, line.variant_id, line.product_name),
            *(line.variant_name, line.sku, line.image, line.quantity, money(line.unit_price)),
            *(money(line.unit_price * line.quantity), line.state.value),
        ]
        assert row == ["" if cell is None else str(cell) for cell in cells]


async def test_words_and_identifiers_are_shown_as_asked(world: World) -> None:
    words = [Word.CREATED, Word.PAID, Word.CANCELLED]
    await write(world, [PlacedOrder(id=n, at=AT, word=word) for n, word in enumerate(words, 1)])
    shown = tuple((word.value, "kept" if word is Word.PAID else word.value) for word in Word)
    status = TableColumn(name="status", part=OrderPart.WORD, words=shown)
    told = await rows(world.context(), status, ID)
    assert told == [["created", "ord_1"], ["kept", "ord_2"], ["cancelled", "ord_3"]]


async def test_amounts_have_the_digits_of_their_currency(world: World, tmp_path) -> None:
    total = TableColumn(name="total", part=OrderPart.TOTAL)
    for currency, shown in (("USD", "10.00"), ("JPY", "1000"), ("KWD", "1.000"), ("CLF", "0.1000")):
        there = await a_world(world.database, tmp_path, name=currency, currency=currency)
        await write(there, [PlacedOrder(id=1, at=AT)])
        assert await rows(there.context(), total) == [[shown]]


async def test_what_is_asked_for_is_what_comes_the_oldest_first(world: World) -> None:
    orders = some_orders(300, seed=11)
    await write(world, orders)
    in_order = sorted(orders, key=lambda order: (order.at, order.id))
    start, end = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    for criteria, fits in (
        (None, lambda _: True),
        (with_words(["completed"]), lambda order: order.word is Word.COMPLETED),
        (with_words(["paid", "created"]), lambda order: order.word in (Word.PAID, Word.CREATED)),
        (of_customer(5), lambda order: order.customer == 5),
        (created_between(start, end), lambda order: start <= order.at < end),
        (
            all_of(with_words(["shipped"]), of_customer(3), created_between(start, None)),
            lambda order: order.word is Word.SHIPPED and order.customer == 3 and order.at >= start,
        ),
    ):
        more = {} if criteria is None else {"criteria": criteria}
        assert await ids(world.context(), **more) == [o.id for o in in_order if fits(o)]


async def test_many_orders_come_in_no_order_and_what_an_index_orders_in_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "SORTED_ORDERS_MAX", 299)
    orders = some_orders(300, seed=12)
    await write(world, orders)
    assert sorted(await ids(world.context())) == sorted(order.id for order in orders)
    words = with_words(["paid", "created"])
    some = [order.id for order in orders if order.word in (Word.PAID, Word.CREATED)]
    assert sorted(await ids(world.context(), criteria=words)) == sorted(some)
    in_order = sorted(orders, key=lambda order: (order.at, order.id))
    shipped = [order.id for order in in_order if order.word is Word.SHIPPED]
    assert await ids(world.context(), criteria=with_words(["shipped"])) == shipped
    parts: list[Part] = [OrderPart.ID, LinePart.ID]
    columns = [TableColumn(name=part.name, part=part) for part in parts]
    told = [int(row[0]) for row in await rows(world.context(), *columns)]
    assert told == [order.id for order in in_order for _ in order.lines]


async def test_rows_that_several_processes_read_are_all_there_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(world, 15_000, 700)
    name = TableColumn(name="name", part=OrderPart.CUSTOMER_NAME)
    expected = [[f"ord_{n}", "", "x" * 700] for n in range(2, 15_001)]
    _, *told = await rows(world.context(), ID, name, NOTES)
    assert told == expected
    monkeypatch.setattr(exports, "SORTED_ORDERS_MAX", 0)
    told = await rows(world.context(), ID, name, NOTES)
    assert sorted(told) == sorted([["ord_1", "", ""], *expected])


async def test_callers_export_only_what_they_may_see(world: World, tmp_path) -> None:
    orders = some_orders(60, seed=5)
    await write(world, orders)
    elsewhere = await a_world(world.database, tmp_path, name="another shop")
    await write(elsewhere, some_orders(20, seed=6))
    customer = world.context(world.caller(Role.CUSTOMER, customer_id=CustomerId(5)))
    partner = world.context(world.caller(Role.PARTNER, partner_name="Barrel & Sons"))
    of_five = {order.id for order in orders if order.customer == 5}
    assert set(await ids(customer)) == of_five
    assert set(await ids(customer, criteria=of_customer(6))) == set()
    assert set(await ids(partner)) == {order.id for order in orders if order.partner}
    assert len(await ids(world.context())) == 60


async def test_an_export_is_one_moment(world: World) -> None:
    await write(world, [PlacedOrder(id=n, at=AT) for n in range(1, 4)])
    parts = export_csv(world.context(), Export(columns=(ID,)))
    assert await anext(parts) == b"id\r\n"
    await anext(parts)
    await write(world, [PlacedOrder(id=4, at=AT)])
    assert [part async for part in parts] == []
    assert await ids(world.context()) == [1, 2, 3, 4]


async def many(world: World, count: int, characters: int = 1_000) -> None:
    """So many orders with long notes, written by the database itself."""
    await write(world, [PlacedOrder(id=1, at=AT)])
    async with world.database.transaction() as tx:
        await tx.execute(
            "insert into orders (store_id, id, number, customer_id, currency, minor_digits,"
            " subtotal, discount, shipping, tax, total, progress, payment, fulfilment, notes,"
            " created_at, updated_at)"
            " select store_id, n, n, customer_id, currency, minor_digits, subtotal, discount,"
            " shipping, tax, total, progress, payment, fulfilment, repeat('x', $2),"
            " created_at + n * interval '1 second', updated_at"
            " from orders, generate_series(2, $3::bigint) as n where store_id = $1",
            world.store.id,
            characters,
            count,
        )


def resident() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


async def test_memory_does_not_grow_with_the_number_of_orders(world: World) -> None:
    await many(world, 8_000, 4_000)
    before, most, size = resident(), 0, 0
    async for part in export_csv(world.context(), Export(columns=(ID, NOTES))):
        size += len(part)
        most = max(most, resident())
    assert size > 30 * MIB
    assert most - before < 10 * MIB


async def test_a_reader_that_leaves_ends_the_export(world: World) -> None:
    await many(world, 8_000, 4_000)
    for chunks, pause_s in ((1, 0), (2, 0.1), (3, 0), (30, 0.1)):
        parts = export_csv(world.context(), Export(columns=(ID, NOTES)))
        for _ in range(chunks):
            await anext(parts)
        await asyncio.sleep(pause_s)
        await parts.aclose()
        until = created_between(None, AT + timedelta(seconds=9))
        assert len(await ids(world.context(), criteria=until)) == 8
        async with asyncio.timeout(60):
            while await exporting(world):
                await asyncio.sleep(0.01)
    opened, idle = world.database.connections()
    assert opened == idle


async def exporting(world: World) -> int:
    """How many exports the server is still at."""
    row = await world.row(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and $1::bigint > 0 and state <> 'idle' and query like 'COPY%'"
    )
    return row["count"]
