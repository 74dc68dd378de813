"""The sequencer skips nothing and doubles nothing, whatever the order in which others commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from openorders.store import events, queries
from openorders.store.database import Connection, connected
from tests.postgres import databases
from tests.store.outbox_writers import Reader, Told, gaps, prepare, settle, step, tell

SQL = queries.load("events")
ORDERS = 3
WRITERS = 4


@pytest.fixture
async def connect(database_url: str) -> AsyncIterator[Any]:
    """Makes connections that end with the test."""
    async with AsyncExitStack() as stack:

        async def connect() -> Connection:
            return await stack.enter_async_context(connected(database_url))

        await prepare(await connect(), orders=ORDERS)
        yield connect


@asynccontextmanager
async def held_open(connection: Connection) -> AsyncIterator[None]:
    """A transaction that is rolled back at the end, unless it was committed within."""
    await connection.execute("begin")
    try:
        yield
    finally:
        await connection.execute("rollback")


async def test_a_slow_transaction_holds_up_nobody_and_is_not_skipped(connect: Any) -> None:
    slow, quick, feed = await connect(), await connect(), await connect()
    reader = Reader()
    async with slow.transaction():
        first = await tell(slow, 1)
        for _ in range(5):
            async with quick.transaction():
                await tell(quick, 2)
            await step(feed)
            await reader.read(feed)
        assert reader.told == [(2, n) for n in range(1, 6)]
        assert await gaps(feed) == "{[1,2)}"
        assert not await events.has_news(feed), "the sequencer rests while nothing is new"
    assert await events.has_news(feed)
    assert await step(feed) == 1
    await reader.read(feed)
    assert reader.told[-1] == first
    await settle(feed)
    assert await gaps(feed) == "{}"


async def test_a_transaction_that_was_rolled_back_leaves_no_gap_behind(connect: Any) -> None:
    failing, quick, feed = await connect(), await connect(), await connect()
    async with held_open(failing):
        await tell(failing, 1)
        async with quick.transaction():
            await tell(quick, 2)
        assert await step(feed) == 1
    assert await gaps(feed) == "{[1,2)}"
    await settle(feed)
    assert await gaps(feed) == "{}"
    reader = Reader()
    await reader.read(feed)
    reader.check([(2, 1)])


async def test_a_transaction_younger_than_all_that_ended_is_waited_for(connect: Any) -> None:
    """A snapshot ends right above the last transaction that is over, and the sequencer's own
    number is older than what it sees: neither tells that a younger one still runs.
    """
    elder, younger, feed = await connect(), await connect(), await connect()
    await elder.execute("begin")
    await elder.fetchval("select pg_current_xact_id()")
    async with feed.transaction():
        await SQL.take_cursor.fetchval(feed)
        await younger.execute("begin")
        await tell(younger, 1)
        await tell(elder, 2)
        await elder.execute("commit")
        await SQL.give_positions.fetchrow(feed, limit=10, named=1)
    for _ in range(5):
        await step(feed)
    await younger.execute("commit")
    await settle(feed)
    reader = Reader()
    await reader.read(feed)
    reader.check([(1, 1), (2, 1)])


async def test_gaps_outlive_a_long_transaction_that_is_no_concern_of_theirs(connect: Any) -> None:
    long, failing, quick, feed = [await connect() for _ in range(4)]
    await long.execute("begin")
    await long.fetchval("select pg_current_xact_id()")
    async with held_open(failing):
        await tell(failing, 1)
        async with quick.transaction():
            await tell(quick, 2)
        await step(feed)
    await settle(feed)
    assert await gaps(feed) == "{[1,2)}"
    await long.execute("commit")
    await settle(feed)
    assert await gaps(feed) == "{}"


async def test_what_came_into_gaps_is_not_given_up_with_them_when_there_is_too_much(
    connect: Any,
) -> None:
    slow, quick, feed = await connect(), await connect(), await connect()
    async with slow.transaction():
        for _ in range(5):
            await tell(slow, 1)
        async with quick.transaction():
            await tell(quick, 2)
        await settle(feed)
    reader = Reader()
    for left in (3, 1, 0):
        await step(feed, limit=2)
        await reader.read(feed)
        assert len(reader.seen) == 6 - left
    await settle(feed)
    await reader.read(feed)
    reader.check([(2, 1), *((1, n) for n in range(1, 6))])


async def test_only_one_gives_positions_at_a_time(connect: Any) -> None:
    one, other, writer = await connect(), await connect(), await connect()
    async with writer.transaction():
        await tell(writer, 1)
    async with one.transaction():
        given = await events.give_positions(one, limit=10)
        assert given is not None
        assert (given.first, given.last, given.count) == (1, 1, 1)
        assert await step(other) is None
    assert await step(other) == 0


async def test_a_sequencer_that_dies_in_the_middle_has_given_nothing(connect: Any) -> None:
    dying, other, writer = await connect(), await connect(), await connect()
    async with writer.transaction():
        await tell(writer, 1)
    await dying.execute("begin")
    await events.give_positions(dying, limit=10)
    pid = dying.get_server_pid()
    await other.fetchval("select pg_terminate_backend($1)", pid)
    async with asyncio.timeout(60):
        while await step(other) is None:
            await asyncio.sleep(0.01)
    reader = Reader()
    await reader.read(other)
    reader.check([(1, 1)])


async def test_no_event_can_get_two_positions(connect: Any) -> None:
    feed = await connect()
    async with feed.transaction():
        await tell(feed, 1)
    await step(feed)
    await feed.execute("update event_cursor set high = 0")
    with pytest.raises(Exception, match="event_positions_store_id_event_id_key"):
        await step(feed)


async def test_numbers_of_another_cluster_do_not_keep_gaps_forever(connect: Any) -> None:
    """After a dump was restored elsewhere, transactions count from the start again."""
    writer, feed = await connect(), await connect()
    async with held_open(writer):
        await tell(writer, 1)
    await feed.execute(
        "update event_cursor set old = '{[1,2)}', high = 1, old_seen = $1::text::xid8",
        str(2**60),
    )
    async with writer.transaction():
        await tell(writer, 1)
    await settle(feed)
    assert await gaps(feed) == "{}"


class Interleavings(RuleBasedStateMachine):
    """Writers, a sequencer and a reader take turns; a failure shrinks to the turns that matter."""

    runner: asyncio.Runner
    writers: list[Connection]
    feed: Connection
    sequencer: Connection

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[int, list[Told]] = {}
        self.locked: dict[int, int] = {}
        self.committed: list[Told] = []
        self.is_stepping = False
        self.reader = Reader()
        self.run(
            self.feed.execute(
                """
                truncate outbox, event_positions, event_cursor;
                insert into event_cursor default values;
                update versions set version = 0;
                """
            )
        )

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @rule(writer=st.integers(0, WRITERS - 1), numbered=st.booleans())
    def begin(self, writer: int, *, numbered: bool) -> None:
        if writer not in self.open:
            self.open[writer] = []
            self.run(self.writers[writer].execute("begin"))
            if numbered:
                self.run(self.writers[writer].fetchval("select pg_current_xact_id()"))

    @rule(writer=st.integers(0, WRITERS - 1), order_id=st.integers(1, ORDERS))
    def tell(self, writer: int, order_id: int) -> None:
        if writer in self.open and self.locked.get(order_id, writer) == writer:
            self.locked[order_id] = writer
            self.open[writer].append(self.run(tell(self.writers[writer], order_id)))

    @rule(writer=st.integers(0, WRITERS - 1), well=st.booleans())
    def end(self, writer: int, *, well: bool) -> None:
        if writer in self.open:
            told = self.open.pop(writer)
            self.committed += told if well else []
            self.locked = {n: who for n, who in self.locked.items() if who != writer}
            self.run(self.writers[writer].execute("commit" if well else "rollback"))

    @precondition(lambda self: not self.is_stepping)
    @rule()
    def begin_step(self) -> None:
        self.is_stepping = True
        self.run(self.sequencer.execute("begin"))
        assert self.run(SQL.take_cursor.fetchval(self.sequencer))
        assert self.run(step(self.feed)) is None

    @precondition(lambda self: self.is_stepping)
    @rule(limit=st.sampled_from([1, 2, 3, 1_000]), well=st.booleans())
    def end_step(self, limit: int, *, well: bool) -> None:
        self.is_stepping = False
        self.run(SQL.give_positions.fetchrow(self.sequencer, limit=limit, named=1))
        self.run(self.sequencer.execute("commit" if well else "rollback"))

    @precondition(lambda self: not self.is_stepping)
    @rule(limit=st.sampled_from([1, 2, 1_000]))
    def step(self, limit: int) -> None:
        if self.run(events.has_news(self.feed)):
            self.run(step(self.feed, limit=limit))

    @rule()
    def read(self) -> None:
        self.run(self.reader.read(self.feed))

    def teardown(self) -> None:
        for writer in list(self.open):
            self.end(writer, well=writer % 2 == 0)
        if self.is_stepping:
            self.end_step(1_000, well=True)
        self.run(settle(self.feed))
        self.read()
        self.reader.check(self.committed)
        assert self.run(gaps(self.feed)) == "{}"


@pytest.fixture
def machine(postgres_url: str, template_url: str) -> Iterator[type[Interleavings]]:
    """The state machine on connections and a loop of its own."""
    with asyncio.Runner() as runner, databases.created(postgres_url, template=template_url) as url:
        stack = AsyncExitStack()

        def connect() -> Connection:
            return runner.run(stack.enter_async_context(connected(url)))

        feed = connect()
        runner.run(prepare(feed, orders=ORDERS))
        space = {
            "runner": runner,
            "feed": feed,
            "sequencer": connect(),
            "writers": [connect() for _ in range(WRITERS)],
        }
        try:
            yield type("Machine", (Interleavings,), space)
        finally:
            runner.run(stack.aclose())


def test_any_interleaving_is_read_whole_once_and_in_order(machine: type[Interleavings]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
