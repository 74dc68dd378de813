"""What the schema and the domain both say, they say the same."""

from itertools import product

import pytest

from openorders.domain import order as words
from openorders.domain.change import MoveKind
from openorders.domain.order import Fulfilment, LineState, PaymentState, Progress, word_of
from openorders.domain.payment import AttemptState, OperationKind, OperationState
from openorders.store.database import Database


async def test_the_words_of_the_database_are_those_of_the_domain(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("insert into stores values (1, 'a', 'USD', 2, 'UTC', '', '{}', now())")
        await tx.execute("insert into customers values (1, 1, null, null, now())")
        for n, (progress, payment, fulfilment, asked) in enumerate(
            product(Progress, PaymentState, Fulfilment, (False, True)), 1
        ):
            stored = await tx.fetchval(
                """
                insert into orders (store_id, id, number, customer_id, currency, minor_digits,
                    subtotal, discount, shipping, tax, total, progress, payment, fulfilment,
                    payment_asked, created_at, updated_at)
                values (1, $1, $1, 1, 'USD', 2, 0, 0, 0, 0, 0, $2, $3, $4, $5, now(), now())
                returning word
                """,
                n, progress.value, payment.value, fulfilment.value, asked,
            )  # fmt: skip
            assert stored == word_of(progress, payment, fulfilment, asked=asked).value


@pytest.mark.parametrize(
    ("table", "column", "states"),
    [
        ("orders", "progress", Progress),
        ("orders", "payment", PaymentState),
        ("orders", "fulfilment", Fulfilment),
        ("order_lines", "state", LineState),
        ("stock_movements", "kind", MoveKind),
        ("payments", "state", AttemptState),
        ("payment_operations", "kind", OperationKind),
        ("payment_operations", "state", OperationState),
    ],
)
async def test_the_checks_allow_exactly_the_states_of_the_domain(
    database: Database, table: str, column: str, states: type[words.Word]
) -> None:
    async with database.connection() as connection:
        allowed = await connection.fetchval(
            """
            select array_agg(distinct m[1])
            from pg_constraint c
            join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey),
            regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_]+)''::text', 'g') as m
            where c.conrelid = $1::text::regclass and c.contype = 'c' and a.attname = $2
                and cardinality(c.conkey) = 1
            """,
            table,
            column,
        )
    assert set(allowed) == {state.value for state in states}


async def test_history_is_only_ever_added_to(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("insert into stores values (1, 'a', 'USD', 2, 'UTC', '', '{}', now())")
        await tx.execute("insert into customers values (1, 1, null, null, now())")
        await tx.execute(
            """
            insert into orders (store_id, id, number, customer_id, currency, minor_digits,
                subtotal, discount, shipping, tax, total, progress, payment, fulfilment,
                created_at, updated_at)
            values (1, 1, 1, 1, 'USD', 2, 0, 0, 0, 0, 0, 'placed', 'none', 'none', now(), now())
            """
        )
        await tx.execute(
            "insert into order_history values (1, 1, 1, 'created', 'key:1', 'basic', null, now())"
        )
    for rewriting in ("update order_history set actor = 'x'", "delete from order_history"):
        async with database.connection() as connection:
            with pytest.raises(Exception, match="only ever added to"):
                await connection.execute(rewriting)
