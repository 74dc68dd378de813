"""A shop as it is after three years: as many orders as asked for, with all that belongs to them.

    python -m bench.orders --orders 1000000 --data-dir /tmp/oo-million

The same seed, and the same day to look back from, give the same rows on every machine. The rows
are drawn in processes of their own and copied in by one transaction, so a run that is cut off
leaves nothing behind. It needs the tables for itself while it runs.
"""

import argparse
import asyncio
import multiprocessing
import os
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from bench import orders_catalogue
from bench.orders_copy import texts
from bench.orders_drawn import CHUNK, DAY, PRODUCTS, VARIANTS, Plan, chunks
from bench.orders_progress import told
from bench.orders_rows import COLUMNS, CUSTOMER_IDS, LINES_MAX, Numbers
from bench.orders_tables import Step, bare
from openorders.domain.ids import StoreId
from openorders.store import bulk, embedded, migrate
from openorders.store.database import Connection, connected

TABLES: Final = (
    *(table for table in COLUMNS if table not in ("told", "idempotency_keys")),
    "customers",
    "customer_identities",
)
"""What grows with the orders, and is filled without indexes."""

_GROWING: Final = (*TABLES, "outbox", "event_positions", "idempotency_keys", "products", "variants",
    "stock", "order_figures", "order_counts")  # fmt: skip
_SEQUENCES: Final = {
    "order": "order_ids",
    "line": "line_ids",
    "payment": "payment_ids",
    "operation": "operation_ids",
    "refund": "refund_ids",
    "charge": "sandbox_charges_id_seq",
    "customer": "customer_ids",
    "product": "product_ids",
    "variant": "variant_ids",
}
_PATIENCE_S: Final = 24 * 3600.0
_TOLD: Final = """
create temporary table told (
    store_id bigint, order_id bigint, version int, type text, payload bytea, at timestamptz
) on commit drop
"""
_AFTERWARDS: Final = (
    # In the order of their time, as the sequencer would have met them.
    """
    insert into outbox (store_id, order_id, version, type, payload, at)
    select store_id, order_id, version, type, payload, at from told
    order by at, order_id, version
    """,
    "lock table outbox in exclusive mode",
    """
    insert into event_positions (store_id, position, event_id, order_id, type)
    select o.store_id, c.last_position + row_number() over (order by o.id), o.id, o.order_id, o.type
    from event_cursor c join outbox o on o.id > c.high
    """,
    """
    update event_cursor c
    set high = greatest(c.high, (select max(o.id) from outbox o)),
        last_position = greatest(
            c.last_position, (select max(p.position) from event_positions p)
        )
    """,
)
_NEVER_VACUUMED: Final = "select reltuples < 0 from pg_class where oid = 'orders'::regclass"
_ANY: Final = "select exists (select from {})"


class NotEmptyError(Exception):
    """The store is there with other orders than those asked for; says which."""


async def fill(
    database_url: str,
    *,
    store: str,
    orders: int,
    seed: int = 1,
    report: Step,
    until: datetime | None = None,
    processes: int | None = None,
) -> bool:
    """Make the store with that many orders; false when it is there already, as asked for.

    All or nothing. `until` is the moment from which the shop looks back, today's first by
    default. Raises `NotEmptyError` for a store of that name that holds anything else.
    """
    plan = Plan(orders=orders, seed=seed, until=_seconds(until))
    async with connected(database_url, statement_s=_PATIENCE_S) as connection:
        made = not await _is_there(connection, store, orders)
        if made:
            await connection.execute(f"vacuum {', '.join(TABLES)}")  # of a run that was cut off
            async with connection.transaction():
                await _fill(connection, store, plan, report, processes or os.cpu_count() or 1)
        if made or await connection.fetchval(_NEVER_VACUUMED):
            report("vacuuming", 0, 1)
            await asyncio.gather(*(_vacuum(database_url, _GROWING[n::2]) for n in (0, 1)))
            report("vacuuming", 1, 1)
    return made


async def _vacuum(database_url: str, tables: Sequence[str]) -> None:
    async with connected(database_url, statement_s=_PATIENCE_S) as connection:
        for table in tables:
            await connection.execute(f"vacuum (analyze) {table}")


def _seconds(until: datetime | None) -> int:
    if until is not None:
        return int(until.timestamp())
    return int(time.time()) // DAY * DAY


async def _is_there(connection: Connection, store: str, orders: int) -> bool:
    found = await connection.fetchval(
        "select (select count(*) from orders o where o.store_id = s.store_id) from stores s"
        " where s.name = $1",
        store,
    )
    if found not in (None, orders):
        raise NotEmptyError(f"The store {store} has {found:,} orders, not {orders:,}.")
    return found is not None


