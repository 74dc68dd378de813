"""Fill a fresh database with the demo, all of it or nothing, and leave one in use alone."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from msgspec.structs import replace

from openorders.demo.files import STORES, CustomerFile, StoreFile, load
from openorders.demo.replay import Past, Shop, replay
from openorders.domain.change import MoveKind
from openorders.domain.customer import Customer, Identity
from openorders.domain.ids import CustomerId, StoreId, VariantId
from openorders.domain.money import from_decimal
from openorders.domain.order import Order
from openorders.domain.payment import Payment
from openorders.domain.store_settings import Store
from openorders.store import access, bulk, mails, placing, stores
from openorders.store.bulk import Movement, ReservedIds, StockedVariant
from openorders.store.database import Connection, Database
from openorders.usecases import store_file
from openorders.usecases.admit_callers import digest_of

LAST_IDS: Final = {
    "order_ids": 123_456_800,
    "line_ids": 1_000_000,
    "product_ids": 1_000_000,
    "variant_ids": 1_000_000,
}
"""What is new after the demo is numbered above these, beyond everything the demo holds."""

_BEFORE_THE_FIRST_ORDER: Final = timedelta(days=1)
_CHARGED: Final = ("charged", "paid")


async def fill_all(database: Database, token: Callable[[], str]) -> bool:
    """Fill the demo in; False, and nothing done, when there is a store by now."""
    async with database.transaction() as connection:
        await bulk.take_turn(connection)
        if await stores.all_stores(connection):
            return False
        files = [load(name) for name in STORES]
        charges = sum(
            step.to in _CHARGED for file in files for order in file.orders for step in order.steps
        )
        payment_ids = iter(await bulk.reserve_ids(connection, charges))
        for file in files:
            await _fill_store(connection, file, payment_ids, token)
        await bulk.begin_ids_after(connection, LAST_IDS)
    return True


async def _fill_store(
    connection: Connection,
    file: StoreFile,
    payment_ids: Iterator[ReservedIds],
    token: Callable[[], str],
) -> None:
    opened_at = min(order.at for order in file.orders) - _BEFORE_THE_FIRST_ORDER
    store = await _open_store(connection, file, opened_at)
    shop = Shop(
        store=store,
        contract=file.contract,
        customers=await _register(connection, store.id, file, opened_at),
        variants={
            variant.id: (product, variant)
            for product in file.products
            for variant in product.variants
        },
        line_ids=count(1),
        payment_ids=payment_ids,
        token=token,
    )
    pasts = [replay(shop, order) for order in file.orders]
    await _stock_up(connection, shop, file, pasts, opened_at)
    orders = [past.order for past in pasts]
    await bulk.add_orders(connection, store.id, orders)
    await bulk.add_payments(
        connection,
        store.id,
        list(_payments(pasts)),
        [operation for past in pasts for operation in past.operations],
    )
    told = sorted((told for past in pasts for told in past.told), key=lambda one: one.at)
    await bulk.add_events(connection, store.id, told)
    if store.policy.mails.events:
        await mails.follow(connection, store.id, anew=True)  # nobody is written to about the past
    last = max(order.number for order in orders)
    await bulk.begin_order_numbers_after(connection, store.id, last)


async def _open_store(connection: Connection, file: StoreFile, opened_at: datetime) -> Store:
    blank = Store(id=StoreId(0), name="", currency="USD")
    store = store_file.read(file.store, blank)
    store = replace(store, id=await stores.create(connection, store, opened_at))
    for key in file.keys:
        await access.create_key(
            connection,
            store.id,
            digest_of(key.key),
            key.role,
            opened_at,
            customer_id=None if key.customer_id is None else CustomerId(key.customer_id),
            label=key.label,
        )
    return store


async def _register(
    connection: Connection, store_id: StoreId, file: StoreFile, now: datetime
) -> dict[int | None, Customer]:
    """The store's customers by their numbers; the one with somebody else's name under None."""
    numbered = [_customer(one, one.id) for one in file.customers if one.id is not None]
    await bulk.add_customers(connection, store_id, numbered, now)
    customers: dict[int | None, Customer] = {one.id: one for one in numbered}
    for one in file.customers:
        if one.issuer is not None and one.subject is not None:
            named = Identity(issuer=one.issuer, subject=one.subject, name=one.name)
            customers[None] = await placing.register_identity(connection, store_id, named, now)
    return customers


def _customer(written: CustomerFile, number: int) -> Customer:
    return Customer(id=CustomerId(number), name=written.name, email=written.email)


async def _stock_up(
    connection: Connection, shop: Shop, file: StoreFile, pasts: list[Past], opened_at: datetime
) -> None:
    """The catalogue, with as much on hand as the file says after all that was shipped."""
    moved = [movement for past in pasts for movement in past.moves]
    shipped, reserved = _sums(moved)
    variants = [
        StockedVariant(
            id=VariantId(variant.id),
            product_id=product.id,
            name=variant.name,
            sku=variant.sku,
            image=variant.image,
            price=from_decimal(variant.price, shop.store.minor_digits) or 0,
            available=variant.available,
            on_hand=variant.on_hand,
            reserved=reserved.get(variant.id, 0),
        )
        for product in file.products
        for variant in product.variants
    ]
    names = {product.id: product.name for product in file.products}
    await bulk.add_catalogue(connection, shop.store.id, names, variants, opened_at)
    received = Movement(
        kind=MoveKind.RECEIVE.value,
        order_id=None,
        variant_ids=tuple(one.id for one in variants),
        quantities=tuple(one.on_hand + shipped.get(one.id, 0) for one in variants),
        at=opened_at,
    )
    moved.sort(key=lambda movement: movement.at)
    await bulk.add_movements(connection, shop.store.id, [received, *moved])


def _sums(moved: list[Movement]) -> tuple[dict[int, int], dict[int, int]]:
    """How much of each variant was shipped, and how much is still promised."""
    shipped: dict[int, int] = {}
    reserved: dict[int, int] = {}
    for movement in moved:
        sign = 1 if movement.kind == MoveKind.RESERVE else -1
        for variant_id, quantity in zip(movement.variant_ids, movement.quantities, strict=True):
            reserved[variant_id] = reserved.get(variant_id, 0) + sign * quantity
            if movement.kind == MoveKind.SHIP:
                shipped[variant_id] = shipped.get(variant_id, 0) + quantity
    return shipped, reserved


def _payments(pasts: list[Past]) -> Iterator[tuple[Order, Payment, int]]:
    for past in pasts:
        if past.ids is not None:
            yield past.order, past.order.payments[0], past.ids.sandbox_id
