"""The figures that a case can give: how each is headed, written, and which way is better."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`higher_is_better` is None where a figure only describes."""

    heading: str
    decimals: int
    higher_is_better: bool | None


FIGURES = {
    "orders": Figure(heading="orders", decimals=0, higher_is_better=None),
    "matches": Figure(heading="matches", decimals=0, higher_is_better=None),
    "page": Figure(heading="page", decimals=0, higher_is_better=None),
    "bytes": Figure(heading="bytes", decimals=0, higher_is_better=None),
    "rate": Figure(heading="per second", decimals=0, higher_is_better=True),
    "limit_rate": Figure(heading="limit, per second", decimals=0, higher_is_better=None),
    "ratio": Figure(heading="ratio", decimals=2, higher_is_better=True),
    "seconds": Figure(heading="seconds", decimals=2, higher_is_better=False),
    "limit_seconds": Figure(heading="limit, seconds", decimals=2, higher_is_better=None),
    "p50_ms": Figure(heading="p50, ms", decimals=2, higher_is_better=False),
    "p95_ms": Figure(heading="p95, ms", decimals=2, higher_is_better=False),
    "p99_ms": Figure(heading="p99, ms", decimals=2, higher_is_better=False),
    "limit_p50_ms": Figure(heading="limit, p50, ms", decimals=2, higher_is_better=None),
    "growth": Figure(heading="growth", decimals=2, higher_is_better=False),
    "times": Figure(heading="times the limit", decimals=1, higher_is_better=False),
    "first_byte_ms": Figure(heading="first byte, ms", decimals=1, higher_is_better=False),
    "cpu_seconds": Figure(heading="CPU, seconds", decimals=2, higher_is_better=False),
    "limit_cpu_seconds": Figure(heading="limit, CPU, seconds", decimals=2, higher_is_better=None),
    "cpu_ms": Figure(heading="CPU per request, ms", decimals=2, higher_is_better=False),
    "cpu_postgres_ms": Figure(heading="of it PostgreSQL, ms", decimals=2, higher_is_better=False),
    "limit_cpu_ms": Figure(heading="limit, CPU per request, ms", decimals=2, higher_is_better=None),
    "deadlocks": Figure(heading="deadlocks", decimals=0, higher_is_better=False),
    "peak_mb": Figure(heading="worker at its peak, MB", decimals=0, higher_is_better=False),
    "rss_mb": Figure(heading="resident, MB", decimals=0, higher_is_better=False),
    "pss_mb": Figure(heading="its share, MB", decimals=0, higher_is_better=False),
}
"""By name, in the order of a table's columns. Others of a limit's are kept, and not shown."""


def written(name: str, value: float) -> str:
    """A value as people read it."""
    return f"{value:,.{FIGURES[name].decimals}f}"
