"""Doing a thing once, however often it is asked for under the same idempotency key.

The key is claimed and the answer kept in the transaction of the effect: both are there or
neither is. Where a gateway or a mail server must be asked in between, the claim is committed
first (`Later`), so that a twin meets it in flight and a retry after a crash can take it over.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

from openorders import logs
from openorders.domain.refusals import (
    KeyInFlight,
    KeyReused,
    NotAuthenticated,
    NotPermitted,
    Overloaded,
    PaymentUnsettled,
    Reason,
    Refused,
    VersionDiffers,
)
from openorders.store import idempotency
from openorders.store.database import Connection
from openorders.usecases.context import Context, Keyed, Unit

T = TypeVar("T")

TAKE_OVER_AFTER: Final = timedelta(seconds=30)
"""A claim in flight for longer belonged to a process that died: longer than any gateway call."""

_NOT_KEPT: Final = (
    NotAuthenticated,
    NotPermitted,
    VersionDiffers,
    KeyReused,
    KeyInFlight,
    PaymentUnsettled,
    Overloaded,
)


_log = logs.Logger(__name__)


class Answer(Struct, frozen=True, kw_only=True):
    """What a client is told, to the byte. `replayed` when it was told before."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    replayed: bool = False


class Reply(Struct, Generic[T], frozen=True, kw_only=True):
    """How the contract words a result and a refusal. Both must be pure: they may run twice."""

    done: Callable[[T], Answer]
    refused: Callable[[Reason], Answer]


class Later(Struct, frozen=True):
    """The answer needs the outside: it is found after the commit, by this."""

    finish: Callable[[], Awaitable[Answer]]


Work = Callable[[Unit], Awaitable[Answer | Later]]


async def once(ctx: Context, reply: Reply[Any], work: Work) -> Answer:
    """Run `work` in a transaction, at most once per idempotency key.

    `work` may run again after a crash or a lost race, so it finds what it began by itself
    (`ctx.keyed.digest`). Raises `Refused` when the refusal is not to be kept under the key.
    """
    try:
        return await _attempt(ctx, work)
    except Refused as refused:
        return await keep_refusal(ctx, reply.refused, refused)


async def repeatable(ctx: Context, reply: Reply[T], act: Callable[[], Awaitable[T]]) -> Answer:
    """Do what has one effect however often it is done, and tell a repeated key the first answer.

    `act` commits by itself. After a crash between its effect and the answer it runs again.
    """

    async def work(_: Unit) -> Later:
        async def finish() -> Answer:
            return reply.done(await act())

        return Later(finish)

    return await once(ctx, reply, work)


async def keep_refusal(
    ctx: Context, render: Callable[[Reason], Answer], refused: Refused
) -> Answer:
    """Keep a decision against the client under its key; raise what is no decision."""
    if ctx.keyed is None or isinstance(refused.reason, _NOT_KEPT):
        raise refused
    answer = render(refused.reason)
    async with ctx.services.database.connection() as connection:
        kept = await idempotency.keep(
            connection, ctx.store_id, ctx.keyed, _stored(answer), ctx.now()
        )
    return answer if kept else await replay(ctx, ctx.keyed)


async def replay(ctx: Context, keyed: Keyed) -> Answer:
    """The first answer again. Refuses another request, and one that is still in flight."""
    async with ctx.services.database.connection() as connection:
        known = await idempotency.find(connection, ctx.store_id, keyed.digest)
    if known is None:
        raise Refused(KeyInFlight())
    return replay_of(known, keyed)


def replay_of(known: idempotency.Known, keyed: Keyed) -> Answer:
    """The answer that was kept, given back only to the same request."""
    if known.fingerprint != keyed.fingerprint:
        raise Refused(KeyReused())
    if known.answer is None:
        raise Refused(KeyInFlight())
    status, headers, body = known.answer
    return Answer(status=status, headers=headers, body=body, replayed=True)


async def _attempt(ctx: Context, work: Work) -> Answer:
    units: list[Unit] = []

    async def attempt(connection: Connection) -> Answer | Later:
        unit = Unit(connection, ctx.store_id)
        units[:] = [unit]
        if ctx.keyed is None:
            return await work(unit)
        known = await _claim(connection, ctx, ctx.keyed)
        if known is not None:
            return known
        done = await work(unit)
        if isinstance(done, Answer):
            await keep(connection, ctx, done)
        return done

    done = await ctx.services.database.run(attempt)
    ctx.services.bell.ring()
    await run_afterwards(units[0])
    return await _finish(ctx, done) if isinstance(done, Later) else done


async def _claim(connection: Connection, ctx: Context, keyed: Keyed) -> Answer | None:
    """Claim the key for this request; the answer when it was answered before."""
    now = ctx.now()
    if await idempotency.claim(
        connection, ctx.store_id, keyed, now, stale_before=now - TAKE_OVER_AFTER
    ):
        return None
    known = await idempotency.find(connection, ctx.store_id, keyed.digest)
    if known is None:
        raise Refused(KeyInFlight())
    return replay_of(known, keyed)


async def _finish(ctx: Context, later: Later) -> Answer:
    try:
        answer = await later.finish()
    except Refused as refused:
        if ctx.keyed is not None and isinstance(refused.reason, _NOT_KEPT):
            async with ctx.services.database.connection() as connection:
                await idempotency.release(connection, ctx.store_id, ctx.keyed.digest)
        raise
    if ctx.keyed is not None:
        async with ctx.services.database.connection() as connection:
            await idempotency.answer(connection, ctx.store_id, ctx.keyed.digest, _stored(answer))
    return answer


async def keep(tx: Connection, ctx: Context, answer: Answer) -> None:
    """Keep the answer in the transaction of its effect, when the request came with a key."""
    if ctx.keyed is not None:
        await idempotency.answer(tx, ctx.store_id, ctx.keyed.digest, _stored(answer))


async def run_afterwards(unit: Unit) -> None:
    """What follows a commit. The effect is recorded already, so a failure is only logged."""
    for step in unit.afterwards:
        try:
            await step()
        except Exception as error:  # noqa: BLE001 - the effect is committed; the sweep does the rest
            _log.warning("left_to_the_sweep", error=repr(error))


def _stored(answer: Answer) -> idempotency.Kept:
    return answer.status, answer.headers, answer.body
