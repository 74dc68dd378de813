"""`openorders serve`: start everything, and say where it is."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from openorders.cli.failing import MISUSED, CommandFailed

if TYPE_CHECKING:
    from openorders.server import Running
    from openorders.settings import Settings

Flag = Parameter(negative=())
_HEADERS: Final = {"partner": "x-api-key: {}"}
_HEADER: Final = "Authorization: Bearer {}"
_CLEAR: Final = "\r\x1b[2K"
"""Back to the beginning of the terminal's line, and nothing on it."""


def serve(
    *,
    demo: Annotated[
        bool, Flag, Parameter(help="Fill an empty database with the documents' five stores.")
    ] = False,
    host: Annotated[str | None, Parameter(help="The address to listen on: 127.0.0.1.")] = None,
    port: Annotated[str | None, Parameter(help="The port: 8000; 0 takes a free one.")] = None,
    workers: Annotated[str | None, Parameter(help="Processes that answer requests: 1.")] = None,
    data_dir: Annotated[
        Path | None, Parameter(help="The folder of the embedded database and of written mail.")
    ] = None,
    database_url: Annotated[
        str | None,
        Parameter(help="A PostgreSQL of your own instead, as postgresql://USER@HOST/NAME."),
    ] = None,
    open: Annotated[  # noqa: A002 - named as the option is
        list[str] | None,
        Parameter(
            negative=(),
            help="A contract that asks for no credential, as CONTRACT or CONTRACT=STORE.",
        ),
    ] = None,
    hosts: Annotated[
        list[str] | None,
        Parameter(negative=(), help="A host name for one contract, as api.example.com=commerce."),
    ] = None,
    public_url: Annotated[
        str | None, Parameter(help="The origin under which clients reach the server.")
    ] = None,
    log_format: Annotated[str | None, Parameter(help="auto, console or json.")] = None,
    log_level: Annotated[str | None, Parameter(help="debug, info, warning or error.")] = None,
) -> None:
    """Serve all five APIs until Ctrl-C or SIGTERM.

    Starts an embedded PostgreSQL in the data folder unless --database-url names another, brings
    it up to date, and prints where everything is. An option outdoes its `OPENORDERS_` variable;
    `openorders settings` shows all of them.
    """
    from openorders.settings import SettingsError, read

    began = time.monotonic()
    try:
        settings = read(
            demo=demo or None,
            host=host,
            port=port,
            workers=workers,
            data_dir=data_dir,
            database_url=database_url,
            open=",".join(open) if open else None,
            hosts=",".join(hosts) if hosts else None,
            public_url=public_url,
            log_format=log_format,
            log_level=log_level,
        )
    except SettingsError as error:
        raise CommandFailed.of(error) from error
    _serve(settings, began)


def _serve(settings: "Settings", began: float) -> None:
    progress = _Progress()
    progress.say("Starting openorders")
    from openorders import app

    if settings.open or settings.hosts:
        _require_known(settings, app.contract_names(), app.documented_names())

    def ready(running: "Running") -> None:
        progress.end()
        _Banner(settings, running, time.monotonic() - began).show()

    try:
        app.serve(settings, report=progress.say, on_ready=ready)
    except (app.server.PortTaken, app.server.CannotStart) as error:
        progress.end()
        raise CommandFailed(str(error)) from error
    finally:
        progress.end()


def _require_known(
    settings: "Settings", served: tuple[str, ...], documented: tuple[str, ...]
) -> None:
    """A misspelt contract would silently be opened or mapped to nothing."""
    named = [(name, "--open", documented) for name, _ in settings.open]
    named += [(name, "--hosts", served) for _, name in settings.hosts]
    for name, option, contracts in named:
        if name not in contracts:
            there_are = ", ".join(contracts)
            problem = f"{option} names no contract: {name!r}; there are {there_are}."
            raise CommandFailed(problem, code=MISUSED)


class _Progress:
    """What is going on before the server answers: one line that changes, or lines in a log.

    No thread draws it: worker processes are forked meanwhile.
    """

    def __init__(self) -> None:
        self._redraws = sys.stderr.isatty()

    def say(self, sentence: str) -> None:
        """Show what is going on now."""
        print(
            f"{_CLEAR}{sentence}" if self._redraws else sentence,
            file=sys.stderr,
            flush=True,
            end="" if self._redraws else "\n",
        )

    def end(self) -> None:
        """Clear the line; what is said from now on stays."""
        if self._redraws:
            print(_CLEAR, file=sys.stderr, flush=True, end="")
            self._redraws = False


class _Banner:
    """Where everything is. Lines, so that nothing is cut off where the terminal is narrow."""

    def __init__(self, settings: "Settings", running: "Running", seconds: float) -> None:
        self._settings = settings
        self._running = running
        self._seconds = seconds

    def show(self) -> None:
        origin, port = self._running.origin, self._running.port
        lines = [
            f"openorders is ready after {self._seconds:.1f} s: {origin}/",
            "",
            *self._contracts(),
            "",
            f"  also at      http://CONTRACT.localhost:{port}, each at the root of its own name",
            f"  reference    {origin}/CONTRACT/docs and {origin}/CONTRACT/openapi.json",
            f"  operating    {origin}/livez, {origin}/readyz, {origin}/metrics",
            f"  database     {self._database()}",
            "  stop         Ctrl-C",
            "",
        ]
        print("\n".join(lines), flush=True)

    def _contracts(self) -> Iterator[str]:
        from openorders import app, demo
        from openorders.services import open_contracts

        keys = demo.known_keys() if self._settings.demo else {}
        opened = open_contracts(self._settings)
        width = len(f"{self._running.origin}/") + max(map(len, app.contract_names()))
        for name in app.contract_names():
            header = _HEADERS.get(name, _HEADER)
            shown = [f"{header.format(key.key)} ({key.role})" for key in keys.get(name, ())]
            if name in opened:
                store = opened[name]
                whose = "if there is one store" if store is None else f"for the store {store}"
                shown.insert(0, f"needs no credential {whose}")
            base = f"{self._running.origin}/{name}"
            for index, line in enumerate(shown or [""]):
                left = (name, base) if index == 0 else ("", "")
                yield f"  {left[0]:<12} {left[1]:<{width}}  {line}".rstrip()

    def _database(self) -> str:
        from openorders.installation import data_folder

        if self._settings.database_url is not None:
            return "the PostgreSQL of --database-url"
        return f"in {data_folder(self._settings)}"
