"""A charge, from its record to its answer: begun with an order or for one that is there,
finished after the commit.

A retry under the same idempotency key finds what was begun and finishes that, never a second
charge.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain.access import Role
from openorders.domain.ids import MethodId, OperationId, OrderId
from openorders.domain.order import Order
from openorders.domain.payment import OperationKind
from openorders.domain.refusals import (
    MethodNotFound,
    PaymentDeclined,
    PaymentInProgress,
    PaymentUnsettled,
    Refused,
    UnknownGateway,
)
from openorders.domain.store_settings import Capture, Store
from openorders.store import payments, saved_methods
from openorders.store.database import Connection
from openorders.store.payments import Attempt, NewAttempt
from openorders.usecases.answers import Answer, Later, Reply, keep
from openorders.usecases.context import Context, Unit
from openorders.usecases.give_up_waiting import give_up
from openorders.usecases.perform_operations import perform
from openorders.usecases.settle_payment import Settled

DEFAULT_METHOD: Final = "credit_card"

GIVEN_UP_WITHIN_S: Final = 8.0
"""How long a gateway may take to give up what waited, so that it and the new payment together
take no longer than a request may hold its idempotency key.
"""

_NO_CARD: Final = PaymentDeclined("missing_token", "No card was given.")
_NO_TOKEN: Final = PaymentDeclined(
    "invalid_token", "A card's token is needed here, never its number."
)
_TOKEN_MAX: Final = 255
_CARD_NUMBER: Final = re.compile(r"(?:\d[ -]?){13,19}")


class NewCharge(Struct, frozen=True, kw_only=True):
    """Money to be taken now for a locked order, `amount` in minor units.

    `return_url` is where the buyer comes back to when they have to act; without one nobody can.
    With `page` they pay on the gateway's own page, and no token is needed; nor is one with a
    `saved_method`, which also says through which gateway.
    """

    order: Order
    amount: int
    gateway: str
    token: str | None = None
    method: str | None = None
    saved_method: MethodId | None = None
    return_url: str | None = None
    page: bool = False


Decide = Callable[[Connection, Context], Awaitable[NewCharge]]
"""Locks an order and says what is to be taken for it; refuses when that is nothing."""


async def charge(
    unit: Unit, ctx: Context, decide: Decide, answer: Callable[[Settled], Answer]
) -> Later:
    """Take money for an order that is there; what waited for its buyer is given up first.

    The payment may be `PENDING` in what `answer` is given, when somebody is there to act. Else
    one that waits is refused with `PaymentUnsettled`: how it ends is found out later.
    """
    known = await begun(unit.connection, ctx)
    if known is not None:
        return finish(ctx, known, answer)
    new = await decide(unit.connection, ctx)
    order = new.order
    by = ctx.by("Another payment was begun.")
    voids = await give_up(unit.connection, ctx.store_id, order.id, order.payments, by)
    if not voids:
        attempt = await _begin_new(unit.connection, ctx, new)
        return finish(ctx, attempt, answer)

    async def after_giving_up() -> Answer:
        await _given_up(ctx, order.id, voids)
        unversioned = replace(ctx, expected=None)

        async def again(tx: Connection) -> Attempt:
            new = await decide(tx, unversioned)
            # Who took the key over meanwhile may have begun it: looked for under the order's lock.
            return await begun(tx, ctx) or await _begin_new(tx, ctx, new)

        attempt = await ctx.services.database.run(again)
        return await finish(ctx, attempt, answer).finish()

    return Later(after_giving_up)


async def _given_up(ctx: Context, order_id: OrderId, voids: tuple[OperationId, ...]) -> None:
    """Have what waits given up, or the new payment is unsettled: it must not begin before."""
    try:
        async with asyncio.timeout(GIVEN_UP_WITHIN_S):
            for void in voids:
                await perform(ctx.services, ctx.store, void)
    except TimeoutError as error:
        raise Refused(PaymentUnsettled(order_id)) from error


async def _begin_new(tx: Connection, ctx: Context, new: NewCharge) -> Attempt:
    attempt = await begin(
        tx,
        ctx,
        new.order,
        gateway=new.gateway,
        token=new.token,
        method=new.method,
        amount=new.amount,
        saved_method=new.saved_method,
        return_url=new.return_url,
        page=new.page,
    )
    await payments.await_payment(tx, ctx.store_id, new.order.id, ctx.now())
    return attempt


async def begun(tx: Connection, ctx: Context) -> Attempt | None:
    """The attempt that was begun under this request's key before, if any."""
    if ctx.keyed is None:
        return None
    return await payments.attempt_of_key(tx, ctx.store_id, ctx.keyed.digest)


