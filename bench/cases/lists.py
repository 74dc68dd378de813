"""A page of 20 orders with their items and the exact total, through each contract.

One connection, so that a time is that of the work and not of a queue. The same page is asked for
among many orders and among few: what it grows by is the point.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.dialects import DIALECTS, PAGE, Dialect
from bench.load import Client
from bench.rounds import GROWTH, Case, Goal, Row
from bench.sql import sql_of
from bench.stage import Stage
from bench.subject import Subject
from bench.under_load import asking
from bench.wrong import Wrong

DEEP_PAGE = 400
DEEPEST_PAGE = 5_000

_P50 = 5
_P50_DEEPEST = 25
_GROWTH = 1.3
_WARM = 20


@contextmanager
def _rows(stage: Stage) -> Iterator[Sequence[Row]]:
    rows: list[Row] = []
    for dialect in DIALECTS:
        for by_status in (False, True) if dialect.status else (False,):
            rows += _of_one_list(stage, dialect, by_status=by_status)
    yield rows


def _of_one_list(stage: Stage, dialect: Dialect, *, by_status: bool) -> Iterator[Row]:
    large, small = stage.large, stage.small
    many = _count(large, dialect, by_status=by_status)
    few = _count(small, dialect, by_status=by_status)
    # A status may have fewer orders than the page begins at; then the last full page that both
    # have stands for it, and the row says so.
    for page in (1, min(DEEP_PAGE, few // PAGE)):
        offset = (page - 1) * PAGE
        for subject, total in ((large, many), (small, few)):
            _check_and_warm(subject, dialect, offset, total, by_status=by_status)
        path = dialect.page(offset, by_status)
        yield Row(
            name=_name(dialect, page, by_status=by_status),
            facts={"page": page, "orders": many},
            ours=asking(large, [path], connections=1, seconds=1),
            limit=asking(small, [path], connections=1, seconds=1),
            quotient=GROWTH,
            goals=(
                Goal(figure="p50_ms", at_most=_P50),
                Goal(figure="limit_p50_ms", at_most=_P50),
                Goal(figure="growth", at_most=_GROWTH),
            ),
        )
    if many >= DEEPEST_PAGE * PAGE:
        offset = (DEEPEST_PAGE - 1) * PAGE
        _check_and_warm(large, dialect, offset, many, by_status=by_status)
        path = dialect.page(offset, by_status)
        yield Row(
            name=_name(dialect, DEEPEST_PAGE, by_status=by_status),
            facts={"page": DEEPEST_PAGE, "orders": many},
            ours=asking(large, [path], connections=1, seconds=1),
            goals=(Goal(figure="p50_ms", at_most=_P50_DEEPEST),),
        )


def _name(dialect: Dialect, page: int, *, by_status: bool) -> str:
    filtered = f", status {dialect.status}" if by_status else ""
    which = f"page {page:,}" if page in (1, DEEP_PAGE, DEEPEST_PAGE) else "last full page of both"
    return f"{dialect.name}{filtered}, {which}"


def _count(subject: Subject, dialect: Dialect, *, by_status: bool) -> int:
    words = " and word = any($1::text[])" if by_status else " and $1::text[] is not null"
    sql = f"select count(*) from orders where store_id = :store{words}"
    return sql_of(subject).value(sql, list(dialect.words))


def _check_and_warm(
    subject: Subject, dialect: Dialect, offset: int, total: int, *, by_status: bool
) -> None:
    """The page is full, its orders have their items, and the total is what PostgreSQL counts."""
    path = dialect.page(offset, by_status)
    with Client(subject) as client:
        answer = client.get_when_warm(path)
        orders = dialect.orders(answer.json())
        if len(orders) != PAGE or not all(order[dialect.lines] for order in orders):
            raise Wrong(f"{path} shows {len(orders)} orders, or some without items.")
        if dialect.total is not None and dialect.total(answer) != total:
            raise Wrong(f"{path} counts {dialect.total(answer)} orders; there are {total}.")
    for _ in range(_WARM):  # connections of their own, so that both workers have planned it
        with Client(subject) as client:
            client.get(path)


LISTS = Case(
    name="lists",
    title="A page of 20 orders with items and exact total, 1 connection",
    beside="the same page where there are few orders",
    rows=_rows,
)
