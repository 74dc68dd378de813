"""JSON web tokens of other people's identity providers: whose they are, and whether to believe it.

What a token claims about how it is to be checked is never believed: the store's settings say
which algorithms count. A shared secret goes with HS256 alone and a key set with public keys
alone, so that nobody can sign with a public key. Knows nothing of customers and roles.
"""

import base64
import json
import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct

from openorders.domain.language import language_tag
from openorders.domain.store_settings import JwtSettings
from openorders.gateways.key_sets import KeySets, PublicKey

if TYPE_CHECKING:
    from joserfc.jwk import OctKey

TOKEN_BYTES_MAX: Final = 8192
LEEWAY: Final = timedelta(seconds=30)
"""How far the provider's clock may be off."""

_SUBJECT_CHARS_MAX: Final = 255
_SHARED: Final = frozenset({"HS256"})
_PUBLIC: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"}
    | {"EdDSA", "Ed25519"}
)


class TokenError(Exception):
    """The token is malformed, forged, expired, or meant for somebody else. The text is for our
    log, never for who sent it.
    """


class Addressed(Struct, frozen=True, kw_only=True):
    """What a token says of itself before anything was checked: good for finding the store's
    settings, and for nothing else.
    """

    issuer: str
    audiences: tuple[str, ...]


class Proven(Struct, frozen=True, kw_only=True):
    """What a checked token says. `expires_at` includes the leeway; `language` is a tag in its one
    spelling.
    """

    issuer: str
    subject: str
    expires_at: datetime
    roles: frozenset[str]
    name: str | None = None
    email: str | None = None
    language: str | None = None


class TokenVerifier:
    """Checks tokens against a store's settings. Holds the key sets that were fetched."""

    def __init__(self, key_sets: KeySets | None = None) -> None:
        self._key_sets = key_sets or KeySets()

    async def verify(self, token: str, settings: JwtSettings, now: datetime) -> Proven:
        """Raises `TokenError`, and `KeySetError` when nobody can tell right now."""
        header = _part(token, 0)
        algorithm = header.get("alg")
        allowed = _SHARED if settings.secret is not None else _PUBLIC
        if not isinstance(algorithm, str) or algorithm not in allowed:
            raise TokenError(f"the algorithm {algorithm!r} does not count here")
        key = await self._key(settings, header, algorithm, now)
        return _proven(_signed_claims(token, key, algorithm), settings, now)

    async def _key(
        self, settings: JwtSettings, header: Mapping[str, Any], algorithm: str, now: datetime
    ) -> "OctKey | PublicKey":
        if settings.secret is not None:
            return _shared_key(settings.secret)
        if settings.jwks_url is None:
            raise TokenError("the store has neither a secret nor a key set")
        kid = header.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise TokenError("the key id is no text")
        key = await self._key_sets.find(settings.jwks_url, kid, algorithm, now)
        if key is None:
            raise TokenError("no key of the issuer fits")
        return key


def addressed(token: str) -> Addressed:
    """Who issued a token, and for whom, as far as it says so itself."""
    claims = _part(token, 1)
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise TokenError("it names no issuer")
    return Addressed(issuer=issuer, audiences=_audiences(claims))


def _part(token: str, position: int) -> dict[str, Any]:
    """The header (0) or the claims (1) as sent, unchecked."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > TOKEN_BYTES_MAX or not token.isascii():  # noqa: PLR2004 - header, claims, signature
        raise TokenError("it is no signed token")
    text = parts[position]
    try:
        decoded = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError) as error:
        raise TokenError("it is not readable") from error
    if not isinstance(decoded, dict):
        raise TokenError("it is no object")
    return cast("dict[str, Any]", decoded)


def _shared_key(secret: str) -> "OctKey":
    """Not `import_key`, which warns of short secrets at every token: that is said once, where
    the operator sets it.
    """
    from joserfc.jwk import OctKey

    return OctKey(secret.encode(), secret.encode())


def _signed_claims(token: str, key: "OctKey | PublicKey", algorithm: str) -> dict[str, Any]:
    from joserfc import jws
    from joserfc.errors import JoseError

    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = TOKEN_BYTES_MAX
    try:
        signed = jws.deserialize_compact(token, key, registry=registry)
        claims = json.loads(signed.payload)
    except (JoseError, ValueError, RecursionError) as error:
        raise TokenError(f"the signature does not hold: {error}") from error
    if not isinstance(claims, dict):
        raise TokenError("the claims are no object")
    return cast("dict[str, Any]", claims)


def _proven(claims: dict[str, Any], settings: JwtSettings, now: datetime) -> Proven:
    if claims.get("iss") != settings.issuer:
        raise TokenError("another issuer")
    if settings.audience not in _audiences(claims):
        raise TokenError("meant for somebody else")
    expires = _seconds(claims, "exp")
    if expires is None:
        raise TokenError("it would never expire")
    leeway = LEEWAY.total_seconds()
    if expires + leeway <= now.timestamp():
        raise TokenError("expired")
    for claim in ("nbf", "iat"):
        begins = _seconds(claims, claim)
        if begins is not None and begins - leeway > now.timestamp():
            raise TokenError(f"not valid yet ({claim})")
    return Proven(
        issuer=settings.issuer,
        subject=_subject(claims),
        expires_at=_moment(expires + leeway, now),
        roles=_roles(claims),
        name=_text(claims.get("name")),
        email=_text(claims.get("email")),
        language=language_tag(_text(claims.get("locale")) or ""),
    )


def _subject(claims: dict[str, Any]) -> str:
    subject = _text(claims.get("sub"))
    if not subject:
        raise TokenError("it names nobody")
    return subject


def _audiences(claims: Mapping[str, Any]) -> tuple[str, ...]:
    given = claims.get("aud")
    if isinstance(given, str):
        return (given,)
    if isinstance(given, list):
        listed = cast("list[object]", given)
        return tuple(one for one in listed[:20] if isinstance(one, str))
    return ()


def _roles(claims: Mapping[str, Any]) -> frozenset[str]:
    """The claim `role` (a text) and the claim `roles` (a list of texts), together."""
    listed = claims.get("roles")
    given: Collection[object] = cast("list[object]", listed) if isinstance(listed, list) else ()
    return frozenset(role for role in (claims.get("role"), *given) if isinstance(role, str))


def _seconds(claims: Mapping[str, Any], claim: str) -> int | float | None:
    value = claims.get(claim)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TokenError(f"{claim} is no time")
    return value


def _moment(seconds: float, now: datetime) -> datetime:
    """The time, or a day from now where that is earlier: some tokens outlive the calendar."""
    return now + timedelta(seconds=min(seconds - now.timestamp(), 86_400.0))


def _text(value: object) -> str | None:
    """A text fit to be stored, or None."""
    if not isinstance(value, str) or not 0 < len(value) <= _SUBJECT_CHARS_MAX:
        return None
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        return None
    return value
