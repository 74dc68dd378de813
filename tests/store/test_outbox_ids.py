"""What the feed's completeness stands on: whoever takes an id of the outbox is in sight already.

A gap between ids is given up once every transaction that was running is over. A transaction
without a number is not among those, so none may take an id before it has one.
"""

from pathlib import Path

import pytest

from openorders.demo import fill
from openorders.domain.order import Word
from openorders.store.database import Database
from openorders.usecases.advance_order import Advance, advance_order
from tests.world import World, a_world, told, wanted


@pytest.fixture
async def watched(database: Database, tmp_path: Path) -> World:
    """A world in which taking an id of the outbox without a transaction's number fails."""
    async with database.transaction() as tx:
        await tx.execute(
            """
            create sequence watched_ids;
            create function watched_id() returns bigint language plpgsql as $$
            begin
                if pg_current_xact_id_if_assigned() is null then
                    raise exception 'an id was taken out of sight';
                end if;
                return nextval('watched_ids');
            end $$;
            alter table outbox alter id drop identity;
            alter table outbox alter id set default watched_id();
            """
        )
    return await a_world(database, tmp_path / "mail")


@pytest.mark.parametrize("stock", [None, 10])
@pytest.mark.parametrize("key", [None, "key"])
async def test_placing_has_a_number_before_it_takes_an_id(
    watched: World, stock: int | None, key: str | None
) -> None:
    await watched.sells(1, stock=stock)
    await watched.sells(2, stock=stock)
    await watched.placed(wanted(1), wanted(2), ctx=watched.context(key=key))
    await watched.placed(wanted(2), wanted(1), ctx=watched.context(), payment_asked=True)
    assert len(await watched.rows("select id from outbox where store_id = $1")) == 3


async def test_changing_has_a_number_before_it_takes_an_id(watched: World) -> None:
    await watched.sells()
    order = await watched.placed()
    reply = told(lambda done: str(done.order.version))
    await advance_order(
        watched.context(), Advance(order_id=order.id, target=Word.PROCESSING), reply
    )
    assert len(await watched.rows("select id from outbox where store_id = $1")) == 2


async def test_the_demo_has_a_number_before_it_takes_an_id(watched: World) -> None:
    async with watched.database.transaction() as tx:
        await tx.execute("delete from stores")
    assert (await fill(watched.database, lambda: "token")).now
    async with watched.database.connection() as connection:
        assert await connection.fetchval("select count(*) from outbox") > 0
