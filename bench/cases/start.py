"""From pressing Enter to `/readyz`: on an empty folder, and on one that was used before."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from bench.rounds import Case, Figures, Goal, Measure, Row
from bench.stage import Stage
from bench.subject import scratch, started

_COLD = (Goal(figure="seconds", at_most=2),)
_WARM = (Goal(figure="seconds", at_most=0.7),)
_AS_INSTALLED = {"PYTHONDONTWRITEBYTECODE": "", "OPENORDERS_DRAIN_SECONDS": "0"}
"""The interpreter keeps what it compiled, as it does for a user."""


@contextmanager
def _rows(stage: Stage) -> Iterator[Sequence[Row]]:
    workers = str(stage.options.workers)
    with scratch() as folder:
        demo = ("--demo",)
        plain = ("--workers", workers)
        for name, options in (("demo", demo), ("plain", plain)):
            _started(folder / name, options)  # what comes later is warm: files, compiled modules
        yield (
            Row(
                name="cold, an empty folder, filling the demo",
                ours=_cold(folder, demo),
                goals=_COLD,
            ),
            Row(
                name=f"cold, an empty folder, {workers} workers",
                ours=_cold(folder, plain),
                goals=_COLD,
            ),
            Row(name="warm, the demo", ours=_warm(folder / "demo", demo), goals=_WARM),
            Row(
                name=f"warm, {workers} workers",
                ours=_warm(folder / "plain", plain),
                goals=_WARM,
            ),
        )


def _cold(folder: Path, options: Sequence[str]) -> Measure:
    """What was made stays until the case is over: where a thousand files have just been removed,
    ext4 without a journal takes up to five minutes to make new ones as quickly as before.
    """

    numbers = count()

    def measure() -> Figures:
        return {"seconds": _started(folder / f"cold{''.join(options)}-{next(numbers)}", options)}

    return measure


def _warm(folder: Path, options: Sequence[str]) -> Measure:
    return lambda: {"seconds": _started(folder, options)}


def _started(folder: Path, options: Sequence[str]) -> float:
    """Start a server, and stop it; seconds until it was ready."""
    began = time.perf_counter()
    with started(["--data-dir", str(folder), *options], _AS_INSTALLED):
        return time.perf_counter() - began


START = Case(
    name="start",
    title="From pressing Enter to ready",
    beside=None,
    rows=_rows,
)
