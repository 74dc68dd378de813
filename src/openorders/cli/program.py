"""The commands together, and the one place where their failures become sentences."""

import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Final

from cyclopts import App, CycloptsError

from openorders import __version__
from openorders.cli.failing import FAILED, INTERRUPTED, MISUSED, CommandFailed
from openorders.settings import SettingsError, read

ABOUT: Final = """\
One order book, five documented HTTP order APIs, on PostgreSQL.

`openorders serve --demo` starts everything with example data, and prints where it is. All
commands work beside a running server on the same data folder.
"""

_COMMANDS: Final = {
    "serve": "serving:serve",
    "worker": "worker:worker",
    "db": "database:app",
    "store": "store:app",
    "key": "key:app",
    "catalog": "catalog:app",
    "verify": "verifying:verify",
    "settings": "settings_table:settings",
}
"""Where each command is; in the order in which they are listed."""


def complete() -> App:
    """The program with all its commands."""
    return _program(_COMMANDS)


def _program(names: Iterable[str]) -> App:
    app = App(
        name="openorders",
        help=ABOUT,
        version=__version__,
        help_format="markdown",
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        default_parameter=None,
    )
    for name in names:
        module, _, member = _COMMANDS[name].partition(":")
        app.command(getattr(import_module(f"openorders.cli.{module}"), member))
    return app


def main() -> None:
    """Run the command line of this process, and end the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command line; answers its exit code. 1: it failed, 2: it was misused."""
    # Loading all commands takes longer than starting a database; one is enough when it is named.
    named = arguments[0] if arguments else ""
    app = _program([named]) if named in _COMMANDS else complete()
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
