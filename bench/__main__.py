"""`make bench`: every case beside its limit, in the same run, in turn. Needs nothing prepared.

Makes its orders itself, measures, prints tables, writes JSON, and compares with the last run. A
goal that is missed is said loudly and is no error; a request that failed is one.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import report
from bench.cases import ALL
from bench.comparing import compare
from bench.load import INSTALL_WRK, wrk_is_here
from bench.machine import doubts, machine, versions
from bench.rounds import Case, measure
from bench.stage import Options, Stage
from bench.subject import postgres_programs
from bench.wrong import Wrong

RESULTS = Path(__file__).parent / "results"
"""Where every run is kept, outside version control."""

REFERENCE = Path(__file__).parent.parent / "docs" / "performance.json"
"""The run whose figures the documentation shows."""

_QUICK = {"orders": 10_000, "rounds": 2, "seconds": 2}


def main(words: Sequence[str] | None = None) -> int:
    """0 when everything could be measured, however fast it was."""
    options, cases, files = _read(words)
    if not wrk_is_here():
        print(f"The load generator wrk is missing. Install it with:\n  {INSTALL_WRK}")
        return 1
    _say("; ".join(doubts()) or "Nothing else seems to be going on here.")
    run = _run(options, cases, files)
    print("\n".join(report.plain(run)))
    _compare(run, files[0])
    print(f"\nWritten to {' and '.join(map(str, files))}")
    return 1 if any("wrong" in case for case in run["cases"]) else 0


def _read(words: Sequence[str] | None) -> tuple[Options, list[Case], list[Path]]:
    names = [case.name for case in ALL]
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--orders", type=int, help="10000, 1000000 (default) or 10000000")
    parser.add_argument("--rounds", type=int, help="how often each row is measured: 5")
    parser.add_argument("--seconds", type=int, help="how long a round of placing lasts: 8")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--only", nargs="+", choices=names, metavar="CASE", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="see that it runs, in minutes")
    parser.add_argument("--json", type=Path, help="where to write the results as well")
    parser.add_argument("--keep", type=Path, help="keep the filled data folders here")
    parser.add_argument("--reuse", type=Path, help="take the filled data folders from here")
    given = parser.parse_args(words)
    usual = _QUICK if given.quick else {}
    named = {name: getattr(given, name) for name in ("orders", "rounds", "seconds")}
    options = Options(
        **{**usual, **{name: value for name, value in named.items() if value is not None}},
        workers=given.workers,
        connections=given.connections,
        is_quick=given.quick,
        keep=given.keep,
        reuse=given.reuse,
    )
    cases = [case for case in ALL if given.only is None or case.name in given.only]
    files = [RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"]
    return options, cases, files if given.json is None else [*files, given.json]


def _run(options: Options, cases: Sequence[Case], files: Sequence[Path]) -> dict[str, Any]:
    """All the cases. What is measured already is in the files when a later one fails."""
    began = time.monotonic()
    run: dict[str, Any] = {
        "began": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "minutes": 0.0,
        "machine": machine(),
        "versions": versions(postgres_programs()),
        "options": {
            "orders": options.orders,
            "rounds": options.rounds,
            "seconds": options.seconds,
            "workers": options.workers,
            "connections": options.connections,
        },
        "doubts": doubts(),
        "cases": [],
    }
    stage = Stage(options, _say)
    try:
        for case in cases:
            _say(f"{case.title} ({case.name})")
            run["cases"].append(_measured(case, stage))
            run["minutes"] = (time.monotonic() - began) / 60
            for file in files:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(run, indent=2) + "\n")
    finally:
        stage.close()
    return run


def _measured(case: Case, stage: Stage) -> dict[str, Any]:
    try:
        return measure(case, stage, stage.options.rounds, _say)
    except Wrong as wrong:
        _say(f"FAILED: {wrong}")
        return {"case": case.name, "title": case.title, "wrong": str(wrong)}


def _compare(run: Mapping[str, Any], file: Path) -> None:
    """With the last run of its kind, and with the one that the documentation shows."""
    last = last_like(run, [one for one in RESULTS.glob("*.json") if one != file])
    for one in (last, REFERENCE if REFERENCE.exists() else None):
        if one is not None:
            before = json.loads(one.read_text())
            print("\n".join(report.compared(compare(run, before), one.name)))


def last_like(run: Mapping[str, Any], files: Sequence[Path]) -> Path | None:
    """The last of these runs that has this one's options and at least its cases."""
    wanted = {case["case"] for case in run["cases"]}
    for file in sorted(files, reverse=True):
        before = json.loads(file.read_text())
        there = {case["case"] for case in before["cases"]}
        if before["options"] == run["options"] and wanted <= there:
            return file
    return None


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
