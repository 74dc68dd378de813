"""Pages and totals are those of the plain Python model, whichever way they are found."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from openorders.domain.ids import ID_MAX, StoreId
from openorders.domain.narrowing import WORDS
from openorders.domain.search import (
    EVERYTHING,
    NOTHING,
    And,
    AnyLine,
    Arithmetic,
    Column,
    Compare,
    Comparison,
    Field,
    Identifier,
    In,
    LineField,
    Match,
    Not,
    Operation,
    Or,
    Page,
    Search,
    SortKey,
    TextMatch,
    Value,
    all_of,
    created_between,
    of_customer,
    of_partner,
    with_words,
)
from openorders.store import criteria, figures, listing
from openorders.store.database import Database, opened
from tests.store.criteria_model import found, sort_value
from tests.store.sample_orders import ORDERS, OTHER_STORE, STORE, OrderBook

HERE = StoreId(STORE)
FIELDS = (Field.ID, Field.CREATED_AT, Field.UPDATED_AT, Field.TOTAL)
METHOD = Column(field=Field.PAYMENT_METHOD)
TOTAL = Column(field=Field.TOTAL)
SPRING = created_between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
WALKED = (
    EVERYTHING,
    with_words({"paid"}),
    with_words({"cancelled", "refunded"}),
    with_words({"created", "payment_pending", "paid"}),
    Not(term=with_words({"completed"})),
    of_customer(12),
    all_of(of_customer(123), with_words({"shipped", "paid", "created"})),
    of_partner("O'Hara"),
    all_of(of_partner("O'Hara"), SPRING),
)
PLANNED = (
    NOTHING,
    Compare(comparison=Comparison.GT, left=TOTAL, right=Value(value=7_500)),
    Compare(
        comparison=Comparison.LE,
        left=Column(field=Field.UPDATED_AT),
        right=Value(value=datetime(2026, 2, 28, 13, 0, 1, tzinfo=UTC)),
    ),
    TextMatch(match=Match.CONTAINS, text=METHOD, part=Value(value="a")),
    AnyLine(condition=In(operand=Column(field=LineField.VARIANT_ID), values=(456,))),
    Or(terms=(of_customer(12), with_words({"paid"}))),
    all_of(with_words({"paid", "shipped", "refunded"}), Not(term=of_customer(12))),
    In(operand=Column(field=Field.CUSTOMER_ID), values=(1, 10, 123)),
)


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> str:
    book = OrderBook(module_database_url)
    try:
        book.fill()
        # Whatever can be placed has lines; what the criteria ask of lines fits none of these.
        book.execute(
            "insert into order_lines (store_id, order_id, id, position, product_id, variant_id,"
            " product_name, unit_price, quantity)"
            " select o.store_id, o.id, 1, 1, 1, 1, 'a thing', 1, 1 from orders o where not exists"
            " (select from order_lines l where l.store_id = o.store_id and l.order_id = o.id)"
        )
    finally:
        book.close()
    return module_database_url


@pytest.fixture
async def sample(filled: str) -> AsyncIterator[Database]:
    async with opened(filled, connections=2) as database:
        yield database


def sorted_by(field: Field, *, descending: bool = False) -> tuple[SortKey, ...]:
    return (SortKey(key=Column(field=field), descending=descending),)


def expected(search: Search) -> list[int]:
    fitting = set(found(search.criteria, ORDERS))
    orders = [order for order in ORDERS if order.id in fitting]
    for key in reversed(search.total_order):
        orders.sort(key=lambda order: sort_value(key.key, order), reverse=key.descending)
    return [order.id for order in orders]


async def expect_every_page(database: Database, search: Search, limit: int = 7) -> None:
    """Pages side by side give all that fit, each with the whole number of them."""
    ids = expected(search)
    for offset in (*range(0, len(ids) + limit, limit), len(ids) + 5_000, ID_MAX):
        page = replace(search, page=Page(limit=limit, offset=offset))
        answer = await listing.find(database, HERE, page, total=True)
        assert [order.id for order in answer.orders] == ids[offset : offset + limit]
        assert answer.total == len(ids)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("descending", [False, True])
async def test_lists_are_walked_in_order_with_ties_by_id(
    sample: Database, field: Field, descending: bool
) -> None:
    for wanted in WALKED:
        search = Search(criteria=wanted, sort=sorted_by(field, descending=descending))
        await expect_every_page(sample, search)


@pytest.mark.parametrize("most", [10_000, 3, 0])
async def test_other_searches_give_the_same_however_many_fit(
    sample: Database, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(listing, "SORTED_MAX", most)
    for wanted in PLANNED:
        for field in FIELDS:
            search = Search(criteria=wanted, sort=sorted_by(field, descending=True))
            assert not criteria.is_walk(replace(search, page=Page(limit=1)))
            await expect_every_page(sample, search, limit=11)


@pytest.mark.parametrize("most", [10_000, 0])
async def test_sort_keys_that_no_index_has_are_sorted_by(
    sample: Database, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(listing, "SORTED_MAX", most)
    by_method = SortKey(key=METHOD, descending=True)
    by_text = SortKey(key=Identifier(prefix="cust_", field=Field.CUSTOMER_ID))
    by_ratio = SortKey(
        key=Arithmetic(
            operation=Operation.MOD, left=Column(field=Field.TOTAL), right=Value(value=7)
        )
    )
    for wanted in (EVERYTHING, with_words({"paid", "shipped"}), SPRING):
        search = Search(criteria=wanted, sort=(by_method, by_text, by_ratio))
        await expect_every_page(sample, search)


@pytest.mark.parametrize("word", WORDS)
async def test_every_word_has_its_list_and_its_total(sample: Database, word: str) -> None:
    search = Search(criteria=with_words({word}), sort=sorted_by(Field.CREATED_AT))
    await expect_every_page(sample, search, limit=2)
    async with sample.connection() as connection:
        assert await figures.count(connection, HERE, {word}) == len(expected(search))


async def test_a_date_range_is_walked_by_its_time_and_planned_in_any_other_order(
    sample: Database,
) -> None:
    for words in (None, {"paid"}, {"paid", "created", "cancelled"}):
        wanted = SPRING if words is None else all_of(with_words(words), SPRING)
        for field in FIELDS:
            search = Search(criteria=wanted, sort=sorted_by(field))
            walked = criteria.is_walk(replace(search, page=Page(limit=1)))
            assert walked == (field is Field.CREATED_AT)
            await expect_every_page(sample, search, limit=3)


async def test_words_that_no_order_can_have_at_once_find_nothing(sample: Database) -> None:
    for wanted in (with_words(()), And(terms=(with_words({"paid"}), with_words({"shipped"})))):
        search = Search(criteria=wanted, page=Page(limit=20))
        assert await listing.find(sample, HERE, search) == listing.Found((), 0)


async def test_without_a_total_nothing_is_counted(sample: Database) -> None:
    for wanted in (EVERYTHING, PLANNED[1]):
        search = Search(criteria=wanted, page=Page(limit=4))
        answer = await listing.find(sample, HERE, search, total=False)
        assert [order.id for order in answer.orders] == expected(search)[:4]
        assert answer.total is None


async def test_a_page_of_no_orders_still_tells_how_many_there_are(sample: Database) -> None:
    for wanted in (EVERYTHING, with_words({"paid", "created"}), PLANNED[1]):
        search = Search(criteria=wanted, page=Page(limit=0))
        answer = await listing.find(sample, HERE, search)
        assert answer == listing.Found((), len(expected(search)))


async def test_another_stores_orders_are_in_no_list(sample: Database) -> None:
    for wanted in (EVERYTHING, with_words(WORDS[:8]), PLANNED[1], Or(terms=(EVERYTHING, SPRING))):
        for field in FIELDS:
            search = Search(criteria=wanted, sort=sorted_by(field), page=Page(limit=50))
            answer = await listing.find(sample, StoreId(OTHER_STORE), search)
            assert {order.id for order in answer.orders} <= {5}
            assert answer.total == len(answer.orders)


async def test_a_stream_counts_what_it_gives(sample: Database) -> None:
    for wanted in (*WALKED, *PLANNED):
        for page in (None, Page(limit=5, offset=2)):
            search = Search(criteria=wanted, sort=sorted_by(Field.CREATED_AT), page=page)
            ids = expected(search) if page is None else expected(search)[2:7]
            async with sample.snapshot() as connection:
                count = await listing.clipped_count(connection, HERE, search)
                streamed = [order.id async for order in listing.stream(connection, HERE, search)]
            assert (count, streamed) == (len(ids), ids)


async def test_what_is_planned_for_its_values_leaves_no_setting_behind(filled: str) -> None:
    async with opened(filled, connections=1) as database:
        search = Search(criteria=PLANNED[1], page=Page(limit=5))
        await listing.find(database, HERE, search)
        async with database.connection() as connection:
            assert await connection.fetchval("show plan_cache_mode") == "force_generic_plan"
            assert await connection.fetchval("show statement_timeout") == "30s"


async def test_a_search_that_takes_too_long_is_stopped_on_the_server(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Search(criteria=AnyLine(), page=Page(limit=5))
    async with opened(filled, connections=2) as database:
        async with database.transaction() as blocker:
            await blocker.execute("lock table order_lines")
            with monkeypatch.context() as hurried, pytest.raises(TimeoutError):
                hurried.setattr(listing, "SEARCH_SECONDS_MAX", 0.15)
                await listing.find(database, HERE, search)
            waiting = await blocker.fetchval(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and state = 'active' and pid <> pg_backend_pid()"
                " and backend_type = 'client backend'"
            )
        assert waiting == 0
        answer = await listing.find(database, HERE, replace(search, criteria=EVERYTHING))
        assert answer.total == len(ORDERS)
