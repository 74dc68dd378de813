"""The pay page: one order, its sums, a choice of cards, and two buttons. Works without script.

The page is posted to itself and answers with a redirect to itself, so that a reload repeats
nothing. Its address is the only credential; it never leaves the page by a referrer.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import structlog
from jinja2 import Environment, FileSystemLoader
from litestar import HttpMethod, Litestar, Request, Response, post, route
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from openorders.domain import money
from openorders.domain.ids import ID_MAX, OrderId, StoreId
from openorders.domain.order import LineState, Order
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import Refused
from openorders.usecases.context import Services
from openorders.usecases.pay_page import PayPage, open_pay_page, pay_from_page, turn_down

PAY_PATH: Final = "/pay/{store:str}/{order:str}/{token:str}"

_FORM_MAX: Final = 8_192
"""Bytes of a posted form; ours has a few hundred."""

_FIELD_MAX: Final = 100
_NONCE_LENGTH: Final = 16

_TEMPLATES: Final = Path(__file__).parent / "templates"
_PAGES: Final = Environment(
    loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_STYLE: Final = _PAGES.get_template("pay.css").render().encode()
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE).digest()).decode()
_HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # A page that sends no referrer at all would post its form with the origin "null".
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SENTENCES: Final = {
    HTTPStatus.NOT_FOUND: "There is no such page. Check the link you were given.",
    HTTPStatus.FORBIDDEN: "The form came from another site. Open the link again and pay here.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The form is too large.",
    HTTPStatus.BAD_REQUEST: "The form is incomplete. Open the link again.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This page can be read and posted to, nothing else.",
}
_FAULT: Final = "Something went wrong on our side. Open the link again in a moment."

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    amount: str
    quantity: int = 1


def pay_application(services: Services, is_weather: Callable[[Exception], bool]) -> Litestar:
    """The pages below `/pay/` as an application of their own.

    `is_weather` knows the failures that pass by themselves.
    """

    @route(PAY_PATH, http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def show(request: Request[Any, Any, Any]) -> Response[str]:
        page = await _open(services, request.path_params)
        return _answer(HTTPStatus.OK, "pay.html", _shown(page, services.token()))

    @post(PAY_PATH, request_max_body_size=_FORM_MAX)
    async def act(request: Request[Any, Any, Any]) -> Response[str]:
        page = await _open(services, request.path_params)
        _require_own_form(request, services)
        form = await request.form()
        action, nonce = _field(form, "action"), _field(form, "nonce")
        if len(nonce) < _NONCE_LENGTH or action not in {"pay", "decline"}:
            raise HTTPException(status_code=HTTPStatus.BAD_REQUEST)
        if action == "pay":
            await pay_from_page(services, page, card=_field(form, "card"), nonce=nonce)
        else:
            await turn_down(services, page, nonce=nonce)
        headers = {**_HEADERS, "Location": request.url.path}
        return Response("", status_code=HTTPStatus.SEE_OTHER, headers=headers)

    def problem(_request: Request[Any, Any, Any], error: Exception) -> Response[str]:
        return _problem(error, weather=is_weather(error))

    return Litestar(
        route_handlers=[show, act],
        exception_handlers=cast("ExceptionHandlersMap", {Exception: problem}),
        openapi_config=None,
        logging_config=None,
    )


async def _open(services: Services, address: Mapping[str, Any]) -> PayPage:
    store_id, order_id = StoreId(_number(address["store"])), OrderId(_number(address["order"]))
    try:
        return await open_pay_page(services, store_id, order_id, address["token"])
    except Refused as refused:
        raise HTTPException(status_code=HTTPStatus.NOT_FOUND) from refused


def _number(text: str) -> int:
    """An identifier in its one spelling; everything else names nothing."""
    if text.isascii() and text.isdecimal() and not text.startswith("0"):
        number = int(text[:20])
        if number <= ID_MAX and len(text) <= len(str(ID_MAX)):
            return number
    raise HTTPException(status_code=HTTPStatus.NOT_FOUND)


def _require_own_form(request: Request[Any, Any, Any], services: Services) -> None:
    """Refuse a form that another site's page has sent."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        own = site in {"same-origin", "none"}
    else:
        hosts = {request.headers.get("host"), urlsplit(services.public_url or "").netloc}
        origin = request.headers.get("origin")
        own = origin is None or urlsplit(origin).netloc in hosts - {None, ""}
    if not own:
        raise HTTPException(status_code=HTTPStatus.FORBIDDEN)


def _field(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) and len(value) <= _FIELD_MAX else ""


def _shown(page: PayPage, nonce: str) -> dict[str, object]:
    order, store = page.order, page.store
    return {
        "title": f"Order {store.number_prefix}{order.number}",
        "store": store.name,
        "state": page.state,
        "problem": page.problem,
        "card": _card(order),
        "cards": page.cards,
        "nonce": nonce,
        "lines": [
            _Row(
                " ".join(part for part in (line.product_name, line.variant_name) if part),
                _amount(order, line.subtotal),
                line.quantity,
            )
            for line in order.lines
            if line.state is not LineState.CANCELLED
        ],
        "sums": _sums(order),
        "owed": _amount(order, page.owed),
    }


def _sums(order: Order) -> list[_Row]:
    totals = order.totals
    parts = [
        ("Subtotal", totals.subtotal),
        ("Discount", -totals.discount),
        ("Shipping", totals.shipping),
        *((tax.name, tax.amount) for tax in totals.taxes),
    ]
    shown = [_Row(name, _amount(order, minor)) for name, minor in parts if minor]
    return [*shown, _Row("Total", _amount(order, totals.total))]


def _amount(order: Order, minor: int) -> str:
    return f"{money.to_decimal(minor, order.minor_digits)} {order.currency}"


def _card(order: Order) -> str | None:
    for payment in reversed(order.payments):
        taken = payment.state in (AttemptState.CAPTURED, AttemptState.AUTHORISED)
        if taken and payment.card_brand:
            return f"{payment.card_brand} ending in {payment.card_last_four}"
    return None


def _answer(status: HTTPStatus, template: str, shown: dict[str, object]) -> Response[str]:
    html = _PAGES.get_template(template).render(shown)
    return Response(html, status_code=status, headers=dict(_HEADERS), media_type="text/html")


def _problem(error: Exception, *, weather: bool) -> Response[str]:
    headers: Mapping[str, str] = {}
    if isinstance(error, HTTPException):
        status, headers = HTTPStatus(error.status_code), error.headers or {}
    elif weather:
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"}
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        _log.error("pay_page_failed", exc_info=error)
    shown: dict[str, object] = {
        "title": status.phrase,
        "sentence": _SENTENCES.get(status, _FAULT),
    }
    response = _answer(status, "problem.html", shown)
    response.headers.update(headers)
    return response
