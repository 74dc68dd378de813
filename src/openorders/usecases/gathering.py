"""Doing together what arrives together: whoever comes while work is under way waits for the next
round, and each gets an answer of their own.

Knows nothing of what is done. Who comes alone goes alone and at once. Where several were there,
answered or waiting, the next round is held back for a moment: those who keep asking are there again
by then, and a round costs about the same for twice as many.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from openorders.domain.refusals import Overloaded, Refused

K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")

TOGETHER_MAX: Final = 32
"""How many are done in one round."""

WEIGHT_MAX: Final = 100
"""How much they may weigh together. What weighs more goes in a round by itself, so that small ones
never wait for a large one longer than for its turn."""

HELD_BACK_MAX_S: Final = 0.005
"""How long a round may be held back for others to come; nor longer than the one before it took, to
the millisecond."""

WAITING_MAX: Final = 1_000
"""How many may wait for a round; more are told to come back."""

PATIENCE_S: Final = 10.0
"""How long one may wait for its round to begin, about as long as for a free connection."""

LOOK_S: Final = 1.0
"""How often is looked for those who have lost their patience."""

KEPT_MAX: Final = 1_000
"""How many gatherings are kept in which nobody is; they are made again when somebody comes."""

ROUND: Final = "round of what was gathered"
"""What the task of a round is called."""

Work = Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]]
"""Does what was gathered; answers for each, in order, with a result or with why there is none."""


@dataclass(slots=True, eq=False)
class _Waiting(Generic[T, R]):
    one: T
    answer: asyncio.Future[R]
    until: float


class Gathering(Generic[T, R]):
    """One round of `work` at a time, each for as many as have come meanwhile."""

    def __init__(self, work: Work[T, R], *, weight: Callable[[T], int]) -> None:
        self._work = work
        self._weight = weight
        self._waiting: deque[_Waiting[T, R]] = deque()
        self._rounds: asyncio.Task[None] | None = None
        self._works = False
        self._expected = 0
        self._all_there: asyncio.Future[None] | None = None
        self._clock: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits and nothing is done for anybody."""
        return not self._waiting and not self._works

    async def join(self, one: T) -> R:
        """Have it done with the next round. Raises what `work` says of this one.

        Who is cancelled while waiting is left out, and done all the same once its round began.
        Refuses with `Overloaded` when too many wait, or when its round does not begin in time.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise Refused(Overloaded(retry_after_s=1))
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()
        waiting = _Waiting(one, answer, loop.time() + PATIENCE_S)
        self._waiting.append(waiting)
        if self._rounds is None or self._rounds.done():
            # They begin once everybody whose request is being read right now has joined.
            self._rounds = loop.create_task(self._run(), name=ROUND)
        elif self._clock is None:
            self._clock = loop.call_later(LOOK_S, self._turn_away)
        if self._all_there is not None and self._are_all_there():
            _be_done(self._all_there)
        return await waiting.answer

    async def _run(self) -> None:
        while gathered := self._next():
            began = time.perf_counter()  # the loop's clock may tell whole milliseconds only
            await self._round(gathered)
            self._expected = len(gathered) + len(self._waiting)
            await asyncio.sleep(0)  # those who were answered take their answers first
            await self._hold_back(time.perf_counter() - began)

    async def _hold_back(self, took_s: float) -> None:
        """Wait until as many are there as were just now or as one round can take, for a moment at
        most.
        """
        if self._expected == 1 or self._are_all_there():
            return
        loop = asyncio.get_running_loop()
        self._all_there = loop.create_future()
        patience = loop.call_later(min(took_s, HELD_BACK_MAX_S), _be_done, self._all_there)
        try:
            await self._all_there
        finally:
            patience.cancel()
            self._all_there = None

    def _are_all_there(self) -> bool:
        """Whether nobody else is expected, or one more would have to go in another round."""
        if len(self._waiting) >= min(self._expected, TOGETHER_MAX):
            return True
        return sum(self._weight(waiting.one) for waiting in self._waiting) >= WEIGHT_MAX

    def _next(self) -> list[_Waiting[T, R]]:
        """Those who go now; nobody who went away meanwhile."""
        gathered: list[_Waiting[T, R]] = []
        together = 0
        while self._waiting and len(gathered) < TOGETHER_MAX:
            waiting = self._waiting[0]
            if not waiting.answer.done():
                together += self._weight(waiting.one)
                if gathered and together > WEIGHT_MAX:
                    break
                gathered.append(waiting)
            self._waiting.popleft()
        return gathered

    async def _round(self, gathered: Sequence[_Waiting[T, R]]) -> None:
        results: Sequence[R | Exception]
        self._works = True
        try:
            results = await self._work([waiting.one for waiting in gathered])
        except Exception as error:  # noqa: BLE001 - it is raised to each of those it concerns
            results = [error] * len(gathered)
        except BaseException:
            for waiting in gathered:
                waiting.answer.cancel()
            raise
        finally:
            self._works = False
        for waiting, result in zip(gathered, results, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(result, Exception):
                waiting.answer.set_exception(result)
            else:
                waiting.answer.set_result(result)

    def _turn_away(self) -> None:
        """Tell those to come back who have waited too long; they stand first."""
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0].until <= loop.time():
            answer = self._waiting.popleft().answer
            if not answer.done():
                answer.set_exception(Refused(Overloaded(retry_after_s=1)))
        again = bool(self._waiting)
        self._clock = loop.call_later(LOOK_S, self._turn_away) if again else None


def _be_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def gathering_of(
    gatherings: dict[K, Gathering[T, R]], key: K, begun: Callable[[], Gathering[T, R]]
) -> Gathering[T, R]:
    """The one in which those with this key are gathered; `begun` the first time. To be joined
    before anything else is waited for.
    """
    gathering = gatherings.get(key)
    if gathering is None:
        if len(gatherings) >= KEPT_MAX:
            for idle in [one for one, kept in gatherings.items() if kept.is_idle]:
                del gatherings[idle]
        gathering = gatherings[key] = begun()
    return gathering
