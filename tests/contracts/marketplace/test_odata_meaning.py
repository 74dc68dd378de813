"""Any filter finds, on a real PostgreSQL, the orders of which it is true as they are shown."""

import random
from collections.abc import Iterator
from decimal import Context, localcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openorders.contracts.marketplace.odata import read_options
from openorders.domain.ids import StoreId
from openorders.store import criteria
from tests.contracts.marketplace.odata_filters import NOW, Piece, filters, shown, spelled
from tests.store.sample_orders import ORDERS, STORE, OrderBook

SHOWN = [(order.id, shown(order)) for order in ORDERS]
THOROUGH = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def book(module_database_url: str) -> Iterator[OrderBook]:
    book = OrderBook(module_database_url)
    try:
        book.fill()
        yield book
    finally:
        book.close()


def ids(book, *options):
    query = read_options(options, now=NOW)
    return book.ids(criteria.ids(StoreId(STORE), query.search))


@THOROUGH
@given(wanted=filters(), seed=st.integers(0, 2**16))
def test_any_filter_finds_the_orders_it_is_true_of(book, wanted: Piece, seed):
    text = spelled(f"\x02{wanted.text}\x02", random.Random(seed))  # noqa: S311 - repeatable
    with localcontext(Context(prec=60)):
        expected = [number for number, order in SHOWN if wanted.meaning(order, None) is True]
    assert ids(book, ("$filter", text), ("$top", "1000")) == expected


@pytest.mark.parametrize(
    ("wanted", "key"),
    [
        ("totalAmount desc", lambda order: -order["totalAmount"]),
        ("status,totalAmount", lambda order: (order["status"], order["totalAmount"])),
        ("currency asc , length(id) desc", lambda order: (order["currency"], -len(order["id"]))),
        (
            "paymentMethod",
            lambda order: (order["paymentMethod"] is not None, order["paymentMethod"]),
        ),
        ("year(createdAt)", lambda order: order["createdAt"].year),
        ("contains(id,'9')", lambda order: "9" in order["id"]),
    ],
)
def test_orders_are_sorted_as_they_are_shown(book, wanted, key):
    orders = dict(SHOWN)
    keys = [key(orders[one]) for one in ids(book, ("$orderby", wanted), ("$top", "1000"))]
    assert len(keys) == len(ORDERS)
    assert keys == sorted(keys)


def test_without_orderby_orders_come_by_their_number(book):
    numbers = [order.id for order in ORDERS]
    assert ids(book) == numbers[:20]
    assert ids(book, ("$orderby", "id desc"), ("$top", "5")) == numbers[::-1][:5]
    assert ids(book, ("$skip", "3"), ("$top", "4")) == numbers[3:7]
    assert ids(book, ("$top", "0")) == []
    assert ids(book, ("$skip", str(2**63 - 1))) == []


@pytest.mark.parametrize(
    "text",
    [
        "-" * 7_990 + "5 lt 0",
        "not " * 1_998 + "true",
        " or ".join(["true"] * 999),
        " or ".join(f"id eq 'ord_{number}'" for number in range(200)),
        "(" * 50 + "true" + ")" * 50,
        "totalAmount" + " add 1" * 1_300 + " gt 0",
        "totalAmount" + " mul 10" * 1_100 + " gt 0",
        "totalAmount" + " div 1e9" * 30 + " ge 0",
        "1e37" + " mul 1e37" * 790 + " gt 0",
        "1e-38" + " mul 1e-38" * 700 + " ge 0",
        "true" + " eq true" * 199,
        "tolower(" * 50 + "id" + ")" * 50 + " eq 'ord_5'",
        "items/any(i:" + " or ".join(["i/quantity gt 1"] * 200) + ")",
        " and ".join(["items/any(i:i/quantity gt 0)"] * 199),
        "-(1 add 2 mul " * 49 + "totalAmount" + ")" * 49 + " lt 1e37",
        "true or true and true eq (" * 49 + "true" + ")" * 49,
        " or ".join(f"id in ({','.join(['null'] * 100)})" for _ in range(11)),
    ],
    ids=lambda text: f"{text[:12]}…",
)
def test_nothing_within_the_limits_overflows_anything(book, text):
    assert len(text) <= 8_000
    ids(book, ("$filter", text), ("$top", "1000"))
