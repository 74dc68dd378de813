"""Keep the API keys: make one, list them, end one. A key is shown once and kept as a hash."""

import secrets
from typing import Final

from msgspec import Struct

from openorders.domain.access import Role
from openorders.domain.ids import ID_MAX, CustomerId, KeyId
from openorders.store import access
from openorders.usecases.admit_callers import digest_of
from openorders.usecases.context import Services
from openorders.usecases.keep_stores import store_named

KEY_PREFIX: Final = "oo_"
"""What our keys begin with, so that one that leaked can be searched for."""

KEY_BYTES: Final = 32
CUSTOMER_ID_END: Final = 2**53
"""Customers' numbers stay below, so that they are exact in every client."""

PARTNER_CHARS_MAX: Final = 200
LABEL_CHARS_MAX: Final = 200


class KeyRefusedError(Exception):
    """The key cannot be made or found; the message is for the operator."""


class WantedKey(Struct, frozen=True, kw_only=True):
    """A key to be made. A partner's names the partner, a customer's the customer's number."""

    store: str
    role: Role
    partner_name: str | None = None
    customer_id: int | None = None
    label: str | None = None


class NewKey(Struct, frozen=True, kw_only=True):
    """A new key. `text` is the key itself: nobody can ever show it again."""

    id: KeyId
    text: str


class Revoked(Struct, frozen=True, kw_only=True):
    """A key that no longer counts; `now` says whether it was this call that ended it."""

    id: KeyId
    now: bool


async def create_key(services: Services, wanted: WantedKey) -> NewKey:
    """Make a key. Raises `KeyRefusedError` and `StoreUnknownError`."""
    _require_ties(wanted)
    text = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    async with services.database.transaction() as connection:
        store = await store_named(connection, wanted.store)
        key_id = await access.create_key(
            connection,
            store.id,
            digest_of(text),
            wanted.role,
            services.clock(),
            partner_name=wanted.partner_name,
            customer_id=None if wanted.customer_id is None else CustomerId(wanted.customer_id),
            label=wanted.label,
        )
    return NewKey(id=key_id, text=text)


async def list_keys(services: Services, store: str | None = None) -> tuple[access.ListedKey, ...]:
    """The keys of a store, or of all. Raises `StoreUnknownError`."""
    async with services.database.connection() as connection:
        named = None if store is None else await store_named(connection, store)
        return await access.list_keys(connection, None if named is None else named.id)


async def revoke_key(services: Services, key: str) -> Revoked:
    """End a key, given by its number or as the key itself. Raises `KeyRefusedError`."""
    by_number = key.isascii() and key.isdigit() and 0 < int(key[:20]) <= ID_MAX
    async with services.database.transaction() as connection:
        ended = await access.revoke_key(
            connection,
            services.clock(),
            key_id=KeyId(int(key)) if by_number else None,
            digest=digest_of(key),
        )
    if ended is None:
        raise KeyRefusedError("There is no such key; `openorders key list` shows their numbers.")
    key_id, now = ended
    return Revoked(id=key_id, now=now)


def _require_ties(wanted: WantedKey) -> None:
    """A partner's key names a partner, a customer's a customer, and no other key either."""
    if (wanted.role is Role.PARTNER) != (wanted.partner_name is not None):
        raise KeyRefusedError("--partner NAME goes with --role partner, and only with it.")
    if (wanted.role is Role.CUSTOMER) != (wanted.customer_id is not None):
        raise KeyRefusedError("--customer N goes with --role customer, and only with it.")
    for what, text, most in (
        ("--partner", wanted.partner_name, PARTNER_CHARS_MAX),
        ("--label", wanted.label, LABEL_CHARS_MAX),
    ):
        if text is not None and not (0 < len(text) <= most and text.isprintable()):
            raise KeyRefusedError(f"{what} needs 1 to {most} printable characters.")
    customer_id = wanted.customer_id
    if customer_id is not None and not 0 < customer_id < CUSTOMER_ID_END:
        raise KeyRefusedError("--customer must be the number of a customer, from 1.")
