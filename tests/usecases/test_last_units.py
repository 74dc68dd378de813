"""The last units of a hot product, while others give theirs back at the same moment."""

import asyncio
import random
from pathlib import Path

from openorders.domain.ids import OrderId
from openorders.domain.refusals import Refused
from openorders.store.database import Database
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.place_order import place_order
from tests.world import World, a_world, an_order_for, told, told_the_id, wanted

PLENTY, LAST_UNITS, CHEAP = 1, 2, 3


async def test_units_that_are_given_back_meanwhile_are_sold_without_a_fault(
    database: Database, tmp_path: Path
) -> None:
    """A check of the table is made on the row as the statement's snapshot has it, before the row
    as it was locked is looked at; no such check may fail.
    """
    world = await a_world(database, tmp_path / "mail")
    await world.sells(PLENTY, price=1000)
    await world.sells(LAST_UNITS, price=750, stock=5)
    await world.sells(CHEAP, price=35)
    todo, kept = iter(range(300)), []

    async def buyer() -> None:
        for number in todo:
            order = await _bought(world, number)
            if order is not None:
                kept.append(order)

    await asyncio.gather(*(buyer() for _ in range(16)))
    on_hand, reserved = await world.stock(LAST_UNITS)
    held = [(await world.order(order)).lines for order in kept]
    lines = [line for order in held for line in order if line.variant_id == LAST_UNITS]
    assert (on_hand, reserved) == (5, len(lines))


async def _bought(world: World, number: int) -> OrderId | None:
    """An order that was placed and kept; most are cancelled at once, or find nothing left."""
    chance = random.Random(number)  # noqa: S311 - to be repeated, not unguessable
    lines = [wanted(PLENTY, chance.randint(1, 3)), wanted(CHEAP)]
    if chance.random() < 0.6:
        lines.append(wanted(LAST_UNITS))
    try:
        answer = await place_order(world.context(), an_order_for(*lines), told_the_id())
    except Refused:
        return None
    order = OrderId(int(answer.body))
    if chance.random() < 0.95:
        await cancel_order(world.context(), Cancel(order_id=order), told(lambda _: ""))
        return None
    return order
