"""One call of an operation, as its handler sees it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from openorders.asgi import Exchange, Scope
from openorders.contracts.kit.headers import Headers
from openorders.contracts.kit.paging import last_offset, link_header, next_offset, prev_offset
from openorders.domain.access import Caller
from openorders.domain.refusals import Reason
from openorders.usecases.answers import Answer, Reply
from openorders.usecases.context import Context, Services

Result = TypeVar("Result")


class Call:
    """Who calls and with what; made once the credential was accepted and everything was read."""

    __slots__ = ("_admit", "_exchange", "_headers", "_refused", "_scope", "context")

    def __init__(
        self,
        scope: Scope,
        exchange: Exchange,
        headers: Headers,
        context: Context,
        refused: Callable[[Reason], Answer],
        admit: Callable[[], Awaitable[Caller]],
    ) -> None:
        self._scope = scope
        self._exchange = exchange
        self._headers = headers
        self._refused = refused
        self._admit = admit
        self.context = context

    @property
    def services(self) -> Services:
        """What all requests share."""
        return self.context.services

    @property
    def caller(self) -> Caller:
        """The proven caller."""
        return self.context.caller

    @property
    def origin(self) -> str:
        """`https://shop.example`: the public URL that is set, else the request's own origin."""
        return self._exchange.origin

    @property
    def base(self) -> str:
        """What precedes this contract's paths as the client reached it."""
        return self._exchange.base

    @property
    def path(self) -> str:
        """The path below the base."""
        return self._scope["path"]

    def header(self, name: str) -> str | None:
        """A request header's value."""
        return self._headers.get(name.lower().encode())

    def url(self, **changed: object) -> str:
        """This request's absolute URL with query parameters replaced; None removes one."""
        sent = self._scope["query_string"].decode("latin-1")
        query = dict(parse_qsl(sent, keep_blank_values=True))
        for name, value in changed.items():
            if value is None:
                query.pop(name, None)
            else:
                query[name] = str(value)
        path = self.base + quote(self.path)
        return f"{path}?{urlencode(query)}" if query else path

    async def admit_again(self) -> None:
        """Refuse with `NotAuthenticated` when the credential no longer counts: for answers that
        outlive it. Usually known from memory.
        """
        await self._admit()

    def reply(self, done: Callable[[Result], Answer]) -> Reply[Result]:
        """How to word the result of a change, and, in this contract's words, its refusal."""
        return Reply(done=done, refused=self._refused)


def page_links(call: Call, *, offset: int, limit: int, total: int) -> str:
    """A `Link` header with the first, previous, next and last page of this list."""
    places = (
        ("first", 0),
        ("prev", prev_offset(offset, limit)),
        ("next", next_offset(offset, limit, total)),
        ("last", last_offset(limit, total)),
    )
    return link_header(
        (relation, call.url(offset=place, limit=limit))
        for relation, place in places
        if place is not None
    )
