"""The public keys of identity providers (JWKS), fetched when they are needed and kept for a while.

A provider that is slow, gone, huge or hostile costs a bounded wait and changes nothing: the keys
that are known stay until they are too old. Only public keys are ever taken from a set. The
libraries are imported with the first token, since most stores never see one.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from openorders import logs

if TYPE_CHECKING:
    import httpx
    from joserfc.jwk import ECKey, OKPKey, RSAKey

PublicKey: TypeAlias = "RSAKey | ECKey | OKPKey"

FRESH_FOR: Final = timedelta(minutes=10)
"""How long a set is used without asking again."""
USABLE_FOR: Final = timedelta(hours=24)
"""How long a set is used when its provider does not answer."""
ASK_AGAIN_AFTER: Final = timedelta(seconds=30)
"""A set is fetched no more often than this, whatever key ids arrive."""
FETCH_TIMEOUT_S: Final = 5.0
SET_BYTES_MAX: Final = 256 * 1024

_KEYS_MAX: Final = 100
_SETS_MAX: Final = 1000
_KEY_TYPES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}

_log = logs.Logger(__name__)


class KeySetError(Exception):
    """The provider's keys are not known and cannot be had right now."""


@dataclass(slots=True)
class _KeySet:
    keys: "tuple[PublicKey, ...]" = ()
    fetched_at: datetime | None = None
    asked_at: datetime | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_within(self, now: datetime, span: timedelta) -> bool:
        return self.fetched_at is not None and now - self.fetched_at < span

    def may_ask(self, now: datetime) -> bool:
        return self.asked_at is None or now - self.asked_at >= ASK_AGAIN_AFTER


class KeySets:
    """Key sets by their address. `transport` replaces the network in tests."""

    def __init__(self, transport: "httpx.AsyncBaseTransport | None" = None) -> None:
        self._transport = transport
        self._sets: dict[str, _KeySet] = {}

    async def find(
        self, url: str, kid: str | None, algorithm: str, now: datetime
    ) -> "PublicKey | None":
        """The key of that id for that algorithm. Without an id, the only one that fits.

        An id that is not known makes the set be fetched again. Raises `KeySetError`.
        """
        known = self._known(url)
        if not known.is_within(now, FRESH_FOR):
            await self._refresh(url, known, now)
        if not known.is_within(now, USABLE_FOR):
            raise KeySetError(url)
        found = _pick(known.keys, kid, algorithm)
        if found is None and known.may_ask(now):
            await self._refresh(url, known, now)
            found = _pick(known.keys, kid, algorithm)
        return found

    def _known(self, url: str) -> _KeySet:
        known = self._sets.get(url)
        if known is None:
            if len(self._sets) >= _SETS_MAX:
                del self._sets[next(iter(self._sets))]
            known = self._sets[url] = _KeySet()
        return known

    async def _refresh(self, url: str, known: _KeySet, now: datetime) -> None:
        """Fetch once for all who wait; a failure leaves what is known."""
        import httpx

        async with known.turn:
            if not known.may_ask(now):
                return
            known.asked_at = now
            try:
                known.keys = tuple(_usable(await self._fetch(url)))
            except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
                _log.warning("key_set_not_fetched", url=url, error=repr(error))
            else:
                known.fetched_at = now

    async def _fetch(self, url: str) -> list[Any]:
        import httpx

        async with (
            asyncio.timeout(FETCH_TIMEOUT_S),
            httpx.AsyncClient(
                transport=self._transport, timeout=FETCH_TIMEOUT_S, trust_env=False
            ) as client,
            client.stream("GET", url, headers={"accept": "application/json"}) as answer,
        ):
            if answer.status_code != httpx.codes.OK.value:
                raise ValueError(f"the key set's address answered {answer.status_code}")
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > SET_BYTES_MAX:
                    raise ValueError("the key set is too large")
        document = json.loads(body)
        keys = cast("dict[str, Any]", document).get("keys") if isinstance(document, dict) else None
        if not isinstance(keys, list):
            raise ValueError("that is no key set")  # noqa: TRY004 - what was fetched is at fault
        return cast("list[Any]", keys)[:_KEYS_MAX]


def _usable(keys: list[Any]) -> "Iterator[PublicKey]":
    """The public keys that we understand. A symmetric key in a public set is nobody's secret."""
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

    for key in keys:
        if not isinstance(key, dict):
            continue
        fields = cast("dict[str, Any]", key)
        if fields.get("kty") not in _KEY_TYPES.values() or fields.get("use", "sig") != "sig":
            continue
        try:
            imported = JWKRegistry.import_key(fields)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(imported, RSAKey | ECKey | OKPKey):
            yield imported


def _pick(keys: "tuple[PublicKey, ...]", kid: str | None, algorithm: str) -> "PublicKey | None":
    fitting = [
        key
        for key in keys
        if key.key_type == _KEY_TYPES.get(algorithm[:2])
        and key.alg in (None, algorithm)
        and (kid is None or key.kid == kid)
    ]
    return fitting[0] if len(fitting) == 1 else None
