"""Fold what happened to orders into the figures of their stores, beside the requests."""

from typing import Final

from openorders import logs
from openorders.store import figures
from openorders.store.database import Connection, is_connection_loss
from openorders.store.figures import Work
from openorders.usecases.context import Services

FOLD_LIMIT: Final = 5_000
"""How many changes of one store a step folds."""

_log = logs.Logger(__name__)


async def fold_figures(services: Services) -> int:
    """One step. Returns how many changes were folded, of the store that had most.

    Any number of processes may try: one at a time folds the changes of a store. A store without
    figures (new tables, a new time zone) gets them. One that fails holds up no other; its failure
    is raised where nothing else was done.
    """
    async with services.database.connection() as connection:
        todo = await figures.find_work(connection)
    most, failure = 0, None
    for work in todo:
        try:
            most = max(most, await _fold(services, work))
        except Exception as error:
            if is_connection_loss(error):
                raise
            _log.warning("figures_not_folded", store_id=work.store_id, error=repr(error))
            failure = error
    if failure is not None and not most:
        raise failure
    return most


async def _fold(services: Services, work: Work) -> int:
    async def step(tx: Connection) -> int:
        if work.built:
            return await figures.fold(tx, work, limit=FOLD_LIMIT)
        return int(await figures.build(tx, work.store_id))

    return await services.database.run(step)
