"""Every statement of the store, on a million orders, reads what it needs and no more.

A statement that is added is tried here without being asked for: with values by the names of its
parameters, on the plan that production would keep for it.
"""

import pytest

from openorders.store import criteria, listing, queries
from openorders.store.database import Connection
from openorders.store.queries import Statement
from tests.plans import plans, samples, searching, shapes
from tests.plans.exempt import EXEMPT

ALL = {
    f"{file}.{statement.name}": statement
    for file, statements in queries.load_all().items()
    for statement in statements
}
LISTS = dict(shapes.lists())
CHECKED = [name for name in ALL if not {name, name.split(".")[0]} & EXEMPT.keys()]


async def tried(connection: Connection, name: str) -> plans.Plan:
    statement = ALL[name]
    arguments = samples.arguments(name, statement, await types_of(connection, statement))
    return await plans.run(connection, statement.sql, arguments)


async def types_of(connection: Connection, statement: Statement) -> list[str]:
    prepared = await connection.prepare(statement.sql)
    return [
        f"{one.name.removesuffix('[]')}[]" if one.kind == "array" else one.name
        for one in prepared.get_parameters()
    ]


@pytest.mark.parametrize("name", CHECKED)
async def test_reads_no_more_than_it_needs_among_a_million_orders(
    connection: Connection, name: str
):
    plan = await tried(connection, name)
    assert plans.complaints(plan, blocks=samples.BLOCKS.get(name, plans.BLOCKS)) == []


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_is_read_in_the_order_of_an_index(
    connection: Connection, million_url: str, name: str
):
    search = LISTS[name]
    assert criteria.is_walk(search)
    asked = await searching.asked_by(million_url, search)
    assert await searching.complaints(connection, search, asked) == []


@pytest.mark.parametrize("name", shapes.FEW)
async def test_a_filter_that_few_orders_fit_reads_those(
    connection: Connection, million_url: str, name: str
):
    search = shapes.odata(name, shapes.FEW[name])
    asked = await searching.asked_by(million_url, search)
    assert asked.total > 0
    few = not criteria.is_walk(search)
    assert await searching.complaints(connection, search, asked, all_fitting=few) == []


@pytest.mark.parametrize("name", shapes.MANY)
async def test_a_filter_that_many_orders_fit_reads_an_index_of_those(
    connection: Connection, million_url: str, name: str
):
    search = shapes.odata(name, shapes.MANY[name])
    asked = await searching.asked_by(million_url, search)
    assert asked.total > listing.SORTED_MAX
    assert await searching.complaints(connection, search, asked, all_fitting=True) == []


def test_what_is_exempt_or_has_values_of_its_own_is_there():
    files = {name.split(".")[0] for name in ALL}
    assert EXEMPT.keys() <= ALL.keys() | files
    assert samples.BY_STATEMENT.keys() | samples.BLOCKS.keys() <= ALL.keys()


async def test_every_table_that_grows_has_rows(connection: Connection):
    tables = await connection.fetch(
        "select tablename as name from pg_tables where schemaname = 'public'"
    )
    names = {row["name"] for row in tables}
    assert names >= plans.SMALL
    for name in sorted(names - plans.SMALL):
        assert await connection.fetchval(f"select exists (select from {name})"), name


def test_every_value_is_of_a_parameter_that_is_there():
    parameters = {parameter for statement in ALL.values() for parameter in statement.parameters}
    assert samples.BY_NAME.keys() <= parameters
    for name, own in samples.BY_STATEMENT.items():
        assert own.keys() <= set(ALL[name].parameters)


@pytest.mark.parametrize(
    ("without", "name"),
    [
        ("payments_by_order", "orders.read_orders"),
        ("payment_operations_open", "payments.claim_due"),
        ("mails_open", "mails.claim_due_mail"),
        ("idempotency_keys_by_time", "expiry.forget_keys"),
        ("webhook_lanes_due", "backlog.waiting_deliveries"),
    ],
)
async def test_a_statement_without_its_index_is_found_out(
    connection: Connection, without: str, name: str
):
    async with plans.rolled_back(connection):
        await connection.execute(without_it(without))
        plan = await tried(connection, name)
    assert plans.complaints(plan) != []


@pytest.mark.parametrize(
    ("without", "name"),
    [
        ("orders_by_time", "commerce: status None, by createdAt desc from 0"),
        ("orders_by_word_and_total", "commerce: status delivered, by totalAmount desc from 8000"),
        ("orders_by_customer_and_time", "basic: status None, user 500 from 0"),
        ("order_lines_pkey", "basic: status None, user None from 0"),
    ],
)
async def test_a_list_without_its_index_is_found_out(
    connection: Connection, million_url: str, without: str, name: str
):
    asked = await searching.asked_by(million_url, LISTS[name])
    async with plans.rolled_back(connection):
        await connection.execute(without_it(without))
        found = await searching.complaints(connection, LISTS[name], asked)
    assert found != []


def without_it(index: str) -> str:
    """The statement that takes an index away, with what stands on it."""
    if not index.endswith("_pkey"):
        return f"drop index {index}"
    return f"alter table {index.removesuffix('_pkey')} drop constraint {index} cascade"
