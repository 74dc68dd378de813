"""How a case is measured: by turns, round by round, and what comes of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from bench.rounds import GROWTH, Case, Goal, Row, measure
from bench.stage import Options, Stage
from bench.wrong import Wrong


def _quiet(_: str) -> None:
    pass


STAGE = Stage(Options(), _quiet)


def case_of(*rows: Row, rounds: int | None = None) -> Case:
    @contextmanager
    def opened(_: Stage) -> Iterator[Sequence[Row]]:
        yield rows

    return Case(name="some", title="Some case", beside="a limit", rows=opened, rounds=rounds)


def test_ours_and_the_limit_begin_by_turns():
    order: list[str] = []

    def run(name: str, rate: float):
        def once() -> dict[str, float]:
            order.append(name)
            return {"rate": rate}

        return once

    row = Row(name="a row", ours=run("ours", 30), limit=run("limit", 40))
    measured = measure(case_of(row), STAGE, 3, _quiet)

    assert order == ["ours", "limit", "limit", "ours", "ours", "limit"]
    figures = measured["rows"][0]["figures"]
    assert figures["ratio"] == {"median": 0.75, "min": 0.75, "max": 0.75, "rounds": [0.75] * 3}
    assert figures["limit_rate"]["median"] == 40


def test_the_ratio_is_that_of_each_round_and_not_of_the_medians():
    ours, limits = iter((10.0, 20.0, 90.0)), iter((10.0, 40.0, 30.0))
    row = Row(name="a row", ours=lambda: {"rate": next(ours)}, limit=lambda: {"rate": next(limits)})
    figures = measure(case_of(row), STAGE, 3, _quiet)["rows"][0]["figures"]

    assert figures["ratio"]["rounds"] == [1.0, 0.5, 3.0]
    assert figures["ratio"]["median"] == 1.0


def test_goals_are_judged_by_the_median():
    values = iter((1.0, 4.9, 100.0))
    row = Row(
        name="a row",
        ours=lambda: {"p50_ms": next(values)},
        limit=lambda: {"p50_ms": 1.0},
        quotient=GROWTH,
        goals=(
            Goal(figure="p50_ms", at_most=5),
            Goal(figure="growth", at_most=1.3),
            Goal(figure="not measured here", at_least=1),
        ),
    )
    goals = measure(case_of(row), STAGE, 3, _quiet)["rows"][0]["goals"]

    assert goals == [
        {"figure": "p50_ms", "bound": "≤ 5", "met": True},
        {"figure": "growth", "bound": "≤ 1.3", "met": False},
    ]


def test_a_bound_itself_meets_the_goal():
    assert Goal(figure="ratio", at_least=1.0).is_met(1.0)
    assert not Goal(figure="ratio", at_least=1.0).is_met(0.999)
    assert Goal(figure="deadlocks", at_most=0).is_met(0)
    assert not Goal(figure="deadlocks", at_most=0).is_met(1)


def test_what_is_not_known_is_left_out():
    row = Row(name="a row", ours=lambda: {"rate": 1.0, "cpu_ms": None})

    assert set(measure(case_of(row), STAGE, 2, _quiet)["rows"][0]["figures"]) == {"rate"}


def test_a_figure_of_all_rounds_together_is_taken_once_at_the_end():
    taken: list[str] = []

    def run() -> dict[str, float]:
        taken.append("round")
        return {"rate": 1.0}

    def count() -> dict[str, float]:
        taken.append("count")
        return {"deadlocks": 0}

    row = Row(name="a row", ours=run, afterwards=count)
    figures = measure(case_of(row), STAGE, 2, _quiet)["rows"][0]["figures"]

    assert taken == ["round", "round", "count"]
    assert figures["deadlocks"]["rounds"] == [0]


def test_a_case_that_takes_its_own_rounds_is_run_once():
    runs: list[None] = []

    def run() -> dict[str, float]:
        runs.append(None)
        return {"rate": 1.0}

    measure(case_of(Row(name="a row", ours=run), rounds=1), STAGE, 5, _quiet)

    assert len(runs) == 1


def test_a_failed_request_ends_the_case_and_nothing_of_it_is_told():
    def fail() -> dict[str, float]:
        raise Wrong("GET /x was answered with 500: oops")

    with pytest.raises(Wrong, match="answered with 500"):
        measure(case_of(Row(name="a row", ours=fail)), STAGE, 1, _quiet)
