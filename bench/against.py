"""`python -m bench.against ../other-checkout`: place orders with this version and with another one.

Both servers are up at the same time and are asked in turn, in short slices, so that a machine
whose speed changes changes it for both. The other checkout needs its own `make install`.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import place
from bench.subject import Subject, running

# What the other checkout runs: its own server, filled its own way, until we close its input.
_HOLD = """
import json, sys
from bench.subject import running
with running(workers=int(sys.argv[1]), products=int(sys.argv[2])) as subject:
    print("SUBJECT", json.dumps([subject.port, subject.key, subject.products]), flush=True)
    sys.stdin.read()
"""


def main() -> int:
    """Print a line per pair of slices, then both medians and the median of the pairs' ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.against", description=__doc__)
    parser.add_argument("other", type=Path, help="a checkout of another version, installed")
    parser.add_argument("--slices", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--products", type=int, default=1000)
    options = parser.parse_args()
    with (
        _elsewhere(options.other, options.workers, options.products) as theirs,
        running(workers=options.workers, products=options.products) as ours,
    ):
        pairs = [_pair(number, ours, theirs, options) for number in range(options.slices + 1)]
    print(json.dumps(_summary(pairs[1:]), indent=2))
    return 0


def _pair(
    number: int, ours: Subject, theirs: Subject, options: argparse.Namespace
) -> tuple[float, float]:
    """One slice each, who goes first by turns. The first pair only warms up."""
    subjects = (ours, theirs) if number % 2 else (theirs, ours)
    rates: dict[int, float] = {}
    for subject in subjects:
        done = place(subject, connections=options.connections, seconds=options.seconds)
        rates[subject.port] = done["requests"] / done["seconds"]
    pair = rates[ours.port], rates[theirs.port]
    print(f"slice {number}: this {pair[0]:7.0f}/s   other {pair[1]:7.0f}/s", file=sys.stderr)
    return pair


def _summary(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    ratios = sorted(this / other for this, other in pairs)
    return {
        "slices": len(pairs),
        "this_orders_per_second": round(median(this for this, _ in pairs), 1),
        "other_orders_per_second": round(median(other for _, other in pairs), 1),
        "ratio": {
            "median": round(median(ratios), 3),
            "quartiles": [
                round(ratios[len(ratios) // 4], 3),
                round(ratios[-1 - len(ratios) // 4], 3),
            ],
        },
    }


@contextmanager
def _elsewhere(checkout: Path, workers: int, products: int) -> Iterator[Subject]:
    """The other version's server, started by its own bench."""
    python = checkout.resolve() / ".venv" / "bin" / "python"
    holder = subprocess.Popen(
        [python, "-c", _HOLD, str(workers), str(products)],
        cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdin is not None, "it was asked for"
    assert holder.stdout is not None, "it was asked for"
    try:
        line = next(line for line in holder.stdout if line.startswith("SUBJECT "))
        port, key, sold = json.loads(line.removeprefix("SUBJECT "))
        yield Subject(
            port=port, key=key, products=sold, database_url="", bindir=checkout, folder=checkout
        )
    finally:
        holder.stdin.close()
        holder.wait(60)


if __name__ == "__main__":
    sys.exit(main())
