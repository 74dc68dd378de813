"""Whatever writers, folders and operators do in turn, figures are those of the orders."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from openorders.domain.order import Word
from openorders.store import figures
from openorders.store.database import Connection, connected
from tests.postgres import databases
from tests.store.figures_check import STORE, a_store, assert_exact, fold, move, place, unfolded

WRITERS = 3
ZONES = ["UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)  # clocks are changed in New York on this day


class Interleavings(RuleBasedStateMachine):
    """Transactions that stay open while others commit, fold, rebuild and move the store."""

    runner: asyncio.Runner
    writers: list[Connection]
    reader: Connection
    folder: Connection

    def __init__(self) -> None:
        super().__init__()
        self.open: set[int] = set()
        self.orders = 0
        self.held: dict[int, int] = {}
        self.folding = False
        self.run(
            self.reader.execute(
                "truncate stores, figure_changes, order_figures, order_counts cascade"
            )
        )
        self.run(a_store(self.reader))

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @rule(writer=st.integers(0, WRITERS - 1))
    def begin(self, writer: int) -> None:
        if writer not in self.open:
            self.open.add(writer)
            self.run(self.writers[writer].execute("begin"))

    @rule(
        writer=st.integers(0, WRITERS - 1),
        total=st.integers(0, 10**15),
        halves=st.integers(-60, 60),
        edge=st.sampled_from([-1, 0, 1]),
    )
    def place(self, writer: int, total: int, halves: int, edge: int) -> None:
        self.orders += 1
        at = MIDNIGHT + timedelta(minutes=30 * halves, microseconds=edge)
        self.run(place(self.writers[writer], self.orders, total, at))
        if writer in self.open:
            self.held[self.orders] = writer

    @rule(
        writer=st.integers(0, WRITERS - 1),
        back=st.integers(0, 3),
        word=st.sampled_from(list(Word)),
        total=st.integers(0, 10**15),
    )
    def move(self, writer: int, back: int, word: Word, total: int) -> None:
        order = self.orders - back
        if self.held.get(order, writer) == writer:  # others would wait for its transaction
            self.run(move(self.writers[writer], order, word, total))
            if writer in self.open:
                self.held[order] = writer

    @rule(writer=st.integers(0, WRITERS - 1), well=st.booleans())
    def end(self, writer: int, *, well: bool) -> None:
        if writer in self.open:
            self.open.remove(writer)
            self.held = {order: who for order, who in self.held.items() if who != writer}
            self.run(self.writers[writer].execute("commit" if well else "rollback"))

    @rule(limit=st.sampled_from([1, 2, 3, 1_000]))
    def fold(self, limit: int) -> None:
        if not self.folding:
            self.run(fold(self.folder, limit=limit))

    @rule(limit=st.sampled_from([1, 2, 1_000]))
    def begin_to_fold(self, limit: int) -> None:
        if not self.folding and (works := self.run(figures.find_work(self.folder))):
            self.folding = True
            self.run(self.folder.execute("begin"))
            if works[0].built:
                self.run(figures.fold(self.folder, works[0], limit=limit))
            else:
                assert self.run(figures.build(self.folder, STORE))

    @rule(well=st.booleans())
    def end_to_fold(self, *, well: bool) -> None:
        if self.folding:
            self.folding = False
            self.run(self.folder.execute("commit" if well else "rollback"))

    @rule(zone=st.sampled_from(ZONES), at_once=st.booleans())
    def move_the_store(self, zone: str, *, at_once: bool) -> None:
        if not self.folding:  # it would wait
            self.run(self.reader.execute("update stores set time_zone = $1", zone))
            if at_once:
                self.run(self.rebuild())

    async def rebuild(self) -> None:
        async with self.reader.transaction():
            await figures.rebuild(self.reader, STORE)

    @rule(seen=st.sampled_from(["0", "3", "9000000000000000000"]))
    def restore_into_another_cluster(self, seen: str) -> None:
        """Transactions have other numbers there; none that had one runs."""
        if not self.folding and not self.open:
            self.run(
                self.reader.execute(
                    "update figure_stores set next_seen = $1::text::xid8"
                    " where next_mark is not null",
                    seen,
                )
            )

    @invariant()
    def exact(self) -> None:
        self.run(assert_exact(self.reader, words=(Word.CREATED,)))

    def teardown(self) -> None:
        self.end_to_fold(well=True)
        for writer in list(self.open):
            self.end(writer, well=writer % 2 == 0)
        while self.run(fold(self.folder, limit=2)):
            pass
        self.exact()
        assert self.run(unfolded(self.reader)) == 0


@pytest.fixture
def machine(postgres_url: str, template_url: str) -> Iterator[type[Interleavings]]:
    """The state machine on connections and a loop of its own."""
    with asyncio.Runner() as runner, databases.created(postgres_url, template=template_url) as url:
        stack = AsyncExitStack()

        def connect() -> Connection:
            return runner.run(stack.enter_async_context(connected(url)))

        space = {
            "runner": runner,
            "reader": connect(),
            "folder": connect(),
            "writers": [connect() for _ in range(WRITERS)],
        }
        try:
            yield type("Machine", (Interleavings,), space)
        finally:
            runner.run(stack.aclose())


def test_figures_are_those_of_the_orders_after_any_interleaving(
    machine: type[Interleavings],
) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
