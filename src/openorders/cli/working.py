"""What commands share: which database is meant, and the services on it while a command runs."""

import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace  # noqa: TID251 - Settings are a dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from cyclopts import Parameter

from openorders.cli.ending import until_ended
from openorders.cli.failing import CommandFailed
from openorders.settings import Settings, SettingsError, read

if TYPE_CHECKING:
    from openorders.usecases.context import Services

T = TypeVar("T")

POOL: Final = 2
"""Connections of a command; a server of the operator's own may have few to spare."""

STATEMENT_S: Final = 24 * 3600.0
"""Verifying or importing millions of rows may take a while; nobody's request waits for it."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Where:
    """Which database a command works on."""

    data_dir: Annotated[
        Path | None,
        Parameter(help="The data folder, of a running server or of none."),
    ] = None
    database_url: Annotated[
        str | None,
        Parameter(help="A PostgreSQL of your own instead, as postgresql://USER@HOST/NAME."),
    ] = None


HERE = Where()


def settings_for(where: Where) -> Settings:
    """The settings of a command. A folder that was named here outdoes a URL that was not."""
    if where.data_dir is not None and where.database_url is not None:
        raise CommandFailed("give --data-dir or --database-url, not both.", code=2)
    try:
        settings = read(data_dir=where.data_dir, database_url=where.database_url)
    except SettingsError as error:
        raise CommandFailed.of(error) from error
    return settings if where.data_dir is None else replace(settings, database_url=None)


def report(sentence: str) -> None:
    """Tell a person who waits what takes long."""
    print(sentence, file=sys.stderr, flush=True)


def run(where: Where, work: "Callable[[Services], Awaitable[T]]") -> T:
    """Do a command's work on the database that is meant, and give back what came of it."""
    from openorders import services
    from openorders.installation import command_url
    from openorders.logs import configure_logging

    settings = settings_for(where)
    configure_logging("console", "warning")

    async def alone() -> T:
        async with command_url(settings, report) as url:
            # A database of the operator's own is not migrated in passing: other servers may be
            # at work on it.
            if settings.database_url is None:
                await services.migrated(url, report)
            elif await services.unmigrated(url):
                raise CommandFailed("the database is not migrated; run `openorders db migrate`.")
            few = replace(settings, pool_size=POOL)
            async with services.services_of(few, url, statement_s=STATEMENT_S) as ready:
                return await work(ready)

    with sentences():
        return until_ended(alone())


@contextmanager
def sentences() -> Generator[None, None, None]:
    """Turn what can be expected to go wrong with a database into a `CommandFailed`."""
    from openorders import services

    try:
        yield
    except BrokenPipeError:
        raise  # our reader has enough: that is no failure of the database
    except services.EXPECTED as error:
        raise CommandFailed(str(error)) from error
    except Exception as error:
        if not services.is_weather(error):
            raise
        raise CommandFailed(f"the database did not answer as it should: {error}") from error
