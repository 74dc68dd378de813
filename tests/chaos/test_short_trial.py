"""The full trial in small: processes killed while buyers buy, then all that was said compared.

`python -m tests.chaos --orders 10000 --seed 1` is the same in earnest.
"""

import shutil
import sys
from pathlib import Path

from tests.chaos.trial import Rules, run

SEED = 20261121


async def test_nothing_is_lost_doubled_or_out_of_order_when_everything_is_killed(
    temporary_folder: Path,
) -> None:
    folder = temporary_folder / "chaos"
    folder.mkdir(mode=0o755)
    rules = Rules(
        orders=40,
        seed=SEED,
        workers=1,
        processes=1,
        buyers=12,
        fault_share=0.08,
        blows=("worker", "server", "worker"),
        pause_s=(0.3, 0.5),
        hurried=True,
        quiet_s=240,
    )

    def say(sentence: str) -> None:
        sys.stdout.write(sentence + "\n")

    try:
        report = await run(rules, folder, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say(report.as_json())
    assert report.violations == []
    assert report.orders > 30
    assert report.events > 100
    assert report.strikes, "nobody was killed"
