"""Made-up orders as lines of COPY, a text per table, ready to be sent.

A row is written by hand, column for column in the order of `COLUMNS`: this is where the time of
making a million orders goes. Amounts are minor units; texts hold nothing that COPY would escape.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from time import gmtime, strftime
from typing import Final

from bench import orders_words as words
from bench.orders_drawn import DAY, PRODUCTS, Past, Plan
from openorders.domain.money import split

_COLUMNS: Final = {
    "orders": "store_id id number customer_id partner_name customer_reference currency"
    " minor_digits subtotal discount shipping tax total taxes discount_code progress payment"
    " fulfilment payment_asked shipping_method estimated_delivery shipping_address"
    " billing_address payment_method payment_gateway payment_token notes shipment cancellation"
    " created_at updated_at completed_at version",
    "order_lines": "store_id order_id id position product_id variant_id product_name"
    " variant_name sku image unit_price quantity discount_share tax_shares state",
    "order_history": "store_id order_id position word actor contract at",
    "stock_movements": "store_id kind order_id variant_ids quantities at",
    "payments": "store_id id order_id gateway method amount currency state captured refunded"
    " reference card_brand card_last_four decline_code created_at settled_at",
    "payment_operations": "store_id id payment_id order_id kind amount state reason reference"
    " failure refund_id actor contract due_at created_at settled_at",
    "refunds": "store_id id order_id amount shipping goodwill reason restock actor contract"
    " created_at",
    "refund_lines": "store_id refund_id order_id line_id quantity amount returned restocked",
    "sandbox_charges": "store_id id gateway order_id amount currency captured refunded card_brand"
    " card_last_four at",
    "told": "store_id order_id version type payload at",
    "idempotency_keys": "store_id digest fingerprint status headers body claimed_at",
}
COLUMNS: Final = {table: names.split() for table, names in _COLUMNS.items()}
"""What is copied; `told` is on its way to the outbox."""

CURRENCY: Final = "USD"
DISCOUNT_CODE: Final = "WELCOME10"
TAX: Final = ("Sales Tax", "0.06", 6)
SHIPPING: Final = (("standard", 499, 5), ("express", 1299, 2))
LINES_MAX: Final = 8
_SPREAD: Final = 0x9E3779B97F4A7C15F39CC0605CEDC835

CUSTOMER_IDS: Final = 1_000_000_000_000
"""Numbers of customers that we give begin above it."""

_OWN_CUSTOMERS: Final = 20
"""One customer in so many is known to us by somebody else's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The store, and the last numbers that are taken: ours begin above."""

    store: int
    order: int = 0
    line: int = 0
    payment: int = 0
    operation: int = 0
    refund: int = 0
    charge: int = 0
    customer: int = CUSTOMER_IDS

    def customer_id(self, customer: int) -> int:
        """A customer's number: the client's own, or ours for who came with another name."""
        return self.customer + customer + 1 if is_identity(customer) else customer + 1


def is_identity(customer: int) -> bool:
    """Whether somebody else's name for the customer is registered."""
    return customer % _OWN_CUSTOMERS == _OWN_CUSTOMERS - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What is sold, as lines show it."""

    id: int
    product: int
    product_name: str
    name: str | None
    sku: str
    price: int


@cache
def variant(number: int) -> Variant:
    """The variant of that number, the same in every shop."""
    product = number if number <= PRODUCTS else (number - PRODUCTS) * 2
    quality = words.QUALITIES[product * 7 % len(words.QUALITIES)]
    thing = words.THINGS[product * 11 % len(words.THINGS)]
    several = product % 2 == 0
    return Variant(
        id=number,
        product=product,
        product_name=f"{quality} {thing} {product}",
        name=words.SIZES[number % len(words.SIZES)] if several else None,
        sku=f"{thing[:3].upper()}-{product:04d}" + (f"-{number % 7}" if several else ""),
        price=499 + (number * 7919 % 240) * 100,
    )


@lru_cache(maxsize=10_000)
def customer_name(customer: int) -> tuple[str, str]:
    """A name and an address of mail."""
    first = words.FIRST_NAMES[customer % len(words.FIRST_NAMES)]
    last = words.LAST_NAMES[customer // 7 % len(words.LAST_NAMES)]
    return f"{first} {last}", f"{first.lower()}.{last.lower()}{customer}@example.com"


_CLOCK: Final = tuple(f"{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}" for n in range(DAY))


@cache
def day(number: int) -> str:
    """A day as `2026-01-31`, by its number since 1970."""
    return strftime("%Y-%m-%d", gmtime(number * DAY))


def moment(at: int) -> str:
    """A time as COPY reads it."""
    return f"{day(at // DAY)} {_CLOCK[at % DAY]}+00"


def in_json(at: int) -> str:
    """A time as our JSON has it."""
    return f'"{day(at // DAY)}T{_CLOCK[at % DAY]}Z"'


@dataclass(slots=True, kw_only=True)
class Costs:
    """What an order came to, and each line's part in it."""

    prices: list[int]
    subtotal: int
    discount: int
    shipping: int
    method: tuple[str, int, int] | None
    tax: int
    taxed: bool
    discounts: tuple[int, ...]
    taxes: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + self.shipping + self.tax

    def share(self, n: int, quantity: int) -> int:
        """What a line adds to the total."""
        return self.prices[n] * quantity - self.discounts[n] + self.taxes[n]


def costs_of(plan: Plan, past: Past) -> Costs:
    """Prices rise by two in a hundred a year, up to the catalogue's."""
    aged = 100 - 2 * ((plan.until - past.at) // (365 * DAY))
    prices = [variant(number).price * aged // 100 for number, _ in past.lines]
    worth = [price * quantity for price, (_, quantity) in zip(prices, past.lines, strict=True)]
    subtotal = sum(worth)
    dice = int(past.dice * 1_000_000)
    discount = (subtotal + 5) // 10 if dice % 10 == 0 else 0
    method = None if dice % 7 == 0 else SHIPPING[dice % 11 == 0]
    taxed = past.partner is None and dice % 3 != 0
    tax = (subtotal * TAX[2] + 50) // 100 if taxed else 0
    nothing = (0,) * len(worth)
    return Costs(
        prices=prices,
        subtotal=subtotal,
        discount=discount,
        shipping=method[1] if method else 0,
        method=method,
        tax=tax,
        taxed=taxed,
        discounts=split(discount, worth) if discount else nothing,
        taxes=split(tax, worth) if taxed else nothing,
    )


def states_of(past: Past) -> tuple[str, str, str]:
    """Progress, payment and fulfilment, as the product would have it."""
    if past.has("cancelled"):
        progress = "cancelled"
    elif past.has("completed"):
        progress = "completed"
    else:
        progress = "processing" if past.has("processing") else "placed"
    if past.has("refunded"):
        payment = "refunded" if past.refund == "all" else "part_refunded"
    elif past.has("paid"):
        payment = "paid"
    elif past.declined_at:
        payment = "failed"
    else:
        payment = "pending" if past.asked else "none"
    fulfilment = "delivered" if past.has("delivered") else "shipped"
    return progress, payment, fulfilment if past.has("shipped") else "none"


def line_state(past: Past) -> str:
    """What became of every line of an order."""
    if past.has("cancelled"):
        return "cancelled"
    if past.has("shipped"):
        return "fulfilled"
    return "verified" if past.has("processing") and past.place % 3 == 0 else "pending"


def token(place: int, seed: int) -> str:
    """As long as a real one; nobody is to be kept out of a made-up order."""
    return f"{(place + 1) * (2 * seed + 1) * _SPREAD % (1 << 128):032x}"
