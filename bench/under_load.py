"""What every run under load gives: a rate, latencies, and the CPU time of one request."""

from collections.abc import Callable

from bench.load import ask, place
from bench.rounds import Figures, Measure
from bench.subject import Subject


def placing(subject: Subject, *, connections: int, seconds: int) -> Measure:
    """Place orders of three lines through commerce."""
    return _measured(subject, lambda: place(subject, connections=connections, seconds=seconds))


def asking(subject: Subject, paths: list[str], *, connections: int, seconds: int) -> Measure:
    """Ask for any of these paths."""
    return _measured(subject, lambda: ask(subject, paths, connections=connections, seconds=seconds))


def _measured(subject: Subject, run: Callable[[], dict[str, float]]) -> Measure:
    def measure() -> Figures:
        before = subject.processes.cpu_seconds()
        done = run()
        after = subject.processes.cpu_seconds()
        spent = None if before is None or after is None else after - before
        return {
            "rate": done["requests"] / done["seconds"],
            "p50_ms": done["p50_ms"],
            "p95_ms": done["p95_ms"],
            "p99_ms": done["p99_ms"],
            "cpu_ms": None if spent is None else spent * 1000 / done["requests"],
        }

    return measure
