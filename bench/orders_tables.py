"""Indexes and foreign keys put aside while rows are copied in, and built anew afterwards.

Everything is read from the catalogue, so an index that a later migration adds is treated the
same. All of it happens in the caller's transaction: cut off anywhere, nothing is missing.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from openorders.store.database import Connection

Step = Callable[[str, int, int], None]
"""Told what is being done, how far it is, and how far it goes."""

_ASIDE: Final = """
with these as (select unnest($1::regclass[]) as id)
select 2 as rank, c.conname as name,
    format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname) as away,
    format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname,
        pg_get_constraintdef(c.oid)) as back
from pg_constraint c
where c.contype = 'f' and (c.conrelid in (table these) or c.confrelid in (table these))
union all
select 1, c.conname,
    format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname),
    format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname,
        pg_get_constraintdef(c.oid))
from pg_constraint c
where c.contype in ('p', 'u') and c.conrelid in (table these)
union all
select 0, i.indexrelid::regclass::text, format('drop index %s', i.indexrelid::regclass),
    pg_get_indexdef(i.indexrelid)
from pg_index i
where i.indrelid in (table these)
    and not exists (select from pg_constraint c where c.conindid = i.indexrelid
        and c.conrelid = i.indrelid)
order by 1, 2
"""
_SESSION: Final = (
    "set local maintenance_work_mem = '512MB'",
    "set local max_parallel_maintenance_workers = 2",
    "set local lock_timeout = '10s'",
    "set local idle_in_transaction_session_timeout = 0",
)


@asynccontextmanager
async def bare(
    connection: Connection, tables: Sequence[str], step: Step
) -> AsyncGenerator[None, None]:
    """Within: the tables without indexes, foreign keys and triggers of ours. After: with them."""
    for setting in _SESSION:
        await connection.execute(setting)
    rows = await connection.fetch(_ASIDE, list(tables))
    for row in sorted(rows, key=lambda row: -row["rank"]):
        await connection.execute(row["away"])
    await _triggers(connection, tables, "disable")
    yield
    for done, row in enumerate(rows):
        step(f"building {row['name']}", done, len(rows))
        await connection.execute(row["back"])
    await _triggers(connection, tables, "enable")
    step("built", len(rows), len(rows))


async def _triggers(connection: Connection, tables: Sequence[str], able: str) -> None:
    for table in tables:
        await connection.execute(f"alter table {table} {able} trigger user")
