"""Where a page of a growing list ended, as text that only we can read.

A cursor carries its version, the list it belongs to and a position in it. It is no secret; the
digest keeps one that was cut, guessed or taken from another list from being followed anywhere.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final

from openorders.contracts.kit.unreadable import Unreadable, Where
from openorders.contracts.kit.values import INT64_MAX

CURSOR_CHARS: Final = 20
"""Every cursor is exactly that long."""

_VERSION: Final = 1
_DIGEST_BYTES: Final = 6
_POSITION_BYTES: Final = 8


def write_cursor(place: str, position: int) -> str:
    """The cursor after `position` (from 0) of the list that `place` names with its filters."""
    packed = position.to_bytes(_POSITION_BYTES)
    raw = bytes((_VERSION,)) + packed + _digest(place, packed)
    return urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(place: str, text: str, field: str = "after", where: Where = "query") -> int:
    """The position of a cursor. Raises `Unreadable` for what is no cursor of this very list."""
    problem = Unreadable(field, "is not a cursor of this list with these filters", where)
    if len(text) != CURSOR_CHARS or not text.isascii():
        raise problem
    try:
        raw = urlsafe_b64decode(text)
    except (binascii.Error, ValueError):
        raise problem from None
    position = int.from_bytes(raw[1 : 1 + _POSITION_BYTES])
    if position > INT64_MAX or write_cursor(place, position) != text:
        raise problem
    return position


def _digest(place: str, packed: bytes) -> bytes:
    return sha256(f"{_VERSION} {place} ".encode() + packed).digest()[:_DIGEST_BYTES]
