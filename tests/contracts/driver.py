"""How a contract's dialect asks for the verbs that all of them share.

A contract's `driver.py` fulfils this with its `DRIVER`; the shared journeys are then its own.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from openorders.contracts import ALL
from openorders.domain.order import Word
from tests.contracts.asking import Request


@dataclass(frozen=True, slots=True)
class Wanting:
    """A line of an order to place; each dialect names it by its product, its variant, or both."""

    product: int
    variant: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What every dialect shows of an order. `total` has the digits as they were sent."""

    order: int
    status: str
    total: str
    quantities: tuple[int, ...]


class Driver(Protocol):
    """One dialect. `told` is always the parsed body of an answer."""

    contract: str
    words: Mapping[Word, str]

    def place(self, lines: Sequence[Wanting], customer: int) -> Request:
        """A new order that is not paid yet."""
        ...

    def read(self, order: int) -> Request:
        """One order."""
        ...

    def listing(self) -> Request:
        """A page that holds every order of a store with a handful of them."""
        ...

    def move(self, order: int, to: Word) -> Request | None:
        """Bring an order to a word; None where the dialect has no such call or word."""
        ...

    def cancel(self, order: int) -> Request | None:
        """Cancel an order; None where the dialect has no such call."""
        ...

    def placed(self, told: Any) -> int:
        """The number of the order that was placed."""
        ...

    def shown(self, told: Any) -> Shown:
        """The order in the answer to `read`."""
        ...

    def listed(self, told: Any) -> tuple[int, ...]:
        """The numbers of the orders in the answer to `listing`."""
        ...

    def sentence(self, told: Any) -> str:
        """The sentence of a refusal; fails unless the body has the dialect's shape."""
        ...


def drivers() -> tuple[Driver, ...]:
    """The driver of every contract that has one; that all have is a test of its own."""
    modules = (f"tests.contracts.{contract.name}.driver" for contract in ALL)
    return tuple(
        importlib.import_module(name).DRIVER for name in modules if importlib.util.find_spec(name)
    )
