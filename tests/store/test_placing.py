"""One order by itself and several together are placed by two statements that do the same."""

import re

from openorders.store import queries

ONE = queries.load("placing_one").place_order.sql
SEVERAL = queries.load("placing").place_orders.sql


def test_both_write_the_same_columns_of_the_same_tables_in_the_same_order() -> None:
    assert written_by(ONE) == written_by(SEVERAL)


def written_by(sql: str) -> list[tuple[str, list[str]]]:
    """The tables that a statement adds rows to, and their columns."""
    found = re.findall(r"insert into (\w+)\s*\((.*?)\)", sql, re.DOTALL)
    return [(table, re.findall(r"\w+", columns)) for table, columns in found]
