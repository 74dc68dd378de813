"""A Stripe to test against: localstripe, behind what Stripe documents and localstripe lacks.

Written from Stripe's public documentation: idempotency keys, declines by test card, tokens as
cards, Checkout Sessions, customers' actions, amounts and states that refuse, signed events, and
accounts that see nothing of each other. On top of that a line that can be made bad.
"""

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp import web
from stripe import params as typed
from stripe.params import checkout as typed_checkout

from tests.gateways.stripe_double.books import Account, Desk, Localstripe
from tests.gateways.stripe_double.checkout import (
    Checkout,
    authentication_page,
    checkout_page,
)
from tests.gateways.stripe_double.events import Endpoint, Events, signed
from tests.gateways.stripe_double.intents import Intents
from tests.gateways.stripe_double.refunds import Refunds
from tests.gateways.stripe_double.saved import SavedCards
from tests.gateways.stripe_double.wire import (
    Params,
    Refusal,
    check_known,
    collapsed,
    nested,
)

_Handler = Callable[..., Awaitable[Params]]
LARGEST_PAGE: Final = 100

ONE: Final = "([A-Za-z0-9_]+)"
TYPES: Final = {
    ("POST", "payment_intents"): typed.PaymentIntentCreateParams,
    ("GET", "payment_intents"): typed.PaymentIntentListParams,
    ("GET", f"payment_intents/{ONE}"): typed.PaymentIntentRetrieveParams,
    ("POST", f"payment_intents/{ONE}/capture"): typed.PaymentIntentCaptureParams,
    ("POST", f"payment_intents/{ONE}/cancel"): typed.PaymentIntentCancelParams,
    ("POST", "refunds"): typed.RefundCreateParams,
    ("GET", "refunds"): typed.RefundListParams,
    ("POST", "checkout/sessions"): typed_checkout.SessionCreateParams,
    ("GET", "checkout/sessions"): typed_checkout.SessionListParams,
    ("GET", f"checkout/sessions/{ONE}"): typed_checkout.SessionRetrieveParams,
    ("POST", "customers"): typed.CustomerCreateParams,
    ("POST", "payment_methods"): typed.PaymentMethodCreateParams,
    ("POST", "setup_intents"): typed.SetupIntentCreateParams,
}
"""What each request may say, by the SDK's types of the version of the API that it pins."""


@dataclass(slots=True)
class Faults:
    """What is wrong with the line. Each number counts requests down to none."""

    lose_requests: int = 0
    lose_answers: int = 0
    errors: int = 0
    rate_limits: int = 0
    delay_s: float = 0.0
    delay_is_over: asyncio.Event = field(default_factory=asyncio.Event)
    """Once it is set, the answers that were delayed go out at once."""
    garbage: bytes | None = None
    falsify: Callable[[Params], Params] | None = None

    def hits(self, what: str) -> bool:
        """Whether this request is one of those."""
        left: int = getattr(self, what)
        setattr(self, what, max(0, left - 1))
        return left > 0


@dataclass(slots=True)
class _Kept:
    """What an idempotency key was used for, and its answer once there is one."""

    request: tuple[str, str]
    answer: tuple[int, Params] | None = None


