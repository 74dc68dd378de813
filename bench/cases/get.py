"""Getting one order, any of all, through each contract, beside a constant of the same size."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.constant import answering
from bench.dialects import DIALECTS, Dialect
from bench.load import Answer, Client
from bench.rounds import Case, Goal, Row
from bench.sql import sql_of
from bench.stage import Stage
from bench.subject import Subject
from bench.under_load import asking
from bench.wrong import Wrong

_ORDERS = 5_000
"""Different ones that are asked for."""

_LOOKED_AT = 101
"""Of these, the answer of median length becomes the constant."""


@contextmanager
def _rows(stage: Stage) -> Iterator[Sequence[Row]]:
    subject = stage.large
    ids = _some_orders(subject, stage.options.orders)
    with Client(subject) as client:
        samples = {one.name: _median_answer(client, one, ids) for one in DIALECTS}
    with answering(samples, subject.key, workers=stage.options.workers) as constant:
        rows: list[Row] = []
        for dialect in DIALECTS:
            _check_the_constant(constant, dialect, samples[dialect.name], ids[0])
            paths = [dialect.one(order) for order in ids]
            connections, seconds = stage.options.connections, stage.options.short_seconds
            rows.append(
                Row(
                    name=dialect.name,
                    facts={"bytes": len(samples[dialect.name].body)},
                    ours=asking(subject, paths, connections=connections, seconds=seconds),
                    limit=asking(constant, paths, connections=connections, seconds=seconds),
                    goals=(Goal(figure="ratio", at_least=0.4),),
                )
            )
        for row in rows:
            row.ours()  # every connection of the pool has planned its statement by then
        yield rows


def _some_orders(subject: Subject, orders: int) -> list[int]:
    """Ids from all over the store, the same ones each time."""
    every = max(1, orders // (4 * _ORDERS))
    sql = "select id from orders where store_id = :store and id % $1 = 0 order by id"
    found = [row["id"] for row in sql_of(subject).rows(sql, every)]
    return random.Random(4).sample(found, min(_ORDERS, len(found)))  # noqa: S311


def _median_answer(client: Client, dialect: Dialect, ids: Sequence[int]) -> Answer:
    answers = [client.get(dialect.one(order)) for order in ids[:_LOOKED_AT]]
    return sorted(answers, key=lambda one: len(one.body))[len(answers) // 2]


def _check_the_constant(constant: Subject, dialect: Dialect, sample: Answer, order: int) -> None:
    with Client(constant) as client:
        copy = client.get(dialect.one(order))
    if copy.body != sample.body or set(copy.headers) != set(sample.headers):
        raise Wrong(
            f"The constant of {dialect.name} is no copy: {sorted(copy.headers)} instead of "
            f"{sorted(sample.headers)}."
        )


GET = Case(
    name="get",
    title="Getting one order, at random among all, 16 connections",
    beside="the same server answering a constant of that size",
    rows=_rows,
)
