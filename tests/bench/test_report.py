"""What is told of a run, and of two beside each other."""

import copy
from typing import Any

import pytest

from bench import report
from bench.comparing import compare
from bench.rounds import summarised

MACHINE = {"processor": "Some CPU", "cores": 2, "memory_gib": 8, "system": "Linux x86_64"}


def row(name: str, goals: list[dict[str, Any]] | None = None, **figures: list[float]):
    return {
        "name": name,
        "figures": {figure: summarised(values) for figure, values in figures.items()},
        "goals": goals or [],
    }


def run_of(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "began": "2026-01-02 03:04 UTC",
        "minutes": 12.3,
        "machine": dict(MACHINE),
        "versions": {"python": "3.11.7", "wrk": ""},
        "options": {
            "orders": 1_000_000,
            "rounds": 3,
            "seconds": 8,
            "workers": 2,
            "connections": 16,
        },
        "doubts": [],
        "cases": [{"case": "place", "title": "Placing", "beside": "pgbench", "rows": list(rows)}],
    }


def text(lines: Any) -> str:
    return "\n".join(lines)


MISSED = {"figure": "ratio", "bound": "≥ 1", "met": False}
MET = {"figure": "p99_ms", "bound": "≤ 40", "met": True}


def test_a_missed_goal_is_said_loudly_and_with_its_value():
    run = run_of(row("1,000 products", [MISSED, MET], ratio=[0.5, 0.75, 0.7], p99_ms=[30, 31, 32]))
    shown = text(report.plain(run))

    assert "1 of 2 goals met." in shown
    assert "MISSED  place, 1,000 products: ratio 0.70, goal ≥ 1" in shown
    assert "0.70 (0.50-0.75)" in shown


def test_a_row_says_which_of_its_goals_were_missed_or_that_all_were_met():
    shown = text(
        report.markdown(
            run_of(
                row("a", [MISSED, MET], ratio=[0.5], p99_ms=[31.0]),
                row("b", [MET], p99_ms=[31.0]),
                row("c", rate=[1.0]),
            )
        )
    )

    assert "| a |  | 0.50 | 31.00 | MISSED: ratio ≥ 1 |" in shown
    assert "| b |  |  | 31.00 | met: p99, ms ≤ 40 |" in shown
    assert "| c | 1 |  |  |  |" in shown


def test_a_small_run_says_that_its_goals_are_those_of_a_large_one():
    run = run_of(row("a", [MET], p99_ms=[31.0]))
    assert "NOTE" not in text(report.plain(run))

    run["options"]["orders"] = 10_000
    assert "The goals are those of 1,000,000 orders." in text(report.plain(run))


def test_a_case_that_failed_is_told_and_the_others_are_shown():
    run = run_of(row("a", rate=[1.0]))
    run["cases"].append({"case": "get", "title": "Getting", "wrong": "GET /x said 500"})
    shown = text(report.plain(run))

    assert "FAILED  get: GET /x said 500" in shown
    assert "Placing; beside it pgbench" in shown
    assert "Getting" not in text(report.markdown(run))


def test_what_makes_figures_doubtful_is_in_every_form():
    run = run_of(row("a", rate=[1.0]))
    run["doubts"] = ["Other work is going on here."]

    assert "Other work is going on here." in text(report.plain(run))
    assert "Other work is going on here." in text(report.markdown(run))


def test_the_markdown_has_a_column_for_each_figure_that_a_row_has():
    shown = text(
        report.markdown(run_of(row("a", rate=[100.0], cpu_ms=[1.5]), row("b", p50_ms=[2.0, 4.0])))
    )

    assert "| case | per second | p50, ms | CPU per request, ms | goals |" in shown
    assert "| a | 100 |  | 1.50 |  |" in shown
    assert "| b |  | 3.00 (2.00–4.00) |  |  |" in shown  # noqa: RUF001
    assert "Some CPU, 2 cores, 8 GiB, Linux x86_64" in shown


def test_tables_replace_what_is_between_the_marks_and_nothing_else():
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    once = report.put_into(page, "| new |")

    assert once == f"before\n{report.BEGIN}\n\n| new |\n\n{report.END}\nafter\n"
    assert report.put_into(once, "| new |") == once
    with pytest.raises(ValueError, match="there is no"):
        report.put_into("a page without marks", "| new |")


def test_a_figure_has_changed_when_the_ranges_of_the_rounds_do_not_touch():
    before = run_of(row("a", rate=[90, 100, 110], p99_ms=[30, 40, 50]))
    same = run_of(row("a", rate=[110, 120, 130], p99_ms=[45, 55, 65]))
    other = run_of(row("a", rate=[120, 121, 122], p99_ms=[55, 60, 65]))

    assert compare(same, before).changes == []
    assert compare(same, before).unchanged == 2
    changes = {change.figure: change.is_better for change in compare(other, before).changes}
    assert changes == {"rate": True, "p99_ms": False}


def test_what_the_limit_did_is_neither_better_nor_worse():
    before, now = run_of(row("a", limit_rate=[1.0])), run_of(row("a", limit_rate=[9.0]))

    assert compare(now, before).changes == []
    assert compare(now, before).unchanged == 0


def test_a_row_that_only_one_run_has_is_not_compared():
    before, now = run_of(row("a", rate=[1.0])), run_of(row("b", rate=[9.0]))

    assert compare(now, before).changes == []


def test_the_worse_is_told_first():
    before = run_of(row("a", rate=[100.0], p99_ms=[50.0]))
    now = run_of(row("a", rate=[200.0], p99_ms=[90.0]))
    lines = list(report.compared(compare(now, before), "old.json"))

    assert lines[1] == "Beside old.json:"
    assert lines[2] == "  WORSE   place: a: p99, ms 50.00 -> 90.00"
    assert lines[3] == "  better  place: a: per second 100 -> 200"


def test_a_comparison_across_machines_or_options_is_said_to_be_one():
    before = run_of(row("a", rate=[1.0]))
    now = copy.deepcopy(before)
    assert compare(now, before).caveats == []

    now["machine"]["processor"] = "Another CPU"
    now["options"]["orders"] = 10_000
    shown = text(report.compared(compare(now, before), "old.json"))

    assert "These are two machines: Another CPU, 2 cores" in shown
    assert "The options differ: orders 10000" in shown
    assert "Only ratios and growth compare." in shown


def test_a_run_that_was_disturbed_is_no_measure_for_another():
    before = run_of(row("a", rate=[1.0]))
    before["doubts"] = ["It was busy."]

    assert compare(run_of(row("a", rate=[1.0])), before).caveats == ["Before: It was busy."]


def test_values_keep_four_digits_and_no_noise():
    found = summarised([1.23456, 2.34567, 123456.7])

    assert found == {
        "median": 2.346,
        "min": 1.235,
        "max": 123457,
        "rounds": [1.235, 2.346, 123457],
    }
