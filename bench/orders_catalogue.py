"""The made-up shop itself: its settings, its customers, what it sells and has in stock."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from bench.orders_drawn import DAY, PRODUCTS, VARIANTS, Plan
from bench.orders_rows import (
    CURRENCY,
    DISCOUNT_CODE,
    SHIPPING,
    TAX,
    Numbers,
    customer_name,
    is_identity,
    variant,
)
from openorders.domain.ids import StoreId, VariantId
from openorders.domain.store_settings import (
    DiscountCode,
    GatewaySettings,
    ShippingMethod,
    Store,
    StorePolicy,
    TaxRate,
)
from openorders.store import bulk, stores
from openorders.store.bulk import Movement, StockedVariant
from openorders.store.database import Connection

ON_HAND: Final = 1_000_000_000
"""Of every variant, after all that was sold: nobody who measures runs out."""

ISSUER: Final = "https://id.example.com"
_BLOCK: Final = 50_000
_MOVED: Final = """
select u.variant_id,
    sum(case m.kind when 'ship' then u.quantity when 'return' then -u.quantity else 0 end)::bigint
        as gone,
    sum(case m.kind when 'reserve' then u.quantity when 'return' then 0 else -u.quantity
        end)::bigint as reserved
from stock_movements m, unnest(m.variant_ids, m.quantities) as u (variant_id, quantity)
where m.store_id = $1
group by u.variant_id
"""


async def open_store(connection: Connection, name: str, plan: Plan) -> StoreId:
    """A store with a tax, two ways of shipping, a discount, cards and bank transfers."""
    policy = StorePolicy(
        taxes=(TaxRate(name=TAX[0], rate=Decimal(TAX[1])),),
        shipping_methods=tuple(
            ShippingMethod(code=code, cost=cost, days=days) for code, cost, days in SHIPPING
        ),
        discount_codes=(DiscountCode(code=DISCOUNT_CODE, percent=Decimal(10)),),
        gateways=(GatewaySettings(name="sandbox"), GatewaySettings(name="manual", kind="manual")),
    )
    store = Store(id=StoreId(0), name=name, currency=CURRENCY, policy=policy)
    return await stores.create(connection, store, _opened_at(plan))


async def add_customers(connection: Connection, numbers: Numbers, plan: Plan) -> None:
    """Everybody who may order, in blocks; they came over from an older shop."""
    for first in range(0, plan.customers, _BLOCK):
        block = range(first, min(plan.customers, first + _BLOCK))
        await connection.copy_records_to_table(
            "customers",
            records=[_customer(numbers, plan, n) for n in block],
            columns=["store_id", "id", "name", "email", "created_at"],
        )
        await connection.copy_records_to_table(
            "customer_identities",
            records=[_identity(numbers, n) for n in block if is_identity(n)],
            columns=["store_id", "issuer", "subject", "customer_id"],
        )


async def add_catalogue(connection: Connection, numbers: Numbers, plan: Plan) -> None:
    """The catalogue, with a stock that fits the movements that were copied in."""
    store_id = StoreId(numbers.store)
    moved = {
        row["variant_id"]: (row["gone"], row["reserved"])
        for row in await connection.fetch(_MOVED, numbers.store)
    }
    sold = [variant(number) for number in range(1, VARIANTS + 1)]
    variants = [
        StockedVariant(
            id=VariantId(one.id),
            product_id=one.product,
            name=one.name,
            sku=one.sku,
            image=None,
            price=one.price,
            available=True,
            on_hand=ON_HAND,
            reserved=moved.get(one.id, (0, 0))[1],
        )
        for one in sold
    ]
    names = {one.product: one.product_name for one in sold[:PRODUCTS]}
    await bulk.add_catalogue(connection, store_id, names, variants, _opened_at(plan))
    received = Movement(
        kind="receive",
        order_id=None,
        variant_ids=tuple(one.id for one in variants),
        quantities=tuple(ON_HAND + moved.get(one.id, (0, 0))[0] for one in variants),
        at=_opened_at(plan),
    )
    await bulk.add_movements(connection, store_id, [received])


def _opened_at(plan: Plan) -> datetime:
    return datetime.fromtimestamp(plan.begins - DAY, UTC)


def _customer(numbers: Numbers, plan: Plan, customer: int) -> tuple[object, ...]:
    name, email = customer_name(customer)
    since = datetime.fromtimestamp(plan.begins - DAY - customer % 365 * DAY, UTC)
    return (numbers.store, numbers.customer_id(customer), name, email, since)


def _identity(numbers: Numbers, customer: int) -> tuple[object, ...]:
    customer_id = numbers.customer_id(customer)
    return (numbers.store, ISSUER, f"user-{customer * 7919 % 10**9:09d}", customer_id)
