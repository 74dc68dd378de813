"""Steps that every dialect shares, said through a driver."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from openorders.domain.order import Word
from tests.contracts.asking import Request, Told
from tests.contracts.driver import Driver, Shown, Wanting, drivers
from tests.contracts.shop import Shop

DRIVERS = drivers()
CUSTOMER = 4711


def _name(one: Driver | Word) -> str:
    return one.value if isinstance(one, Word) else one.contract


each_driver = pytest.mark.parametrize("driver", DRIVERS, ids=_name)
each_pair = pytest.mark.parametrize(
    ("here", "there"), list(itertools.product(DRIVERS, DRIVERS)), ids=_name
)


def can_move(to: Word) -> list[Driver]:
    """The dialects in which an order can be brought to the word."""
    return [driver for driver in DRIVERS if driver.move(1, to) is not None]


def can_cancel() -> list[Driver]:
    """The dialects that have a call for it."""
    return [driver for driver in DRIVERS if driver.cancel(1) is not None]


LATER = (Word.PROCESSING, Word.SHIPPED, Word.DELIVERED, Word.COMPLETED)

each_mover = pytest.mark.parametrize(
    ("driver", "to"),
    [(driver, to) for to in LATER for driver in can_move(to)],
    ids=_name,
)
each_canceller = pytest.mark.parametrize("driver", can_cancel(), ids=_name)


def wanted(request: Request | None) -> Request:
    """The request, where the dialect is known to have it."""
    assert request is not None
    return request


async def place(shop: Shop, driver: Driver, lines: Sequence[Wanting], **how: Any) -> int:
    """Place an order and say its number."""
    told = await shop.ask(driver.contract, driver.place(lines, CUSTOMER), **how)
    assert told.status == 201, told
    return driver.placed(told.json)


async def show(shop: Shop, driver: Driver, order: int, **how: Any) -> Shown:
    """What the dialect shows of the order."""
    told = await shop.ask(driver.contract, driver.read(order), **how)
    assert told.status == 200, told
    return driver.shown(told.json)


async def move(shop: Shop, order: int, to: Word, driver: Driver | None = None) -> None:
    """Bring the order to the word, through the first dialect that can unless one is named."""
    mover = driver or can_move(to)[0]
    told = await shop.ask(mover.contract, wanted(mover.move(order, to)))
    assert told.status == 200, told


async def refused(shop: Shop, driver: Driver, request: Request, **how: Any) -> Told:
    """The answer to a request that is refused in the dialect's shape and changes nothing."""
    before = await shop.everything()
    told = await shop.ask(driver.contract, request, **how)
    assert 400 <= told.status < 500, told
    assert driver.sentence(told.json)
    assert await shop.everything() == before
    return told
