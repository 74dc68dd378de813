"""The command line as an operator runs it: a process with an environment of its own.

`run` starts one from nothing; `forked` makes it a copy of the running tests, which has read all
modules already, and is the same in everything but the time it takes.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from openorders.cli import main

PATIENCE_S = 60


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENORDERS_")}
    return {**kept, "HOME": str(home), "NO_COLOR": "1", "COLUMNS": "100", **more}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "openorders", *map(str, arguments)]


def run(home: Path, *arguments: str | Path, typed: str | None = None, **more: str) -> Ended:
    """Run a command to its end."""
    process = subprocess.run(
        command(*arguments),
        input=typed,
        capture_output=True,
        text=True,
        env=environment(home, **more),
        timeout=PATIENCE_S,
        check=False,
    )
    return Ended(process.returncode, process.stdout, process.stderr)


def forked(home: Path, *arguments: str | Path, typed: str | None = None, **more: str) -> Ended:
    """Run a command to its end in a copy of this process."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write((typed or "").encode())
        given.seek(0)
        pid = os.fork()
        if pid == 0:
            for number, file in enumerate((given, out, err)):
                os.dup2(file.fileno(), number)
            _become(arguments, environment(home, **more))
        _, status = os.waitpid(pid, 0)
        out.seek(0)
        err.seek(0)
        code = os.waitstatus_to_exitcode(status)
        return Ended(code, out.read().decode(), err.read().decode())


def _become(arguments: tuple[str | Path, ...], environment: dict[str, str]) -> None:
    """Be the command, and never return into the tests."""
    code = 99
    try:
        os.environ.clear()
        os.environ.update(environment)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(n, m) for n, m in ((0, "r"), (1, "w"), (2, "w"))
        )
        sys.argv = ["openorders", *map(str, arguments)]
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