async def begin(
    tx: Connection,
    ctx: Context,
    order: Order,
    *,
    gateway: str,
    token: str | None,
    method: str | None,
    amount: int,
    saved_method: MethodId | None = None,
    return_url: str | None = None,
    page: bool = False,
) -> Attempt:
    """Record a charge, in the transaction that holds its order.

    Refuses what is no token, above all a card's number, which must never be stored; and
    with `PaymentInProgress` while another attempt is open. Where nobody is asked but staff
    vouch for the money, only they may say that it was taken, and need no token.
    """
    customer = None
    if saved_method is not None:
        gateway, token, customer = await _saved(tx, ctx, order, saved_method)
    if page:
        _require_pages(ctx, gateway)
    by_hand = _is_by_hand(ctx.store, gateway)
    if by_hand:
        ctx.caller.require(Role.ADMIN, Role.SERVICE, to="say that money was taken by hand")
    needs_token = not (page or (by_hand and not token))
    return await record(
        tx,
        ctx,
        order,
        gateway=gateway,
        token=checked_token(token) if needs_token else None,
        method=method,
        amount=amount,
        customer=customer,
        return_url=return_url,
        page=page,
    )


async def record(
    tx: Connection,
    ctx: Context,
    order: Order,
    *,
    gateway: str,
    token: str | None,
    method: str | None,
    amount: int,
    customer: str | None = None,
    return_url: str | None = None,
    page: bool = False,
) -> Attempt:
    """Record an attempt as it is, with a token that was checked or with none."""
    attempt = await payments.insert_attempt(
        tx,
        ctx.store_id,
        NewAttempt(
            order_id=order.id,
            gateway=gateway,
            method=method or order.payment_method or DEFAULT_METHOD,
            token=token,
            amount=amount,
            currency=order.currency,
            kind=_kind(ctx.store, gateway),
            key_digest=ctx.keyed.digest if ctx.keyed else None,
            customer=customer,
            return_url=return_url,
            page=page,
        ),
        ctx.by(),
    )
    if attempt is None:
        raise Refused(PaymentInProgress(order.id))
    return attempt


async def _saved(
    tx: Connection, ctx: Context, order: Order, method_id: MethodId
) -> tuple[str, str, str | None]:
    """A saved card of the order's own customer: its gateway, and the gateway's names of both."""
    kept = await saved_methods.read(tx, ctx.store_id, method_id)
    if kept is None or kept.method.customer_id != order.customer.id or kept.reference is None:
        raise Refused(MethodNotFound(method_id))
    if ctx.store.gateway(kept.method.gateway) is None:
        raise Refused(UnknownGateway(kept.method.gateway))
    return kept.method.gateway, kept.reference, kept.customer


def _require_pages(ctx: Context, gateway: str) -> None:
    if not ctx.services.gateways.of(ctx.store, gateway).has_pages:
        raise Refused(UnknownGateway(gateway))


def finish(ctx: Context, attempt: Attempt, answer: Callable[[Settled], Answer]) -> Later:
    """Ask the gateway once the attempt is committed; the answer is kept where it is settled.

    A payment that waits although nobody is there to act is not settled: the sweep finds out.
    """

    async def ask() -> Answer:
        answers: list[Answer] = []

        async def within(tx: Connection, settled: Settled) -> None:
            if settled.waits and not settled.may_wait:
                return
            answers.append(answer(settled))
            await keep(tx, ctx, answers[-1])

        await perform(ctx.services, ctx.store, attempt.operation_id, within=within)
        if not answers:
            raise Refused(PaymentUnsettled(attempt.order_id))
        return answers[-1]

    return Later(ask)


def placed(reply: Reply[Order]) -> Callable[[Settled], Answer]:
    """How a contract answers once the charge of a new order is settled."""

    def answer(settled: Settled) -> Answer:
        if settled.declined is not None:
            return reply.refused(settled.declined)
        assert settled.order is not None, "a charge that succeeded made its order visible"
        return reply.done(settled.order)

    return answer


def _kind(store: Store, gateway: str) -> OperationKind:
    """Whether the gateway takes the money at once, or holds it until staff capture it."""
    settings = store.gateway(gateway)
    by_hand = settings is not None and settings.capture is Capture.BY_HAND
    return OperationKind.AUTHORISE if by_hand else OperationKind.CHARGE


def _is_by_hand(store: Store, gateway: str) -> bool:
    settings = store.gateway(gateway)
    return settings is not None and settings.is_by_hand


def checked_token(token: str | None) -> str:
    """A card's token as it came. Refuses what is none, above all a card's number."""
    if not token:
        raise Refused(_NO_CARD)
    plain = token.isascii() and token.isprintable() and len(token) <= _TOKEN_MAX
    if not plain or _CARD_NUMBER.search(token):
        raise Refused(_NO_TOKEN)
    return token
