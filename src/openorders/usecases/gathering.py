"""Doing together what arrives together: whoever comes while work is under way waits for the next
round, and each gets an answer of their own.

Knows nothing of what is done. Nothing is held back to gather more: who comes alone goes alone.
"""

import asyncio
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

ROUNDS_MAX: Final = 1
"""How many rounds may be under way, unless said otherwise: the fewer, the more share each."""

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
    """A few rounds at a time of `work`, each for as many as have come meanwhile."""

    def __init__(
        self, work: Work[T, R], *, weight: Callable[[T], int], rounds: int = ROUNDS_MAX
    ) -> None:
        self._work = work
        self._weight = weight
        self._rounds_max = rounds
        self._waiting: deque[_Waiting[T, R]] = deque()
        self._rounds: set[asyncio.Task[None]] = set()
        self._about_to_begin = False
        self._clock: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits and nothing is under way."""
        return not self._rounds and not self._waiting

    async def join(self, one: T) -> R:
        """Have it done with the next round. Raises what `work` says of this one.

        Who is cancelled while waiting is left out, and done all the same once its round began.
        Refuses with `Overloaded` when too many wait, or when its round does not begin in time.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise Refused(Overloaded(retry_after_s=1))
        loop = asyncio.get_running_loop()
        waiting = _Waiting[T, R](one, loop.create_future(), loop.time() + PATIENCE_S)
        self._waiting.append(waiting)
        if not self._about_to_begin and len(self._rounds) < self._rounds_max:
            # It begins once everybody whose request is being read right now has joined.
            self._about_to_begin = True
            self._rounds.add(loop.create_task(self._run(), name=ROUND))
        elif self._clock is None:
            self._clock = loop.call_later(LOOK_S, self._turn_away)
        return await waiting.answer

    async def _run(self) -> None:
        self._about_to_begin = False
        try:
            while gathered := self._next():
                await self._round(gathered)
        finally:
            self._rounds = {task for task in self._rounds if task is not asyncio.current_task()}

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
        try:
            results = await self._work([waiting.one for waiting in gathered])
        except Exception as error:  # noqa: BLE001 - it is raised to each of those it concerns
            results = [error] * len(gathered)
        except BaseException:
            for waiting in gathered:
                waiting.answer.cancel()
            raise
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
