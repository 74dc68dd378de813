"""Reading a request's JSON body: complete, within limits, strict, into the type that describes it.

msgspec validates while it decodes. What it lets through (NUL characters) or reports without a
place (broken text, deep nesting) is found here, so that every fault names its field.
"""

import asyncio
import json
import types
import typing
from collections.abc import Iterator
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from openorders.asgi import Receive
from openorders.contracts.kit.unreadable import BODY, BodyTooLarge, BodyTooSlow, Unreadable, explain
from openorders.contracts.kit.values import decode_special, exact_number

_DISCARD_TIMES: Final = 32
"""A body over the limit is still taken off the wire up to this many times the limit: a client
that is cut off while it sends would never see the answer."""

_SUSPICIOUS: Final = (b"\\u0000", b"\\ud", b"\\uD")


class BodyLimits(Struct, frozen=True, kw_only=True):
    """How many bytes a body may have and how many seconds it may take to arrive."""

    most: int
    seconds: float


async def read_body(receive: Receive, declared: str | None, limits: BodyLimits) -> bytes:
    """The whole body. Raises `BodyTooLarge` and `BodyTooSlow`."""
    if declared and declared.isdigit() and int(declared) > limits.most * _DISCARD_TIMES:
        raise BodyTooLarge
    try:
        async with asyncio.timeout(limits.seconds):
            return await _read(receive, limits.most)
    except TimeoutError:
        raise BodyTooSlow from None


async def _read(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyTooSlow
        part: bytes = message.get("body", b"")
        more = bool(message.get("more_body", False))
        size += len(part)
        if size <= most:
            parts.append(part)
        elif size > most * _DISCARD_TIMES:
            break
    if size > most:
        raise BodyTooLarge
    return parts[0] if len(parts) == 1 else b"".join(parts)


class BodyReader:
    """Reads bodies of one declared type. `T | None` means that the body may be empty."""

    def __init__(self, declared: object) -> None:
        kind, self.optional = _without_none(declared)
        self.type = cast("type[Any]", kind)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
            self.type, dec_hook=decode_special, float_hook=exact_number
        )

    def read(self, body: bytes, content_type: str | None) -> object:
        """The body as the declared type; raises `Unreadable`, which knows that type."""
        try:
            return self._read(body, content_type)
        except Unreadable as problem:
            problem.wanted = self.type
            raise

    def _read(self, body: bytes, content_type: str | None) -> object:
        if not body and self.optional:
            return None
        if not body:
            raise Unreadable(BODY, "is missing")
        _require_json(content_type)
        check_text(body)
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            raise explain(str(error), "body") from None
        except RecursionError:
            raise Unreadable(BODY, "is nested too deeply") from None
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
            raise Unreadable(BODY, "is not valid JSON") from None


def parse_plainly(body: bytes) -> object:
    """Any JSON as plain objects, numbers with a point or an exponent as exact Decimals.

    Raises `Unreadable`.
    """
    try:
        return _plain.decode(body) if body else None
    except RecursionError:
        raise Unreadable(BODY, "is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        raise Unreadable(BODY, "is not valid JSON") from None


_plain: Final = msgspec.json.Decoder(float_hook=exact_number)


def check_text(body: bytes) -> None:
    """Refuse bytes that are no UTF-8, NUL characters and lone surrogates, wherever they are."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            raise Unreadable(_first_bad_text(body), "is not valid UTF-8 text") from None
    if any(mark in body for mark in _SUSPICIOUS):
        place = _first_bad_text(body, default="")
        if place:
            raise Unreadable(place, "must not contain a NUL character or half a character")


def _require_json(content_type: str | None) -> None:
    media, _, parameters = (content_type or "").partition(";")
    media = media.strip().lower()
    if media != "application/json" and not (
        media.startswith("application/") and media.endswith("+json")
    ):
        raise Unreadable("Content-Type", "must be application/json", "header")
    charset = parameters.strip().lower().replace('"', "")
    if charset.startswith("charset=") and charset not in ("charset=utf-8", "charset=utf8"):
        raise Unreadable("Content-Type", "must have no charset but utf-8", "header")


def _without_none(declared: object) -> tuple[object, bool]:
    if typing.get_origin(declared) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(declared) if part is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return declared, False


def _first_bad_text(body: bytes, default: str = BODY) -> str:
    """The field that holds the first broken text. Only faulty bodies come here: speed is naught."""
    try:
        # Digits are kept as text: a number of a million digits is no reason to work for seconds.
        value = json.loads(
            body.decode(errors="surrogateescape"), parse_int=str, parse_float=str, strict=False
        )
        return next(_bad_texts(value, ""), default)
    except RecursionError:
        raise Unreadable(BODY, "is nested too deeply") from None
    except ValueError:
        return default  # no JSON at all: whoever decodes it says so


def _bad_texts(value: object, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if _is_bad(value):
            yield path or BODY
    elif isinstance(value, list):
        for index, entry in enumerate(cast("list[object]", value)):
            yield from _bad_texts(entry, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, entry in cast("dict[str, object]", value).items():
            if _is_bad(name):
                yield path or BODY
            yield from _bad_texts(entry, f"{path}.{name}" if path else name)


def _is_bad(text: str) -> bool:
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)
