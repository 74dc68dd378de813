"""Orders written straight into the tables, as many and as old as a report or an export needs."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from openorders.domain.order import Word
from tests.world import NOON, World

AXES = {
    Word.CREATED: ("placed", "none", "none", False),
    Word.PAYMENT_PENDING: ("placed", "pending", "none", True),
    Word.PAID: ("placed", "paid", "none", True),
    Word.PROCESSING: ("processing", "paid", "none", False),
    Word.SHIPPED: ("processing", "paid", "shipped", False),
    Word.DELIVERED: ("processing", "paid", "delivered", False),
    Word.COMPLETED: ("completed", "paid", "delivered", False),
    Word.CANCELLED: ("cancelled", "none", "none", False),
    Word.REFUNDED: ("completed", "refunded", "delivered", True),
}

_CUSTOMER = (
    "insert into customers (store_id, id, created_at) values ($1, $2, $3) on conflict do nothing"
)
_ORDER = (
    "insert into orders (store_id, id, number, customer_id, partner_name, currency, minor_digits,"
    " subtotal, discount, shipping, tax, total, progress, payment, fulfilment, payment_asked,"
    " notes, created_at, updated_at)"
    " values ($1, $2, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $10, $11, $12, $13, $14, $15, $15)"
)
_LINE = (
    "insert into order_lines (store_id, order_id, id, position, product_id, variant_id,"
    " product_name, unit_price, quantity, discount_share, state)"
    " values ($1, $2, $3::bigint, $4, $5, $5, 'a thing', $6, $7, $8, $9)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLine:
    variant: int
    unit_price: int
    quantity: int
    discount_share: int = 0
    state: str = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    id: int
    at: datetime
    word: Word = Word.CREATED
    customer: int = 5
    partner: str | None = None
    notes: str | None = None
    lines: tuple[PlacedLine, ...] = (PlacedLine(variant=1, unit_price=1000, quantity=1),)

    @property
    def live_lines(self) -> tuple[PlacedLine, ...]:
        """A cancelled order keeps its total; in others a cancelled line costs nothing."""
        if self.word is Word.CANCELLED:
            return self.lines
        return tuple(line for line in self.lines if line.state != "cancelled")

    @property
    def subtotal(self) -> int:
        return sum(line.unit_price * line.quantity for line in self.live_lines)

    @property
    def discount(self) -> int:
        return sum(line.discount_share for line in self.live_lines)

    @property
    def total(self) -> int:
        return self.subtotal - self.discount


def some_orders(
    count: int, seed: int, *, first: datetime = NOON, days: int = 400
) -> list[PlacedOrder]:
    """Orders of every word at times that favour the edges of days, in the order of their ids."""
    dice = random.Random(seed)  # noqa: S311 - the same orders at every run
    return [
        PlacedOrder(
            id=number,
            at=_some_time(dice, first, days),
            word=dice.choice(list(Word)),
            customer=dice.randint(1, 12),
            partner=dice.choice([None, None, "Barrel & Sons"]),
            lines=tuple(_some_line(dice) for _ in range(dice.randint(1, 4))),
        )
        for number in range(1, count + 1)
    ]


def _some_time(dice: random.Random, first: datetime, days: int) -> datetime:
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + timedelta(days=dice.randrange(days), minutes=30 * dice.randrange(48))
    return at + timedelta(microseconds=dice.choice([-1, 0, 0, 1, 12_345_678]))


def _some_line(dice: random.Random) -> PlacedLine:
    price, quantity = dice.choice([0, 1, 333, 999, 10_001]), dice.randint(1, 5)
    return PlacedLine(
        variant=dice.randint(1, 9),
        unit_price=price,
        quantity=quantity,
        discount_share=dice.randint(0, price * quantity),
        state=dice.choice(["pending", "verified", "fulfilled", "cancelled"]),
    )


async def write(world: World, orders: Sequence[PlacedOrder]) -> None:
    """Put the orders into the world's store."""
    store = world.store
    async with world.database.transaction() as tx:
        customers = {order.customer for order in orders}
        await tx.executemany(_CUSTOMER, [(store.id, customer, NOON) for customer in customers])
        await tx.executemany(
            _ORDER,
            [
                (
                    *(store.id, order.id, order.customer, order.partner),
                    *(store.currency, store.minor_digits),
                    *(order.subtotal, order.discount, order.total),
                    *AXES[order.word],
                    *(order.notes, order.at),
                )
                for order in orders
            ],
        )
        await tx.executemany(
            _LINE,
            [
                (
                    *(store.id, order.id, order.id * 10 + position, position, line.variant),
                    *(line.unit_price, line.quantity, line.discount_share, line.state),
                )
                for order in orders
                for position, line in enumerate(order.lines)
            ],
        )
