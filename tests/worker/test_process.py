"""`openorders worker` as an operator runs it."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli import program

PATIENCE_S = 60
NOT_LOADED = ("uvicorn", "httptools", "litestar", "aiohttp", "stripe", "cryptography")


@pytest.fixture
def database_url(module_database_url: str) -> str:
    """A database of this module's own: workers change what they find."""
    return module_database_url


@contextmanager
def at_work(
    folder: Path, *options: str, **more: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A worker, and the origin of its pages."""
    process = subprocess.Popen(
        program.command("worker", "--port", "0", *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=program.environment(folder, **more),
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        origin = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert origin is not None, line
        yield process, origin[0]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_it_answers_operators_works_and_ends_when_told(database_url: str, tmp_path: Path) -> None:
    with at_work(tmp_path, "--database-url", database_url) as (process, origin):
        assert get(f"{origin}/livez") == (200, "ok\n")
        assert get(f"{origin}/readyz")[0] == 200
        assert get(f"{origin}/nowhere")[0] == 404
        told = get(f"{origin}/metrics")[1]
        assert 'openorders_background_last_run_timestamp_seconds{loop="sweep_operations"}' in told
        assert "openorders_deliveries_waiting 0.0" in told
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err
        assert "Traceback" not in err


def test_a_second_signal_ends_it_at_once(database_url: str, tmp_path: Path) -> None:
    with at_work(tmp_path, "--database-url", database_url) as (process, _):
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) in (0, 130)


def test_a_database_that_is_not_migrated_is_refused_with_a_sentence(
    empty_database_url: str, tmp_path: Path
) -> None:
    ended = program.forked(tmp_path, "worker", "--database-url", empty_database_url)
    assert ended.code == 1
    assert ended.err.startswith("openorders: The database is not migrated.")
    assert ended.out == ""


def test_a_port_that_is_taken_is_a_sentence(database_url: str, tmp_path: Path) -> None:
    with at_work(tmp_path, "--database-url", database_url) as (_, origin):
        port = origin.rpartition(":")[2]
        ended = program.forked(tmp_path, "worker", "--database-url", database_url, "--port", port)
    assert ended.code == 1
    assert f"Cannot listen on 127.0.0.1, port {port}" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_an_option_that_makes_no_sense_is_a_misuse(tmp_path: Path, command: str) -> None:
    ended = program.forked(tmp_path, command, "--port", "abc")
    assert ended.code == 2
    assert "--port must be a whole number" in ended.err
    variable = program.forked(tmp_path, command, OPENORDERS_POOL_SIZE="none")
    assert variable.code == 1
    assert "OPENORDERS_POOL_SIZE must be a whole number" in variable.err


def test_it_starts_without_what_answers_http(tmp_path: Path) -> None:
    asks = f"""
import json, sys
import openorders.background
import openorders.cli.worker
print(json.dumps([name for name in {NOT_LOADED!r} if name in sys.modules]))
"""
    said = subprocess.run(
        [sys.executable, "-c", asks],
        capture_output=True,
        text=True,
        check=True,
        env=program.environment(tmp_path),
    )
    assert json.loads(said.stdout) == []
