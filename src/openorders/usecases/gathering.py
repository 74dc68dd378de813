"""Doing together what arrives together: whoever comes while work is under way waits for the next
round, and each gets an answer of their own.

Knows nothing of what is done. Nothing is held back to gather more: who comes alone goes alone.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from openorders.domain.refusals import Overloaded, Refused

T = TypeVar("T")
R = TypeVar("R")

TOGETHER_MAX: Final = 32
"""How many are done in one round."""

WAITING_MAX: Final = 1_000
"""How many may wait for a round; more are told to come back."""

Work = Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]]
"""Does what was gathered; answers for each, in order, with a result or with why there is none."""


class Gathering(Generic[T, R]):
    """One round at a time of `work`, for as many as have come meanwhile."""

    def __init__(self, work: Work[T, R]) -> None:
        self._work = work
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._rounds: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits and nothing is under way."""
        return self._rounds is None

    async def join(self, one: T) -> R:
        """Have it done with the next round. Raises what `work` says of this one.

        Who is cancelled meanwhile is done all the same. Refuses with `Overloaded` when too many
        wait.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise Refused(Overloaded(retry_after_s=1))
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, answer))
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                count = min(TOGETHER_MAX, len(self._waiting))
                await self._round([self._waiting.popleft() for _ in range(count)])
        finally:
            self._rounds = None

    async def _round(self, gathered: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        results: Sequence[R | Exception]
        try:
            results = await self._work([one for one, _ in gathered])
        except Exception as error:  # noqa: BLE001 - it is raised to each of those it concerns
            results = [error] * len(gathered)
        for (_, answer), result in zip(gathered, results, strict=True):
            if answer.done():
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
