"""What the server counts about itself: metrics. Labels come from closed sets only."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
BACKLOG: Final[Mapping[str, str]] = {
    "events_unsequenced": "Events that have no place in the feed yet.",
    "events_unsequenced_oldest_seconds": "How long the oldest of them has been waiting.",
    "deliveries_waiting": "Events that active webhook endpoints are still to be told.",
    "deliveries_retrying_orders": "Orders with an event whose last try failed.",
    "deliveries_oldest_seconds": "How old the oldest event is that waits to be delivered.",
    "deliveries_lag_seconds": "How long the delivery that is due first has been due.",
    "webhook_endpoints_off": "Endpoints that were switched off because they failed or are gone.",
    "webhook_endpoints_failing": "Active endpoints whose last try failed.",
    "webhook_endpoints_failing_seconds": "How long the longest failing one has been failing.",
    "payment_operations_open": "Calls to payment gateways whose outcome is not known yet.",
    "payment_operations_oldest_seconds": "How long the oldest of them has been open.",
    "payment_operations_lag_seconds": "How long the one that is due first has been due.",
    "refunds_refused": "Refunds that a gateway refused for good in the last 24 hours.",
    "pending_orders": "Orders that wait for the outcome of the charge that makes them orders.",
    "pending_orders_oldest_seconds": "How long the oldest of them has been waiting.",
    "overdue_orders": "Orders that nobody paid in time and that are not cancelled yet.",
    "mails_waiting": "Mails that are to be sent, or sent again.",
    "mails_lag_seconds": "How long the mail that is due first has been due.",
    "mails_given_up": "Mails that were given up in the last 24 hours.",
    "figure_changes_waiting": "Changes of orders that are not folded into the figures yet.",
    "figures_missing_stores": "Stores whose figures are to be computed from their orders.",
}
"""What waits to be done: each name, after `openorders_`, is a gauge. Counts stop at 10,001."""


class Metrics:
    """The counters of one process; `exposition` speaks for all processes that share a folder.

    `slot` tells processes apart. A process that takes the place of a dead one takes its slot and
    counts on from there.
    """

    def __init__(self, folder: Path | None = None, slot: int = 0) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        if folder is not None:
            # The library asks both of these whenever a series appears: they stay as they are.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
            cast("Any", values).ValueClass = cast("Any", values).MultiProcessValue(lambda: slot)
        self._define()

    def _define(self) -> None:
        labels = ("contract", "route", "method", "status")
        self._requests = Histogram(
            "openorders_http_request_duration_seconds",
            "Time from a request's headers to the end of its answer.",
            labels,
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._placed = self._counter(
            "openorders_orders_placed_total", "Orders created, by the contract.", ("contract",)
        )
        self._replayed = self._counter(
            "openorders_idempotent_replays_total",
            "Requests that were given the first answer again.",
            ("contract",),
        )
        self._faults = self._counter(
            "openorders_faults_total", "Requests that failed by a fault of ours.", ("contract",)
        )
        self._connections = Gauge(
            "openorders_database_connections",
            "Connections to the database.",
            ("state",),
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._known: dict[tuple[str, str, str, int], Histogram] = {}

    def _counter(self, name: str, says: str, labels: tuple[str, ...]) -> Counter:
        return Counter(name, says, labels, registry=self._registry)

    def answered(self, contract: str, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is a declared path, never the path that was sent."""
        key = (contract, route, method, status)
        series = self._known.get(key)
        if series is None:
            series = self._requests.labels(contract, route, method, str(status))
            self._known[key] = series
        series.observe(seconds)

    def placed(self, contract: str) -> None:
        """An order was created through this contract."""
        self._placed.labels(contract).inc()

    def replayed(self, contract: str) -> None:
        """A request was answered from what is kept under its idempotency key."""
        self._replayed.labels(contract).inc()

    def fault(self, contract: str) -> None:
        """A request failed by a fault of ours."""
        self._faults.labels(contract).inc()

    def connections(self, total: int, idle: int) -> None:
        """How many connections to the database this process has open and idle."""
        self._connections.labels("open").set(total)
        self._connections.labels("idle").set(idle)

    def background(self) -> "BackgroundMetrics":
        """The figures of a process that works beside the requests. To be asked for once."""
        return BackgroundMetrics(self._registry)

    def exposition(self) -> bytes:
        """All metrics of all processes in Prometheus' text format."""
        if self._folder is None:
            return generate_latest(self._registry)
        merged = CollectorRegistry()
        MultiProcessCollector(merged, path=str(self._folder))
        return generate_latest(merged)


class BackgroundMetrics:
    """What one process says about its loops and about what waits to be done."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._done = Counter(
            "openorders_background_done_total",
            "What the loops have done, by loop.",
            ("loop",),
            registry=registry,
        )
        self._failures = Counter(
            "openorders_background_failures_total",
            "Runs of a loop that failed and were tried again.",
            ("loop",),
            registry=registry,
        )
        self._attempts = Histogram(
            "openorders_webhook_attempt_duration_seconds",
            "Time of one try to deliver an event, by what came of it.",
            ("result",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._last_run = self._gauge(
            "openorders_background_last_run_timestamp_seconds",
            "When a loop last ran to its end without a failure.",
            ("loop",),
        )
        self._measured = self._gauge(
            "openorders_backlog_measured_timestamp_seconds", "When the backlog was last looked at."
        )
        self._backlog = {
            name: self._gauge(f"openorders_{name}", says) for name, says in BACKLOG.items()
        }

    def _gauge(self, name: str, says: str, labels: tuple[str, ...] = ()) -> Gauge:
        # Of several processes that tell the same, whoever has seen the most is believed.
        return Gauge(name, says, labels, registry=self._registry, multiprocess_mode="livemax")

    def ran(self, name: str, done: int) -> None:
        """A loop ran to its end, having done so much."""
        self._done.labels(name).inc(done)
        self._last_run.labels(name).set_to_current_time()

    def failed(self, name: str) -> None:
        """A run of a loop failed."""
        self._failures.labels(name).inc()

    def attempted(self, result: str, seconds: float) -> None:
        """An event was sent to a webhook endpoint; `result` is one of a few words."""
        self._attempts.labels(result).observe(seconds)

    def backlog(self, found: Mapping[str, float]) -> None:
        """What waits to be done, by the names of `BACKLOG`."""
        for name, value in found.items():
            self._backlog[name].set(value)
        self._measured.set_to_current_time()


def forget_process(folder: Path, slot: int) -> None:
    """Take what a dead process had under way out of the sums; what it counted stays."""
    for path in folder.glob(f"gauge_live*_{slot}.db"):
        path.unlink(missing_ok=True)
