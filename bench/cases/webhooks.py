"""Webhooks from commit to receiver, as `bench.deliveries` measures them on servers of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.rounds import Case, Row
from bench.stage import Stage
from bench.wrong import Wrong

_ROOT = Path(__file__).parent.parent.parent
_QUICK = ("--events", "2000", "--rounds", "2", "--orders", "20")


@contextmanager
def _rows(stage: Stage) -> Iterator[Sequence[Row]]:
    stage.close()
    found = _deliver(_QUICK if stage.options.is_quick else ())
    idle, bulk = found["idle"], found["bulk"]
    rates = bulk["events_per_second"]
    yield (
        Row(
            name=f"one order at a time, {idle['orders']} of them",
            ours=lambda: {"p50_ms": idle["median_ms"], "p95_ms": idle["p95_ms"]},
        ),
        *(
            Row(
                name=f"a rush of {bulk['events_per_round']:,} events, {which} of its rounds",
                ours=lambda which=which: {"rate": rates[which]},
            )
            for which in ("median", "min", "max")
        ),
    )


def _deliver(options: Sequence[str]) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        done = subprocess.run(
            [sys.executable, "-m", "bench.deliveries", "--json", file.name, *options],
            check=False, cwd=_ROOT, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            raise Wrong("Webhooks could not be measured; what is above says why.")
        return json.load(file)


WEBHOOKS = Case(
    name="webhooks",
    title="Webhooks to one local receiver, from commit to arrival, two worker processes",
    beside=None,
    rows=_rows,
    rounds=1,
)
