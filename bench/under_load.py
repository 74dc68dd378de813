"""What every run under load gives: a rate, latencies, and the CPU time of one request."""

from collections.abc import Callable

from bench.load import ask, place
from bench.measuring import Spent
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
        own, postgres = Spent(subject.own), Spent(subject.postgres)
        done = run()
        requests = done["requests"]
        ours, theirs = _each(own.seconds(), requests), _each(postgres.seconds(), requests)
        return {
            "rate": requests / done["seconds"],
            "p50_ms": done["p50_ms"],
            "p95_ms": done["p95_ms"],
            "p99_ms": done["p99_ms"],
            "cpu_ms": None if ours is None else ours + (theirs or 0),
            "cpu_postgres_ms": theirs,
        }

    return measure


def _each(seconds: float | None, requests: float) -> float | None:
    """Milliseconds for each of so many requests."""
    return None if seconds is None else seconds * 1000 / requests
