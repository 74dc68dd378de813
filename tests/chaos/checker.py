"""Whether anything was lost, doubled in effect, or told out of order: feed, receiver's log, buyers
and orders compared with each other. Each difference is a sentence.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.books import Row
from tests.chaos.buyers import Bought

ORDER = "ord_"
EVENT = "evt_"


@dataclass
class Heard:
    """What one endpoint was told."""

    taken: list[str] = field(default_factory=list[str])
    """Events in the order in which they were taken, repeats too."""
    bodies: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    tries: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    unsigned: int = 0
    early: list[str] = field(default_factory=list[str])

    @property
    def repeats(self) -> int:
        return len(self.taken) - len(set(self.taken))


def heard(log: Path, events: Sequence[Row]) -> dict[str, Heard]:
    """The receiver's log by path. An event is early if one of its order that comes before it in
    the feed had not been taken yet.
    """
    before: dict[str, str] = {}
    last: dict[int, str] = {}
    for event in events:
        name = EVENT + str(event["id"])
        if event["order_id"] in last:
            before[name] = last[event["order_id"]]
        last[event["order_id"]] = name
    endpoints: dict[str, Heard] = defaultdict(Heard)
    taken: dict[str, set[str]] = defaultdict(set)
    for line in log.read_text().splitlines():
        said: dict[str, Any] = json.loads(line)
        path, event = said["path"], said["event"]
        one = endpoints[path]
        one.tries += 1
        one.unsigned += not said["signed"]
        one.bodies[event].add(said["body"])
        if said["fault"]:
            one.faults[said["fault"]] += 1
        if event in before and before[event] not in taken[path]:
            one.early.append(event)
        if said["taken"]:
            one.taken.append(event)
            taken[path].add(event)
    return dict(endpoints)


def wrong_deliveries(endpoints: dict[str, Heard], events: Sequence[Row]) -> Iterator[str]:
    """What endpoints were told, against what happened."""
    happened = {EVENT + str(event["id"]) for event in events}
    for path, one in sorted(endpoints.items()):
        told = set(one.taken)
        yield from (f"{path}: {name} was never delivered" for name in sorted(happened - told))
        yield from (f"{path}: {name} never happened" for name in sorted(told - happened))
        yield from (f"{path}: {name} came before an earlier one" for name in one.early)
        if one.unsigned:
            yield f"{path}: {one.unsigned} requests were not signed as they should be"
        for name, bodies in one.bodies.items():
            if len(bodies) > 1:
                yield f"{path}: {name} came with {len(bodies)} different bodies"


def wrong_feed(feed: Sequence[str], events: Sequence[Row]) -> Iterator[str]:
    """What the feed shows against what happened."""
    expected = [EVENT + str(event["id"]) for event in events]
    for event in events:
        if event["position"] is None:
            yield f"feed: event {event['id']} has no position"
    if list(feed) != expected:
        shown, happened = set(feed), set(expected)
        yield (
            f"feed: {len(feed)} events shown, {len(expected)} happened; lost"
            f" {sorted(happened - shown)[:5]}, made up {sorted(shown - happened)[:5]}"
        )
    versions: dict[int, int] = {}
    for event in events:
        order, version = event["order_id"], event["version"]
        if version < versions.get(order, 0):
            yield f"feed: order {order} goes back to version {version} at {event['position']}"
        versions[order] = version


def wrong_events(events: Sequence[Row], orders: Sequence[Row]) -> Iterator[str]:
    """What was told of orders, against what they are."""
    told: dict[int, Counter[str]] = defaultdict(Counter)
    for event in events:
        told[event["order_id"]][event["type"]] += 1
    known = {order["id"] for order in orders}
    yield from (f"events: order {one} does not exist" for one in sorted(told.keys() - known))
    for order in orders:
        types = told[order["id"]]
        expected = {
            "order.created": 1,
            "order.paid": order["captures"],
            "order.cancelled": int(order["progress"] == "cancelled"),
        }
        for name, count in expected.items():
            if types[name] != count:
                yield f"events: order {order['id']}: {types[name]} times {name}, not {count}"


def wrong_orders(bought: Sequence[Bought], orders: Sequence[Row]) -> Iterator[str]:
    """What buyers were told, against what is in the books."""
    by_id = {ORDER + str(order["id"]): order for order in orders}
    names = [one.order for one in bought]
    yield from (f"orders: {name} was given to two buyers" for name in _twice(names))
    yield from (f"orders: {name} is nobody's" for name in sorted(by_id.keys() - set(names)))
    yield from (f"orders: number {n} twice" for n in _twice([one["number"] for one in orders]))
    for one in bought:
        order = by_id.get(one.order)
        if order is None:
            yield f"orders: {one.order} is lost"
            continue
        for what, expected, found in _compared(one, order):
            if expected != found:
                yield f"orders: {one.order}: {what} is {found}, and its buyer knows {expected}"


def _compared(one: Bought, order: Row) -> Iterator[tuple[str, Any, Any]]:
    taken = order["total"] if one.paid else 0
    if not one.cancelled:
        yield "the total", one.total, order["total"]
        yield "what was taken", taken, order["captured"]
    yield "cancelled", one.cancelled, order["progress"] == "cancelled"
    if one.cancelled or None in one.refunds:
        given_back = order["captured"]
    else:
        given_back = sum(cents or 0 for cents in one.refunds)
    yield "what was given back", given_back, order["refunded"]


def _twice(names: Sequence[Any]) -> list[Any]:
    return [name for name, count in Counter(names).items() if count > 1]
