"""A contract as one ASGI application: routing by Litestar, everything else by the kit."""

import re
from collections.abc import Awaitable, Callable
from functools import cache, partial
from hashlib import sha256
from typing import Any, Final, cast
from urllib.parse import quote, unquote

from litestar import Litestar, Request, Response
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, ExceptionHandlersMap
from msgspec import Struct

from openorders.asgi import Application, Exchange, Message, Receive, Scope, Send, exchange_of
from openorders.contracts.kit import headers as header
from openorders.contracts.kit.answers import (
    ClientLeft,
    Outgoing,
    Outside,
    answer,
    no_content,
    outgoing,
    outgoing_file,
    while_here,
)
from openorders.contracts.kit.bodies import BodyLimits, parse_plainly, read_body
from openorders.contracts.kit.call import Call
from openorders.contracts.kit.contract import JSON, Contract
from openorders.contracts.kit.failures import answer_failure, answer_refusal
from openorders.contracts.kit.openapi import describe
from openorders.contracts.kit.queries import NO_PARAMETERS
from openorders.contracts.kit.quotas import Quota
from openorders.contracts.kit.routes import MethodTable, Route
from openorders.contracts.kit.unreadable import BODY, Unreadable
from openorders.domain.access import Caller
from openorders.usecases.answers import Answer
from openorders.usecases.context import Context, Keyed, Services

_LONGEST_PATH: Final = 2000
"""Routers remember paths; a longer one names nothing."""

_SLASH_IN_TEXT: Final = "\ufdd0"
"""Stands for a slash within one part of a path; Unicode has it for no character at all."""

_ENCODED_SLASH: Final = re.compile("%2f", re.IGNORECASE)
_NOT_MODIFIED: Final = 304
_OK: Final = 200
_CLIENT_LEFT: Final = 499
"""What logs and metrics show; nobody receives it."""


class Ground(Struct, frozen=True, kw_only=True):
    """What the composition root gives every contract to stand on.

    `services` gives what use cases need; only requests ask for it, so that a contract can be
    built before there is a database. `admit` turns a credential (None when none was sent) and a
    contract's name into a caller; `is_weather` knows the failures that pass by themselves;
    `report` takes note of a fault; `quota` counts the requests of contracts that are limited;
    `is_stopping` ends live answers.
    """

    services: Callable[[], Services]
    admit: Callable[[str | None, str], Awaitable[Caller]]
    is_weather: Callable[[Exception], bool]
    report: Callable[[Exception, Exchange], None]
    most_body: int
    version: str
    body_seconds: float = 30.0
    quota: Quota | None = None
    is_stopping: Callable[[], bool] = lambda: False


def build(contract: Contract, ground: Ground) -> Application:
    """The contract's application. It is called with an `Exchange` in the scope."""
    litestar = Litestar(
        route_handlers=[
            *(_handler_for(route, contract, ground) for route in contract.routes),
            _document_handler(contract, ground),
        ],
        exception_handlers=cast("ExceptionHandlersMap", {Exception: _failure(contract, ground)}),
        openapi_config=None,
        logging_config=None,
    )

    methods = MethodTable(contract.routes)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        _keep_slashes(scope)
        if contract.limited:
            send = _telling(scope, send)
        if len(scope["path"]) > _LONGEST_PATH:
            error = NotFoundException()
            await outgoing(_answer(contract, ground, scope, error))(scope, receive, send)
        elif scope["method"] == "OPTIONS" and (allowed := methods.of(scope["path"])):
            await outgoing(no_content((("Allow", allowed),)))(scope, receive, send)
        else:
            await litestar(cast("Any", scope), cast("Any", receive), cast("Any", send))

    return application


