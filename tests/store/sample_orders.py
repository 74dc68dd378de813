"""A small order book with every kind of value in it, for trying searches on PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg

from openorders.store.criteria import Statement
from tests.store.criteria_model import SampleLine, SampleOrder

STORE, OTHER_STORE = 1, 2
WORDS = (
    "created",
    "payment_pending",
    "paid",
    "processing",
    "shipped",
    "delivered",
    "completed",
    "cancelled",
    "refunded",
)
STATES = ("pending", "verified", "fulfilled", "cancelled")
CURRENCIES = (("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("EUR", 2))
TEXTS = (None, "credit_card", "Credit_Card", "100%", "it's", "", "a_b%c\\", "中文", "\U0001f600!")
PARTNERS = (None, "Barrel & Sons", "O'Hara", "barrel & sons")
TOTALS = (0, 1, 7500, 7501, 9999, 10_000, 123_456_789)
TIMES = (
    datetime(2023, 10, 27, 10, 30, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 2, 28, 13, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 6, 2, 10, 30, 0, 500_000, tzinfo=UTC),
)
IDS = (1, 2, 5, 9, 10, 19, 50, 51, 99, 100, 789, 790, 1009, 10**12, 2**62)


def _order(number: int, order_id: int) -> SampleOrder:
    currency, digits = CURRENCIES[number % len(CURRENCIES)]
    created_at = TIMES[number % len(TIMES)]
    lines = tuple(
        SampleLine(
            id=position + 1,
            variant_id=(456, 457, 7, 70)[(number + position) % 4],
            unit_price=(9999, 500, 0, 7500, 1)[(number * 2 + position) % 5],
            quantity=(1, 2, 5, 10)[(number + 2 * position) % 4],
            state=STATES[(number + position) % 4],
        )
        for position in range(number % 4)
    )
    return SampleOrder(
        id=order_id,
        customer_id=(1, 10, 12, 123, 999_999_999_999)[number % 5],
        word=WORDS[number % len(WORDS)],
        total=TOTALS[number * 3 % len(TOTALS)],
        currency=currency,
        minor_digits=digits,
        payment_method=TEXTS[number % len(TEXTS)],
        partner_name=PARTNERS[number // 2 % len(PARTNERS)],
        created_at=created_at,
        updated_at=created_at + timedelta(seconds=number % 3),
        lines=lines,
    )


ORDERS = tuple(_order(number, order_id) for number, order_id in enumerate(IDS)) + tuple(
    _order(number + 7, 2000 + number) for number in range(30)
)
ORDERS = tuple(sorted(ORDERS, key=lambda order: order.id))

_AXES = {
    "created": ("placed", "none", "none", False),
    "payment_pending": ("placed", "pending", "none", True),
    "paid": ("placed", "paid", "none", True),
    "processing": ("processing", "paid", "none", False),
    "shipped": ("processing", "paid", "shipped", False),
    "delivered": ("processing", "paid", "delivered", False),
    "completed": ("completed", "paid", "delivered", False),
    "cancelled": ("cancelled", "none", "none", False),
    "refunded": ("placed", "refunded", "none", False),
}


class OrderBook:
    """The sample orders on one connection, asked as the server asks: with generic plans."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._connection = self._runner.run(
            asyncpg.connect(
                url,
                server_settings={"plan_cache_mode": "force_generic_plan"},
                statement_cache_size=0,
            )
        )

    def close(self) -> None:
        self._runner.run(self._connection.close())
        self._runner.close()

    def ids(self, statement: Statement) -> list[int]:
        return [row[0] for row in self.rows(statement)]

    def rows(self, statement: Statement) -> list[asyncpg.Record]:
        return self._runner.run(self._connection.fetch(statement.sql, *statement.parameters))

    def plan(self, statement: Statement) -> str:
        explain = Statement(f"explain {statement.sql}", statement.parameters)
        return "\n".join(row[0] for row in self.rows(explain))

    def execute(self, sql: str) -> None:
        self._runner.run(self._connection.execute(sql))

    def fill(self) -> None:
        self._runner.run(self._fill())

    async def _fill(self) -> None:
        at = TIMES[0]
        stores = [(store, f"store {store}", "USD", 2, at) for store in (STORE, OTHER_STORE)]
        customers = {(STORE, order.customer_id, at) for order in ORDERS} | {(OTHER_STORE, 1, at)}
        elsewhere = _order(3, 5)
        orders = [_order_row(STORE, order) for order in ORDERS]
        orders.append((*_order_row(OTHER_STORE, elsewhere)[:3], 1, *_order_row(0, elsewhere)[4:]))
        lines = [_line_row(order, line) for order in ORDERS for line in order.lines]
        insert = self._connection.executemany
        await insert(
            "insert into stores (store_id, name, currency, minor_digits, created_at)"
            " values ($1, $2, $3, $4, $5)",
            stores,
        )
        await insert(
            "insert into customers (store_id, id, created_at) values ($1, $2, $3)", customers
        )
        await insert(
            "insert into orders (store_id, id, number, customer_id, partner_name, currency,"
            " minor_digits, subtotal, discount, shipping, tax, total, progress, payment,"
            " fulfilment, payment_asked, payment_method, created_at, updated_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, $8, $9, $10, $11, $12, $13,"
            " $14, $15)",
            orders,
        )
        await insert(
            "insert into order_lines (store_id, order_id, id, position, product_id, variant_id,"
            " product_name, unit_price, quantity, state)"
            " values ($1, $2, $3::bigint, $3::bigint, 1, $4, 'a thing', $5, $6, $7)",
            lines,
        )


def _order_row(store: int, order: SampleOrder) -> tuple[object, ...]:
    return (
        store,
        order.id,
        order.id,
        order.customer_id,
        order.partner_name,
        order.currency,
        order.minor_digits,
        order.total,
        *_AXES[order.word],
        order.payment_method,
        order.created_at,
        order.updated_at,
    )


def _line_row(order: SampleOrder, line: SampleLine) -> tuple[object, ...]:
    return (
        STORE,
        order.id,
        line.id,
        line.variant_id,
        line.unit_price,
        line.quantity,
        line.state,
    )
