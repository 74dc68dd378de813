"""What the server and the contracts have between them: ASGI's shapes, the record of an exchange.

Neither imports the other; both import this, which imports nothing.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

EXCHANGE: Final = "openorders"
"""The scope's key of the `Exchange`."""


class Exchange:
    """What the server and a contract tell each other about one request.

    `base` is what precedes a contract's paths as the client reached it: origin and prefix.
    `route` is the matched path with its parameters' names, for logs and metrics: never the path
    that was sent, which would make endless series. `headers` go onto the answer of a contract
    that counts its requests, whatever becomes of this one.
    """

    __slots__ = ("base", "contract", "headers", "origin", "replayed", "request_id", "route")

    def __init__(self, request_id: str, origin: str = "", base: str = "") -> None:
        self.request_id = request_id
        self.origin = origin
        self.base = base
        self.contract = ""
        self.route = ""
        self.headers: tuple[tuple[bytes, bytes], ...] = ()
        self.replayed = False


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that the server put into the scope."""
    exchange = scope.get(EXCHANGE)
    if not isinstance(exchange, Exchange):
        raise TypeError("a contract is served inside the server's shell")
    return exchange
