"""What a worker of the large server holds in memory, after all that it was asked for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.measuring import Memory, memory
from bench.rounds import Case, Figures, Goal, Row
from bench.stage import Stage

_MOST_MB = 120


@contextmanager
def _rows(stage: Stage) -> Iterator[Sequence[Row]]:
    names = [f"worker {number}" for number in range(1, stage.options.workers + 1)]
    found = [memory(pid) for pid in stage.large.workers]
    yield [
        Row(
            name=name,
            ours=lambda one=one: _figures(one),
            goals=(Goal(figure="rss_mb", at_most=_MOST_MB),),
        )
        for name, one in zip(names, found, strict=False)
    ]


def _figures(found: Memory | None) -> Figures:
    return {} if found is None else {"rss_mb": found.rss, "pss_mb": found.pss}


MEMORY = Case(
    name="memory",
    title="Resident memory of each worker after the whole run",
    beside=None,
    rows=_rows,
    rounds=1,
)
