"""Orders of one store that are asked for at the same time, read with one statement.

For who only shows them. Whoever changes an order reads it in the transaction that does. Knows
nothing of who may see what: each caller is asked about afterwards.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from openorders.domain.ids import OrderId, StoreId
from openorders.domain.order import Order
from openorders.store import orders
from openorders.store.database import Database, is_connection_loss, ran_out_of_time
from openorders.store.orders import Depth
from openorders.usecases.context import Services
from openorders.usecases.gathering import Gathering, gathering_of


async def read_together(
    services: Services, store_id: StoreId, order_id: OrderId, depth: Depth
) -> Order | None:
    """The order as it was committed before this was asked or later; None when there is none.

    Whoever asks while a statement is under way is answered by the next one, which begins later.
    """
    gathering = gathering_of(
        services.reading,
        (store_id, depth),
        lambda: Gathering(
            partial(_read, services.database, store_id, depth),
            weight=lambda _: 1,
        ),
    )
    return await gathering.join(order_id)


async def _read(
    database: Database, store_id: StoreId, depth: Depth, order_ids: Sequence[OrderId]
) -> list[Order | Exception | None]:
    """Each of the orders, or why it cannot be read. A lost connection concerns them all, and so
    does what all wait for; after anything else each is tried by itself.
    """
    try:
        async with database.connection() as connection:
            found = await orders.read_many(connection, store_id, order_ids, depth)
    except Exception as error:
        if len(order_ids) == 1 or is_connection_loss(error) or ran_out_of_time(error):
            raise
    else:
        return [found.get(order_id) for order_id in order_ids]
    alone = partial(_read_alone, database, store_id, depth)
    return await asyncio.gather(*map(alone, order_ids))


async def _read_alone(
    database: Database, store_id: StoreId, depth: Depth, order_id: OrderId
) -> Order | Exception | None:
    try:
        return (await _read(database, store_id, depth, [order_id]))[0]
    except Exception as error:  # noqa: BLE001 - handed to the one it concerns
        return error
