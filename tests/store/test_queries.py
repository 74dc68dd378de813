"""Named statements: what the loader makes of a file, what it refuses, and that ours all prepare."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from openorders.store import queries
from openorders.store.database import Database, connected

ORDERS = """\
-- Statements about orders.

-- name: get_order
-- One order of a store.
-- Served by the primary key.
select id, note::text, 'a :literal'' with $1 and ;' as "a :name", $tag$ :body; $tag$
  from orders -- where :this is not one
 where store_id = :store_id
   and id = :id /* nor :this; */
   and (created_at < :before or :before::timestamptz is null)
   and note <> E'\\\\' and tags[1:2] = array[ :first, 'x:y' ];

-- name: count_orders
select count(*) from orders
"""

IN_FRONT = {
    # Statements that another part of a statement is put in front of, with one that is.
    "listing.orders_of_page": "with page (id, place) as (select 1::bigint, 1::bigint) ",
}


def written(folder: Path, text: str) -> Path:
    (folder / "orders.sql").write_text(text)
    return folder


def test_named_parameters_become_numbers_and_nothing_else_changes(tmp_path: Path) -> None:
    statement = queries.load("orders", written(tmp_path, ORDERS)).get_order
    assert statement.parameters == ("store_id", "id", "before", "first")
    assert statement.note == "One order of a store. Served by the primary key."
    assert statement.sql == (
        "select id, note::text, 'a :literal'' with $1 and ;' as \"a :name\", $tag$ :body; $tag$\n"
        "  from orders -- where :this is not one\n"
        " where store_id = $1\n"
        "   and id = $2 /* nor :this; */\n"
        "   and (created_at < $3 or $3::timestamptz is null)\n"
        "   and note <> E'\\\\' and tags[1:2] = array[ $4, 'x:y' ]"
    )


def test_a_file_is_the_sum_of_its_statements(tmp_path: Path) -> None:
    loaded = queries.load("orders", written(tmp_path, ORDERS))
    assert [statement.name for statement in loaded] == ["get_order", "count_orders"]
    assert loaded.count_orders.parameters == ()
    assert list(queries.load_all(tmp_path)) == ["orders"]


def test_a_statement_that_is_not_there_is_missed_by_name(tmp_path: Path) -> None:
    loaded = queries.load("orders", written(tmp_path, ORDERS))
    with pytest.raises(AttributeError, match=r"orders\.sql has no statement get_orders; it has"):
        _ = loaded.get_orders


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("select 1", "stands before the first"),
        ("select 1;\n-- name: one\nselect 1", "stands before the first"),
        ("", "stands before the first"),
        ("-- name: one\nselect 1;\n-- name: one\nselect 2", "one is there twice"),
        ("-- name: one\n-- only words\n", "one is empty"),
        ("-- name: One more\nselect 1", "cannot be a statement's name"),
        ("-- name: one\nselect 1; select 2;", "one holds two statements"),
        ("-- name: one\nselect $1", "one holds a numbered parameter"),
    ],
)
def test_a_file_that_breaks_the_rules_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(queries.QueryFileError, match=complaint):
        queries.load("orders", written(tmp_path, text))


@pytest.mark.parametrize("given", [{}, {"id": 1}, {"store_id": 1, "id": 1, "extra": 1}])
def test_values_are_exactly_the_parameters(tmp_path: Path, given: dict[str, object]) -> None:
    text = "-- name: one\nselect :store_id::int, :id::int"
    statement = queries.load("orders", written(tmp_path, text)).one
    with pytest.raises(TypeError, match="statement one: missing"):
        statement.arguments(given)


async def test_statements_run_with_values_by_name(tmp_path: Path, empty_database_url: str) -> None:
    loaded = queries.load(
        "orders",
        written(
            tmp_path,
            "-- name: make\ncreate table pairs (a int, b int);\n"
            "-- name: add\ninsert into pairs values (:a, :b);\n"
            "-- name: all\nselect a, b from pairs where b >= :least order by a;\n",
        ),
    )
    async with connected(empty_database_url) as connection:
        await loaded.make.execute(connection)
        await loaded.add.executemany(connection, [{"b": 2, "a": 1}, {"a": 3, "b": 4}])
        assert await loaded.add.execute(connection, b=6, a=5) == "INSERT 0 1"
        rows = await loaded.all.fetch(connection, least=4)
        assert [tuple(row) for row in rows] == [(3, 4), (5, 6)]
        first = await loaded.all.fetchrow(connection, least=0)
        assert first is not None
        assert first["b"] == 2
        assert await loaded.all.fetchval(connection, least=6) == 5
        async with connection.transaction():
            streamed = [
                row["a"] async for row in loaded.all.cursor(connection, prefetch=1, least=0)
            ]
        assert streamed == [1, 3, 5]


async def test_every_statement_prepares_on_the_migrated_schema(database: Database) -> None:
    refused: dict[str, str] = {}
    async with database.connection() as connection:
        for file, statements in queries.load_all().items():
            for statement in statements:
                name = f"{file}.{statement.name}"
                try:
                    prepared = await connection.prepare(IN_FRONT.get(name, "") + statement.sql)
                except asyncpg.PostgresError as error:
                    refused[name] = str(error)
                else:
                    assert len(prepared.get_parameters()) == len(statement.parameters), name
    assert refused == {}
