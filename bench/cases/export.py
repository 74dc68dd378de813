"""Orders as a file: CSV beside PostgreSQL's own COPY of the same columns, and a spreadsheet."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from bench.load import File, fetch
from bench.measuring import OURSELVES, Spent, forget_peaks, highest_peak
from bench.rounds import Case, Figures, Goal, Measure, Row
from bench.sql import Sql, sql_of
from bench.stage import Stage
from bench.subject import Subject
from bench.wrong import Wrong

EXCEL_ORDERS = 200_000

_PATH = "/marketplace/api/orders/export"
_FIVE = {
    "id": "o.id",
    "customerId": "o.customer_id",
    "status": "o.word",
    "totalAmount": "o.total",
    "createdAt": "o.created_at",
}
_DEFAULT = {
    "id": "o.id",
    "customerId": "o.customer_id",
    "customerName": "c.name",
    "status": "o.word",
    "currency": "o.currency",
    "subtotal": "o.subtotal",
    "discountAmount": "o.discount",
    "shippingCost": "o.shipping",
    "taxAmount": "o.tax",
    "totalAmount": "o.total",
    "paymentMethod": "o.payment_method",
    "paymentStatus": "o.payment",
    "fulfilmentStatus": "o.fulfilment",
    "createdAt": "o.created_at",
    "updatedAt": "o.updated_at",
}
"""What an export has that names no columns, and where it comes from."""

_CSV_GOALS = (
    Goal(figure="ratio", at_least=0.5),
    Goal(figure="peak_mb", at_most=150),
    Goal(figure="first_byte_ms", at_most=100),
)
_EXCEL_GOALS = (Goal(figure="seconds", at_most=10), Goal(figure="peak_mb", at_most=150))
_LAST_DAYS = """
with days as (
    select (o.created_at at time zone s.time_zone)::date as day, count(*) as orders
    from orders o join stores s using (store_id)
    where o.store_id = :store
    group by 1
), summed as (
    select day, sum(orders) over (order by day desc) as orders from days
)
select day, orders from summed
order by orders < least($1::bigint, (select max(orders) from summed)), orders
limit 1
"""


@contextmanager
def _rows(stage: Stage) -> Iterator[Sequence[Row]]:
    subject = stage.large
    sql = sql_of(subject)
    start, chosen = sql.rows(_LAST_DAYS, EXCEL_ORDERS)[0]
    yield (
        _csv(subject, sql, "CSV, all orders, five columns", _FIVE),
        _csv(subject, sql, "CSV, all orders, 15 columns (the default)", _DEFAULT),
        Row(
            name="Excel, the newest orders, 15 columns",
            facts={"orders": int(chosen)},
            ours=_excel(subject, start, int(chosen)),
            goals=_EXCEL_GOALS,
        ),
    )


def _csv(subject: Subject, sql: Sql, name: str, columns: dict[str, str]) -> Row:
    """Orders are counted each time, since another case places some."""
    copying = _copying(columns)

    def ours() -> Figures:
        body = {"format": "csv", "columns": list(columns)}
        orders = int(sql.value("select count(*) from orders where store_id = :store"))
        file, costs = _watched(subject, lambda: fetch(subject, _PATH, body, count_lines=True))
        if file.lines != orders + 1:  # and the header
            raise Wrong(f"The CSV has {file.lines - 1} rows; there are {orders} orders.")
        return {
            "orders": orders,
            "rate": orders / file.seconds,
            "seconds": file.seconds,
            "first_byte_ms": file.first_byte_ms,
            **costs,
        }

    def limit() -> Figures:
        store, rows = sql.rows("select :store, count(*) from orders where store_id = :store")[0]
        client, postgres = Spent(OURSELVES), Spent(subject.postgres)
        began = time.perf_counter()
        _psql(subject, copying.replace(":store", str(store)))
        seconds = time.perf_counter() - began
        return {
            "rate": rows / seconds,
            "seconds": seconds,
            "cpu_seconds": _sum(client.seconds(), postgres.seconds()),
        }

    return Row(name=name, ours=ours, limit=limit, goals=_CSV_GOALS)


def _copying(columns: dict[str, str]) -> str:
    """As plain as it can be asked: raw values in no order, a join only where a column needs it."""
    joined = "left join customers c on c.store_id = o.store_id and c.id = o.customer_id"
    cells = ", ".join(columns.values())
    return (
        f"copy (select {cells} from orders o {joined} where o.store_id = :store)"
        " to stdout (format csv)"
    )


def _psql(subject: Subject, statement: str) -> None:
    done = subprocess.run(
        [subject.bindir / "psql", "--no-psqlrc", "--quiet", subject.database_url, "-c", statement],
        check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if done.returncode:
        raise Wrong(f"psql: {done.stderr}")


def _excel(subject: Subject, start: date, orders: int) -> Measure:
    body = {"format": "excel", "filters": {"startDate": f"{start}"}}

    def measure() -> Figures:
        file, costs = _watched(subject, lambda: fetch(subject, _PATH, body, count_lines=False))
        if not file.head.partition(b"\r\n\r\n")[2].startswith(b"PK"):
            raise Wrong("What should be a spreadsheet is none.")
        return {"rate": orders / file.seconds, "seconds": file.seconds, **costs}

    return measure


def _watched(subject: Subject, work: Callable[[], File]) -> tuple[File, Figures]:
    """The file, the CPU time it took, and the most that a worker had in memory meanwhile."""
    workers = subject.workers
    forget_peaks(workers)
    own, postgres = Spent(subject.own), Spent(subject.postgres)
    file = work()
    return file, {
        "cpu_seconds": _sum(own.seconds(), postgres.seconds()),
        "peak_mb": highest_peak(workers),
    }


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


EXPORT = Case(
    name="export",
    title="Exports of all orders, and of the newest to a spreadsheet",
    beside="psql: COPY … TO STDOUT of the same columns, unsorted",
    rows=_rows,
)
