"""One process that keeps what the others need: the database, and the work beside requests."""

import asyncio
from contextlib import AsyncExitStack

from openorders.server.assembly import Assembly
from openorders.server.children import FAILED, FOUND, READY, REPORT, Voice
from openorders.server.starting import starting
from openorders.server.stopping import Stopping
from openorders.settings import Settings
from openorders.telemetry import Metrics


async def keep(
    settings: Settings, assembly: Assembly, metrics: Metrics, stopping: Stopping, voice: Voice
) -> None:
    """Keep the database and the loops until asked to stop. Says where the database is as soon as
    it can be used.
    """
    try:
        async with AsyncExitStack() as kept:
            with starting():
                loading = asyncio.create_task(asyncio.to_thread(assembly.prepare_background))
                database = assembly.database(settings, lambda text: voice.say(REPORT, text))
                url = await kept.enter_async_context(database)
                voice.say(FOUND, url)
                await loading
                await kept.enter_async_context(assembly.background(settings, url, metrics))
            stopping.started()
            voice.say(READY)
            await stopping.asked.wait()
    except assembly.expected as error:
        voice.say(FAILED, str(error))
