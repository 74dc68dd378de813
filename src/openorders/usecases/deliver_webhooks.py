"""Deliver what endpoints are to be told, in any number of processes on any number of machines.

Each takes lanes that are due, as many of each endpoint as it can take without making others wait,
sends while it takes the next ones, and records what came of it in batches. What a dead process
took falls due when its lease ends; what a stopped one has not finished is given back at once.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from openorders import logs
from openorders.domain.ids import StoreId
from openorders.domain.store_settings import Store
from openorders.domain.webhooks import FAILURES_MIN
from openorders.gateways.outgoing import Post
from openorders.store import stores, webhook_lanes
from openorders.store.database import Connection
from openorders.store.webhook_lanes import Claimed, Head, LaneKey, Target
from openorders.store.webhooks import DELIVERIES_QUEUED
from openorders.usecases.context import Services
from openorders.usecases.note_tries import record
from openorders.usecases.webhook_pace import PLACES_FIRST, Pace
from openorders.usecases.webhook_tries import Result, attempt, broken_off, spoiled

__all__ = ["DELIVERIES_QUEUED", "deliver", "keep_delivering"]

LANES_MAX: Final = 512
"""How many requests one process has under way at most."""

LEASE_MARGIN: Final = timedelta(seconds=20)
"""A lane is ours for so much longer than a request can take."""
START_WITHIN_S: Final = 10.0
"""A lane that was not begun so soon after its claim is left alone: its lease might end while its
request is under way, and the next event of its order overtake it.
"""

POLL_S: Final = 1.0
"""How often to look for retries that fall due, and for what nobody woke us for."""
BREATH_S: Final = 0.01
"""The least time between two claims: a few large ones cost less than many small ones."""
FINISH_S: Final = 7.0
"""How long requests under way may still take after a stop; then they are broken off."""
STORE_KEPT_S: Final = 10.0
"""How long a store's settings are believed without asking again."""
STORES_KEPT_MAX: Final = 1_000
CLAIMS_FAILED_MAX: Final = 20
"""After so many failed claims in a row, a second apart, the whole is begun anew: by then every
request that was under way has had its answer.
"""
RECORD_MAX: Final = 128
"""How many results one statement writes."""

_log = logs.Logger(__name__)


async def deliver(services: Services) -> int:
    """Take lanes that are due once, and try the first event of each. Returns how many."""
    async with services.outgoing.session(connections=LANES_MAX) as post:
        courier = _Courier(services, post)
        taken = await courier.take()
        await courier.finish(within_s=None)
        return taken


