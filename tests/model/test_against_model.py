"""Random callers through random contracts, against a book of dictionaries: both must agree.

A failure shrinks to a short script of requests; what such a script once found is kept below as
an ordinary test.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from openorders.domain.order import Word
from openorders.store.database import Database
from openorders.usecases.context import Services
from tests.contracts.driver import Driver, Wanting, drivers
from tests.contracts.serving import Served, served
from tests.contracts.shop import Shop, Sold, open_shop
from tests.model.reference import Book

PRICES = {0: "10.00", 1: "0.01", 2: "333.33"}
STOCK = {0: 6, 1: 40, 2: 3}
ASKED = {"marketplace", "storefront"}

lines = st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.integers(1, 4)), min_size=1, max_size=4)
speakers = st.deferred(lambda: st.sampled_from(drivers()))
words = st.sampled_from([word for word in Word if word is not Word.CREATED])


class World:
    """The application on a loop of its own, so that a plain state machine can call it."""

    def __init__(self, database_url: str) -> None:
        self.runner = asyncio.Runner()
        self._serving = served(database_url, Path(tempfile.mkdtemp(prefix="openorders-model-")))
        self.served: Served = self.runner.run(self._serving.__aenter__())

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def close(self) -> None:
        self.run(self._serving.__aexit__(None, None, None))
        self.runner.close()

    @property
    def services(self) -> Services:
        return self.served.services

    @property
    def database(self) -> Database:
        return self.services.database


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World(database_url)
    yield world
    world.close()


class OrderBook(RuleBasedStateMachine):
    """Every rule is a verb; each is spoken in any dialect."""

    world: World

    @initialize()
    def open_a_store(self) -> None:
        self.shop: Shop = self.world.run(open_shop(self.world.served))
        self.goods: dict[int, Sold] = {
            n: self.world.run(self.shop.sells(price, stock=STOCK[n])) for n, price in PRICES.items()
        }
        prices = {n: int(Decimal(price).scaleb(2)) for n, price in PRICES.items()}
        self.book = Book(prices, dict(STOCK))
        self.requests = 0

    @rule(speaker=speakers, wanted=lines, customer=st.integers(1, 3), twice=st.booleans())
    def place(
        self, speaker: Driver, wanted: list[tuple[int, int]], customer: int, *, twice: bool
    ) -> None:
        request = speaker.place([self._line(*line) for line in wanted], customer)
        self.requests += 1
        headers = {"Idempotency-Key": f"place-{self.requests}"}
        told = self._ask(speaker, request, headers)
        if twice:
            again = self._ask(speaker, request, headers)
            assert (again.status, again.body) == (told.status, told.body)
            assert again.headers["Idempotency-Replayed"] == "true"
        if self.book.is_short(wanted):
            assert 400 <= told.status < 500
            assert speaker.sentence(told.json)
            return
        assert told.status == 201, told
        word = "payment_pending" if speaker.contract in ASKED else "created"
        self.book.place(speaker.placed(told.json), wanted, customer, word)

    @precondition(lambda self: self.book.orders)
    @rule(speaker=speakers, to=words, pick=st.randoms(use_true_random=False))
    def move(self, speaker: Driver, to: Word, pick: Any) -> None:
        number = pick.choice(sorted(self.book.orders))
        request = speaker.move(number, to)
        if request is None:
            return
        order = self.book.orders[number]
        told = self._ask(speaker, request)
        holds = speaker.words[Word(order.word)] == speaker.words[to]
        if holds:
            assert told.status in (200, 204), told
        elif self.book.can_move(number, to.value):
            assert told.status in (200, 204), told
            self.book.move(number, to.value)
        else:
            assert 400 <= told.status < 500, told
            assert speaker.sentence(told.json)

    @precondition(lambda self: self.book.orders)
    @rule(speaker=speakers, pick=st.randoms(use_true_random=False))
    def cancel(self, speaker: Driver, pick: Any) -> None:
        number = pick.choice(sorted(self.book.orders))
        request = speaker.cancel(number)
        if request is None:
            return
        order = self.book.orders[number]
        told = self._ask(speaker, request)
        if speaker.words[Word(order.word)] == "cancelled":
            assert told.status in (200, 204), told
        elif self.book.can_move(number, "cancelled"):
            assert told.status in (200, 204), told
            self.book.move(number, "cancelled")
        else:
            assert 400 <= told.status < 500, told

    @precondition(lambda self: self.book.orders)
    @rule(speaker=speakers, pick=st.randoms(use_true_random=False))
    def read(self, speaker: Driver, pick: Any) -> None:
        number = pick.choice(sorted(self.book.orders))
        expected = self.book.orders[number]
        told = self._ask(speaker, speaker.read(number))
        assert told.status == 200, told
        shown = speaker.shown(told.json)
        assert shown.order == number
        assert shown.status == speaker.words[Word(expected.word)]
        assert Decimal(shown.total).scaleb(2) == expected.total
        assert shown.quantities == tuple(quantity for _, quantity, _ in expected.lines)

    @rule(speaker=speakers)
    def list_all(self, speaker: Driver) -> None:
        told = self._ask(speaker, speaker.listing())
        assert sorted(speaker.listed(told.json)) == sorted(self.book.orders)

    @invariant()
    def stock_is_what_it_should_be(self) -> None:
        if not hasattr(self, "book"):
            return
        for n, sold in self.goods.items():
            assert self.world.run(self.shop.stock(sold)) == (
                self.book.on_hand[n],
                self.book.reserved.get(n, 0),
            )

    def teardown(self) -> None:
        if hasattr(self, "book"):
            self.world.run(self._compare_the_records())
        assert self.world.served.faults == []

    async def _compare_the_records(self) -> None:
        async with self.world.database.connection() as connection:
            histories = await connection.fetch(
                "select order_id, array_agg(word order by position) as words"
                " from order_history where store_id = $1 group by order_id",
                self.shop.store.id,
            )
            versions = await connection.fetch(
                "select order_id, array_agg(version order by id) as versions, count(*)"
                " filter (where type = 'order.created') as created"
                " from outbox where store_id = $1 group by order_id",
                self.shop.store.id,
            )
        assert {row["order_id"]: row["words"] for row in histories} == {
            number: order.words for number, order in self.book.orders.items()
        }
        for row in versions:
            assert row["versions"] == sorted(row["versions"])
            assert row["created"] == 1

    def _line(self, n: int, quantity: int) -> Wanting:
        return self.goods[n].times(quantity)

    def _ask(self, speaker: Driver, request: Any, headers: dict[str, str] | None = None) -> Any:
        return self.world.run(self.shop.ask(speaker.contract, request, headers=headers))


def test_the_product_and_the_reference_agree(world: World) -> None:
    assert len(drivers()) == 5, "every contract speaks here"
    OrderBook.world = world
    run_state_machine_as_test(
        OrderBook,
        settings=settings(
            max_examples=80,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
