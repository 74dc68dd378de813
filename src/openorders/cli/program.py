"""The commands together, and the one place where their failures become sentences."""

import os
import sys
from importlib.metadata import version
from typing import Final

from cyclopts import App, CycloptsError

from openorders.cli import catalog, database, key, serving, settings_table, store, verifying, worker
from openorders.cli.failing import FAILED, INTERRUPTED, MISUSED, CommandFailed
from openorders.settings import SettingsError, read

ABOUT: Final = """\
One order book, five documented HTTP order APIs, on PostgreSQL.

`openorders serve --demo` starts everything with example data, and prints where it is. All
commands work beside a running server on the same data folder.
"""

app: Final = App(
    name="openorders",
    help=ABOUT,
    version=version("openorders"),
    help_format="markdown",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    default_parameter=None,
)
app.command(serving.serve)
app.command(worker.worker)
for group in (database.app, store.app, key.app, catalog.app):
    app.command(group)
app.command(verifying.verify)
app.command(settings_table.settings)


def main() -> None:
    """Run the command line of this process, and end the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command line; answers its exit code. 1: it failed, 2: it was misused."""
    try:
        app(arguments, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        return _fail(f"{_sentence(error)} See `openorders --help`.", MISUSED)
    except CommandFailed as failure:
        return _fail(str(failure), failure.code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has enough; nothing may be written to them at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if _wants_traces():
            raise
        fault = f"an unexpected fault, {type(error).__name__}: {error}."
        return _fail(f"{fault} OPENORDERS_LOG_LEVEL=debug shows where it came from.", FAILED)
    return 0


def _wants_traces() -> bool:
    try:
        return read().log_level == "debug"
    except SettingsError:
        return False


def _sentence(error: CycloptsError) -> str:
    text = " ".join(str(error).split())
    return text if text.endswith((".", "?")) else f"{text}."


def _fail(sentence: str, code: int) -> int:
    if sentence:
        print(f"openorders: {sentence}", file=sys.stderr)
    return code
