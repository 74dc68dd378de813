"""Metrics over three years: as they are asked for again and again, and right after an order.

What is answered is compared with what PostgreSQL sums up from the orders themselves, to the cent.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from bench.load import Answer, Client
from bench.measuring import percentiles
from bench.rounds import Case, Figures, Goal, Row
from bench.sql import Sql, sql_of
from bench.stage import Stage
from bench.under_load import asking
from bench.wrong import Wrong

_PATH = "/marketplace/api/orders/aggregated"
_P50 = 20
_WRITES = 20
_SUMMED = """
select {key} as key, count(*) as orders,
    coalesce(sum(o.total) filter (where o.word not in ('cancelled', 'refunded')), 0) as revenue
from orders o
join stores s using (store_id)
where o.store_id = :store
    and (o.created_at at time zone s.time_zone)::date between $1::text::date and $2::text::date
group by 1
"""
_DAYS = """
select min((o.created_at at time zone s.time_zone)::date)::text as first,
    (now() at time zone s.time_zone)::date::text as last, s.minor_digits
from orders o join stores s using (store_id)
where o.store_id = :store
group by s.store_id
"""
_SOLD = """
select p.id
from stock s
join variants v on v.store_id = s.store_id and v.id = s.variant_id
join products p on p.store_id = v.store_id and p.default_variant_id = v.id
where s.store_id = :store and v.available
order by s.on_hand - s.reserved desc, p.id
limit 3
"""
_KEYS = {
    "": "''",
    "day": "(o.created_at at time zone s.time_zone)::date::text",
    "status": "case o.word when 'created' then 'pending' when 'paid' then 'pending'"
    " when 'payment_pending' then 'pending_payment' else o.word end",
}
_NAMES = {"": "in all", "day": "by day", "status": "by status"}


@dataclass(frozen=True, slots=True)
class _Figures:
    """Orders and revenue in minor units, in all and by group."""

    total: tuple[int, int]
    groups: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Question:
    """Three years, split by something or by nothing."""

    sql: Sql
    first: str
    last: str
    minor_digits: int
    by: str

    @property
    def path(self) -> str:
        """As marketplace is asked."""
        grouped = f"&groupBy={self.by}" if self.by else ""
        return f"{_PATH}?startDate={self.first}&endDate={self.last}{grouped}"

    def check(self, answer: Answer) -> None:
        """Raises `Wrong` unless the answer is what the orders add up to."""
        told = _told(answer, self.minor_digits)
        rows = self.sql.rows(_SUMMED.format(key=_KEYS[self.by]), self.first, self.last)
        groups = {row["key"]: (row["orders"], int(row["revenue"])) for row in rows}
        total = (sum(n for n, _ in groups.values()), sum(sums for _, sums in groups.values()))
        if told.total != total or (self.by and told.groups != groups):
            raise Wrong(f"{self.path} tells {told.total}; the orders add up to {total}.")


def _told(answer: Answer, minor_digits: int) -> _Figures:
    body = json.loads(answer.body, parse_float=Decimal, parse_int=Decimal)

    def read(one: Mapping[str, Decimal]) -> tuple[int, int]:
        return int(one["totalOrders"]), int(one["totalRevenue"].scaleb(minor_digits))

    return _Figures(read(body), {one["key"]: read(one) for one in body.get("groups", ())})


@contextmanager
def _rows(stage: Stage) -> Iterator[Sequence[Row]]:
    subject = stage.large
    sql = sql_of(subject)
    days = sql.rows(_DAYS)[0]
    questions = [
        _Question(sql, days["first"], days["last"], days["minor_digits"], by) for by in _KEYS
    ]
    goals = (Goal(figure="p50_ms", at_most=_P50),)
    seconds = stage.options.short_seconds
    with Client(subject) as client:
        for question in questions:
            question.check(client.get(question.path))
    rows = [
        Row(
            name=_NAMES[question.by],
            ours=asking(subject, [question.path], connections=1, seconds=seconds),
            goals=goals,
        )
        for question in questions
    ]
    rows += [
        Row(
            name=f"{_NAMES[question.by]}, right after an order",
            ours=lambda question=question: _after_writes(stage, question),
            goals=goals,
        )
        for question in questions[1:]
    ]
    yield rows


def _after_writes(stage: Stage, question: _Question) -> Figures:
    """Place an order, ask at once, and again; the last answer is compared with the orders."""
    products = [row["id"] for row in question.sql.rows(_SOLD)]
    items = [{"productId": f"PROD{product:03d}", "quantity": 1} for product in products]
    times: list[float] = []
    with Client(stage.large) as client:
        for number in range(_WRITES):
            before = (
                _told(client.get(question.path), question.minor_digits) if number == 0 else None
            )
            order = {"customerId": "CUST00005", "items": items}
            client.post("/commerce/v1/orders", order, expect=201)
            answer = client.get(question.path)
            times.append(answer.milliseconds)
            told = _told(answer, question.minor_digits)
            if before is not None and told.total[0] != before.total[0] + 1:
                raise Wrong(f"{question.path} does not tell of an order that was just placed.")
        question.check(answer)
    return percentiles(times)


METRICS = Case(
    name="metrics",
    title="Metrics over three years, 1 connection",
    beside=None,
    rows=_rows,
)
