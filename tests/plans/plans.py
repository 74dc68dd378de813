"""Plans as PostgreSQL explains them, and what is wrong with one on tables that grow.

Statements are run, in a transaction that is rolled back, on a session like those of production:
what they touched is counted, not estimated.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from openorders.store.database import Connection

SMALL: Final = frozenset({
    "api_keys", "catalogue_rows", "event_cursor", "event_horizons", "figure_stores",
    "mail_cursors", "order_counts", "pending_orders", "schema_migrations", "stores",
    "webhook_endpoints", "webhook_secrets",
})  # fmt: skip
"""Tables of what an operator makes one by one, or of what is under way. All others grow."""

PAGE: Final = 1_000
"""Rows that may be sorted, hashed or kept aside: a page or a batch of the largest kind."""

BLOCKS: Final = 400
"""Blocks of 8 KiB that a statement may touch, unless its entry says more."""

_GATHERING: Final = frozenset({"Sort", "Incremental Sort", "Hash", "Materialize", "WindowAgg"})


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that was run."""

    root: dict[str, Any]

    def nodes(self) -> Iterator[dict[str, Any]]:
        """Every step, the last one first."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.get("Plans", ())

    @property
    def blocks(self) -> int:
        """Blocks of tables and indexes that were touched, in memory or not."""
        return self.root["Shared Hit Blocks"] + self.root["Shared Read Blocks"]


def complaints(plan: Plan, *, blocks: int = BLOCKS, rows: int = PAGE) -> list[str]:
    """Everything that would not stay as it is while tables grow."""
    found = [
        f"reads all of {node['Relation Name']}"
        for node in plan.nodes()
        if node["Node Type"] == "Seq Scan"
        and node["Relation Name"] not in SMALL
        and node["Actual Loops"]
    ]
    found += [
        f"{node['Node Type']} of {gathered:,} rows"
        for node in plan.nodes()
        if (gathered := _gathered(node)) > rows
    ]
    if plan.blocks > blocks:
        found.append(f"touches {plan.blocks:,} blocks, more than {blocks:,}")
    return found


def _gathered(node: dict[str, Any]) -> int:
    """How many rows a step has to have seen before it gives the first."""
    hashed = node["Node Type"] == "Aggregate" and node["Strategy"] == "Hashed"
    if not hashed and node["Node Type"] not in _GATHERING:
        return 0
    below = node.get("Plans", ())
    return round(sum(one["Actual Rows"] * one["Actual Loops"] for one in below[:1]))


async def run(connection: Connection, sql: str, arguments: Sequence[str] = ()) -> Plan:
    """Run a statement as it is prepared on this connection; `arguments` are SQL expressions."""
    await connection.execute(f"prepare plan_of_it as {sql}")
    try:
        given = f"({', '.join(arguments)})" if arguments else ""
        async with rolled_back(connection):
            found = await connection.fetchval(
                f"explain (analyze, buffers, timing off, format json) execute plan_of_it{given}"
            )
    finally:
        await connection.execute("deallocate plan_of_it")
    return Plan(json.loads(found)[0]["Plan"])


async def run_for(connection: Connection, sql: str, values: Sequence[object]) -> Plan:
    """Run a statement that is planned for the values it has."""
    found = await connection.fetchval(
        f"explain (analyze, buffers, timing off, format json) {sql}", *values
    )
    return Plan(json.loads(found)[0]["Plan"])


@asynccontextmanager
async def rolled_back(connection: Connection):
    """A transaction of which nothing stays."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()
