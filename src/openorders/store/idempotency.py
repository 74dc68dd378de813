"""Idempotency keys and the answers kept under them."""

from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import Struct

from openorders.domain.ids import StoreId
from openorders.store import queries
from openorders.store.database import Connection

Headers = tuple[tuple[str, str], ...]
Kept = tuple[int, Headers, bytes]
"""An answer as it is stored: status, headers, body."""

_Q = queries.load("idempotency")
_headers = msgspec.json.Decoder(Headers)


class Key(Protocol):
    """What names a request: see `usecases.context.Keyed`."""

    @property
    def digest(self) -> bytes: ...
    @property
    def fingerprint(self) -> bytes: ...


class Known(Struct, frozen=True):
    """A key that was used before; `answer` is None while the first request is in flight."""

    fingerprint: bytes
    answer: Kept | None


def known_of(
    fingerprint: bytes, status: int | None, headers: bytes | None, body: bytes | None
) -> Known:
    """The stored columns as a `Known`."""
    if status is None or headers is None or body is None:
        return Known(fingerprint, None)
    return Known(fingerprint, (status, _headers.decode(headers), body))


def packed(headers: Headers) -> bytes:
    """Headers as they are stored."""
    return msgspec.json.encode(headers)


async def find(connection: Connection, store_id: StoreId, digest: bytes) -> Known | None:
    """What is known of a key."""
    row = await _Q.find_key.fetchrow(connection, store_id=store_id, digest=digest)
    if row is None:
        return None
    return known_of(row["fingerprint"], row["status"], row["headers"], row["body"])


async def claim(
    connection: Connection, store_id: StoreId, key: Key, now: datetime, *, stale_before: datetime
) -> bool:
    """Claim a key inside the transaction of its effect. Waits for a twin; False: it is taken."""
    claimed = await _Q.claim_key.fetchval(
        connection,
        store_id=store_id,
        digest=key.digest,
        fingerprint=key.fingerprint,
        now=now,
        stale_before=stale_before,
    )
    return claimed is True


async def answer(connection: Connection, store_id: StoreId, digest: bytes, kept: Kept) -> None:
    """Keep the answer of a claimed key."""
    status, headers, body = kept
    await _Q.answer_key.execute(
        connection,
        store_id=store_id,
        digest=digest,
        status=status,
        headers=packed(headers),
        body=body,
    )


async def keep(
    connection: Connection, store_id: StoreId, key: Key, kept: Kept, now: datetime
) -> bool:
    """Keep a decision that changed nothing. False: the key holds another answer already."""
    status, headers, body = kept
    stored = await _Q.keep_answer.fetchval(
        connection,
        store_id=store_id,
        digest=key.digest,
        fingerprint=key.fingerprint,
        status=status,
        headers=packed(headers),
        body=body,
        now=now,
    )
    return stored is True


async def release(connection: Connection, store_id: StoreId, digest: bytes) -> None:
    """Let a retry take over a key whose outcome is not known yet."""
    await _Q.release_key.execute(connection, store_id=store_id, digest=digest)
