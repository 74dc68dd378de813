"""Where an installation keeps what it keeps: its data folder, and the database of its orders.

Apart from `services.py` and light, since a start begins with the database and loads all else
while that comes up.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from openorders.settings import Settings
from openorders.store import embedded

Report = Callable[[str], None]
"""Takes a sentence about what is going on, for a person who waits."""


def data_folder(settings: Settings) -> Path:
    """Where this installation keeps what it keeps."""
    return settings.data_dir or embedded.default_folder(xdg_data_home=settings.xdg_data_home)


@asynccontextmanager
async def database_url(
    settings: Settings, report: Report, *, underway: Callable[[], None] = lambda: None
) -> AsyncGenerator[str, None]:
    """The database of the one server of its folder: the embedded one, or the operator's own.

    `underway` is called when its start is mostly a matter of waiting; perhaps never, perhaps in
    another thread.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    folder = data_folder(settings)
    async with embedded.running(
        folder, bindir=settings.pg_bindir, report=report, underway=underway
    ) as database:
        yield database.url


@asynccontextmanager
async def command_url(settings: Settings, report: Report) -> AsyncGenerator[str, None]:
    """The database for a command, also beside a running server on the same folder."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    folder = data_folder(settings)
    async with embedded.attach(folder, bindir=settings.pg_bindir, report=report) as database:
        yield database.url