class StripeDouble:
    """One Stripe with any number of accounts: every secret key is one."""

    def __init__(self, session: aiohttp.ClientSession, localstripe_url: str) -> None:
        self.clock: Callable[[], float] = time.time
        self.faults = Faults()
        self.largest_page = LARGEST_PAGE
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.events = Events(self._now)
        self._accounts: dict[str, Account] = {}
        self._desk = Desk(
            localstripe=Localstripe(session, localstripe_url),
            emit=self.events.emit,
            now=self._now,
            new_id=lambda prefix: prefix + secrets.token_hex(12),
        )
        self.intents = Intents(self._desk)
        self.refunds = Refunds(self._desk, self.intents)
        self.checkout = Checkout(self._desk, self.intents)
        self.saved = SavedCards(self._desk, self.intents)
        self._routes = [
            (method, re.compile(f"/v1/{path}"), handler) for method, path, handler in self._table()
        ]

    @property
    def url(self) -> str:
        """Where it is to be asked."""
        return self._desk.url

    @classmethod
    @asynccontextmanager
    async def running(
        cls, localstripe_url: str, *, port: int = 0
    ) -> AsyncGenerator["StripeDouble"]:
        """A double on this machine in front of an emptied localstripe, until the block ends."""
        async with aiohttp.ClientSession() as session:
            await session.delete(f"{localstripe_url}/_config/data")
            double = cls(session, localstripe_url)
            runner = web.AppRunner(double._app(), access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            host, real_port = runner.addresses[0][:2]
            double._desk.url = f"http://{host}:{real_port}"
            try:
                yield double
            finally:
                await double.events.stop()
                await runner.cleanup()

    def account(self, key: str) -> Account:
        """The account that a secret key opens."""
        return self._accounts.setdefault(key, Account(key=key))

    def signed(
        self, event: Params, secret: str, *, at: float | None = None
    ) -> tuple[dict[str, str], bytes]:
        """An event as it would be sent at a time: headers and body."""
        return signed(event, secret, int(self.clock() if at is None else at))

    async def authenticate(self, intent: str, *, success: bool = True) -> None:
        """What a buyer does on the page of their bank."""
        account = self._with(lambda one: intent in one.intents)
        await self.intents.authenticate(account, intent, success=success)
        if success:
            await self.checkout.authenticated(account, intent)

    async def pay_page(self, session: str, token: str = "tok_visa") -> Params:
        """What a buyer does on a checkout page. Raises `Refusal` for a card that is declined."""
        account = self._with(lambda one: session in one.pages)
        return await self.checkout.pay(account, session, token)

    async def expire_page(self, session: str) -> None:
        """What time does to a checkout page."""
        await self.checkout.expire(self._with(lambda one: session in one.pages), session)

    async def finish_refund(self, refund: str, status: str) -> None:
        """What the buyer's bank says of a refund: succeeded or failed."""
        account = self._with(lambda one: refund in one.refunds)
        await self.refunds.finish(account, refund, status)

    def forget_keys(self) -> None:
        """What Stripe may do with idempotency keys after a day."""
        for account in self._accounts.values():
            account.answers.clear()

    async def run_out(self, intent: str) -> None:
        """What time does to an authorisation."""
        await self.intents.run_out(self._with(lambda one: intent in one.intents), intent)

    def _with(self, holds: Callable[[Account], bool]) -> Account:
        return next(account for account in self._accounts.values() if holds(account))

    def _now(self) -> int:
        return int(self.clock())

    def _table(self) -> list[tuple[str, str, _Handler]]:
        intents, refunds, checkout, saved = (
            self.intents,
            self.refunds,
            self.checkout,
            self.saved,
        )
        one = ONE
        return [
            ("POST", "payment_intents", intents.create),
            ("GET", "payment_intents", lambda a, p: intents.list_all(a, p, self.largest_page)),
            ("GET", f"payment_intents/{one}", lambda a, _, n: intents.retrieve(a, n)),
            ("POST", f"payment_intents/{one}/capture", lambda a, p, n: intents.capture(a, n, p)),
            ("POST", f"payment_intents/{one}/cancel", lambda a, p, n: intents.cancel(a, n, p)),
            ("POST", "refunds", refunds.create),
            ("GET", "refunds", lambda a, p: _now_done(refunds.list_all(a, p, self.largest_page))),
            ("GET", f"refunds/{one}", lambda a, _, n: _now_done(refunds.retrieve(a, n))),
            ("POST", "checkout/sessions", checkout.create),
            ("GET", "checkout/sessions", lambda a, p: checkout.list_all(a, p, self.largest_page)),
            ("GET", f"checkout/sessions/{one}", lambda a, _, n: checkout.retrieve(a, n)),
            ("POST", f"checkout/sessions/{one}/expire", lambda a, _, n: checkout.expire(a, n)),
            ("POST", "customers", saved.create_customer),
            ("POST", "payment_methods", saved.create_method),
            ("GET", f"payment_methods/{one}", lambda a, _, n: saved.method(a, n)),
            ("POST", f"payment_methods/{one}/detach", lambda a, _, n: saved.detach(a, n)),
            ("POST", "setup_intents", saved.set_up),
            ("POST", "webhook_endpoints", lambda _, p: _now_done(self._subscribe(p))),
        ]

    def _subscribe(self, params: Params) -> Params:
        endpoint = Endpoint(url=params["url"], secret=f"whsec_{secrets.token_hex(16)}")
        self.events.endpoints.append(endpoint)
        return {"object": "webhook_endpoint", "id": "we_1", "secret": endpoint.secret}

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/v1/{path:.*}", self._api)
        app.router.add_get("/c/pay/{name}", self._show_page)
        app.router.add_post("/c/pay/{name}", self._take_page)
        app.router.add_get("/double/authenticate/{name}", self._show_bank)
        app.router.add_post("/double/authenticate/{name}", self._take_bank)
        return app

    async def _api(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.method, request.path, headers))
        if self.faults.hits("lose_requests"):
            return _cut(request)
        form = await request.text() if request.method == "POST" else request.query_string
        replayed = False
        if self.faults.hits("rate_limits"):
            status, answer = 429, _failure("rate_limit", "Too many requests", code="rate_limit")
        elif self.faults.hits("errors"):
            status, answer = 500, _failure("api_error", "Something went wrong")
        else:
            status, answer, replayed = await self._once(request, headers, form)
        if self.faults.delay_s:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.faults.delay_s):
                    await self.faults.delay_is_over.wait()
        if self.faults.hits("lose_answers"):
            return _cut(request)
        return self._response(status, answer, headers, replayed=replayed)

    def _response(
        self, status: int, answer: Params, headers: dict[str, str], *, replayed: bool
    ) -> web.Response:
        if status == 200 and self.faults.falsify:
            answer = self.faults.falsify(json.loads(json.dumps(answer)))
        sent = {"request-id": f"req_{secrets.token_hex(7)}"}
        if key := headers.get("idempotency-key"):
            sent["idempotency-key"] = key
        if replayed:
            sent["idempotent-replayed"] = "true"
        body = json.dumps(answer, indent=2).encode()
        if self.faults.garbage is not None:
            body = self.faults.garbage
        return web.Response(body=body, status=status, headers=sent, content_type="application/json")

    async def _once(
        self, request: web.Request, headers: dict[str, str], form: str
    ) -> tuple[int, Params, bool]:
        """The answer, and whether it is that of an earlier request with the same key."""
        key = headers.get("authorization", "").removeprefix("Bearer ")
        if not re.fullmatch(r"sk_\w+", key):
            return 401, _failure("invalid_request_error", "Invalid API Key provided"), False
        account = self.account(key)
        name = headers.get("idempotency-key")
        if request.method != "POST" or name is None:
            status, answer, _ = await self._answer(account, request, form)
            return status, answer, False
        asked = (request.path, form)
        kept: _Kept | None = account.answers.get(name)
        if kept is not None and kept.request != asked:
            message = "Keys for idempotent requests can only be used with the same parameters."
            return 400, _failure("idempotency_error", message), False
        if kept is not None and kept.answer is None:
            message = "There is currently another in-progress request using this Idempotent Key."
            return 409, _failure("idempotency_error", message, code="idempotency_key_in_use"), False
        if kept is not None and kept.answer is not None:
            return *kept.answer, True
        kept = account.answers[name] = _Kept(asked)
        try:
            status, answer, keep = await self._answer(account, request, form)
        except BaseException:
            del account.answers[name]
            raise
        if keep:
            kept.answer = status, answer
        else:
            del account.answers[name]
        return status, answer, False

    async def _answer(
        self, account: Account, request: web.Request, form: str
    ) -> tuple[int, Params, bool]:
        """The answer, and whether a key is to keep it: not that of a request that was no good."""
        params = nested(form)
        expand = params.pop("expand", [])
        for method, path, handler in self._routes:
            found = path.fullmatch(request.path)
            if method == request.method and found:
                try:
                    types = TYPES.get((method, path.pattern.removeprefix("/v1/")))
                    if types is not None:
                        check_known(params, types)
                    answer = await handler(account, params, *found.groups())
                except Refusal as refusal:
                    return refusal.status, refusal.body, refusal.kept
                return 200, collapsed(answer, expand), True
        message = f"Unrecognized request URL ({request.method}: {request.path})"
        return 404, _failure("invalid_request_error", message), False

    async def _show_page(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        account = self._with(lambda one: name in one.pages)
        session = await self.checkout.retrieve(account, name)
        return web.Response(text=checkout_page(session), content_type="text/html")

    async def _take_page(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        account = self._with(lambda one: name in one.pages)
        token = str((await request.post())["token"])
        try:
            session = await self.checkout.pay(account, name, token)
        except Refusal as refusal:
            session = await self.checkout.retrieve(account, name)
            page = checkout_page(session, str(refusal))
            return web.Response(text=page, content_type="text/html")
        if session["status"] == "open":
            page = account.pages[name]
            raise web.HTTPSeeOther(f"{self.url}/double/authenticate/{page.intent}")
        raise web.HTTPSeeOther(session["success_url"])

    async def _show_bank(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        account = self._with(lambda one: name in one.intents)
        intent = await self.intents.retrieve(account, name)
        return web.Response(text=authentication_page(intent), content_type="text/html")

    async def _take_bank(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        success = (await request.post())["outcome"] == "succeed"
        await self.authenticate(name, success=success)
        intent = self._with(lambda one: name in one.intents).intents[name]
        assert intent.return_url is not None
        joint = "&" if "?" in intent.return_url else "?"
        raise web.HTTPSeeOther(f"{intent.return_url}{joint}payment_intent={name}")


def _now_done(answer: Params) -> Coroutine[Any, Any, Params]:
    async def done() -> Params:
        return answer

    return done()


def _failure(kind: str, message: str, **more: str) -> Params:
    return {"error": {"type": kind, "message": message, **more}}


def _cut(request: web.Request) -> web.Response:
    """The connection breaks; whoever waits for an answer gets none."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
