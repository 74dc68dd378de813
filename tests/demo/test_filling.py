"""The demo is whole, is filled in once, and is consistent by itself."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from openorders.demo import STORES, fill
from openorders.domain.ids import OrderId
from openorders.domain.money import to_decimal
from openorders.domain.order import Order, PaymentState, Word
from openorders.store import access, orders, stores
from openorders.store.database import Database, opened
from openorders.usecases.admit_callers import digest_of
from tests.postgres import databases
from tests.world import a_world


def token() -> str:
    return "unguessable"


@pytest.fixture(scope="module")
def filled_url(module_database_url: str) -> str:
    async def work() -> None:
        async with opened(module_database_url, connections=2) as database:
            assert (await fill(database, token)).now

    databases.finish(work())
    return module_database_url


@pytest.fixture
async def demo(filled_url: str) -> AsyncIterator[Database]:
    async with opened(filled_url, connections=4) as database:
        yield database


async def order_of(demo: Database, store: str, number: int) -> Order:
    async with demo.connection() as connection:
        found = await stores.find(connection, store)
        assert found is not None
        order = await orders.read(connection, found.id, OrderId(number))
    assert order is not None
    return order


async def rows(demo: Database, sql: str, *parameters: object) -> list[tuple[object, ...]]:
    async with demo.connection() as connection:
        return [tuple(row.values()) for row in await connection.fetch(sql, *parameters)]


def total(order: Order) -> Decimal:
    return to_decimal(order.totals.total, order.minor_digits)


async def test_there_is_a_store_for_every_contract(demo: Database):
    async with demo.connection() as connection:
        assert tuple(store.name for store in await stores.all_stores(connection)) == STORES


@pytest.mark.parametrize(
    ("key", "store", "role", "customer"),
    [
        ("YOUR_API_KEY", "commerce", "admin", None),
        ("demo-basic-key", "basic", "admin", None),
        ("demo-marketplace-key", "marketplace", "admin", None),
        ("demo-secret-key", "partner", "service", None),
        ("demo-customer-key", "storefront", "customer", 123456),
        ("demo-admin-key", "storefront", "admin", None),
    ],
)
async def test_the_documented_keys_open_their_stores(demo, key, store, role, customer):
    async with demo.connection() as connection:
        found = await access.find_key(connection, digest_of(key))
    assert found is not None
    assert (found.store.name, found.role, found.customer_id) == (store, role, customer)


async def test_no_key_is_kept_in_the_clear(demo: Database):
    stored = str(await rows(demo, "select to_jsonb(k) from api_keys k"))
    assert "demo-secret-key" not in stored
    assert "YOUR_API_KEY" not in stored


async def test_commerce_has_exactly_fifty_processing_orders_the_documented_ones_newest(demo):
    found = await rows(
        demo,
        "select o.id from orders o join stores s using (store_id) where s.name = 'commerce' "
        "and o.word = 'processing' order by o.created_at desc, o.id desc",
    )
    assert len(found) == 50
    assert [number for (number,) in found[:2]] == [123456789, 123456790]


async def test_the_orders_of_commerce_are_as_documented(demo: Database):
    first = await order_of(demo, "commerce", 123456789)
    assert total(first) == Decimal("150.75")
    assert first.customer.id == 98765
    assert first.created_at.isoformat() == "2023-10-27T10:30:00+00:00"
    assert first.updated_at.isoformat() == "2023-10-27T10:35:00+00:00"
    assert [(line.product_id, line.quantity, line.unit_price) for line in first.lines] == [
        (1, 2, 5000),
        (2, 1, 5075),
    ]
    second = await order_of(demo, "commerce", 123456790)
    assert total(second) == Decimal("75.00")
    assert second.shipping_address is None


async def test_basic_has_its_two_orders_first(demo: Database):
    found = await rows(
        demo,
        "select o.id, o.word, o.total from orders o join stores s using (store_id) "
        "where s.name = 'basic' order by o.id",
    )
    assert found == [(101, "shipped", 15075), (102, "created", 7500)]


async def test_the_marketplace_has_an_order_for_every_example(demo: Database):
    words = {
        number: (await order_of(demo, "marketplace", number)).word for number in range(789, 795)
    }
    assert words == {
        789: Word.COMPLETED,
        790: Word.PAID,
        791: Word.PAYMENT_PENDING,
        792: Word.PAID,
        793: Word.CREATED,
        794: Word.PAYMENT_PENDING,
    }
    completed = await order_of(demo, "marketplace", 789)
    assert completed.created_at.isoformat() == "2026-06-02T10:30:00+00:00"
    assert [(line.id, line.variant_id, line.state) for line in completed.lines] == [
        (1, 456, "fulfilled")
    ]


async def test_the_partner_has_its_one_order(demo: Database):
    order = await order_of(demo, "partner", 1)
    assert (order.partner_name, order.customer_reference) == ("RayTech Corp.", "CUST-1001")
    assert [(line.id, line.sku, line.product_name) for line in order.lines] == [
        (1, "BR-4001", "All Day IPA")
    ]
    assert total(order) == Decimal("10.99")
    assert order.customer.id >= 1_000_000_000_000


async def test_the_storefronts_order_adds_up(demo: Database):
    order = await order_of(demo, "storefront", 123456)
    assert total(order) == Decimal("89.46")
    assert [tax.amount for tax in order.totals.taxes] == [510, 340]
    assert order.number == 1001
    assert str(order.estimated_delivery) == "2023-03-20"
    assert [entry.word for entry in order.history] == [
        Word.CREATED,
        Word.PROCESSING,
        Word.SHIPPED,
        Word.COMPLETED,
    ]
    assert [entry.at.isoformat() for entry in order.history] == [
        "2023-03-15T14:30:00+00:00",
        "2023-03-15T14:35:00+00:00",
        "2023-03-16T10:00:00+00:00",
        "2023-03-16T10:45:00+00:00",
    ]
    assert order.payment is PaymentState.PAID
    assert (order.payments[0].card_brand, order.payments[0].card_last_four) == ("Visa", "4242")
    assert order.completed_at == order.updated_at


async def test_the_documented_order_is_the_newest_of_janes_five_on_five_days(demo: Database):
    found = await rows(
        demo,
        "select o.id, o.created_at::date from orders o where o.customer_id = 123456 "
        "order by o.created_at desc",
    )
    assert len({day for _, day in found}) == len(found) == 5
    assert found[0][0] == 123456


async def test_all_that_was_given_back_is_a_refund(demo: Database):
    given_back = await rows(
        demo, "select store_id, order_id, refunded from payments where refunded > 0 order by 1, 2"
    )
    refunds = await rows(demo, "select store_id, order_id, amount from refunds order by 1, 2")
    assert refunds == given_back != []


async def test_every_variant_has_ten_thousand_on_hand(demo: Database):
    assert await rows(demo, "select distinct on_hand from stock") == [(10_000,)]
    assert await rows(
        demo,
        "select count(*) from variants v left join stock s on s.variant_id = v.id "
        "and s.store_id = v.store_id where s.variant_id is null",
    ) == [(0,)]


async def test_filling_again_changes_nothing(demo: Database):
    before = await rows(demo, "select count(*), max(xmin::text::bigint) from orders")
    filled = await fill(demo, token)
    assert (filled.now, filled.here) == (False, True)
    assert await rows(demo, "select count(*), max(xmin::text::bigint) from orders") == before


async def test_a_database_with_other_stores_is_left_alone(database: Database, tmp_path: Path):
    await a_world(database, tmp_path)
    filled = await fill(database, token)
    assert (filled.now, filled.here) == (False, False)
    assert await rows(database, "select name from stores") == [("shop",)]


async def test_new_things_are_numbered_beyond_the_demo(database: Database):
    await fill(database, token)
    assert await rows(database, "select nextval('order_ids'), nextval('line_ids')") == [
        (123456801, 1000001)
    ]
    async with database.connection() as connection:
        storefront = await stores.find(connection, "storefront")
    assert storefront is not None
    assert await rows(
        database, "select nextval($1::text::regclass)", f"order_numbers_{storefront.id}"
    ) == [(1002,)]


async def test_two_servers_that_fill_at_once_fill_it_once(database: Database):
    filled = await asyncio.gather(*(fill(database, token) for _ in range(3)))
    assert sorted(one.now for one in filled) == [False, False, True]
    assert await rows(database, "select count(*) from stores") == [(5,)]
