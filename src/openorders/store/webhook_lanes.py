"""Lanes: all that one endpoint is still to be told about one order, in the order of the feed.

A lane is claimed by one worker at a time, for as long as its lease lasts by the database's clock;
the first of what waits in it is tried, and the outcome decides when it is tried again or whether
the next one follows. Knows nothing of requests.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from openorders.domain.events import EventType
from openorders.domain.ids import EndpointId, EventId, OrderId, StoreId
from openorders.domain.webhooks import OffReason
from openorders.store import queries
from openorders.store.database import Connection

SECRETS_MAX: Final = 4
"""How many secrets an endpoint's payloads are signed with at most."""

_Q = queries.load("webhook_lanes")


class EndpointKey(NamedTuple):
    """Which endpoint of which store."""

    store_id: StoreId
    endpoint_id: EndpointId


class LaneKey(NamedTuple):
    """Which order at which endpoint of which store."""

    store_id: StoreId
    endpoint_id: EndpointId
    order_id: OrderId

    @property
    def endpoint(self) -> EndpointKey:
        return EndpointKey(self.store_id, self.endpoint_id)


class Claimed(NamedTuple):
    """A lane in our hands. `tries` counts those of its first event that failed so far."""

    key: LaneKey
    claim: int
    tries: int


class Head(Struct, frozen=True, kw_only=True):
    """The event that a lane is to tell next; `payload` is the order as it was then."""

    position: int
    event_id: EventId
    type: EventType
    order_version: int
    at: datetime
    payload: bytes


class Target(Struct, frozen=True, kw_only=True):
    """Where to send, what to sign with (the newest first), and how the endpoint stands."""

    url: str
    contract: str
    version: int
    failures: int
    failing_for: timedelta
    secrets: tuple[bytes, ...]


class Places(NamedTuple):
    """How many lanes of an endpoint a process takes at once, and how many it has."""

    places: int
    under_way: int


class Try(Struct, frozen=True, kw_only=True):
    """What came of trying a lane's head. `wait_s` counts when it is to be tried `again`."""

    lane: Claimed
    position: int
    outcome: Literal["delivered", "failed", "again"]
    wait_s: float = 0.0
    at: datetime
    status: int | None
    took_ms: int
    answer: str | None
    failure: str | None


async def claim(
    connection: Connection,
    known: dict[EndpointKey, Places],
    *,
    places: int,
    failing: int,
    limit: int,
    lease: timedelta,
) -> list[Claimed]:
    """Take lanes that are due. Endpoints that are not `known` have `places`; those with at least
    `failing` failures in a row have one.
    """
    rows = await _Q.claim_lanes.fetch(
        connection,
        store_ids=[key.store_id for key in known],
        endpoint_ids=[key.endpoint_id for key in known],
        known_places=[one.places for one in known.values()],
        under_way=[one.under_way for one in known.values()],
        places=places,
        failing=failing,
        limit=limit,
        lease_s=lease.total_seconds(),
    )
    return [Claimed(LaneKey(row[0], row[1], row[2]), row[3], row[4]) for row in rows]


async def heads(connection: Connection, lanes: Sequence[Claimed]) -> dict[LaneKey, Head]:
    """What each lane is to tell next."""
    rows = await _Q.read_heads.fetch(
        connection,
        store_ids=[lane.key.store_id for lane in lanes],
        endpoint_ids=[lane.key.endpoint_id for lane in lanes],
        order_ids=[lane.key.order_id for lane in lanes],
    )
    return {
        LaneKey(row["store_id"], row["endpoint_id"], row["order_id"]): Head(
            position=row["position"],
            event_id=EventId(row["event_id"]),
            type=EventType(row["type"]),
            order_version=row["version"],
            at=row["at"],
            payload=row["payload"],
        )
        for row in rows
    }


async def targets(
    connection: Connection, keys: Collection[EndpointKey]
) -> dict[EndpointKey, Target]:
    """Where to send to, for each endpoint that is still on."""
    rows = await _Q.read_targets.fetch(
        connection,
        store_ids=[key.store_id for key in keys],
        endpoint_ids=[key.endpoint_id for key in keys],
        secrets_max=SECRETS_MAX,
    )
    return {
        EndpointKey(row["store_id"], row["id"]): Target(
            url=row["url"],
            contract=row["contract"],
            version=row["version"],
            failures=row["failures"],
            failing_for=row["failing_for"],
            secrets=tuple(row["secrets"]),
        )
        for row in rows
    }


async def record(connection: Connection, tries: Sequence[Try]) -> int:
    """Write what came of tries, at most one per lane. How many lanes have more to tell at once."""
    return await _Q.record_tries.fetchval(
        connection,
        **_keys([one.lane for one in tries]),
        positions=[one.position for one in tries],
        outcomes=[one.outcome for one in tries],
        waits_s=[one.wait_s for one in tries],
        times=[one.at for one in tries],
        statuses=[one.status for one in tries],
        took_ms=[one.took_ms for one in tries],
        answers=[one.answer for one in tries],
        failures=[one.failure for one in tries],
    )


async def give_back(connection: Connection, lanes: Sequence[Claimed]) -> None:
    """Let others take these lanes at once; what became somebody else's meanwhile stays theirs."""
    await _Q.give_back_lanes.execute(connection, **_keys(lanes))


async def note_success(connection: Connection, key: EndpointKey, version: int) -> None:
    """The endpoint took something: its failures are over."""
    await _Q.note_success.execute(
        connection, store_id=key.store_id, id=key.endpoint_id, version=version
    )


async def note_failures(
    connection: Connection,
    key: EndpointKey,
    version: int,
    *,
    failures: int,
    pause: timedelta | None,
) -> None:
    """So many tries failed in a row; nothing is sent to the endpoint for as long as `pause`."""
    await _Q.note_failures.execute(
        connection,
        store_id=key.store_id,
        id=key.endpoint_id,
        version=version,
        failures=failures,
        pause_s=None if pause is None else pause.total_seconds(),
    )


async def switch_off(
    connection: Connection, key: EndpointKey, version: int, reason: OffReason
) -> bool:
    """Tell the endpoint nothing more. False: it was changed or switched off meanwhile."""
    row = await _Q.switch_off.fetchrow(
        connection,
        store_id=key.store_id,
        id=key.endpoint_id,
        version=version,
        reason=reason.value,
    )
    return row is not None


def _keys(lanes: Sequence[Claimed]) -> dict[str, list[int]]:
    return {
        "store_ids": [lane.key.store_id for lane in lanes],
        "endpoint_ids": [lane.key.endpoint_id for lane in lanes],
        "order_ids": [lane.key.order_id for lane in lanes],
        "claims": [lane.claim for lane in lanes],
    }
