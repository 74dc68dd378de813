"""What PostgreSQL itself says of the bench's store: what answers are checked by."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from bench.stage import STORE
from bench.subject import Subject

# The settings of the product's own sessions, but planned for the values: the best plan there is.
_SESSION = {"jit": "off", "random_page_cost": "1.1", "plan_cache_mode": "force_custom_plan"}


@dataclass(frozen=True, slots=True)
class Sql:
    """Asks on a connection of its own each time: rarely, and never while something is measured."""

    url: str

    def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """`$1` and so on stand for the values; `:store` for the id of the bench's store."""
        return asyncio.run(self._rows(statement, values))

    def value(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - the statement decides
        """The first column of the first row."""
        return self.rows(statement, *values)[0][0]

    async def _rows(self, statement: str, values: Sequence[object]) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url, server_settings=_SESSION)
        try:
            store = await connection.fetchval("select store_id from stores where name = $1", STORE)
            return await connection.fetch(statement.replace(":store", str(store)), *values)
        finally:
            await connection.close()

    def execution_ms(self, statement: str) -> float:
        """How long the server alone takes for it, planning and sending left out."""
        plan = self.value(f"explain (analyze, timing off, format json) {statement}")
        return float(json.loads(plan)[0]["Execution Time"])


def sql_of(subject: Subject) -> Sql:
    """Of the subject's database."""
    return Sql(subject.database_url)
