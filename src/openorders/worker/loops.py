"""The loops that run inside the server, in as many processes and on as many machines as there
are: each use case takes its own share of what is due, and what a dead process took falls due
again.

A loop never ends by a failure: it logs it, waits longer and tries again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from openorders.usecases.context import Services
from openorders.usecases.expire_unpaid import EXPIRY_LIMIT, expire_unpaid
from openorders.usecases.forget_keys import FORGET_LIMIT, forget_keys
from openorders.usecases.perform_operations import SWEEP_LIMIT, sweep_operations
from openorders.usecases.send_mail import SWEEP_LIMIT as MAIL_LIMIT
from openorders.usecases.send_mail import sweep_mails

LONGEST_PAUSE_S: Final = 60.0
"""How long a loop that keeps failing rests at most, unless its own pause is longer."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A step and how long to rest after it. One that did `full` of its work goes on at once."""

    name: str
    pause_s: float
    step: Callable[[Services], Awaitable[int]]
    full: int


LOOPS: Final = (
    Loop(name="sweep_operations", pause_s=2.0, step=sweep_operations, full=SWEEP_LIMIT),
    Loop(name="sweep_mails", pause_s=5.0, step=sweep_mails, full=MAIL_LIMIT),
    Loop(name="expire_unpaid", pause_s=10.0, step=expire_unpaid, full=EXPIRY_LIMIT),
    Loop(name="forget_keys", pause_s=300.0, step=forget_keys, full=FORGET_LIMIT),
)


async def run_loops(
    services: Services, stop: asyncio.Event, *, loops: tuple[Loop, ...] = LOOPS
) -> None:
    """Run until `stop` is set; steps that are under way are finished first.

    To be cancelled by a caller who cannot wait: what is half done falls due again.
    """
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(_run(loop, services, stop), name=loop.name)


async def _run(loop: Loop, services: Services, stop: asyncio.Event) -> None:
    failures = 0
    while not stop.is_set():
        done = 0
        try:
            done = await loop.step(services)
            failures = 0
        except Exception:  # noqa: BLE001 - a loop outlives whatever goes wrong in a step
            failures += 1
            _log.exception("loop_failed", loop=loop.name, failures=failures)
        if done < loop.full:
            await _rest(stop, _pause_s(loop, failures))


def _pause_s(loop: Loop, failures: int) -> float:
    longest = max(LONGEST_PAUSE_S, loop.pause_s)
    return min(longest, loop.pause_s * 2 ** min(failures, 10))


async def _rest(stop: asyncio.Event, pause_s: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), pause_s)
