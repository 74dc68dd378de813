"""The outermost application: finds who is asked, and looks after what all answers share.

Request id, security headers, metrics, the log line of a request, the last net for faults. Which
contracts there are is told to it; it knows none by name.
"""

import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec import Struct

from openorders import logs
from openorders.asgi import (
    EXCHANGE,
    Application,
    Exchange,
    Message,
    Receive,
    Scope,
    Send,
)
from openorders.server.lifecycle import Lifecycle
from openorders.settings import LogRequests
from openorders.telemetry import Metrics

_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_SERVER_FAULT: Final = 500
_CREATED: Final = 201
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_UNMATCHED: Final = "(none)"
"""The route of what matches none: labels never hold what a client made up."""

SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Of every answer that does not bring its own."""

_SECURED: Final = frozenset(name for name, _ in SECURITY_HEADERS)
_CLOSE: Final = (b"connection", b"close")
_log = logs.Logger("openorders.requests")


class Site(Struct, frozen=True, kw_only=True):
    """Who answers what. `hosts` maps host names to contracts' names.

    `pages` is asked for what is no contract's: the start page, payment pages, health. On a
    contract's own host it still has the paths that begin with one of `everywhere`. What the
    contracts in `beside` create are no orders.
    """

    contracts: Mapping[str, Application]
    documentation: Mapping[str, Application]
    hosts: Mapping[str, str]
    pages: Application
    everywhere: tuple[str, ...] = ()
    beside: frozenset[str] = frozenset()
    public_url: str | None = None


class Shell(Struct, frozen=True, kw_only=True):
    """The application that a process serves."""

    site: Site
    metrics: Metrics
    lifecycle: Lifecycle
    log_requests: LogRequests
    report: Callable[[Exception, Exchange], None]
    quiet: frozenset[str] = frozenset(("/livez", "/readyz", "/metrics"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return  # neither web sockets nor the server's own lifespan: ours is the process
        began = time.perf_counter()
        host, exchange = _open(scope, self.site.public_url)
        target = self._find(scope, exchange, host)
        scope[EXCHANGE] = exchange
        outgoing = _Outgoing(send, exchange.request_id, closing=self.lifecycle.is_draining)
        try:
            await target(scope, receive, outgoing.send)
        except Exception as error:
            # A contract answers its own faults; this one came later, or from elsewhere.
            self.report(error, exchange)
            if outgoing.status:
                raise  # the answer has begun: only a broken connection can tell the client
            await _last_net(outgoing.send)
        finally:
            self._note(scope, exchange, outgoing.status, time.perf_counter() - began)

    def _find(self, scope: Scope, exchange: Exchange, host: str) -> Application:
        """Who answers; the scope's path becomes the path below the contract's base."""
        path: str = scope["path"]
        name = self.site.hosts.get(host)
        rest = path
        if name is None:
            first, slash, below = path[1:].partition("/")
            if first not in self.site.contracts:
                return self.site.pages
            name, rest = first, slash + below or "/"
            exchange.base = f"{exchange.origin}/{name}"
        elif path.startswith(self.site.everywhere):
            return self.site.pages
        else:
            # What a client reached by a host of its own is linked to by that host.
            exchange.base = f"{scope['scheme']}://{_host_header(scope)}"
        exchange.contract = name
        scope["path"] = rest
        if rest == "/docs" and scope["method"] in ("GET", "HEAD"):
            exchange.route = rest
            return self.site.documentation[name]
        return self.site.contracts[name]

    def _note(self, scope: Scope, exchange: Exchange, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        route: str = exchange.route or scope.get("path_template", _UNMATCHED)
        self.metrics.answered(exchange.contract, route, method, status, seconds)
        if exchange.replayed:
            self.metrics.replayed(exchange.contract)
        elif status == _CREATED and exchange.contract not in self.site.beside:
            self.metrics.placed(exchange.contract)
        if self.log_requests == "none" or route in self.quiet:
            return
        if status >= _SERVER_FAULT or self.log_requests == "all":
            _log.info(
                "request",
                method=method,
                contract=exchange.contract or None,
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 2),
                request_id=exchange.request_id,
            )


class _Outgoing:
    """Puts onto an answer's beginning what every answer carries."""

    __slots__ = ("_closing", "_request_id", "_send", "status")

    def __init__(self, send: Send, request_id: str, *, closing: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._closing = closing
        self.status = 0

    def send(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            brought = dict(message["headers"])
            missing = SECURITY_HEADERS
            if not _SECURED.isdisjoint(brought):
                missing = tuple(one for one in SECURITY_HEADERS if one[0] not in brought)
            request_id = (b"x-request-id", self._request_id.encode())
            headers = [*message["headers"], request_id, *missing]
            if self._closing:
                headers.append(_CLOSE)
            message["headers"] = headers
        return self._send(message)


def _open(scope: Scope, public_url: str | None) -> tuple[str, Exchange]:
    """The host that was asked for, and the record of this exchange."""
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1") or _own_address(scope)
    if public_url:
        scope["scheme"] = public_url.partition(":")[0]
    origin = public_url or f"{scope['scheme']}://{host}"
    sent_id = headers.get(b"x-request-id")
    if sent_id is not None and _SANE_ID.fullmatch(sent_id):
        request_id = sent_id.decode()
    else:
        request_id = f"{random.getrandbits(80):020x}"  # tells apart, hides nothing
    return host_name(host), Exchange(request_id, origin, origin)


def _own_address(scope: Scope) -> str:
    """Where the client has come, as far as we can tell without a `Host` header (HTTP/1.0)."""
    name, port = scope.get("server") or ("localhost", 80)
    return f"{name}:{port}"


def host_name(header: str) -> str:
    """The name in a `Host` header, without port, in lower case."""
    if header.endswith("]"):
        return header.lower()
    name, colon, port = header.rpartition(":")
    return (name if colon and port.isdecimal() else header).lower().removesuffix(".")


def _host_header(scope: Scope) -> str:
    return dict(scope["headers"]).get(b"host", b"").decode("latin-1")


async def _last_net(send: Callable[[Message], Awaitable[None]]) -> None:
    body = b'{"error":"Internal server error."}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": _SERVER_FAULT, "headers": headers})
    await send({"type": "http.response.body", "body": body})
