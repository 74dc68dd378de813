"""Reading a query string into the Struct that describes it, as strictly as a body.

Every parameter is known by its encoded name. Numbers are plain digits; a parameter that is given
twice is refused rather than guessed at; unknown ones are ignored, unless the contract is strict or
the Struct asks for a prefix of names to be refused.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import inspect

from openorders.contracts.kit.unreadable import Unreadable, explain, shown_name
from openorders.contracts.kit.values import INT64_MAX, decode_special

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_DIGITS_MAX: Final = len(str(INT64_MAX))
_UNKNOWN_PREFIX: Final = "__unknown_prefix__"

QueryType = TypeVar("QueryType", bound=type[msgspec.Struct])


def refuse_unknown(prefix: str) -> Callable[[QueryType], QueryType]:
    """Decorate a query Struct: an unknown parameter that starts with `prefix` is `Unreadable`."""

    def mark(query_type: QueryType) -> QueryType:
        setattr(query_type, _UNKNOWN_PREFIX, prefix)
        return query_type

    return mark


class QueryReader:
    """Reads query strings of one declared type."""

    def __init__(self, declared: type[msgspec.Struct]) -> None:
        self.type = declared
        self._readers = {
            field.encode_name: _reader_for(field.type) for field in described(declared).fields
        }
        self.names = tuple(self._readers)
        self._unknown_prefix: str | None = getattr(declared, _UNKNOWN_PREFIX, None)

    def read(self, query_string: bytes, *, strict: bool = False) -> object:
        """The parameters as the declared type; raises `Unreadable`, of unknown ones if `strict`."""
        values = self._values(query_string, strict=strict)
        try:
            return msgspec.convert(values, self.type, dec_hook=decode_special)
        except msgspec.ValidationError as error:
            raise explain(str(error), "query") from None

    def _values(self, query_string: bytes, *, strict: bool) -> dict[str, object]:
        values: dict[str, object] = {}
        for part in query_string.split(b"&") if query_string else ():
            raw_name, _, raw_value = part.partition(b"=")
            name = _unquote(raw_name).decode(errors="replace")
            reader = self._readers.get(name)
            if reader is None:
                if strict and part:
                    raise Unreadable(shown_name(name), "is not known here", "query")
                self._consider_unknown(name)
                continue
            if name in values:
                raise Unreadable(name, "was given twice", "query")
            values[name] = reader(name, _text(name, raw_value))
        return values

    def _consider_unknown(self, name: str) -> None:
        if self._unknown_prefix and name.startswith(self._unknown_prefix):
            shown = name if name.isascii() and name.isprintable() else self._unknown_prefix
            known = [known for known in self.names if known.startswith(self._unknown_prefix)]
            expected = f"at position 1: expected one of {', '.join(known)}"
            problem = expected if known else "is not an option that is known here"
            raise Unreadable(shown[:100], problem, "query")


def described(declared: type[msgspec.Struct]) -> inspect.StructType:
    """What msgspec knows of a Struct."""
    description = inspect.type_info(declared)
    if not isinstance(description, inspect.StructType):
        raise TypeError(f"{declared!r} is not a Struct")
    return description


def _unquote(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def _text(name: str, raw: bytes) -> str:
    try:
        text = _unquote(raw).decode()
    except UnicodeDecodeError:
        raise Unreadable(name, "is not valid UTF-8 text", "query") from None
    if "\0" in text:
        raise Unreadable(name, "must not contain a NUL character", "query")
    return text


def _reader_for(kind: inspect.Type) -> Callable[[str, str], object]:
    kinds = tuple(_kinds_in(kind))
    if any(isinstance(one, inspect.IntType) for one in kinds):
        return _integer
    if any(isinstance(one, inspect.BoolType) for one in kinds):
        return _boolean
    return _as_it_is


def _kinds_in(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The plain types inside unions and descriptions."""
    if isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _kinds_in(one)
    elif isinstance(kind, inspect.Metadata):
        yield from _kinds_in(kind.type)
    else:
        yield kind


def _as_it_is(_name: str, text: str) -> object:
    return text


def _integer(name: str, text: str) -> object:
    if not _INTEGER.fullmatch(text):
        raise Unreadable(name, "must be an integer", "query")
    if len(text.lstrip("-")) > _DIGITS_MAX or abs(int(text)) > INT64_MAX:
        raise Unreadable(name, "is out of range", "query")
    return int(text)


def _boolean(name: str, text: str) -> object:
    match text.lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            raise Unreadable(name, "must be true or false", "query")


class _NoParameters(msgspec.Struct):
    """Of an operation that takes none."""


NO_PARAMETERS: Final = QueryReader(_NoParameters)
