"""The demo's storefront writes about its first new order and all that follow, never its past."""

from pathlib import Path

from openorders import demo
from openorders.domain.mails import AUTOMATIC
from openorders.store import stores
from openorders.store.database import Database
from openorders.usecases.send_mail import sweep_mails
from openorders.usecases.sequence_events import sequence
from openorders.usecases.write_mails import EVENTS_LIMIT, write_mails
from tests.world import World, a_world, wanted


async def test_the_demo_writes_about_what_is_new(database: Database, tmp_path: Path) -> None:
    await demo.fill(database, lambda: "token")
    world = await a_world(database, tmp_path / "mail")
    async with database.connection() as connection:
        shop = await stores.find(connection, "storefront")
    assert shop is not None
    assert shop.policy.mails.events == AUTOMATIC
    world.store = shop
    assert await followed(world) == []
    await world.placed(wanted(123456), customer=123456, payment_asked=True)
    assert await followed(world) == ["We have received your order MNKY-1002"]
    assert await sweep_mails(world.services) == 1


async def followed(world: World) -> list[str]:
    while await sequence(world.services):
        pass
    while await write_mails(world.services) == EVENTS_LIMIT:
        pass
    rows = await world.rows("select subject from mails where store_id = $1 order by id")
    return [row["subject"] for row in rows]
