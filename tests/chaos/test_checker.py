"""The comparison finds what it is there to find."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import checker, plans
from tests.chaos.buyers import Bought

EVENTS: list[Any] = [
    {"id": 1, "order_id": 7, "version": 1, "type": "order.created", "position": 1},
    {"id": 3, "order_id": 8, "version": 1, "type": "order.created", "position": 2},
    {"id": 2, "order_id": 7, "version": 2, "type": "order.paid", "position": 3},
]
LINES = [
    {"path": "/a", "event": f"evt_{n}", "taken": True, "fault": "", "signed": True, "body": f"{n}"}
    for n in (1, 3, 2)
]


def lines(tmp_path: Path, change: Callable[[list[dict[str, Any]]], None]) -> list[str]:
    said = [dict(line) for line in LINES]
    change(said)
    log = tmp_path / "log"
    log.write_text("\n".join(map(json.dumps, said)))
    return list(checker.wrong_deliveries(checker.heard(log, EVENTS), EVENTS))


def nothing(_: list[dict[str, Any]]) -> None: ...


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (nothing, []),
        (lambda said: said.append(said[0]), []),
        (lambda said: said.pop(), ["/a: evt_2 was never delivered"]),
        (lambda said: said[2].update(taken=False), ["/a: evt_2 was never delivered"]),
        (lambda said: said.reverse(), ["/a: evt_2 came before an earlier one"]),
        (
            lambda said: said.append({**said[0], "event": "evt_9"}),
            ["/a: evt_9 never happened"],
        ),
        (
            lambda said: said[1].update(signed=False),
            ["/a: 1 requests were not signed as they should be"],
        ),
        (
            lambda said: said.append({**said[0], "body": "other"}),
            ["/a: evt_1 came with 2 different bodies"],
        ),
    ],
)
def test_deliveries(tmp_path: Path, change: Any, found: list[str]) -> None:
    assert lines(tmp_path, change) == found


def test_the_feed() -> None:
    assert list(checker.wrong_feed(["evt_1", "evt_3", "evt_2"], EVENTS)) == []
    assert len(list(checker.wrong_feed(["evt_1", "evt_2", "evt_3"], EVENTS))) == 1
    assert len(list(checker.wrong_feed(["evt_1", "evt_3"], EVENTS))) == 1
    back = [EVENTS[2] | {"position": 1}, EVENTS[0] | {"position": 2}]
    assert any("goes back" in one for one in checker.wrong_feed(["evt_2", "evt_1"], back))


def an_order(**more: Any) -> Any:
    order = {"id": 7, "number": 1, "total": 1000, "progress": "placed", "captured": 1000}
    return order | {"refunded": 300, "captures": 1} | more


def a_buyer(**more: Any) -> Bought:
    plan = plans.plan(1, 1)
    return Bought(plan, **{"order": "ord_7", "total": 1000, "paid": True, "refunds": [300]} | more)


@pytest.mark.parametrize(
    ("buyer", "order", "count"),
    [
        (a_buyer(), an_order(), 0),
        (a_buyer(), an_order(refunded=600), 1),
        (a_buyer(paid=False, refunds=[]), an_order(refunded=0), 1),
        (a_buyer(cancelled=True), an_order(), 2),
        (a_buyer(cancelled=True), an_order(progress="cancelled", refunded=1000), 0),
        (a_buyer(order="ord_8"), an_order(), 2),
        (a_buyer(total=999), an_order(total=1000), 1),
    ],
)
def test_orders(buyer: Bought, order: Any, count: int) -> None:
    assert len(list(checker.wrong_orders([buyer], [order]))) == count


def test_events_of_orders() -> None:
    orders = [an_order(id=7), an_order(id=8, captures=0)]
    assert list(checker.wrong_events(EVENTS, orders)) == []
    doubled = [*EVENTS, EVENTS[2]]
    assert len(list(checker.wrong_events(doubled, orders))) == 1
    assert len(list(checker.wrong_events(EVENTS, orders[:1]))) == 1
