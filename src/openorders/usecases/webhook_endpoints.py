"""Keep a store's webhook endpoints: where to send, what of, in whose words, signed with what.

A secret is shown when it is made and never again.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain.access import Role
from openorders.domain.events import EventType
from openorders.domain.ids import EndpointId
from openorders.domain.refusals import (
    EndpointNotFound,
    EndpointUrlRefused,
    Refused,
    TooManyEndpoints,
    UnknownContract,
)
from openorders.domain.webhooks import (
    ALL_TYPES,
    SECRET_BYTES,
    Endpoint,
    EndpointState,
    OffReason,
    shown,
)
from openorders.gateways.outgoing import OutgoingForbidden
from openorders.store import webhook_endpoints
from openorders.store.database import Connection
from openorders.usecases.answers import Answer, Reply, once
from openorders.usecases.context import Context, Unit

ENDPOINTS_MAX: Final = 100
"""How many endpoints a store may have."""

ENDPOINTS_PAGE_MAX: Final = 100

KEEP_OLD_FOR_MAX: Final = timedelta(days=7)
"""For how long an old secret can go on signing beside the new one."""


class NewEndpoint(Struct, frozen=True, kw_only=True):
    """An endpoint to be made. `types` None: every type, also those that are still to come."""

    url: str
    contract: str
    types: frozenset[EventType] | None = None
    label: str | None = None


class Changes(Struct, frozen=True, kw_only=True):
    """What is to be different; None leaves it. `types` as `ALL_TYPES` is every type."""

    url: str | None = None
    contract: str | None = None
    types: frozenset[EventType] | None = None
    label: str | None = None
    enabled: bool | None = None


class Created(Struct, frozen=True, kw_only=True):
    """An endpoint with its new secret, as its owner sees it."""

    endpoint: Endpoint
    secret: str


async def create_endpoint(ctx: Context, new: NewEndpoint, reply: Reply[Created]) -> Answer:
    """Make an endpoint. Refuses with `EndpointUrlRefused`, `UnknownContract`, `TooManyEndpoints`.

    It is told what happens from now on; what happened before can be replayed.
    """
    _require_admin(ctx)
    refuse = await _refusal_of(ctx, new.url)
    secret = secrets.token_bytes(SECRET_BYTES)

    async def work(unit: Unit) -> Answer:
        refuse()
        _require_contract(ctx, new.contract)
        endpoint = await webhook_endpoints.create(
            unit.connection,
            ctx.store_id,
            url=new.url,
            contract=new.contract,
            types=_wanted(new.types),
            label=new.label,
            secret=secret,
            most=ENDPOINTS_MAX,
            now=ctx.now(),
        )
        if endpoint is None:
            raise Refused(TooManyEndpoints(ENDPOINTS_MAX))
        return reply.done(Created(endpoint=endpoint, secret=shown(secret)))

    return await once(ctx, reply, work)


async def list_endpoints(
    ctx: Context, after: EndpointId | None, limit: int
) -> tuple[Endpoint, ...]:
    """The store's endpoints after one, oldest first."""
    _require_admin(ctx)
    limit = min(limit, ENDPOINTS_PAGE_MAX)
    async with ctx.services.database.connection() as connection:
        return await webhook_endpoints.page(connection, ctx.store_id, after, limit)


async def read_endpoint(ctx: Context, endpoint_id: EndpointId) -> Endpoint:
    """One endpoint. Refuses with `EndpointNotFound`."""
    _require_admin(ctx)
    async with ctx.services.database.connection() as connection:
        found = await webhook_endpoints.read(connection, ctx.store_id, endpoint_id)
    if found is None:
        raise Refused(EndpointNotFound(endpoint_id))
    return found


