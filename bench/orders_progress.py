"""How far a long piece of work is: a bar on a terminal, now and then a line anywhere else."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from bench.orders_tables import Step

_PAUSE_S: Final = 5.0


@contextmanager
def told() -> Generator[Step, None, None]:
    """Takes what is being done, how far it is, and how far it goes."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bars:
        bar = bars.add_task("beginning")

        def step(what: str, done: int, of: int) -> None:
            bars.update(bar, description=what, completed=done, total=of)

        yield step


def _lines() -> Step:
    last = [0.0]

    def step(what: str, done: int, of: int) -> None:
        if done == of or time.monotonic() - last[0] > _PAUSE_S:
            last[0] = time.monotonic()
            print(f"{what}: {done:,} of {of:,}", file=sys.stderr, flush=True)

    return step
