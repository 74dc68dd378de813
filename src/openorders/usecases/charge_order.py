"""A charge, from its record to its answer: begun with an order or for one that is there,
finished after the commit.

A retry under the same idempotency key finds what was begun and finishes that, never a second
charge.
"""

import re
from collections.abc import Callable
from typing import Final

from openorders.domain.access import Role
from openorders.domain.order import Order
from openorders.domain.refusals import PaymentDeclined, PaymentInProgress, Refused
from openorders.domain.store_settings import Store
from openorders.store import payments
from openorders.store.database import Connection
from openorders.store.payments import Attempt, NewAttempt
from openorders.usecases.answers import Answer, Later, Reply, keep
from openorders.usecases.context import Context
from openorders.usecases.perform_operations import perform
from openorders.usecases.settle_payment import Settled

DEFAULT_METHOD: Final = "credit_card"

_NO_CARD: Final = PaymentDeclined("missing_token", "No card was given.")
_NO_TOKEN: Final = PaymentDeclined(
    "invalid_token", "A card's token is needed here, never its number."
)
_TOKEN_MAX: Final = 255
_CARD_NUMBER: Final = re.compile(r"(?:\d[ -]?){13,19}")


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
) -> Attempt:
    """Record a charge, in the transaction that holds its order.

    Refuses what is no token, above all a card's number, which must never be stored; and
    with `PaymentInProgress` while another attempt is open. Where nobody is asked but staff
    vouch for the money, only they may say that it was taken, and need no token.
    """
    by_hand = _is_by_hand(ctx.store, gateway)
    if by_hand:
        ctx.caller.require(Role.ADMIN, Role.SERVICE, to="say that money was taken by hand")
    checked = None if by_hand and not token else _checked(token)
    return await record(
        tx, ctx, order, gateway=gateway, token=checked, method=method, amount=amount
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
            key_digest=ctx.keyed.digest if ctx.keyed else None,
        ),
        ctx.by(),
    )
    if attempt is None:
        raise Refused(PaymentInProgress(order.id))
    return attempt


def finish(ctx: Context, attempt: Attempt, answer: Callable[[Settled], Answer]) -> Later:
    """Ask the gateway once the attempt is committed; the answer is kept where it is settled."""

    async def ask() -> Answer:
        answers: list[Answer] = []

        async def within(tx: Connection, settled: Settled) -> None:
            answers.append(answer(settled))
            await keep(tx, ctx, answers[-1])

        await perform(ctx.services, ctx.store, attempt.operation_id, within=within)
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


def _is_by_hand(store: Store, gateway: str) -> bool:
    settings = store.gateway(gateway)
    return settings is not None and settings.is_by_hand


def _checked(token: str | None) -> str:
    if not token:
        raise Refused(_NO_CARD)
    plain = token.isascii() and token.isprintable() and len(token) <= _TOKEN_MAX
    if not plain or _CARD_NUMBER.search(token):
        raise Refused(_NO_TOKEN)
    return token
