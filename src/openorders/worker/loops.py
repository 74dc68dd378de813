"""What runs beside the requests, in as many processes and on as many machines as there are: each
use case takes its own share of what is due, and what a dead process took falls due again.

Nothing here ends by a failure: it is logged, counted, and tried again after a longer rest. Knows
nothing of what a step does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from msgspec import Struct

from openorders import logs
from openorders.usecases.context import Services
from openorders.usecases.deliver_webhooks import DELIVERIES_QUEUED, keep_delivering
from openorders.usecases.expire_unpaid import EXPIRY_LIMIT, expire_unpaid
from openorders.usecases.fold_figures import FOLD_LIMIT, fold_figures
from openorders.usecases.forget_events import FORGET_LIMIT as FORGET_EVENTS_LIMIT
from openorders.usecases.forget_events import forget_events
from openorders.usecases.forget_keys import FORGET_LIMIT, forget_keys
from openorders.usecases.forget_mails import FORGET_LIMIT as FORGET_MAILS_LIMIT
from openorders.usecases.forget_mails import forget_mails
from openorders.usecases.forget_webhooks import FORGET_LIMIT as FORGET_WEBHOOKS_LIMIT
from openorders.usecases.forget_webhooks import forget_webhooks
from openorders.usecases.notices import FORGET_LIMIT as FORGET_NOTICES_LIMIT
from openorders.usecases.notices import forget_notices
from openorders.usecases.perform_operations import SWEEP_LIMIT, sweep_operations
from openorders.usecases.saved_methods import CLEAR_LIMIT, clear_methods
from openorders.usecases.send_mail import MAILS_WRITTEN, sweep_mails
from openorders.usecases.send_mail import SWEEP_LIMIT as MAIL_LIMIT
from openorders.usecases.sequence_events import (
    EVENTS_SEQUENCED,
    EVENTS_TOLD,
    SEQUENCE_LIMIT,
    sequence,
)
from openorders.usecases.write_mails import EVENTS_LIMIT, write_mails

LONGEST_PAUSE_S: Final = 15.0
"""How long what keeps failing rests at most, unless its own pause is longer."""

_FIRST_PAUSE_S: Final = 1.0
_MUCH: Final = 10
"""A step that did as much as this is worth waiting for the next batch."""

_log = logs.Logger(__name__)


class Loop(Struct, frozen=True, kw_only=True):
    """A step and how long to rest after it. One that did `full` of its work goes on at once.

    A notification on `channel` ends the rest, so that the pause is only the net below it. After a
    step that had something to do it is heard a little later, a tenth of `apart_s` for each thing
    done and `apart_s` at most: much is done in batches, little at once. One that works `gently`
    rests for as long as a full step took, since nobody waits for it and others use the database.
    """

    name: str
    pause_s: float
    step: Callable[[Services], Awaitable[int]]
    full: int
    channel: str | None = None
    apart_s: float = 0.0
    gently: bool = False


class Pipeline(Struct, frozen=True, kw_only=True):
    """Work without steps, where one slow piece must not hold up the next.

    `run(services, stop, woken)` returns soon after `stop` is set, having finished or given back
    what it took. `woken` is set by a notification on `channel` and by `stop`; it clears it before
    it looks for work, and looks now and then without being woken.
    """

    name: str
    run: Callable[[Services, asyncio.Event, asyncio.Event], Awaitable[None]]
    channel: str


class Watch(Protocol):
    """Is told how the loops fare."""

    def ran(self, name: str, done: int) -> None:
        """A step ended well, having done so much."""
        ...

    def failed(self, name: str) -> None:
        """A step failed, and will be tried again."""
        ...


class _Unwatched:
    def ran(self, name: str, done: int) -> None: ...

    def failed(self, name: str) -> None: ...


LOOPS: Final[tuple[Loop | Pipeline, ...]] = (
    Loop(
        name="sequence_events",
        pause_s=1.0,
        step=sequence,
        full=SEQUENCE_LIMIT,
        channel=EVENTS_TOLD,
        apart_s=0.2,
    ),
    Loop(name="fold_figures", pause_s=1.0, step=fold_figures, full=FOLD_LIMIT),
    Pipeline(name="deliver_webhooks", run=keep_delivering, channel=DELIVERIES_QUEUED),
    Loop(name="sweep_operations", pause_s=2.0, step=sweep_operations, full=SWEEP_LIMIT),
    Loop(
        name="write_mails",
        pause_s=2.0,
        step=write_mails,
        full=EVENTS_LIMIT,
        channel=EVENTS_SEQUENCED,
        apart_s=0.5,
    ),
    Loop(name="sweep_mails", pause_s=5.0, step=sweep_mails, full=MAIL_LIMIT, channel=MAILS_WRITTEN),
    Loop(name="expire_unpaid", pause_s=10.0, step=expire_unpaid, full=EXPIRY_LIMIT),
    Loop(
        name="forget_events",
        pause_s=60.0,
        step=forget_events,
        full=FORGET_EVENTS_LIMIT,
        gently=True,
    ),
    Loop(
        name="forget_webhooks",
        pause_s=600.0,
        step=forget_webhooks,
        full=FORGET_WEBHOOKS_LIMIT,
        gently=True,
    ),
    Loop(name="forget_keys", pause_s=60.0, step=forget_keys, full=FORGET_LIMIT, gently=True),
    Loop(
        name="forget_mails", pause_s=300.0, step=forget_mails, full=FORGET_MAILS_LIMIT, gently=True
    ),
    Loop(
        name="forget_notices",
        pause_s=600.0,
        step=forget_notices,
        full=FORGET_NOTICES_LIMIT,
        gently=True,
    ),
    Loop(name="clear_methods", pause_s=60.0, step=clear_methods, full=CLEAR_LIMIT),
)


async def run_loops(
    services: Services,
    stop: asyncio.Event,
    *,
    loops: tuple[Loop | Pipeline, ...] = LOOPS,
    watch: Watch | None = None,
) -> None:
    """Run until `stop` is set; steps that are under way are finished first.

    To be cancelled by a caller who cannot wait: what is half done falls due again.
    """
    told = watch or _Unwatched()
    woken = {loop.name: asyncio.Event() for loop in loops}
    async with AsyncExitStack() as listening:
        for channel in sorted({loop.channel for loop in loops if loop.channel is not None}):
            events = [woken[loop.name] for loop in loops if loop.channel == channel]
            heard = partial(_wake, events)
            await listening.enter_async_context(services.database.listening(channel, heard))
        async with asyncio.TaskGroup() as group:
            group.create_task(_wake_at_the_end(stop, woken.values()), name="stop")
            for loop in loops:
                running = _Running(services, stop, woken[loop.name], told)
                group.create_task(running.of(loop), name=loop.name)


def _wake(events: Iterable[asyncio.Event], _payload: str = "") -> None:
    for event in events:
        event.set()


async def _wake_at_the_end(stop: asyncio.Event, events: Iterable[asyncio.Event]) -> None:
    await stop.wait()
    _wake(events)


@dataclass(slots=True)
class _Running:
    """One loop's life: its failures in a row, and what ends its rests."""

    services: Services
    stop: asyncio.Event
    woken: asyncio.Event
    watch: Watch
    failures: int = 0

    async def of(self, loop: Loop | Pipeline) -> None:
        turn = self._step if isinstance(loop, Loop) else self._flow
        while not self.stop.is_set():
            await turn(loop)  # pyright: ignore[reportArgumentType] - the turn of its kind

    async def _step(self, loop: Loop) -> None:
        self.woken.clear()
        began = asyncio.get_running_loop().time()
        try:
            done = await loop.step(self.services)
        except Exception:  # noqa: BLE001 - a loop outlives whatever goes wrong in a step
            await self._failed(loop.name, loop.pause_s)
            return
        self.failures = 0
        self.watch.ran(loop.name, done)
        if done < loop.full:
            if done and loop.apart_s:
                await _rest(self.stop, loop.apart_s * min(1, done / _MUCH))
            await _rest(self.woken, loop.pause_s)
        elif loop.gently:
            await _rest(self.stop, asyncio.get_running_loop().time() - began)

    async def _flow(self, pipeline: Pipeline) -> None:
        began = asyncio.get_running_loop().time()
        try:
            await pipeline.run(self.services, self.stop, self.woken)
        except Exception:  # noqa: BLE001 - as above
            if asyncio.get_running_loop().time() - began > LONGEST_PAUSE_S:
                self.failures = 0
            await self._failed(pipeline.name, _FIRST_PAUSE_S)

    async def _failed(self, name: str, pause_s: float) -> None:
        """Log and rest; notifications do not end this rest, or they would drive the failures."""
        self.failures += 1
        self.watch.failed(name)
        _log.exception("loop_failed", loop=name, failures=self.failures)
        longest = max(LONGEST_PAUSE_S, pause_s)
        await _rest(self.stop, min(longest, pause_s * 2 ** min(self.failures, 10)))


async def _rest(until: asyncio.Event, pause_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(pause_s):
            await until.wait()
