"""The alert rules in docs/ speak of metrics that exist, and of nothing that nobody explains."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from openorders.telemetry import BACKLOG, Metrics

DOCS = Path(__file__).parent.parent.parent / "docs"
FILE = yaml.safe_load((DOCS / "alerts.yml").read_text())
RULES: list[dict[str, Any]] = [rule for group in FILE["groups"] for rule in group["rules"]]
OPERATING = (DOCS / "operating.md").read_text()
NAME = re.compile(r"openorders_[a-z_]+")
WORDS = {"page", "ticket"}


def exposed() -> set[str]:
    """The names of all series of a process that has done everything once."""
    metrics = Metrics()
    metrics.answered("basic", "/orders", "GET", 200, 0.1)
    metrics.placed("basic")
    metrics.replayed("basic")
    metrics.fault("basic")
    metrics.connections(1, 1)
    figures = metrics.background()
    figures.backlog(dict.fromkeys(BACKLOG, 0.0))
    figures.ran("loop", 1)
    figures.failed("loop")
    figures.attempted("delivered", 0.1)
    lines = metrics.exposition().decode().splitlines()
    return {re.split(r"[{ ]", line)[0] for line in lines if not line.startswith("#")}


def families() -> set[str]:
    """The same by family: what a histogram is made of counts once."""
    names = {name for name in exposed() if not name.endswith("_created")}
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in names}


def test_there_are_rules_each_with_a_name_of_its_own() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) > 10
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_is_whole_and_speaks_of_what_we_expose(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    named = set(NAME.findall(rule["expr"]))
    assert named, "a rule about nothing of ours"
    assert named <= exposed()
    assert rule["expr"].count("(") == rule["expr"].count(")")
    assert re.search(r"[<>] ?[0-9]", rule["expr"]), "it has no threshold"
    assert re.fullmatch(r"[0-9]+[smh]", rule.get("for", "0s"))
    assert rule["labels"]["severity"] in WORDS
    assert rule["annotations"]["summary"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_the_page_for_operators_says_what_to_do(rule: dict[str, Any]) -> None:
    assert f"`{rule['alert']}`" in OPERATING


def test_every_queue_has_an_alert_and_every_metric_is_explained() -> None:
    watched = " ".join(rule["expr"] for rule in RULES)
    for queue in ("events", "deliveries", "payment_operations", "pending_orders", "mails"):
        assert f"openorders_{queue}" in watched
    assert {name for name in families() if f"`{name}`" not in OPERATING} == set()
