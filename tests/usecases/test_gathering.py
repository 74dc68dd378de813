"""What arrives together is done together, and everybody gets an answer of their own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace

import pytest

from openorders.domain.refusals import Overloaded, Refused
from openorders.usecases import gathering as module
from openorders.usecases.gathering import (
    ROUND,
    TOGETHER_MAX,
    WAITING_MAX,
    WEIGHT_MAX,
    Gathering,
    gathering_of,
)
from tests.waiting_time import time_of_waiting

PATIENT_S = 1.0
"""Longer than anything that is to be at once."""


@pytest.fixture(autouse=True)
async def _time(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """However slow the machine is, only what waits takes time."""
    with time_of_waiting():
        clock = SimpleNamespace(perf_counter=asyncio.get_running_loop().time)
        monkeypatch.setattr(module, "time", clock)
        yield


class Rounds:
    """Work that waits to be let through, and remembers who came in which round."""

    def __init__(self, *, first_takes_s: float = 0) -> None:
        self.seen: list[list[int]] = []
        self.gate = asyncio.Event()
        self.fails = False
        self.first_takes_s = first_takes_s

    async def __call__(self, gathered: Sequence[int]) -> Sequence[int | Exception]:
        self.seen.append(list(gathered))
        await self.gate.wait()
        await asyncio.sleep(self.first_takes_s if len(self.seen) == 1 else 0)
        if self.fails:
            raise ConnectionError
        return [one * 10 if one >= 0 else ValueError(one) for one in gathered]


def gathering_for(rounds: Rounds) -> Gathering[int, int]:
    """Each weighs one, and from a thousand on as much as it is."""
    return Gathering(rounds, weight=lambda one: one if one >= 1_000 else 1)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_alone_goes_alone_and_at_once() -> None:
    rounds = Rounds()
    rounds.gate.set()
    gathering = gathering_for(rounds)
    assert await gathering.join(1) == 10
    assert await gathering.join(2) == 20
    assert rounds.seen == [[1], [2]]
    assert gathering.is_idle


async def test_who_comes_meanwhile_goes_together_in_a_later_round() -> None:
    rounds = Rounds()
    gathering = gathering_for(rounds)
    first = await under_way(gathering)
    others = [asyncio.create_task(gathering.join(n)) for n in range(1, TOGETHER_MAX + 3)]
    await settled()
    assert rounds.seen == [[0]]
    rounds.gate.set()
    done = await asyncio.gather(first, *others)
    assert done == [n * 10 for n in range(TOGETHER_MAX + 3)]
    assert [len(one) for one in rounds.seen] == [1, TOGETHER_MAX, 2]
    assert gathering.is_idle


async def test_what_goes_wrong_for_one_is_told_to_that_one_only() -> None:
    rounds = Rounds()
    gathering = gathering_for(rounds)
    joined = [asyncio.create_task(gathering.join(n)) for n in (1, 2, -3, 4)]
    await settled()
    rounds.gate.set()
    assert await asyncio.gather(*joined[:2], joined[3]) == [10, 20, 40]
    with pytest.raises(ValueError, match="-3"):
        await joined[2]


async def test_what_goes_wrong_for_all_is_told_to_all_and_the_next_round_begins_anew() -> None:
    rounds = Rounds()
    rounds.gate.set()
    rounds.fails = True
    gathering = gathering_for(rounds)
    told = await asyncio.gather(*(gathering.join(n) for n in (1, 2, 3)), return_exceptions=True)
    assert [type(one) for one in told] == [ConnectionError] * 3
    rounds.fails = False
    assert await gathering.join(4) == 40


async def under_way(gathering: Gathering[int, int]) -> asyncio.Task[int]:
    """A round, with one in it."""
    joined = asyncio.create_task(gathering.join(0))
    await settled()
    return joined


async def test_who_gives_up_while_it_is_done_holds_up_nobody_else() -> None:
    rounds = Rounds()
    gathering = gathering_for(rounds)
    joined = [asyncio.create_task(gathering.join(n)) for n in (1, 2, 3)]
    await settled()
    joined[1].cancel()
    await settled()
    rounds.gate.set()
    assert await asyncio.gather(joined[0], joined[2]) == [10, 30]
    assert rounds.seen == [[1, 2, 3]]


async def test_who_gives_up_before_its_round_is_left_out() -> None:
    rounds = Rounds()
    gathering = gathering_for(rounds)
    first = await under_way(gathering)
    joined = [asyncio.create_task(gathering.join(n)) for n in (7, 8, 9)]
    await settled()
    joined[1].cancel()
    await settled()
    rounds.gate.set()
    assert await asyncio.gather(first, joined[0], joined[2]) == [0, 70, 90]
    assert rounds.seen[1:] == [[7, 9]]


async def test_what_weighs_much_goes_by_itself() -> None:
    rounds = Rounds()
    gathering = gathering_for(rounds)
    first = await under_way(gathering)
    joined = [asyncio.create_task(gathering.join(n)) for n in (2, 3, 1_000, 4, 5, 2_000)]
    await settled()
    rounds.gate.set()
    assert await asyncio.gather(*joined) == [20, 30, 10_000, 40, 50, 20_000]
    assert await first == 0
    assert rounds.seen[1:] == [[2, 3], [1_000], [4, 5], [2_000]]


async def test_only_so_many_may_wait() -> None:
    rounds = Rounds()
    gathering = gathering_for(rounds)
    first = await under_way(gathering)
    waiting = [asyncio.create_task(gathering.join(n)) for n in range(WAITING_MAX)]
    await settled()
    with pytest.raises(Refused) as refused:
        await gathering.join(-1)
    assert isinstance(refused.value.reason, Overloaded)
    rounds.gate.set()
    assert await asyncio.gather(*waiting) == [n * 10 for n in range(WAITING_MAX)]
    assert await first == 0


async def test_who_has_waited_too_long_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    rounds = Rounds()
    gathering = gathering_for(rounds)
    first = await under_way(gathering)
    with pytest.raises(Refused) as refused:
        await gathering.join(7)
    assert isinstance(refused.value.reason, Overloaded)
    rounds.gate.set()
    assert await first == 0
    assert rounds.seen == [[0]]
    assert gathering.is_idle


async def test_a_round_that_is_stopped_leaves_nobody_waiting() -> None:
    rounds = Rounds()
    gathering = gathering_for(rounds)
    joined = [asyncio.create_task(gathering.join(n)) for n in (1, 2)]
    await settled()
    (under_way,) = [task for task in asyncio.all_tasks() if task.get_name() == ROUND]
    under_way.cancel()
    told = await asyncio.gather(*joined, return_exceptions=True)
    assert [type(one) for one in told] == [asyncio.CancelledError] * 2
    rounds.gate.set()
    assert await gathering.join(3) == 30


async def test_a_round_that_is_stopped_before_it_begins_stops_no_later_one() -> None:
    rounds = Rounds()
    rounds.gate.set()
    gathering = gathering_for(rounds)
    joined = asyncio.create_task(gathering.join(1))
    await asyncio.sleep(0)
    (about_to_begin,) = [task for task in asyncio.all_tasks() if task.get_name() == ROUND]
    about_to_begin.cancel()
    await settled()
    assert await gathering.join(2) == 20
    assert await joined == 10


@pytest.fixture
def _held_back_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD_BACK_MAX_S", PATIENT_S)


held_back_for_long = pytest.mark.usefixtures("_held_back_for_long")


def after_a_long_round() -> tuple[Rounds, Gathering[int, int]]:
    """The first round takes long, and all begin at once."""
    rounds = Rounds(first_takes_s=PATIENT_S)
    rounds.gate.set()
    return rounds, gathering_for(rounds)


async def come_back(gathering: Gathering[int, int], one: int) -> int:
    """Ask again soon after there is an answer, everybody at another time."""
    await gathering.join(one)
    await asyncio.sleep(one / 100)
    return await gathering.join(one)


@held_back_for_long
async def test_those_who_ask_again_at_once_are_together_again() -> None:
    rounds, gathering = after_a_long_round()
    assert await asyncio.gather(*(come_back(gathering, n) for n in (1, 2, 3))) == [10, 20, 30]
    assert rounds.seen == [[1, 2, 3], [1, 2, 3]]


@held_back_for_long
async def test_a_round_is_held_back_no_longer_than_the_one_before_took() -> None:
    rounds = Rounds()
    gathering = gathering_for(rounds)
    first = await under_way(gathering)
    later = asyncio.create_task(gathering.join(1))
    rounds.gate.set()
    async with asyncio.timeout(PATIENT_S / 2):
        assert await asyncio.gather(first, later) == [0, 10]


async def comes_during_a_long_round(one: int) -> None:
    """Who comes then goes with the next round, which begins soon after it."""
    rounds = Rounds(first_takes_s=PATIENT_S)
    gathering = gathering_for(rounds)
    first = await under_way(gathering)
    later = asyncio.create_task(gathering.join(one))
    rounds.gate.set()
    assert await first == 0
    async with asyncio.timeout(PATIENT_S / 2):
        assert await later == one * 10


async def test_nor_longer_than_the_limit() -> None:
    await comes_during_a_long_round(1)


@held_back_for_long
async def test_a_round_that_is_full_is_not_held_back() -> None:
    await comes_during_a_long_round(1_000)


@held_back_for_long
@pytest.mark.parametrize("weights", [[1] * (TOGETHER_MAX - 1), [WEIGHT_MAX]])
async def test_a_round_that_gets_full_is_held_back_no_longer(weights: list[int]) -> None:
    rounds = Rounds(first_takes_s=PATIENT_S)
    rounds.gate.set()
    gathering = Gathering(rounds, weight=lambda one: one)
    expected = [asyncio.create_task(gathering.join(1)) for _ in range(TOGETHER_MAX)]
    waiting = asyncio.create_task(gathering.join(1))
    await asyncio.gather(*expected)
    await settled()
    assert len(rounds.seen) == 1
    joined = [asyncio.create_task(gathering.join(weight)) for weight in weights]
    async with asyncio.timeout(PATIENT_S / 2):
        await waiting
    await asyncio.gather(*joined)


@held_back_for_long
async def test_who_alone_asks_again_at_once_is_not_taken_for_two() -> None:
    _, gathering = after_a_long_round()
    assert await gathering.join(1) == 10
    async with asyncio.timeout(PATIENT_S / 2):
        assert await gathering.join(2) == 20


async def test_gatherings_in_which_nobody_is_are_forgotten_once_there_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "KEPT_MAX", 2)
    rounds = Rounds()
    kept: dict[str, Gathering[int, int]] = {}
    busy_one = gathering_of(kept, "busy", lambda: gathering_for(rounds))
    joined = asyncio.create_task(busy_one.join(1))
    await settled()
    idle = gathering_of(kept, "idle", lambda: gathering_for(rounds))
    assert gathering_of(kept, "idle", lambda: gathering_for(rounds)) is idle
    gathering_of(kept, "new", lambda: gathering_for(rounds))
    assert list(kept) == ["busy", "new"]
    assert kept["busy"] is busy_one
    rounds.gate.set()
    assert await joined == 10
