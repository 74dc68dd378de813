"""A store of a test's own: what it sells, who may call, and everything that is recorded of it."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from openorders.domain.access import Role
from openorders.domain.store_settings import Store
from openorders.store.database import Connection
from openorders.usecases.keep_keys import WantedKey, create_key
from openorders.usecases.keep_stores import apply_store, create_store
from tests.contracts.asking import Request, Told, ask
from tests.contracts.driver import Wanting
from tests.contracts.serving import Served

_numbers = itertools.count(1)

NO_KEY = ""
"""Asks without any credential."""

_PRODUCT = (
    "insert into products (store_id, id, name, default_variant_id, created_at)"
    " values ($1, $2, 'Product ' || $2::bigint, $3, now())"
)
_VARIANT = (
    "insert into variants (store_id, product_id, id, sku, price, available, updated_at)"
    " values ($1, $2, $3, 'SKU-' || $3::bigint, $4, $5, now())"
)
_STOCK = (
    "insert into stock (store_id, variant_id, on_hand) values ($1, $2, $3)",
    (
        "insert into stock_movements (store_id, kind, variant_ids, quantities, at)"
        " values ($1, 'receive', array[$2::bigint], array[$3::bigint], now())"
    ),
)


@dataclass(frozen=True, slots=True)
class Sold:
    """A product with its only variant. The numbers differ, so that mixing them up shows."""

    product: int
    variant: int

    def times(self, quantity: int) -> Wanting:
        """A line of an order for it."""
        return Wanting(self.product, self.variant, quantity)


@dataclass
class Shop:
    """One store. `admin` is the key that calls when a test names no other."""

    served: Served
    store: Store
    admin: str
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(11))

    async def key(
        self, role: Role, *, partner: str | None = None, customer: int | None = None
    ) -> str:
        """A new key of the store."""
        wanted = WantedKey(
            store=self.store.name, role=role, partner_name=partner, customer_id=customer
        )
        return (await create_key(self.served.services, wanted)).text

    async def decides(self, **settings: object) -> None:
        """Change the store's settings, as an operator's file would."""
        self.served.services.known.forget()
        await apply_store(self.served.services, {"name": self.store.name, **settings})

    async def sells(
        self, price: str = "25.00", *, stock: int = 10_000, available: bool = True
    ) -> Sold:
        """A new product of this price (in the store's currency) with so many on hand."""
        number = next(self._numbers)
        sold = Sold(number, number + 1000)
        named = (self.store.id, sold.product, sold.variant)
        minor = int(Decimal(price).scaleb(self.store.minor_digits))
        async with self.served.services.database.transaction() as tx:
            await tx.execute(_PRODUCT, *named)
            await tx.execute(_VARIANT, *named, minor, available)
            for statement in _STOCK:
                await tx.execute(statement, self.store.id, sold.variant, stock)
        return sold

    async def ask(
        self,
        contract: str,
        request: Request,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Told:
        """Send the request with a key (the admin's unless another is named)."""
        credential = self.admin if key is None else key
        sent = {"Authorization": f"Bearer {credential}"} if credential else {}
        return await ask(self.served.client, f"/{contract}", request, sent | dict(headers or {}))

    async def stock(self, sold: Sold) -> tuple[int, int]:
        """How many are on hand, and how many of those are promised."""
        async with self.served.services.database.connection() as connection:
            row = await connection.fetchrow(
                "select on_hand, reserved from stock where store_id = $1 and variant_id = $2",
                self.store.id,
                sold.variant,
            )
        assert row is not None
        return row["on_hand"], row["reserved"]

    async def everything(self) -> dict[str, str]:
        """A digest of all that is recorded of the store, table by table: equal when, and only
        when, nothing was changed.
        """
        async with self.served.services.database.connection() as connection:
            if not self.served.digest_sql:
                self.served.digest_sql = await _digest_sql(connection)
            rows = await connection.fetch(self.served.digest_sql, self.store.id)
        return {row["name"]: row["digest"] for row in rows}


async def _digest_sql(connection: Connection) -> str:
    """One statement over every table that belongs to stores."""
    tables = await connection.fetch(
        "select table_name from information_schema.columns"
        " where table_schema = 'public' and column_name = 'store_id'"
        " and table_name not in ('api_keys', 'stores')"
    )
    return " union all ".join(
        f"select '{table}' as name,"
        f" coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest"
        f" from {table} t where store_id = $1"
        for (table,) in tables
    )


async def open_shop(served: Served, **settings: object) -> Shop:
    """A new store with an admin key and nothing in it."""
    name = f"shop-{next(_numbers)}-{secrets.token_hex(4)}"
    document = {"name": name, "currency": "USD", **settings}
    store = await create_store(served.services, document)
    shop = Shop(served, store, "")
    shop.admin = await shop.key(Role.ADMIN)
    return shop