async def keep_delivering(services: Services, stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Deliver until `stop` is set; `woken` says that there may be something new."""
    list(services.dialects)  # loaded now, not between an event and its first delivery
    async with services.outgoing.session(connections=LANES_MAX) as post:
        courier = _Courier(services, post, more=woken)
        recording = asyncio.create_task(courier.keep_recording(), name="webhook-results")
        patience_s = 0.0
        try:
            while not stop.is_set():
                woken.clear()
                if await courier.could_take():
                    await asyncio.sleep(BREATH_S)
                    await _rest(woken, POLL_S)
                else:
                    await _rest(stop, POLL_S)
            patience_s = FINISH_S
        finally:
            await courier.finish(within_s=patience_s, recording=recording)


def _is_being_cancelled() -> bool:
    """Whether what failed may have swallowed that it was cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _rest(until: asyncio.Event, seconds: float) -> None:
    # Not `wait_for`, which forgets that it was cancelled when it is woken at the same moment.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await until.wait()


@dataclass(slots=True)
class _Job:
    """One lane under way, from its claim until its result is recorded."""

    lane: Claimed
    head: Head
    target: Target
    began: float
    at: datetime
    task: asyncio.Task[None] | None = None


class _Courier:
    """What one process has under way."""

    def __init__(
        self, services: Services, post: Post, *, more: asyncio.Event | None = None
    ) -> None:
        self._services = services
        self._post = post
        self._more = more or asyncio.Event()
        self._pace = Pace()
        self._jobs: dict[LaneKey, _Job] = {}
        self._results: list[Result] = []
        self._to_record = asyncio.Event()
        self._turn = asyncio.Lock()
        self._hungry = False
        self._claims_failed = 0
        self._stores: dict[StoreId, tuple[float, Store]] = {}

    async def could_take(self) -> bool:
        """Take what is due. False: it failed, which breaks off nothing that is under way; an
        exception when nothing is, or when it fails for too long.
        """
        try:
            await self.take()
        except Exception:
            self._claims_failed += 1
            if not self._jobs or self._claims_failed == CLAIMS_FAILED_MAX or _is_being_cancelled():
                raise
            _log.exception("webhook_lanes_not_claimed", under_way=len(self._jobs))
            return False
        self._claims_failed = 0
        return True

    async def take(self) -> int:
        """Claim lanes that are due, and begin with each. Returns how many were begun."""
        free = LANES_MAX - len(self._jobs)
        if free <= 0:
            return 0
        now = self._time()
        timeout = timedelta(seconds=self._services.outgoing.rules.timeout_s)
        async with self._services.database.connection() as connection:
            claimed = await webhook_lanes.claim(
                connection,
                self._pace.places(),
                places=PLACES_FIRST,
                failing=FAILURES_MIN,
                limit=free,
                lease=timeout + LEASE_MARGIN,
            )
            lanes = [lane for lane in claimed if not self._is_under_way(lane)]
            if not lanes:
                return 0
            heads = await webhook_lanes.heads(connection, lanes)
            targets = await webhook_lanes.targets(connection, {lane.key.endpoint for lane in lanes})
            await self._learn(connection, {lane.key.store_id for lane in lanes})
            over = [lane for lane in lanes if lane.key.endpoint not in targets]
            if over:
                await webhook_lanes.give_back(connection, over)
        for lane in lanes:
            head, target = heads.get(lane.key), targets.get(lane.key.endpoint)
            if head is None:
                _log.error("webhook_lane_without_event", lane=lane.key)
            elif target is not None and self._time() - now < START_WITHIN_S:
                self._begin(lane, head, target)
        self._hungry = len(claimed) == free or any(
            self._pace.is_full(lane.key.endpoint) for lane in lanes
        )
        return len(lanes)

    async def keep_recording(self) -> None:
        """Record results as they come; what a failing database does not take is kept and tried
        again.
        """
        while True:
            await self._to_record.wait()
            try:
                async with self._turn:
                    await self._record()
            except Exception:  # noqa: BLE001 - the lanes stay ours, and so do the results
                _log.exception("webhook_results_not_recorded", results=len(self._results))
                await asyncio.sleep(POLL_S)

    async def finish(
        self, *, within_s: float | None, recording: "asyncio.Task[None] | None" = None
    ) -> None:
        """Wait for what is under way, break off what takes longer, record all of it."""
        tasks = [job.task for job in self._jobs.values() if job.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        async with self._turn:
            if recording is not None:
                recording.cancel()
            while self._results:
                await self._record()

    def _time(self) -> float:
        return asyncio.get_running_loop().time()

    def _is_under_way(self, lane: Claimed) -> bool:
        """Whether a lane is still in our hands, its lease having ended meanwhile; the new claim
        is then what its result is recorded under.
        """
        job = self._jobs.get(lane.key)
        if job is None:
            return False
        job.lane = job.lane._replace(claim=lane.claim)
        return True

    async def _learn(self, connection: Connection, store_ids: Iterable[StoreId]) -> None:
        now = self._time()
        if len(self._stores) > STORES_KEPT_MAX:
            self._stores.clear()
        for store_id in store_ids:
            known = self._stores.get(store_id)
            if known is None or now - known[0] > STORE_KEPT_S:
                store = await stores.read(connection, store_id)
                assert store is not None, "a store is never deleted"
                self._stores[store_id] = (now, store)

    def _begin(self, lane: Claimed, head: Head, target: Target) -> None:
        job = _Job(lane, head, target, self._time(), self._services.clock())
        self._jobs[lane.key] = job
        self._pace.began(lane.key.endpoint)
        job.task = asyncio.create_task(self._run(job))

    async def _run(self, job: _Job) -> None:
        """Try, and leave the result to be recorded, also when we are told to stop."""
        _, store = self._stores[job.lane.key.store_id]
        try:
            result = await attempt(
                self._services, self._post, store, job.lane, job.head, job.target
            )
        except asyncio.CancelledError:
            seconds = self._time() - job.began
            result = broken_off(job.lane, job.head, job.target, job.at, seconds)
        except Exception:  # noqa: BLE001 - a fault of ours costs one try, and no place for good
            _log.exception("webhook_try_failed", event_id=job.head.event_id)
            result = spoiled(job.lane, job.head, job.target, job.at)
        self._pace.ended(job.lane.key.endpoint, self._time() - job.began)
        self._results.append(result)
        self._to_record.set()
        if self._hungry:
            self._more.set()

    async def _record(self) -> None:
        """Record the oldest results, by one at a time."""
        batch = [self._current(result) for result in self._results[:RECORD_MAX]]
        more = await record(self._services, batch)
        del self._results[: len(batch)]
        if not self._results:
            self._to_record.clear()
        for result in batch:
            del self._jobs[result.lane.key]
        if more or self._hungry:
            self._more.set()

    def _current(self, result: Result) -> Result:
        lane = self._jobs[result.lane.key].lane
        if lane.claim == result.lane.claim:
            return result
        return replace(result, lane=lane, tried=replace(result.tried, lane=lane))
