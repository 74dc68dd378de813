"""OData filters with an exact count, beside what PostgreSQL alone needs for the plain question.

Every filter is written twice, as OData and as SQL: the SQL is the limit, and what it counts is
what the answer has to say. The limit is the execution time that EXPLAIN ANALYZE tells for the
count and for the ids of the first page, planned for the values, by the faster of two ways to the
page. Lines, addresses and names of the 20 orders come on top of it only with us.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench.dialects import PAGE, marketplace_list
from bench.load import Client
from bench.rounds import TIMES, Case, Figures, Goal, Measure, Row
from bench.sql import Sql, sql_of
from bench.stage import Stage
from bench.under_load import asking
from bench.wrong import Wrong

FEW = 10_000
_P50_FEW = 20
_P50_MANY = 500
_REFUSED_MS = 2_200
"""The two seconds that a search may take, and what finding out and telling may."""

_ENOUGH_TO_BE_EXPENSIVE = 500_000
_WARM = 4
_SOLD_OFFERS = """
select l.variant_id
from order_lines l
where l.store_id = :store
group by l.variant_id
order by count(distinct l.order_id) desc, l.variant_id
"""
_CUSTOMERS = """
select customer_id from orders where store_id = :store
group by customer_id order by count(*) desc, customer_id limit 1
"""
_TOTAL_AT = "select total from orders where store_id = :store order by total desc offset $1 limit 1"


@dataclass(frozen=True, slots=True)
class Filter:
    """One question in both languages; `sql` is a condition over `orders o`."""

    name: str
    odata: str
    sql: str


@contextmanager
def _rows(stage: Stage) -> Iterator[Sequence[Row]]:
    subject = stage.large
    sql = sql_of(subject)
    rows = [_too_expensive(stage)] if stage.options.orders >= _ENOUGH_TO_BE_EXPENSIVE else []
    with Client(subject) as client:
        for one in _filters(sql, stage.options.orders):
            matches = int(sql.value(_counting(one)))
            path = marketplace_list(one.odata)
            body = client.get_when_warm(path).json()
            if body["count"] != matches or len(body["value"]) != min(PAGE, matches):
                raise Wrong(f"{one.odata} counts {body['count']}; PostgreSQL counts {matches}.")
            for _ in range(_WARM):
                client.get(path)
            within = _P50_FEW if matches <= FEW else _P50_MANY
            seconds = stage.options.short_seconds
            rows.append(
                Row(
                    name=one.name,
                    facts={"matches": matches},
                    ours=asking(subject, [path], connections=1, seconds=seconds),
                    limit=_by_postgresql(sql, one),
                    quotient=TIMES,
                    goals=(Goal(figure="p50_ms", at_most=within),),
                )
            )
    yield rows


def _filters(sql: Sql, orders: int) -> Sequence[Filter]:
    middle = sql.value("select max(created_at) from orders where store_id = :store")
    day = (middle - timedelta(days=200)).replace(hour=0, minute=0, second=0, microsecond=0)
    minor = sql.value("select minor_digits from stores where store_id = :store")
    best = sql.value(_CUSTOMERS)
    usual = sql.value(
        "select customer_id from orders where store_id = :store order by id offset $1 limit 1",
        orders // 3,
    )
    offers = [row["variant_id"] for row in sql.rows(_SOLD_OFFERS)]
    few, many = (sql.value(_TOTAL_AT, orders // share) for share in (200, 3))
    month, year = (_between(day, timedelta(days=days)) for days in (30, 365))
    costly = _more_than(few, minor)
    return (
        Filter("status, few", "status eq 'pending_payment'", "o.word = 'payment_pending'"),
        Filter("status, most", "status eq 'completed'", "o.word = 'completed'"),
        _of_customer("customer, a usual one", usual),
        _of_customer("customer, the one with most", best),
        Filter("a day", *_between(day, timedelta(days=1))),
        Filter("a month", *month),
        Filter("a year", *year),
        Filter("amount, the largest", *costly),
        Filter("amount, a third of all", *_more_than(many, minor)),
        _with_offer("items/any, a usual offer", offers[len(offers) // 2]),
        _with_offer("items/any, the one sold most", offers[0]),
        Filter(
            "a status in a month above an amount",
            f"status eq 'completed' and {month[0]} and {costly[0]}",
            f"o.word = 'completed' and {month[1]} and {costly[1]}",
        ),
        Filter(
            "one of two words in a year",
            f"(status eq 'cancelled' or status eq 'refunded') and {year[0]}",
            f"o.word in ('cancelled', 'refunded') and {year[1]}",
        ),
    )


def _of_customer(name: str, customer: int) -> Filter:
    return Filter(name, f"customerId eq 'cust_{customer}'", f"o.customer_id = {customer}")


def _with_offer(name: str, offer: int) -> Filter:
    return Filter(
        name,
        f"items/any(i: i/offerId eq 'offer_{offer}')",
        f"o.id in (select l.order_id from order_lines l where l.store_id = :store"
        f" and l.variant_id = {offer})",
    )


def _between(day: datetime, length: timedelta) -> tuple[str, str]:
    start, end = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (day, day + length))
    return (
        f"createdAt ge {start} and createdAt lt {end}",
        f"o.created_at >= '{start}' and o.created_at < '{end}'",
    )


def _more_than(total: int, minor_digits: int) -> tuple[str, str]:
    whole = total // 10**minor_digits
    return f"totalAmount gt {whole}", f"o.total > {whole * 10**minor_digits}"


def _counting(one: Filter) -> str:
    return f"select count(*) from orders o where o.store_id = :store and {one.sql}"


def _by_postgresql(sql: Sql, one: Filter) -> Measure:
    condition = f"o.store_id = :store and {one.sql}"
    pages = (
        f"select o.id from orders o where {condition} order by o.id limit {PAGE}",
        (
            f"with found as materialized (select o.id from orders o where {condition})"
            f" select id from found order by id limit {PAGE}"
        ),
    )
    page = min(pages, key=sql.execution_ms)

    def measure() -> Figures:
        return {"p50_ms": sql.execution_ms(_counting(one)) + sql.execution_ms(page)}

    return measure


def _too_expensive(stage: Stage) -> Row:
    """A search that nobody could make fast: arithmetic over the lines of every order."""
    parts = (f"items/any(i: i/quantity mul {n} add i/price gt 0)" for n in range(2, 62))
    path = marketplace_list(" and ".join(parts))

    def refused() -> Figures:
        with Client(stage.large) as client:
            answer = client.get(path, expect=400)
        if answer.json()["error"]["code"] != "QUERY_TOO_EXPENSIVE":
            raise Wrong(f"{path[:80]}… was answered with {answer.body.decode()}")
        return {"p50_ms": answer.milliseconds}

    return Row(
        name="too expensive, refused",
        ours=refused,
        goals=(Goal(figure="p50_ms", at_most=_REFUSED_MS),),
    )


FILTERS = Case(
    name="filters",
    title="OData filters with $count, first page of 20, 1 connection",
    beside="PostgreSQL alone: count and ids of the page by its best plan, execution time",
    rows=_rows,
)
