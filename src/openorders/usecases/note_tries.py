"""Write down what came of tries to tell endpoints, and what it means for the endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from openorders import logs
from openorders.domain.webhooks import Delivered, OffReason, SwitchOff, TryAgain
from openorders.store import webhook_lanes
from openorders.store.database import Connection
from openorders.store.webhook_lanes import EndpointKey
from openorders.usecases.context import Services
from openorders.usecases.webhook_tries import Result

_log = logs.Logger(__name__)


@dataclass(slots=True)
class _Fared:
    """How an endpoint fared in a batch: failures since its last success, and what it asked for."""

    recovered: bool = False
    failures: int = 0
    pause: timedelta | None = None
    off: OffReason | None = None


async def record(services: Services, results: Sequence[Result]) -> int:
    """Record results, at most one per lane. Returns how many lanes have more to tell at once.

    The endpoints are written after the lanes and one by one: being cut off in between costs a
    failure that is not counted, never a delivery.
    """
    async with services.database.connection() as connection:
        more = await webhook_lanes.record(connection, [result.tried for result in results])
        for (key, version), fared in _by_endpoint(results).items():
            await _note(connection, key, version, fared)
    for result in results:
        services.outgoing.watch(_word(result), result.tried.took_ms / 1000)
    return more


def _by_endpoint(results: Sequence[Result]) -> dict[tuple[EndpointKey, int], _Fared]:
    found: dict[tuple[EndpointKey, int], _Fared] = {}
    for result in results:
        fared = found.setdefault((result.lane.key.endpoint, result.target.version), _Fared())
        match result.verdict:
            case Delivered():
                fared.recovered |= result.target.failures > 0 or fared.failures > 0
                fared.failures, fared.pause = 0, None
            case SwitchOff(reason):
                fared.off = reason
            case TryAgain(pause=timedelta() as pause):
                fared.failures += 1
                fared.pause = max(pause, fared.pause or pause)
            case _:
                fared.failures += not result.ours
    return found


async def _note(connection: Connection, key: EndpointKey, version: int, fared: _Fared) -> None:
    if fared.off is not None:
        if await webhook_lanes.switch_off(connection, key, version, fared.off):
            _log.warning(
                "webhook_endpoint_switched_off",
                store=key.store_id,
                endpoint=key.endpoint_id,
                reason=fared.off.value,
            )
        return
    if fared.recovered:
        await webhook_lanes.note_success(connection, key, version)
    if fared.failures:
        await webhook_lanes.note_failures(
            connection, key, version, failures=fared.failures, pause=fared.pause
        )


def _word(result: Result) -> str:
    """The result in one of the few words that metrics count by."""
    match result.verdict:
        case Delivered():
            return "delivered"
        case SwitchOff(reason):
            return "gone" if reason is OffReason.GONE else "failed"
        case _ if result.ours:
            return "broken_off"
        case _:
            return "failed" if result.tried.status is not None else "unanswered"
