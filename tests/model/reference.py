"""An order book of dictionaries: an independent opinion of what every request should do.

Written from the contracts' page alone. It shares no code with the product, knows no axes and no
database, and is as plain as it can be.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STEPS = [
    "created",
    "payment_pending",
    "paid",
    "processing",
    "shipped",
    "delivered",
    "completed",
]
GONE = STEPS.index("shipped")


@dataclass
class Placed:
    """One order as it should be."""

    word: str
    lines: list[tuple[int, int, int]]
    customer: int
    paid: bool = False
    words: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(price * quantity for _, quantity, price in self.lines)


@dataclass
class Book:
    """A store: what there is of each product, and every order."""

    prices: dict[int, int]
    on_hand: dict[int, int]
    reserved: dict[int, int] = field(default_factory=dict)
    orders: dict[int, Placed] = field(default_factory=dict)

    def is_short(self, lines: list[tuple[int, int]]) -> bool:
        """Whether there is too little of something, added up over the lines."""
        wanted: dict[int, int] = {}
        for product, quantity in lines:
            wanted[product] = wanted.get(product, 0) + quantity
        return any(
            quantity > self.on_hand[product] - self.reserved.get(product, 0)
            for product, quantity in wanted.items()
        )

    def place(self, number: int, lines: list[tuple[int, int]], customer: int, word: str) -> None:
        for product, quantity in lines:
            self.reserved[product] = self.reserved.get(product, 0) + quantity
        priced = [(product, quantity, self.prices[product]) for product, quantity in lines]
        words = ["created"] if word == "created" else ["created", word]
        self.orders[number] = Placed(word, priced, customer, words=words)

    def can_move(self, number: int, to: str) -> bool:
        """Whether an order can come from where it is to another word."""
        order = self.orders[number]
        if order.word == "cancelled":
            return False
        if to == "refunded":
            return order.paid and order.word != "refunded"
        if to == "cancelled":
            return order.word == "refunded" or STEPS.index(order.word) < GONE
        if order.word == "refunded":
            return False
        return STEPS.index(to) > STEPS.index(order.word)

    def move(self, number: int, to: str) -> None:
        order = self.orders[number]
        gone = order.word in STEPS[GONE:]
        if to == "cancelled":
            self._free(order)
        elif to in STEPS[GONE:] and not gone:
            self._free(order)
            for product, quantity, _ in order.lines:
                self.on_hand[product] -= quantity
        if to == "paid":
            order.paid = True
        order.word = to
        order.words.append(to)

    def _free(self, order: Placed) -> None:
        for product, quantity, _ in order.lines:
            self.reserved[product] -= quantity
