"""What pgbench is given to do is what the server does."""

import re
from pathlib import Path

import bench
from openorders.store import queries
from openorders.store.database import Database

ONE_ORDER = queries.load("one_order", Path(bench.__file__).parent)
SERVER = queries.load("placing")


async def test_the_statements_of_the_limit_fit_the_tables(database: Database) -> None:
    async with database.connection() as connection:
        for statement in ONE_ORDER:
            await connection.prepare(statement.sql)


def test_the_limit_writes_what_the_server_writes() -> None:
    assert written_by(ONE_ORDER.place_order.sql) == written_by(SERVER.place_orders.sql)


def written_by(sql: str) -> dict[str, list[str]]:
    """The columns of each table that a statement adds rows to."""
    found = re.findall(r"insert into (\w+)\s*\((.*?)\)", sql, re.DOTALL)
    return {table: re.findall(r"\w+", columns) for table, columns in found}
