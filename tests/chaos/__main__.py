"""`python -m tests.chaos --orders 10000 --seed 1`: the full trial, with a report in figures.

Ends with exit code 1 if anything was lost, doubled in effect, or told out of order.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.trial import Report, Rules, run

VICTIMS = {
    "worker": 0.45,
    "worker stopped for a while": 0.10,
    "worker told to stop": 0.05,
    "one process of the server": 0.28,
    "server": 0.08,
    "database": 0.04,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--buyers", type=int, default=24)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="openorders-chaos-"))
    folder.chmod(0o755)
    rules = Rules(
        orders=given.orders,
        seed=given.seed,
        workers=given.workers,
        buyers=given.buyers,
        victims=VICTIMS,
    )
    try:
        report: Report = asyncio.run(run(rules, folder, _say))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(report.as_json() + "\n")
    return 1 if report.violations else 0


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
