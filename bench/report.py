"""Results as tables: for the terminal, and in Markdown for docs/performance.md.

    python -m bench.report FILE.json                    # as the run printed it
    python -m bench.report FILE.json --markdown         # the tables
    python -m bench.report FILE.json --into docs/performance.md
    python -m bench.report FILE.json --beside OLD.json  # what has changed

`--into` replaces what is between the two marks of that file.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.comparing import Comparison, compare, described
from bench.figures import FIGURES, written

BEGIN = "<!-- figures of `make bench`: begin -->"
END = "<!-- figures of `make bench`: end -->"

_GOALS_ORDERS = 1_000_000


def main(words: Sequence[str] | None = None) -> int:
    """Print what was asked for, or write it into a file."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--into", type=Path)
    parser.add_argument("--beside", type=Path)
    options = parser.parse_args(words)
    run = json.loads(options.results.read_text())
    if options.into is not None:
        options.into.write_text(put_into(options.into.read_text(), "\n".join(markdown(run))))
    elif options.markdown:
        print("\n".join(markdown(run)))
    else:
        print("\n".join(plain(run)))
    if options.beside is not None:
        before = json.loads(options.beside.read_text())
        print("\n".join(compared(compare(run, before), options.beside.name)))
    return 0


def plain(run: Mapping[str, Any]) -> Iterator[str]:
    """Everything, for a terminal: medians, spread in brackets, and whether goals were met."""
    for case in run["cases"]:
        yield ""
        yield case["title"] + (f"; beside it {case['beside']}" if case.get("beside") else "")
        if "wrong" in case:
            yield f"  FAILED: {case['wrong']}"
            continue
        table = [["", *(FIGURES[name].heading for name in _columns(case)), "goals"]]
        table += [_cells(row, _columns(case), spread=" ({}-{})") for row in case["rows"]]
        yield from _aligned(table)
    yield from verdict(run)


def verdict(run: Mapping[str, Any]) -> Iterator[str]:
    """What was missed, loudly, and what makes the figures doubtful."""
    judged = [(case, row, goal) for case, row, goal in _goals(run)]
    missed = [one for one in judged if not one[2]["met"]]
    failed = [case for case in run["cases"] if "wrong" in case]
    yield ""
    yield f"{len(judged) - len(missed)} of {len(judged)} goals met."
    if run["options"]["orders"] < _GOALS_ORDERS:
        yield f"  NOTE    The goals are those of {_GOALS_ORDERS:,} orders."
    for case, row, goal in missed:
        value = row["figures"][goal["figure"]]["median"]
        heading = FIGURES[goal["figure"]].heading
        shown = written(goal["figure"], value)
        yield f"  MISSED  {case['case']}, {row['name']}: {heading} {shown}, goal {goal['bound']}"
    for case in failed:
        yield f"  FAILED  {case['case']}: {case['wrong']}"
    for doubt in run["doubts"]:
        yield f"  DOUBT   {doubt}"


def markdown(run: Mapping[str, Any]) -> Iterator[str]:
    """A block about the machine, and a table per case."""
    yield from _made_on(run)
    for case in run["cases"]:
        if "wrong" in case:
            continue
        columns = _columns(case)
        yield f"### {case['title']}"
        yield ""
        if case.get("beside"):
            yield f"Limit: {case['beside']}."
            yield ""
        yield f"| case | {' | '.join(FIGURES[name].heading for name in columns)} | goals |"
        yield "|---" * (len(columns) + 2) + "|"
        for row in case["rows"]:
            yield f"| {' | '.join(_cells(row, columns, spread=' ({}–{})'))} |"  # noqa: RUF001
        yield ""


def _made_on(run: Mapping[str, Any]) -> Iterator[str]:
    options = run["options"]
    yield "| | |"
    yield "|---|---|"
    yield f"| when | {run['began']}, {run['minutes']:.0f} minutes |"
    yield f"| machine | {described(run['machine'])} |"
    versions = ", ".join(f"{name} {text}" for name, text in run["versions"].items() if text)
    yield f"| versions | {versions} |"
    yield (
        f"| run | {options['orders']:,} orders, {options['rounds']} rounds, "
        f"{options['workers']} workers, {options['connections']} connections, "
        f"{options['seconds']} s for a round of placing |"
    )
    for doubt in run["doubts"]:
        yield f"| doubt | {doubt} |"
    yield ""


def compared(comparison: Comparison, name: str) -> Iterator[str]:
    """What has changed since a run, the worse first."""
    yield ""
    yield f"Beside {name}:"
    for caveat in comparison.caveats:
        yield f"  NOTE    {caveat}"
    for change in sorted(comparison.changes, key=lambda one: one.is_better):
        word = "better" if change.is_better else "WORSE "
        before, now = written(change.figure, change.before), written(change.figure, change.now)
        yield f"  {word}  {change.row}: {FIGURES[change.figure].heading} {before} -> {now}"
    yield f"  {comparison.unchanged} figures are the same within the spread."


def put_into(text: str, tables: str) -> str:
    """The text with the tables between its marks. Raises ValueError when it has no marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"there is no {BEGIN} … {END}")
    return f"{before}{begin}\n\n{tables.strip()}\n\n{end}{after}"


def _goals(
    run: Mapping[str, Any],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]]:
    for case in run["cases"]:
        for row in case.get("rows", ()):
            for goal in row["goals"]:
                yield case, row, goal


def _columns(case: Mapping[str, Any]) -> list[str]:
    """The figures that any row of the case has."""
    there = {name for row in case["rows"] for name in row["figures"]}
    return [name for name in FIGURES if name in there]


def _cells(row: Mapping[str, Any], columns: Sequence[str], *, spread: str) -> list[str]:
    cells = [row["name"]]
    for name in columns:
        found = row["figures"].get(name)
        cells.append("" if found is None else _with_spread(name, found, spread))
    return [*cells, _judged(row["goals"])]


def _with_spread(name: str, found: Mapping[str, Any], spread: str) -> str:
    median, least, most = (written(name, found[part]) for part in ("median", "min", "max"))
    return median if least == most else median + spread.format(least, most)


def _judged(goals: Sequence[Mapping[str, Any]]) -> str:
    if not goals:
        return ""
    missed = [goal for goal in goals if not goal["met"]]
    bounds = (f"{FIGURES[goal['figure']].heading} {goal['bound']}" for goal in missed or goals)
    return f"{'MISSED' if missed else 'met'}: {'; '.join(bounds)}"


def _aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    for cells in table:
        first, *rest = (
            cell.ljust(width) if index in (0, len(widths) - 1) else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        yield "  ".join(["", first, *rest]).rstrip()


if __name__ == "__main__":
    sys.exit(main())
