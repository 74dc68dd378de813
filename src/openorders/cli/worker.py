"""`openorders worker`: the loops of a server, without a server."""

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from openorders.cli.failing import CommandFailed
from openorders.cli.working import report, sentences
from openorders.settings import SettingsError

_ON: Final = "openorders worker is at work"


def worker(
    *,
    data_dir: Annotated[
        Path | None, Parameter(help="The data folder, of a server on this machine.")
    ] = None,
    database_url: Annotated[
        str | None,
        Parameter(help="A PostgreSQL of your own instead, as postgresql://USER@HOST/NAME."),
    ] = None,
    host: Annotated[
        str | None, Parameter(help="The address of the three pages below: 127.0.0.1.")
    ] = None,
    port: Annotated[
        str | None,
        Parameter(help="Answer /livez, /readyz and /metrics on this port; 0 takes a free one."),
    ] = None,
    log_format: Annotated[str | None, Parameter(help="auto, console or json.")] = None,
    log_level: Annotated[str | None, Parameter(help="debug, info, warning or error.")] = None,
) -> None:
    """Deliver webhooks, send mail, finish payments, expire and clean up, until SIGTERM or Ctrl-C.

    What a server does beside its requests, as a process of its own: any number of them on any
    number of machines share the work. A database that is not migrated is refused. Nothing listens
    unless --port says so.
    """
    from openorders import background
    from openorders.settings import read

    try:
        settings = read(
            data_dir=data_dir,
            database_url=database_url,
            host=host,
            port=port,
            log_format=log_format,
            log_level=log_level,
        )
    except SettingsError as error:
        raise CommandFailed.of(error) from error

    def ready(origin: str | None) -> None:
        pages = f": {origin}/livez, /readyz, /metrics" if origin else ""
        print(f"{_ON}{pages}. Ctrl-C stops it.", flush=True)

    with sentences():
        try:
            background.work(
                settings,
                probes=(settings.host, settings.port) if port is not None else None,
                report=report,
                on_ready=ready,
            )
        except background.CannotWork as error:
            raise CommandFailed(str(error)) from error
