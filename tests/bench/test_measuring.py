"""What processes cost, as the kernel counts it."""

import os
import socket
import subprocess
import sys
import time

import pytest

from bench import measuring
from bench.measuring import Processes, percentile, percentiles


def test_a_percentile_is_one_of_the_values():
    values = [float(n) for n in range(100, 0, -1)]

    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.95) == 95
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1) == 100
    assert percentile(values, 0) == 1
    assert percentile([7.0], 0.99) == 7


def test_the_three_percentiles_have_the_names_that_tables_know():
    assert percentiles([1.0, 2.0, 3.0]) == {"p50_ms": 2.0, "p95_ms": 3.0, "p99_ms": 3.0}


def test_cpu_time_of_children_counts_while_they_run_and_after_they_ended():
    burn = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
    ours = Processes((os.getpid(),))
    before = ours.cpu_seconds()
    assert before is not None
    child = subprocess.Popen(
        [sys.executable, "-c", f"{burn}; input()"], stdin=subprocess.PIPE, text=True
    )
    try:
        while (running := ours.cpu_seconds() or 0) < before + 0.2:
            time.sleep(0.01)
        assert child.pid in ours.pids()
    finally:
        child.communicate("\n")

    assert child.pid not in ours.pids()
    assert (ours.cpu_seconds() or 0) >= running


def test_the_process_that_listens_is_found_by_its_port():
    with socket.socket() as listening, socket.socket() as other:
        for one in (listening, other):
            one.bind(("127.0.0.1", 0))
        listening.listen()

        assert Processes((os.getpid(),)).answering(listening.getsockname()[1]) == [os.getpid()]
        assert Processes((os.getpid(),)).answering(other.getsockname()[1]) == []


def test_a_parent_that_only_keeps_the_socket_is_not_who_answers():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.set_inheritable(True)
        with subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True, close_fds=False
        ) as child:
            ours = Processes((os.getpid(),))

            assert ours.answering(listening.getsockname()[1]) == [child.pid]
            child.communicate("\n")


def test_memory_is_told_in_millions_of_bytes():
    found = measuring.memory(os.getpid())

    assert found is not None
    assert 5 < found.pss <= found.rss < 2_000
    assert (measuring.highest_peak([os.getpid()]) or 0) >= found.rss * 0.9


def test_a_process_that_is_gone_costs_nothing_that_is_known():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()

    assert Processes((child.pid,)).cpu_seconds() is None
    assert measuring.memory(child.pid) is None
    assert measuring.highest_peak([child.pid]) is None


def test_where_there_is_no_proc_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr(measuring, "PROC", tmp_path / "none")

    assert Processes((os.getpid(),)).cpu_seconds() is None
    assert Processes((os.getpid(),)).answering(80) == []
    assert measuring.memory(os.getpid()) is None
    measuring.forget_peaks([os.getpid()])
