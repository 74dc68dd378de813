"""What arrives together is done together, and everybody gets an answer of their own."""

import asyncio
from collections.abc import Sequence

import pytest

from openorders.domain.refusals import Overloaded, Refused
from openorders.usecases.gathering import TOGETHER_MAX, WAITING_MAX, Gathering


class Rounds:
    """Work that waits to be let through, and remembers who came in which round."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.gate = asyncio.Event()
        self.fails = False

    async def __call__(self, gathered: Sequence[int]) -> Sequence[int | Exception]:
        self.seen.append(list(gathered))
        await self.gate.wait()
        if self.fails:
            raise ConnectionError
        return [one * 10 if one >= 0 else ValueError(one) for one in gathered]


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_alone_goes_alone_and_at_once() -> None:
    rounds = Rounds()
    rounds.gate.set()
    gathering = Gathering(rounds)
    assert await gathering.join(1) == 10
    assert await gathering.join(2) == 20
    assert rounds.seen == [[1], [2]]
    assert gathering.is_idle


async def test_who_comes_meanwhile_goes_together_in_the_next_round() -> None:
    rounds = Rounds()
    gathering = Gathering(rounds)
    first = asyncio.create_task(gathering.join(1))
    await settled()
    others = [asyncio.create_task(gathering.join(n)) for n in range(2, TOGETHER_MAX + 4)]
    await settled()
    rounds.gate.set()
    assert await asyncio.gather(first, *others) == [n * 10 for n in range(1, TOGETHER_MAX + 4)]
    assert [len(one) for one in rounds.seen] == [1, TOGETHER_MAX, 2]


async def test_what_goes_wrong_for_one_is_told_to_that_one_only() -> None:
    rounds = Rounds()
    gathering = Gathering(rounds)
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
    gathering = Gathering(rounds)
    told = await asyncio.gather(*(gathering.join(n) for n in (1, 2, 3)), return_exceptions=True)
    assert [type(one) for one in told] == [ConnectionError] * 3
    rounds.fails = False
    assert await gathering.join(4) == 40


async def test_who_gives_up_waiting_holds_up_nobody_else() -> None:
    rounds = Rounds()
    gathering = Gathering(rounds)
    joined = [asyncio.create_task(gathering.join(n)) for n in (1, 2, 3)]
    await settled()
    joined[1].cancel()
    await settled()
    rounds.gate.set()
    assert await asyncio.gather(joined[0], joined[2]) == [10, 30]
    assert sorted(n for one in rounds.seen for n in one) == [1, 2, 3]


async def test_only_so_many_may_wait() -> None:
    rounds = Rounds()
    gathering = Gathering(rounds)
    first = asyncio.create_task(gathering.join(0))
    await settled()
    waiting = [asyncio.create_task(gathering.join(n)) for n in range(WAITING_MAX)]
    await settled()
    with pytest.raises(Refused) as refused:
        await gathering.join(-1)
    assert isinstance(refused.value.reason, Overloaded)
    rounds.gate.set()
    assert await asyncio.gather(*waiting) == [n * 10 for n in range(WAITING_MAX)]
    assert await first == 0
