"""A list is of its caller's orders, and so is its total, whichever way it was come by."""

from pathlib import Path

import pytest

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId
from openorders.domain.narrowing import WORDS
from openorders.domain.search import (
    EVERYTHING,
    Column,
    Expression,
    Field,
    Not,
    Or,
    Page,
    Search,
    SortKey,
    with_words,
)
from openorders.store.database import Database
from openorders.usecases.context import Context
from openorders.usecases.read_orders import list_orders, stream_orders
from tests.world import World, a_world, wanted

CREATED = with_words({"created"})
SAID = (EVERYTHING, CREATED, with_words(WORDS), Or(terms=(CREATED, Not(term=CREATED))))
"""All orders of these tests, said in ways for which a store's whole number is kept ready."""


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = await a_world(database, tmp_path)
    await world.sells(1)
    for customer in (1, 2, 2, 2, 3):
        await world.placed(wanted(1), customer=customer)
    await world.row(
        "update orders set partner_name = 'acme' where store_id = $1 and customer_id = 3"
    )
    return world


async def expect(ctx: Context, criteria: Expression, count: int) -> None:
    for field in (Field.ID, Field.CREATED_AT, Field.UPDATED_AT, Field.TOTAL):
        sort = (SortKey(key=Column(field=field), descending=True),)
        for page in (Page(limit=1), Page(limit=20), Page(limit=0), Page(limit=1, offset=5_000)):
            found = await list_orders(ctx, Search(criteria=criteria, sort=sort, page=page))
            assert found.total == count
            assert len(found.orders) == max(0, min(page.limit, count - page.offset))
    async with stream_orders(ctx, Search(criteria=criteria)) as stream:
        assert stream.count == len([order async for order in stream.orders]) == count


@pytest.mark.parametrize("criteria", SAID)
async def test_nobody_is_told_how_many_orders_others_have(
    world: World, criteria: Expression
) -> None:
    for customer, count in ((1, 1), (2, 3), (9, 0)):
        caller = world.caller(Role.CUSTOMER, customer_id=CustomerId(customer))
        await expect(world.context(caller), criteria, count)
    for partner, count in (("acme", 1), ("nobody", 0)):
        caller = world.caller(Role.PARTNER, partner_name=partner)
        await expect(world.context(caller), criteria, count)


@pytest.mark.parametrize("criteria", SAID)
async def test_who_sees_all_is_told_of_all(world: World, criteria: Expression) -> None:
    for role in (Role.ADMIN, Role.SERVICE):
        await expect(world.context(world.caller(role)), criteria, 5)
