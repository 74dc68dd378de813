"""Cards that customers leave at a gateway to pay with later: kept, shown, let go of.

A method is written down before the gateway is asked, so that nothing is kept there which nobody
knows of here. What a crash leaves half done is cleared by `clear_methods`.
"""

import asyncio
from typing import Final

from msgspec import Struct

from openorders import logs
from openorders.domain.access import Role
from openorders.domain.ids import CustomerId, MethodId
from openorders.domain.refusals import (
    MethodNotFound,
    Overloaded,
    PaymentDeclined,
    Refused,
    UnknownGateway,
)
from openorders.domain.saved_method import StoredMethod
from openorders.domain.store_settings import Store
from openorders.gateways.payments import Declined, GatewayUnreachable, SavedMethod
from openorders.store import saved_methods, stores
from openorders.store.database import Connection
from openorders.store.saved_methods import KeptMethod, ToClear
from openorders.usecases.answers import Answer, Later, Reply, keep, once
from openorders.usecases.charge_order import checked_token
from openorders.usecases.context import Context, Services, Unit
from openorders.usecases.perform_operations import CALL_TIMEOUT_S

METHODS_MAX: Final = 50
"""How many methods one customer may have; a list of them is never longer."""

CLEAR_LIMIT: Final = 20
"""How many methods one run clears."""

_TOO_MANY: Final = PaymentDeclined("too_many_methods", "Too many cards are saved already.")

_log = logs.Logger(__name__)


class SaveMethod(Struct, frozen=True, kw_only=True):
    """`token` names a card at the gateway (the store's default unless named)."""

    customer_id: CustomerId
    token: str
    gateway: str | None = None


async def save_method(ctx: Context, command: SaveMethod, reply: Reply[StoredMethod]) -> Answer:
    """Have a gateway keep a customer's card. The same idempotency key keeps it once.

    Refuses with `UnknownGateway`, `PaymentDeclined` when the gateway will not keep it, and
    `Overloaded` while the gateway does not answer.
    """
    _require_staff(ctx)
    gateway = _gateway_of(ctx.store, command.gateway)
    token = checked_token(command.token)

    async def work(unit: Unit) -> Later:
        begun = await _begun(unit.connection, ctx)
        if begun is None:
            begun = await _begin(unit.connection, ctx, command, gateway)
        kept = begun

        async def finish() -> Answer:
            if kept.reference is not None:
                return reply.done(kept.method)
            return await _keep(ctx, kept, token, reply)

        return Later(finish)

    return await once(ctx, reply, work)


async def list_methods(ctx: Context, customer_id: CustomerId) -> tuple[StoredMethod, ...]:
    """What a customer can pay with, oldest first; at most `METHODS_MAX`."""
    _require_staff(ctx)
    async with ctx.services.database.connection() as connection:
        return await saved_methods.of_customer(
            connection, ctx.store_id, customer_id, limit=METHODS_MAX
        )


async def read_method(ctx: Context, method_id: MethodId) -> StoredMethod:
    """One method. Refuses with `MethodNotFound`."""
    _require_staff(ctx)
    async with ctx.services.database.connection() as connection:
        kept = await saved_methods.read(connection, ctx.store_id, method_id)
    if kept is None:
        raise Refused(MethodNotFound(method_id))
    return kept.method


async def forget_method(ctx: Context, method_id: MethodId) -> None:
    """Let nobody pay with a method any more, at once; its gateway is told right after.

    Refuses with `MethodNotFound`.
    """
    _require_staff(ctx)
    async with ctx.services.database.transaction() as tx:
        marked = await saved_methods.mark_forgotten(tx, ctx.store_id, method_id, ctx.now())
    if marked is None:
        raise Refused(MethodNotFound(method_id))
    gateway, reference = marked
    due = ToClear(store_id=ctx.store_id, id=method_id, gateway=gateway, reference=reference)
    await _clear(ctx.services, ctx.store, due)


async def clear_methods(services: Services) -> int:
    """Have gateways let go of what was forgotten, and drop what was begun and never kept.

    Returns how many were looked at.
    """
    async with services.database.transaction() as tx:
        due = await saved_methods.claim_to_clear(tx, services.clock(), limit=CLEAR_LIMIT)
        known = {store.id: store for store in await stores.all_stores(tx)} if due else {}
    for one in due:
        await _clear(services, known[one.store_id], one)
    return len(due)


async def _clear(services: Services, store: Store, due: ToClear) -> None:
    try:
        if due.reference is not None:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await services.gateways.of(store, due.gateway).forget_method(due.reference)
        async with services.database.connection() as connection:
            await saved_methods.remove(connection, store.id, due.id)
    except Exception:  # noqa: BLE001 - nobody can pay with it any more; it is tried again
        _log.exception("method_kept_at_gateway", store=store.id, method=due.id)


async def _begun(tx: Connection, ctx: Context) -> KeptMethod | None:
    if ctx.keyed is None:
        return None
    return await saved_methods.of_key(tx, ctx.store_id, ctx.keyed.digest)


async def _begin(tx: Connection, ctx: Context, command: SaveMethod, gateway: str) -> KeptMethod:
    await saved_methods.take_turn(tx, ctx.store_id, command.customer_id)
    if await saved_methods.count(tx, ctx.store_id, command.customer_id) >= METHODS_MAX:
        raise Refused(_TOO_MANY)
    return await saved_methods.begin(
        tx,
        ctx.store_id,
        command.customer_id,
        gateway,
        key_digest=ctx.keyed.digest if ctx.keyed else None,
        now=ctx.now(),
    )


async def _keep(ctx: Context, begun: KeptMethod, token: str, reply: Reply[StoredMethod]) -> Answer:
    method_id = begun.method.id
    saved = await _ask(ctx, begun, token)
    async with ctx.services.database.transaction() as tx:
        if isinstance(saved, Declined):
            await saved_methods.remove(tx, ctx.store_id, method_id)
            answer = reply.refused(PaymentDeclined(saved.code, saved.message))
        else:
            method = await saved_methods.complete(
                tx,
                ctx.store_id,
                method_id,
                customer=saved.customer,
                reference=saved.reference,
                card_brand=saved.card_brand,
                card_last_four=saved.card_last_four,
                expires=saved.expires,
            )
            if method is None:
                raise Refused(MethodNotFound(method_id))
            answer = reply.done(method)
        await keep(tx, ctx, answer)
    return answer


async def _ask(ctx: Context, begun: KeptMethod, token: str) -> SavedMethod | Declined:
    method = begun.method
    key = f"{ctx.store_id}-method-{method.id}-{int(method.created_at.timestamp())}"
    try:
        account = ctx.services.gateways.of(ctx.store, method.gateway)
        async with asyncio.timeout(CALL_TIMEOUT_S):
            return await account.save_method(key, method.customer_id, begun.customer, token)
    except (GatewayUnreachable, TimeoutError) as error:
        _log.warning("gateway_unreachable", method=method.id, error=str(error))
        raise Refused(Overloaded(retry_after_s=5)) from error
    except Exception as error:
        _log.exception("gateway_failed", method=method.id)
        raise Refused(Overloaded(retry_after_s=5)) from error


def _gateway_of(store: Store, name: str | None) -> str:
    settings = store.gateway(name)
    if settings is None or settings.is_by_hand:
        raise Refused(UnknownGateway(name or ""))
    return settings.name


def _require_staff(ctx: Context) -> None:
    ctx.caller.require(Role.ADMIN, Role.SERVICE, to="see and change saved payment methods")
