"""Databases that live as long as a test needs them, made by cloning another one."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from openorders.store.database import connected

T = TypeVar("T")

_numbers = itertools.count(1)


@contextmanager
def created(server_url: str, *, template: str | None = None) -> Iterator[str]:
    """The URL of a new database, a copy of the template's where one is given; dropped after."""
    name = f"openorders_test_{os.getpid()}_{next(_numbers)}"
    source = urlsplit(template).path[1:] if template else "template1"
    run(server_url, f'create database "{name}" template "{source}" strategy file_copy')
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        run(server_url, f'drop database "{name}" with (force)')


def run(url: str, statement: str) -> None:
    """Run one statement on a connection of its own."""

    async def work() -> None:
        async with connected(url) as connection:
            await connection.execute(statement)

    finish(work())


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Wait for asynchronous work from where no loop is ours: on a loop in another thread."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


_EMPTY = """
do $$
declare
    found record;
begin
    execute (
        select 'truncate ' || string_agg(format('%I', tablename), ', ') || ' restart identity'
        from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'
    );
    for found in select sequencename as name, start_value from pg_sequences
        where schemaname = 'public'
    loop
        if found.name like 'order\\_numbers\\_%' then
            execute format('drop sequence %I', found.name);
        else
            perform setval(found.name::regclass, found.start_value, false);
        end if;
    end loop;
    insert into event_cursor default values;
end $$
"""


def empty(url: str) -> None:
    """Delete every row but those that migrations write, and count from the start again, as in a
    database just migrated.
    """
    run(url, _EMPTY)
