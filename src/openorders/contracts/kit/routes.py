"""Declaring an operation: its path, its types, its examples and what it may refuse.

The types in a handler's signature validate requests and describe them in the OpenAPI document.
"""

import inspect
import re
import typing
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from openorders.contracts.kit.answers import Download, Stream
from openorders.contracts.kit.bodies import BodyReader
from openorders.contracts.kit.call import Call
from openorders.contracts.kit.queries import QueryReader
from openorders.contracts.kit.unreadable import NoSuch, Unreadable
from openorders.domain.access import Role
from openorders.domain.refusals import Reason
from openorders.usecases.answers import Answer

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Handler = Callable[..., Coroutine[Any, Any, Answer | Stream | Download]]
Failure = Reason | Unreadable | NoSuch

_PARAMETER: Final = re.compile(r"\{(\w+)\}")


class Only(Struct, frozen=True):
    """Whose operation it is; others are refused before their body is read.

    `to` completes "may not …".
    """

    roles: tuple[Role, ...]
    to: str


class File(Struct, frozen=True):
    """In `answers`: the body is a file of one of these media types."""

    media_types: tuple[str, ...]


class Route(Struct, frozen=True, kw_only=True):
    """One operation, as its decorator and its handler's signature describe it."""

    method: Method
    path: str
    handler: Handler
    summary: str
    description: str
    answers: Mapping[int, type | File | None]
    refuses: tuple[Failure, ...]
    keyed: bool
    etag: bool
    only: Only | None
    tag: str
    reads: Mapping[str, str]
    body: BodyReader | None
    query: QueryReader | None
    body_examples: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    answer_example: object = None
    path_examples: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.handler.__name__

    @property
    def makes_file(self) -> bool:
        """Whether it may work for long before it answers, and changes nothing meanwhile."""
        return not self.keyed and any(isinstance(one, File) for one in self.answers.values())

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the path's parameters, in their order."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def litestar_path(self) -> str:
        """The path in the framework's spelling."""
        return _PARAMETER.sub(r"{\1:str}", self.path)


class Declare(typing.Protocol):
    """A decorator factory for one method; its parameters are those of `Route`. `reads` describes
    request headers of the operation's own.
    """

    def __call__(
        self,
        path: str,
        *,
        answers: Mapping[int, type | File | None],
        summary: str,
        refuses: tuple[Failure, ...] = (),
        example: object = None,
        examples: Mapping[str, object] | None = None,
        answer_example: object = None,
        path_examples: Mapping[str, str] | None = None,
        keyed: bool | None = None,
        etag: bool = False,
        only: Only | None = None,
        tag: str = "Orders",
        reads: Mapping[str, str] | None = None,
    ) -> Callable[[Handler], Route]: ...


def _declare(method: Method) -> Declare:
    def route(
        path: str,
        *,
        answers: Mapping[int, type | File | None],
        summary: str,
        refuses: tuple[Failure, ...] = (),
        example: object = None,
        examples: Mapping[str, object] | None = None,
        answer_example: object = None,
        path_examples: Mapping[str, str] | None = None,
        keyed: bool | None = None,
        etag: bool = False,
        only: Only | None = None,
        tag: str = "Orders",
        reads: Mapping[str, str] | None = None,
    ) -> Callable[[Handler], Route]:
        def declare(handler: Handler) -> Route:
            body, query = _read_signature(handler, path)
            return Route(
                method=method,
                path=path,
                handler=handler,
                summary=summary,
                description=inspect.getdoc(handler) or summary,
                answers=answers,
                refuses=refuses,
                keyed=method != "GET" if keyed is None else keyed,
                etag=etag,
                only=only,
                tag=tag,
                reads=reads or {},
                body=body,
                query=query,
                body_examples=examples or ({} if example is None else {"example": example}),
                answer_example=answer_example,
                path_examples=path_examples or {},
            )

        return declare

    return route


get: Final = _declare("GET")
post: Final = _declare("POST")
put: Final = _declare("PUT")
patch: Final = _declare("PATCH")
delete: Final = _declare("DELETE")


def _read_signature(handler: Handler, path: str) -> tuple[BodyReader | None, QueryReader | None]:
    """Readers for what the handler asks for; TypeError where it asks for something impossible."""
    hints: dict[str, Any] = typing.get_type_hints(handler, include_extras=True)
    names = list(inspect.signature(handler).parameters)
    expected = {"call", *_PARAMETER.findall(path)}
    if set(names) - {"data", "query"} != expected or hints.get("call") is not Call:
        raise TypeError(f"{handler.__name__} must take call: Call, and {path}'s parameters")
    if any(hints[name] is not str for name in expected - {"call"}):
        raise TypeError(f"{handler.__name__}: path parameters arrive as str")
    body = BodyReader(hints["data"]) if "data" in names else None
    query = QueryReader(hints["query"]) if "query" in names else None
    if body is not None and not issubclass(body.type, msgspec.Struct):
        raise TypeError(f"{handler.__name__}: data must be a msgspec Struct")
    return body, query


class MethodTable:
    """Which methods the paths of a contract have."""

    def __init__(self, routes: Iterable[Route]) -> None:
        methods: dict[str, set[str]] = {}
        for route in routes:
            mine = {"GET", "HEAD"} if route.method == "GET" else {route.method}
            methods.setdefault(route.path, {"OPTIONS"}).update(mine)
        # A path without parameters is more specific, as it is for the router.
        self._places = [
            (re.compile(_PARAMETER.sub("[^/]+", path)), ", ".join(sorted(allowed)))
            for path, allowed in sorted(methods.items(), key=lambda one: one[0].count("{"))
        ]

    def of(self, path: str) -> str | None:
        """The methods of a path, for an `Allow` header; None when there is no such path."""
        plain = path.rstrip("/")
        return next((allowed for place, allowed in self._places if place.fullmatch(plain)), None)
