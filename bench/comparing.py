"""Two runs side by side: what is better, what is worse, and what the spread cannot tell apart.

A figure has changed when the ranges of its rounds (smallest to largest) have nothing in common.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import FIGURES


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A figure that has changed beyond the spread of both runs."""

    row: str
    figure: str
    before: float
    now: float
    is_better: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`caveats` say in sentences why the two may not be compared; `unchanged` counts figures."""

    changes: Sequence[Change]
    unchanged: int
    caveats: Sequence[str]


def compare(now: Mapping[str, Any], before: Mapping[str, Any]) -> Comparison:
    """Every figure that both runs have and that can be better or worse."""
    changes: list[Change] = []
    unchanged = 0
    earlier = dict(_figures(before))
    for (row, name), found in _figures(now):
        if (row, name) not in earlier:
            continue
        change = _change(row, name, found, earlier[row, name])
        if change is None:
            unchanged += 1
        else:
            changes.append(change)
    return Comparison(changes=changes, unchanged=unchanged, caveats=_caveats(now, before))


def _figures(run: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    for case in run["cases"]:
        for row in case.get("rows", ()):
            for name, found in row["figures"].items():
                if name in FIGURES and FIGURES[name].higher_is_better is not None:
                    yield (f"{case['case']}: {row['name']}", name), found


def _change(
    row: str, name: str, now: Mapping[str, Any], before: Mapping[str, Any]
) -> Change | None:
    if now["min"] <= before["max"] and before["min"] <= now["max"]:
        return None
    is_higher = now["median"] > before["median"]
    return Change(
        row=row,
        figure=name,
        before=before["median"],
        now=now["median"],
        is_better=is_higher == FIGURES[name].higher_is_better,
    )


def _caveats(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    if now["machine"] != before["machine"]:
        found.append(
            f"These are two machines: {described(now['machine'])} now, "
            f"{described(before['machine'])} before. Only ratios and growth compare."
        )
    if now["options"] != before["options"]:
        found.append(f"The options differ: {_options(now)} now, {_options(before)} before.")
    found += [f"Before: {doubt}" for doubt in before.get("doubts", ())]
    return found


def _options(run: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in run["options"].items())


def described(machine: Mapping[str, Any]) -> str:
    """A machine in a few words."""
    memory = machine["memory_gib"]
    held = "memory not known" if memory is None else f"{memory} GiB"
    return f"{machine['processor']}, {machine['cores']} cores, {held}, {machine['system']}"
