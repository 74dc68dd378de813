"""Which cases there are, and what they are told by the command line."""

import json
from pathlib import Path

import pytest

from bench import __main__ as command
from bench.cases import ALL
from bench.dialects import DIALECTS
from bench.figures import FIGURES, written
from bench.load import INSTALL_WRK
from bench.stage import Options, folder_name
from openorders.contracts import ALL as CONTRACTS


def test_cases_have_names_of_their_own():
    names = [case.name for case in ALL]

    assert len(names) == len(set(names))


def test_every_contract_is_asked():
    assert sorted(one.name for one in DIALECTS) == sorted(one.name for one in CONTRACTS)


def test_the_usual_run_is_a_million_orders_five_times():
    options, cases, files = command._read([])

    assert (options.orders, options.small_orders, options.rounds) == (1_000_000, 10_000, 5)
    assert (options.workers, options.connections) == (2, 16)
    assert cases == list(ALL)
    assert [file.parent for file in files] == [command.RESULTS]


def test_a_quick_run_is_small_and_what_is_said_counts_more():
    options, _, _ = command._read(["--quick"])
    assert (options.orders, options.small_orders, options.is_quick) == (10_000, 2_000, True)
    assert options.rounds < Options().rounds

    options, cases, files = command._read(
        ["--quick", "--rounds", "3", "--only", "get", "lists", "--json", "x.json"]
    )
    assert options.rounds == 3
    assert [case.name for case in cases] == ["get", "lists"]
    assert [file.parent for file in files] == [command.RESULTS, Path()]


def test_a_case_that_does_not_exist_is_named_and_nothing_runs(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        command._read(["--only", "gett"])

    assert "gett" in capsys.readouterr().err


def test_without_the_load_generator_its_installation_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(command, "wrk_is_here", lambda: False)

    assert command.main([]) == 1
    assert INSTALL_WRK in capsys.readouterr().out


def test_a_run_is_compared_with_the_last_one_of_its_kind(tmp_path: Path):
    def written_run(name: str, orders: int, *cases: str) -> Path:
        file = tmp_path / name
        run = {"options": {"orders": orders}, "cases": [{"case": case} for case in cases]}
        file.write_text(json.dumps(run))
        return file

    files = [
        written_run("1.json", 1_000_000, "place", "get"),
        written_run("2.json", 1_000_000, "place", "get"),
        written_run("3.json", 1_000_000, "place"),
        written_run("4.json", 10_000, "place", "get"),
    ]
    run = {"options": {"orders": 1_000_000}, "cases": [{"case": "get"}]}

    assert command.last_like(run, files) == files[1]
    assert command.last_like(run, files[3:]) is None
    assert command.last_like(run, []) is None


def test_a_kept_folder_is_called_by_how_many_orders_it_holds():
    assert folder_name(1_000_000) == "orders-1000000"


def test_every_figure_is_written_with_its_digits():
    assert written("rate", 1234.5678) == "1,235"
    assert written("ratio", 0.567) == "0.57"
    assert all(figure.heading for figure in FIGURES.values())