async def _fill(
    connection: Connection, store: str, plan: Plan, report: Step, processes: int
) -> None:
    store_id = await orders_catalogue.open_store(connection, store, plan)
    numbers = replace(await _numbers(connection), store=store_id)
    empty = not any([await connection.fetchval(_ANY.format(table)) for table in TABLES])
    await connection.execute(_TOLD)
    async with bare(connection, TABLES, report):
        if empty:  # then rows can be copied in as if they had been vacuumed
            await connection.execute(f"truncate {', '.join(TABLES)}")
        await orders_catalogue.add_customers(connection, numbers, plan)
        with _drawn(plan, numbers, processes) as drawn:
            for chunk, rows in enumerate(drawn):
                report("copying orders", chunk * CHUNK, plan.orders)
                await _copy(connection, await asyncio.wrap_future(rows), freeze=empty)
        report("copying orders", plan.orders, plan.orders)
    for done, statement in enumerate(_AFTERWARDS):
        report("telling the last days' events", done, len(_AFTERWARDS))
        await connection.execute(statement)
    await orders_catalogue.add_catalogue(connection, numbers, plan)
    report("counting figures", 0, 1)
    await connection.execute("select rebuild_order_figures($1)", numbers.store)
    await _count_on(connection, numbers, plan)


@contextmanager
def _drawn(
    plan: Plan, numbers: Numbers, processes: int
) -> Generator[Iterator[Future[dict[str, bytes]]], None, None]:
    """The chunks in their order, drawn ahead of who asks, a few at a time."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield _ahead(pool, plan, numbers, 2 * processes)


def _ahead(
    pool: Executor, plan: Plan, numbers: Numbers, room: int
) -> Iterator[Future[dict[str, bytes]]]:
    waiting: deque[Future[dict[str, bytes]]] = deque()
    for chunk in range(chunks(plan)):
        waiting.append(pool.submit(texts, plan, numbers, chunk))
        if len(waiting) > room:
            yield waiting.popleft()
    yield from waiting


async def _copy(connection: Connection, rows: dict[str, bytes], *, freeze: bool) -> None:
    for table, text in rows.items():
        await connection.copy_to_table(
            table,
            source=BytesIO(text),
            columns=COLUMNS[table],
            freeze=freeze and table in TABLES,
        )


async def _numbers(connection: Connection) -> Numbers:
    """The last numbers that were given out; a sequence that was never asked gave out none."""
    last = {
        name: await connection.fetchval(
            "select coalesce(pg_sequence_last_value($1::regclass), 0)", _SEQUENCES[name]
        )
        for name in ("order", "line", "payment", "operation", "refund", "charge", "customer")
    }
    return Numbers(store=0, **{**last, "customer": max(last["customer"], CUSTOMER_IDS)})


async def _count_on(connection: Connection, numbers: Numbers, plan: Plan) -> None:
    """Let what is new be numbered above what was made up."""
    lasts = {
        "order": numbers.order + plan.orders,
        "line": numbers.line + plan.orders * LINES_MAX,
        "payment": numbers.payment + plan.orders,
        "operation": numbers.operation + plan.orders * 2,
        "refund": numbers.refund + plan.orders,
        "charge": numbers.charge + plan.orders,
        "customer": numbers.customer + plan.customers,
        "product": PRODUCTS,
        "variant": VARIANTS,
    }
    await bulk.begin_ids_after(connection, {_SEQUENCES[name]: last for name, last in lasts.items()})
    await bulk.begin_order_numbers_after(connection, StoreId(numbers.store), plan.orders)


def main() -> int:
    given = _arguments()
    try:
        asyncio.run(_run_embedded(given) if given.data_dir else _run(given, given.database_url))
    except NotEmptyError as error:
        _say(str(error))
        return 1
    return 0


async def _run_embedded(given: argparse.Namespace) -> None:
    async with embedded.attach(given.data_dir, report=_say) as database:
        await _run(given, database.url)


async def _run(given: argparse.Namespace, url: str) -> None:
    await migrate.migrate(url)
    began = time.monotonic()
    with told() as report:
        made = await fill(
            url, store=given.store, orders=given.orders, seed=given.seed, report=report,
            until=given.until,
        )  # fmt: skip
    done = f"made in {time.monotonic() - began:.1f} s" if made else "there already"
    _say(f"{given.orders:,} orders of the store {given.store}: {done}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__)
    parser.add_argument("--orders", type=int, required=True, help="how many orders")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", default="bench", help="the name of the store to make")
    parser.add_argument(
        "--until", type=datetime.fromisoformat, help="the day the shop looks back from; today"
    )
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--data-dir", type=Path, help="a data folder of an embedded database")
    place.add_argument("--database-url", help="a database of your own")
    return parser.parse_args()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