def _telling(scope: Scope, send: Send) -> Send:
    """Puts onto an answer's beginning what the exchange has gathered for it by then."""
    exchange = exchange_of(scope)

    def sending(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start" and exchange.headers:
            message["headers"] = [*message["headers"], *exchange.headers]
        return send(message)

    return sending


def _keep_slashes(scope: Scope) -> None:
    """Keep a slash that was sent as `%2F` apart from those that divide the path."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%2f" not in raw.lower():
        return
    decoded = unquote(_ENCODED_SLASH.sub(quote(_SLASH_IN_TEXT), raw.decode("latin-1")))
    # The path lacks the contract's prefix by now; one character stands for one, so the end fits.
    scope["path"] = decoded[-len(scope["path"]) :]


def _handler_for(route: Route, contract: Contract, ground: Ground) -> HTTPRouteHandler:
    """The route as the framework knows it, with our own answer in place of a handler's.

    The framework finds it and catches what it raises. What it does between the two, from making a
    request object to converting what a handler returns, the kit does in its own way, and it would
    be paid for twice.
    """
    perform = _performer(route, contract, ground)

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        exchange.route = route.path
        going = await perform(scope, receive, exchange)
        await going(scope, receive, send)

    def in_place_of(app: ASGIApp) -> ASGIApp:
        del app
        return cast("ASGIApp", answering)

    methods: list[Any] = ["GET", "HEAD"] if route.method == "GET" else [route.method]
    # The status is what an answer says; the framework only wants to hear of one that has a body.
    declare = HTTPRouteHandler(
        route.litestar_path,
        http_method=methods,
        name=route.name,
        status_code=_OK,
        middleware=[in_place_of],
    )
    return declare(_never_reached)


async def _never_reached() -> None:
    """What would answer, were the middleware above it to ask."""


def _performer(
    route: Route, contract: Contract, ground: Ground
) -> Callable[[Scope, Receive, Exchange], Awaitable[Outgoing]]:
    """Read the request, call the handler, write what it answers."""
    services, admit, strict = ground.services, ground.admit, contract.strict
    limits = BodyLimits(most=ground.most_body, seconds=ground.body_seconds)
    quota = ground.quota if contract.limited else None
    outside = Outside(is_stopping=ground.is_stopping, is_weather=ground.is_weather)
    makes_file = route.makes_file

    async def perform(scope: Scope, receive: Receive, exchange: Exchange) -> Outgoing:
        headers = header.Headers(scope["headers"])
        credential = header.read_credential(headers)
        caller = await admit(credential, contract.name)
        if quota is not None:
            exchange.headers = quota.take(caller.credential)
            quota.check(caller.credential)
        if route.only is not None:
            caller.require(*route.only.roles, to=route.only.to)
        key = header.read_key(headers) if route.keyed else None
        expected = header.read_if_match(headers)
        arguments: dict[str, Any] = {
            name: text.replace(_SLASH_IN_TEXT, "/") for name, text in scope["path_params"].items()
        }
        body = b""
        if route.body is not None:
            body = await read_body(receive, headers.get(b"content-length"), limits)
            arguments["data"] = route.body.read(body, headers.get(b"content-type"))
        elif headers.get(b"content-length") or headers.get(b"transfer-encoding"):
            # Nobody reads it, yet it may be no larger than one that is read.
            unasked = await read_body(receive, headers.get(b"content-length"), limits)
            if unasked and strict:
                raise Unreadable(BODY, "must be empty")
        if route.query is not None:
            arguments["query"] = route.query.read(scope["query_string"], strict=strict)
        elif strict:
            NO_PARAMETERS.read(scope["query_string"], strict=True)
        keyed = None
        if key is not None:
            place = f"{contract.name} {scope['path']}"
            keyed = Keyed(
                digest=header.key_digest(caller.credential, route.method, place, key),
                fingerprint=_fingerprint(body),
            )
        context = Context(
            services=services(),
            caller=caller,
            keyed=keyed,
            expected=expected,
            request_id=exchange.request_id,
        )
        refused = partial(answer_refusal, contract, request_id=exchange.request_id)
        again = partial(admit, credential, contract.name)
        call = Call(scope, exchange, headers, context, refused, again)
        work = route.handler(call, **arguments)
        try:
            answered = await (while_here(receive, work) if makes_file else work)
        except ClientLeft:
            return Outgoing(_CLIENT_LEFT, [], b"")
        if not isinstance(answered, Answer):
            return await outgoing_file(answered, outside)
        exchange.replayed = answered.replayed
        return outgoing(_unless_known(answered, headers) if route.etag else answered)

    return perform


def _fingerprint(body: bytes) -> bytes:
    """What a repeated request is compared by: its values, however they are written.

    A field that nobody knows may hold what no value can (a number of 5,000 digits); such a body
    is compared as it was sent.
    """
    try:
        return header.fingerprint(parse_plainly(body))
    except Unreadable:
        return sha256(body).digest()


def _unless_known(answered: Answer, headers: header.Headers) -> Answer:
    """304 when the client has this very state of it."""
    tag = next((value for name, value in answered.headers if name == "ETag"), None)
    if tag is None or answered.status != _OK or not header.none_match(headers, tag):
        return answered
    return Answer(status=_NOT_MODIFIED, body=b"", headers=(("ETag", tag),))


def _answer(contract: Contract, ground: Ground, scope: Scope, error: Exception) -> Answer:
    exchange = exchange_of(scope)
    return answer_failure(
        contract,
        error,
        exchange.request_id,
        is_weather=ground.is_weather,
        report=lambda fault: ground.report(fault, exchange),
    )


def _failure(
    contract: Contract, ground: Ground
) -> Callable[[Request[Any, Any, Any], Exception], Response[bytes]]:
    """Litestar's hook for everything that is raised, routing included."""

    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        answered = _answer(contract, ground, cast("Scope", request.scope), error)
        headers = dict(answered.headers)
        media = headers.pop("Content-Type", JSON)
        return Response(
            answered.body, status_code=answered.status, headers=headers, media_type=media
        )

    return handle


def _document_handler(contract: Contract, ground: Ground) -> HTTPRouteHandler:
    # Described when it is first asked for: a start has no use for it, and few ever ask.
    document = cache(partial(describe, contract, ground.version))

    async def openapi(request: Request[Any, Any, Any]) -> Outgoing:
        exchange = exchange_of(cast("Scope", request.scope))
        exchange.route = "/openapi.json"
        here = {**document(), "servers": [{"url": exchange.base}]}
        return outgoing(answer(_OK, here, headers=(("Cache-Control", "no-cache"),)))

    return HTTPRouteHandler("/openapi.json", http_method=["GET", "HEAD"])(openapi)
