"""What a case is, and how it is measured: row after row beside its limit, round after round.

Ours and the limit are run by turns, so that a machine whose speed changes changes it for both.
Knows nothing of HTTP or PostgreSQL.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.stage import Stage

Figures = Mapping[str, float | None]
"""What one run gave, by the names of `bench.figures`. None is left out: not known."""

Measure = Callable[[], Figures]
Tell = Callable[[str], None]

LIMIT = "limit_"
"""Goes before the names of the limit's figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A bound that the median of a figure has to keep."""

    figure: str
    at_most: float | None = None
    at_least: float | None = None

    def is_met(self, value: float) -> bool:
        """Whether a value keeps both bounds."""
        return (self.at_most is None or value <= self.at_most) and (
            self.at_least is None or value >= self.at_least
        )

    @property
    def bound(self) -> str:
        """For people: `≤ 40`."""
        return f"≤ {self.at_most:g}" if self.at_most is not None else f"≥ {self.at_least:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotient:
    """A figure of ours by the same figure of the limit, under a name of its own."""

    name: str
    of: str


RATIO = Quotient(name="ratio", of="rate")
GROWTH = Quotient(name="growth", of="p50_ms")
TIMES = Quotient(name="times", of="p50_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a case's table.

    Its name is the same in every run, so that runs compare; what a day more of orders changes is
    in `facts`. `afterwards` gives figures that are of all the rounds together, such as a count of
    deadlocks.
    """

    name: str
    ours: Measure
    limit: Measure | None = None
    quotient: Quotient = RATIO
    goals: Sequence[Goal] = ()
    afterwards: Measure | None = None
    facts: Figures = field(default_factory=dict[str, float | None])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Rows that are measured on the same servers. `beside` says what the limit is.

    `rows` prepares, warms up, checks once that answers are right, and cleans up at its end.
    `rounds` overrides how often; what takes its own rounds is run once.
    """

    name: str
    title: str
    beside: str | None
    rows: Callable[[Stage], AbstractContextManager[Sequence[Row]]]
    rounds: int | None = None


@dataclass(slots=True)
class _Measured:
    row: Row
    rounds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def add(self, figures: Figures, prefix: str = "") -> None:
        for name, value in figures.items():
            if value is not None:
                self.rounds.setdefault(prefix + name, []).append(value)

    def divide(self) -> None:
        """The quotient of this round, where both sides have the figure."""
        of, name = self.row.quotient.of, self.row.quotient.name
        ours, limits = self.rounds.get(of), self.rounds.get(LIMIT + of)
        if ours and limits:
            self.add({name: ours[-1] / limits[-1]})

    def summary(self) -> dict[str, Any]:
        figures = {name: summarised(values) for name, values in self.rounds.items()}
        goals = [
            {
                "figure": goal.figure,
                "bound": goal.bound,
                "met": goal.is_met(figures[goal.figure]["median"]),
            }
            for goal in self.row.goals
            if goal.figure in figures
        ]
        return {"name": self.row.name, "figures": figures, "goals": goals}


def summarised(values: Sequence[float]) -> dict[str, Any]:
    """The median and the spread, and what they were made of."""
    return {
        "median": _rounded(median(values)),
        "min": _rounded(min(values)),
        "max": _rounded(max(values)),
        "rounds": [_rounded(value) for value in values],
    }


def _rounded(value: float) -> float:
    """Four significant digits: what is behind them is noise."""
    return float(f"{value:.4g}") if abs(value) < 10_000 else round(value)  # noqa: PLR2004


def measure(case: Case, stage: Stage, rounds: int, tell: Tell) -> dict[str, Any]:
    """A case's results, as they are written to the file. Raises `Wrong`."""
    count = case.rounds or rounds
    with case.rows(stage) as rows:
        measured = [_Measured(row) for row in rows]
        for number in range(1, count + 1):
            for one in measured:
                _in_turn(one, limit_first=number % 2 == 0)
                tell(_line(number, count, one))
        for one in measured:
            one.add(one.row.facts)
            if one.row.afterwards is not None:
                one.add(one.row.afterwards())
    return {
        "case": case.name,
        "title": case.title,
        "beside": case.beside,
        "rows": [one.summary() for one in measured],
    }


def _in_turn(one: _Measured, *, limit_first: bool) -> None:
    if limit_first and one.row.limit is not None:
        one.add(one.row.limit(), LIMIT)
        one.add(one.row.ours())
    else:
        one.add(one.row.ours())
        if one.row.limit is not None:
            one.add(one.row.limit(), LIMIT)
    one.divide()


def _line(number: int, count: int, one: _Measured) -> str:
    values = [f"{name} {_rounded(found[-1]):,g}" for name, found in one.rounds.items()]
    return f"  {number}/{count} {one.row.name}: {', '.join(values)}"
