"""Request headers that every contract understands the same way.

Credentials, idempotency keys, entity tags. Parsing only: nothing is looked up here.
"""

import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, cast

import msgspec

from openorders.contracts.kit.unreadable import BODY, Unreadable
from openorders.domain.refusals import NotAuthenticated, Refused

_KEY_HEADER: Final = "Idempotency-Key"
_KEY_LENGTH: Final = 255
_CREDENTIAL_LENGTH: Final = 8192
_PRINTABLE: Final = re.compile(r"[ -~]+", re.ASCII)
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"', re.ASCII)
_TAG: Final = re.compile(r'[ \t]*(W/)?"([!#-~\x80-\xff]*)"[ \t]*')
_VERSION: Final = re.compile(r"v([1-9][0-9]{0,17}|0)", re.ASCII)


class Headers:
    """The headers of one request by lower-case name; lists that came in parts are joined."""

    __slots__ = ("_repeated", "_values")

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._values = dict(raw)
        self._repeated: frozenset[bytes] = frozenset()
        if len(self._values) != len(raw):
            self._join(raw)

    def _join(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        parts: dict[bytes, list[bytes]] = {}
        for name, value in raw:
            parts.setdefault(name, []).append(value)
        self._values = {name: b", ".join(values) for name, values in parts.items()}
        self._repeated = frozenset(name for name, values in parts.items() if len(values) > 1)

    def get(self, name: bytes) -> str | None:
        """The value of a header by its name in lower case; None when it was not sent."""
        raw = self._values.get(name)
        return None if raw is None else raw.decode("latin-1")

    def repeated(self, name: bytes) -> bool:
        """Whether the header was sent more than once."""
        return name in self._repeated


def read_credential(headers: Headers) -> str | None:
    """The credential that was sent, by either header; None when there is none.

    What is there but is no single credential is refused like a wrong one, never ignored.
    """
    bearer, key = headers.get(b"authorization"), headers.get(b"x-api-key")
    if bearer is None and key is None:
        return None
    if headers.repeated(b"authorization") or headers.repeated(b"x-api-key"):
        raise Refused(NotAuthenticated())
    token = None if bearer is None else _bearer(bearer)
    credential = token if key is None else key.strip()
    if credential is None or token not in (None, credential):
        raise Refused(NotAuthenticated())
    if (
        not credential
        or len(credential) > _CREDENTIAL_LENGTH
        or not _PRINTABLE.fullmatch(credential)
    ):
        raise Refused(NotAuthenticated())
    return credential


def _bearer(value: str) -> str:
    scheme, _, token = value.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Refused(NotAuthenticated())
    return token


def read_key(headers: Headers) -> str | None:
    """The idempotency key, quoted or bare; None when there is none."""
    value = headers.get(b"idempotency-key")
    if value is None:
        return None
    if headers.repeated(b"idempotency-key"):
        raise Unreadable(_KEY_HEADER, "was given twice", "header")
    text = value.strip(" \t")
    if text.startswith('"'):
        quoted = _QUOTED.fullmatch(text)
        text = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    if not 1 <= len(text) <= _KEY_LENGTH or not _PRINTABLE.fullmatch(text):
        raise Unreadable(_KEY_HEADER, "must be 1 to 255 printable ASCII characters", "header")
    return text


def key_digest(credential: str, method: str, place: str, key: str) -> bytes:
    """What an idempotency key is known by: it belongs to credential, method and place."""
    parts = f"{credential}\0{method}\0{place}\0{key}"
    return hashlib.sha256(parts.encode(errors="surrogatepass")).digest()


def fingerprint(body: object) -> bytes:
    """A digest of a parsed JSON body: the same for the same values however they are written.

    Order of fields, blanks and escapes do not count; `1`, `1.0` and `1e0` are one number. Raises
    `Unreadable` for a body that is nested too deeply to look at.
    """
    try:
        plain = msgspec.json.encode(_canonical(body), order="sorted")
    except RecursionError:
        raise Unreadable(BODY, "is nested too deeply") from None
    return hashlib.sha256(plain).digest()


def _canonical(value: object) -> object:
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {name: _canonical(entry) for name, entry in fields.items()}
    if isinstance(value, list):
        return [_canonical(entry) for entry in cast("list[object]", value)]
    if isinstance(value, int):
        digits = str(abs(value))
        return _number(value < 0, digits, len(digits) - 1)
    number = cast("Decimal", value) or Decimal(0)
    digits = "".join(map(str, number.as_tuple().digits))
    return _number(number.is_signed(), digits, number.adjusted())


def _number(is_negative: bool, digits: str, exponent: int) -> object:  # noqa: FBT001 - its sign
    """A one-entry object of no JSON spelling: a number must never look like a text."""
    return {"\0number": [is_negative, digits.rstrip("0"), exponent]}


def etag(version: int) -> str:
    """The strong entity tag of an order's version."""
    return f'"v{version}"'


def read_if_match(headers: Headers) -> frozenset[int] | None:
    """The versions that `If-Match` allows; None when any will do (not sent, or `*`).

    Strong comparison: weak tags, and tags that are not ours, match nothing.
    """
    value = headers.get(b"if-match")
    if value is None or value.strip() == "*":
        return None
    versions: set[int] = set()
    for weak, tag in _tags(value, "If-Match"):
        version = _VERSION.fullmatch(tag)
        if version and not weak:
            versions.add(int(version[1]))
    return frozenset(versions)


def none_match(headers: Headers, tag: str) -> bool:
    """Whether `If-None-Match` says that the client has `tag` already (weak comparison)."""
    value = headers.get(b"if-none-match")
    if value is None:
        return False
    if value.strip() == "*":
        return True
    return any(f'"{one}"' == tag for _, one in _tags(value, "If-None-Match"))


def _tags(value: str, header: str) -> list[tuple[bool, str]]:
    tags: list[tuple[bool, str]] = []
    position = 0
    while True:
        found = _TAG.match(value, position)
        if not found:
            raise Unreadable(header, "must be entity tags in quotes, or *", "header")
        tags.append((found[1] is not None, found[2]))
        position = found.end()
        if position == len(value):
            return tags
        if value[position] != ",":
            raise Unreadable(header, "must be entity tags in quotes, or *", "header")
        position += 1
