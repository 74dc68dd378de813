"""An identity provider as tests need one: it signs tokens, publishes keys, and can be away."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

ISSUER = "https://id.example.com/"
AUDIENCE = "shop"
SECRET = "a shared secret of more than thirty-two bytes"
KEY_SET_URL = "https://id.example.com/keys.json"
EVERY_ALGORITHM = ["HS256", "HS512", "RS256", "PS256", "ES256", "Ed25519"]


def claims(now: datetime, **more: Any) -> dict[str, Any]:
    """What an honest token says; None takes a claim out."""
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user_42",
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(minutes=5)).timestamp()),
        **more,
    }
    return {name: value for name, value in said.items() if value is not None}


def encoded(part: object) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def hs256(said: object, secret: bytes | str = SECRET, **header: Any) -> str:
    """A token signed with a shared secret by hand, with any header."""
    key = secret.encode() if isinstance(secret, str) else secret
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', **header})}.{encoded(said)}"
    return f"{signed}.{encoded(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def unsigned(said: object, algorithm: str = "none") -> str:
    return f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(said)}."


@dataclass
class Provider:
    """Keys by their ids. `answer` replaces the published set; `asked` counts the requests."""

    keys: dict[str, RSAKey | ECKey | OKPKey] = field(default_factory=dict)
    answer: httpx.Response | Exception | None = None
    asked: int = 0

    def sign(self, said: object, kid: str | None, algorithm: str, **header: Any) -> str:
        key = self.keys[kid] if kid is not None else next(iter(self.keys.values()))
        protected = {"alg": algorithm, **({"kid": kid} if kid else {}), **header}
        registry = jws.JWSRegistry(algorithms=EVERY_ALGORITHM, strict_check_header=False)
        return jws.serialize_compact(protected, json.dumps(said).encode(), key, registry=registry)

    def published(self) -> dict[str, Any]:
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": kid, "use": "sig"}
                for kid, key in self.keys.items()
            ]
        }

    def transport(self) -> httpx.MockTransport:
        def answered(_: httpx.Request) -> httpx.Response:
            self.asked += 1
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer or httpx.Response(200, json=self.published())

        return httpx.MockTransport(answered)
