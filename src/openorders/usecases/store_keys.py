"""Keep the API keys of the caller's own store: make one, look at them, end one.

The operator's commands do the same from outside, in `keep_keys.py`.
"""

import secrets
from typing import Final

from msgspec import Struct

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId, KeyId
from openorders.domain.refusals import KeyNotFound, Refused
from openorders.store import access
from openorders.store.access import ListedKey
from openorders.store.database import Connection
from openorders.usecases.admit_callers import digest_of
from openorders.usecases.answers import Answer, Reply, once
from openorders.usecases.context import Context, Unit
from openorders.usecases.keep_keys import KEY_BYTES, KEY_PREFIX

_BEFORE_ALL: Final = KeyId(0)


class MakeKey(Struct, frozen=True, kw_only=True):
    """A key to be made. A partner's names the partner, a customer's the customer, others none."""

    role: Role
    partner_name: str | None = None
    customer_id: CustomerId | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        """The same as the CHECKs of the table: who asks has made sure."""
        assert (self.role is Role.PARTNER) == (self.partner_name is not None)
        assert (self.role is Role.CUSTOMER) == (self.customer_id is not None)


class MadeKey(Struct, frozen=True, kw_only=True):
    """A new key. `text` is the key itself, and None wherever it would be kept."""

    key: ListedKey
    text: str | None


async def make_key(ctx: Context, wanted: MakeKey, reply: Reply[MadeKey]) -> Answer:
    """Make a key of the caller's store.

    The answer that is kept under an idempotency key lacks the key itself: a retry makes no
    second one, and is not shown the first.
    """
    ctx.caller.require(Role.ADMIN, to="make keys")
    text = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    made: list[ListedKey] = []

    async def work(unit: Unit) -> Answer:
        key_id = await access.create_key(
            unit.connection,
            ctx.store_id,
            digest_of(text),
            wanted.role,
            ctx.now(),
            partner_name=wanted.partner_name,
            customer_id=wanted.customer_id,
            label=wanted.label,
        )
        made[:] = [await _key(unit.connection, ctx, key_id)]
        return reply.done(MadeKey(key=made[0], text=None))

    answer = await once(ctx, reply, work)
    return answer if answer.replayed else reply.done(MadeKey(key=made[0], text=text))


async def read_keys(ctx: Context, after: KeyId | None, limit: int) -> tuple[ListedKey, ...]:
    """Keys of the caller's store, also revoked ones, in the order in which they were made."""
    ctx.caller.require(Role.ADMIN, to="see keys")
    async with ctx.services.database.connection() as connection:
        return await access.keys_after(connection, ctx.store_id, after or _BEFORE_ALL, limit)


async def read_key(ctx: Context, key_id: KeyId) -> ListedKey:
    """One key of the caller's store. Refuses with `KeyNotFound`."""
    ctx.caller.require(Role.ADMIN, to="see keys")
    async with ctx.services.database.connection() as connection:
        return await _key(connection, ctx, key_id)


async def end_key(ctx: Context, key_id: KeyId, reply: Reply[ListedKey]) -> Answer:
    """Revoke a key of the caller's store, for good; one that was revoked before stays so.

    Refuses with `KeyNotFound`.
    """
    ctx.caller.require(Role.ADMIN, to="revoke keys")

    async def work(unit: Unit) -> Answer:
        await access.revoke_key_of(unit.connection, ctx.store_id, key_id, ctx.now())
        return reply.done(await _key(unit.connection, ctx, key_id))

    return await once(ctx, reply, work)


async def _key(connection: Connection, ctx: Context, key_id: KeyId) -> ListedKey:
    key = await access.read_key(connection, ctx.store_id, key_id)
    if key is None:
        raise Refused(KeyNotFound(key_id))
    return key