async def change_endpoint(ctx: Context, endpoint_id: EndpointId, changes: Changes) -> Endpoint:
    """Change an endpoint, or switch it on or off. Doing it twice is doing it once.

    One that is switched on, or changed, starts afresh: its failures no longer count, and what
    waits is tried at once.
    """
    _require_admin(ctx)
    refuse = await _refusal_of(ctx, changes.url)

    async def work(tx: Connection) -> Endpoint:
        before = await _locked(tx, ctx, endpoint_id)
        refuse()
        if changes.contract is not None:
            _require_contract(ctx, changes.contract)
        after = _changed(before, changes)
        if after == before:
            return before
        return await webhook_endpoints.change(tx, ctx.store_id, after, ctx.now())

    return await ctx.services.database.run(work)


async def rotate_secret(
    ctx: Context, endpoint_id: EndpointId, keep_old_for: timedelta, reply: Reply[Created]
) -> Answer:
    """Sign with a new secret; for a while, at most `KEEP_OLD_FOR_MAX`, with the old ones too."""
    _require_admin(ctx)
    keep = min(max(keep_old_for, timedelta()), KEEP_OLD_FOR_MAX)
    secret = secrets.token_bytes(SECRET_BYTES)

    async def work(unit: Unit) -> Answer:
        endpoint = await _locked(unit.connection, ctx, endpoint_id)
        await webhook_endpoints.add_secret(
            unit.connection,
            ctx.store_id,
            endpoint_id,
            secret,
            keep_old_for=keep,
            now=ctx.now(),
        )
        return reply.done(Created(endpoint=endpoint, secret=shown(secret)))

    return await once(ctx, reply, work)


async def remove_endpoint(ctx: Context, endpoint_id: EndpointId) -> None:
    """Remove an endpoint: nothing more is sent to it. Refuses with `EndpointNotFound`."""
    _require_admin(ctx)

    async def work(tx: Connection) -> None:
        endpoint = await _locked(tx, ctx, endpoint_id)
        await webhook_endpoints.remove(tx, ctx.store_id, endpoint, ctx.now())

    await ctx.services.database.run(work)


def _changed(endpoint: Endpoint, changes: Changes) -> Endpoint:
    changed = replace(
        endpoint,
        url=endpoint.url if changes.url is None else changes.url,
        contract=endpoint.contract if changes.contract is None else changes.contract,
        types=endpoint.types if changes.types is None else _wanted(changes.types),
        label=endpoint.label if changes.label is None else changes.label,
    )
    match changes.enabled:
        case True if endpoint.state is EndpointState.OFF:
            return replace(changed, state=EndpointState.ACTIVE, off_reason=None, off_at=None)
        case False if endpoint.state is EndpointState.ACTIVE:
            return replace(changed, state=EndpointState.OFF, off_reason=OffReason.OPERATOR)
        case _:
            return changed


def _wanted(types: frozenset[EventType] | None) -> frozenset[EventType] | None:
    return None if types == ALL_TYPES else types


async def _locked(tx: Connection, ctx: Context, endpoint_id: EndpointId) -> Endpoint:
    found = await webhook_endpoints.lock(tx, ctx.store_id, endpoint_id)
    if found is None:
        raise Refused(EndpointNotFound(endpoint_id))
    return found


async def _refusal_of(ctx: Context, url: str | None) -> Callable[[], None]:
    """What raises the refusal of a URL, if there is one: found before the transaction, since
    finding it asks the network, and raised in it, where a retry meets its first answer.
    """
    problem: str | None = None
    if url is not None:
        try:
            await ctx.services.outgoing.refuse_forbidden(url)
        except OutgoingForbidden as error:
            problem = str(error)

    def refuse() -> None:
        if problem is not None:
            raise Refused(EndpointUrlRefused(problem))

    return refuse


def _require_admin(ctx: Context) -> None:
    ctx.caller.require(Role.ADMIN, to="manage webhooks")


def _require_contract(ctx: Context, contract: str) -> None:
    if contract not in ctx.services.dialects:
        raise Refused(UnknownContract(contract))
