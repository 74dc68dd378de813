"""The feed of events: complete, in order, in pages and live."""

from openorders.domain.access import Role
from openorders.domain.events import EventType
from openorders.usecases.read_events import read_events
from openorders.usecases.sequence_events import sequence
from tests.world import World


async def test_an_event_is_in_the_feed_once_it_has_a_position(world: World) -> None:
    await world.sells()
    ctx = world.context(world.caller(Role.ADMIN))
    empty = await read_events(ctx, None, 10)
    assert (empty.events, empty.next, empty.more) == ((), 0, False)
    order = await world.placed()
    assert (await read_events(ctx, empty.next, 10)).events == ()

    assert await sequence(world.services) == 1

    page = await read_events(ctx, empty.next, 10)
    [event] = page.events
    assert (event.type, event.order_id, event.version) == (EventType.ORDER_CREATED, order.id, 1)
    assert (event.position, page.next, page.more) == (1, 1, False)
    assert event.order.lines == order.lines
