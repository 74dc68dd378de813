"""Placing orders of three lines through commerce, an idempotency key on each, beside pgbench."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from bench import limit
from bench.load import place
from bench.rounds import Case, Figures, Goal, Measure, Row
from bench.sql import sql_of
from bench.stage import Stage
from bench.subject import Subject
from bench.under_load import placing

HOT_PRODUCTS = 10

_GOALS = (Goal(figure="ratio", at_least=1.0), Goal(figure="p99_ms", at_most=40))
_STATISTICS_S = 11
"""An idle PostgreSQL process tells its counts after ten seconds at the latest."""

_DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


@contextmanager
def _on_a_new_database(stage: Stage) -> Iterator[Sequence[Row]]:
    with stage.fresh() as subject:
        hot = replace(subject, products=HOT_PRODUCTS)
        lone = placing(subject, connections=1, seconds=stage.options.short_seconds)
        place(subject, connections=stage.options.connections, seconds=2)
        yield (
            _beside_pgbench("1,000 products", subject, stage),
            replace(
                _beside_pgbench("10 hot products", hot, stage),
                goals=(_GOALS[0], Goal(figure="deadlocks", at_most=0)),
                afterwards=_deadlocks_since_now(subject),
            ),
            Row(name="a lone client, 1,000 products", ours=lone),
        )


@contextmanager
def _among_many_others(stage: Stage) -> Iterator[Sequence[Row]]:
    subject = stage.crowded_shop
    place(subject, connections=stage.options.connections, seconds=2)
    yield (_beside_pgbench("1,000 products", subject, stage),)


def _beside_pgbench(name: str, subject: Subject, stage: Stage) -> Row:
    clients, seconds = stage.options.connections, stage.options.seconds
    script = asyncio.run(limit.write_script(subject.database_url, subject.products))
    pgbench = subject.bindir / "pgbench"

    def run() -> Figures:
        return {
            "rate": limit.run(
                pgbench, subject.database_url, script, clients=clients, seconds=seconds
            )
        }

    return Row(
        name=name,
        ours=placing(subject, connections=clients, seconds=seconds),
        limit=run,
        goals=_GOALS,
    )


def _deadlocks_since_now(subject: Subject) -> Measure:
    sql = sql_of(subject)
    before = sql.value(_DEADLOCKS)

    def count() -> Figures:
        time.sleep(_STATISTICS_S)
        return {"deadlocks": sql.value(_DEADLOCKS) - before}

    return count


PLACE = Case(
    name="place",
    title="Placing an order of three lines through commerce, idempotency key on",
    beside="pgbench with as many clients: the same rows, one order per transaction",
    rows=_on_a_new_database,
)

CROWDED = Case(
    name="crowded",
    title="The same in a database that holds all the other orders",
    beside="pgbench with as many clients: the same rows, one order per transaction",
    rows=_among_many_others,
)
