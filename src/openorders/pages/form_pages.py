"""What pages with a form have in common: no script, one style, forms only from themselves.

The address of such a page is the only credential, so it never leaves the page by a referrer.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.exceptions import HTTPException

from openorders import logs
from openorders.domain.ids import ID_MAX
from openorders.usecases.context import Services

if TYPE_CHECKING:
    from jinja2 import Environment

FORM_MAX: Final = 8_192
"""Bytes of a posted form; ours have a few hundred."""

_FIELD_MAX: Final = 100

_TEMPLATES: Final = Path(__file__).parent / "templates"
_SENTENCES: Final = {
    HTTPStatus.NOT_FOUND: "There is no such page. Check the link you were given.",
    HTTPStatus.FORBIDDEN: "The form came from another site. Open the link again and go on here.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The form is too large.",
    HTTPStatus.BAD_REQUEST: "The form is incomplete. Open the link again.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This page can be read and posted to, nothing else.",
}
_FAULT: Final = "Something went wrong on our side. Open the link again in a moment."

_log = logs.Logger(__name__)


@cache
def _pages() -> "Environment":
    # Here, since most servers are seldom asked for a page.
    from jinja2 import Environment, FileSystemLoader

    return Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _hash_of_style() -> str:
    style = _pages().get_template("pay.css").render().encode()
    return base64.b64encode(hashlib.sha256(style).digest()).decode()


def headers(leads_to: str | None = None) -> dict[str, str]:
    """What every answer carries. A form's answer may lead to this page and to `leads_to`."""
    targets = "'self'" if leads_to is None else f"'self' {leads_to}"
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{_hash_of_style()}'; form-action {targets}; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # A page that sends no referrer at all would post its form with the origin "null".
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def shown(
    status: HTTPStatus, template: str, values: Mapping[str, object], leads_to: str | None = None
) -> Response[str]:
    """A page."""
    html = _pages().get_template(template).render(values)
    return Response(html, status_code=status, headers=headers(leads_to), media_type="text/html")


def see_other(address: str) -> Response[str]:
    """The answer to a form: go there, so that a reload repeats nothing."""
    location = {**headers(), "Location": address}
    return Response("", status_code=HTTPStatus.SEE_OTHER, headers=location)


def require_own_form(request: Request[Any, Any, Any], services: Services) -> None:
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


def address_of(request: Request[Any, Any, Any], services: Services) -> str:
    """This page's whole address, as the person reached it or as the operator says."""
    origin = services.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return f"{origin.rstrip('/')}{request.url.path}"


def field(form: Mapping[str, Any], name: str) -> str:
    """A posted field; empty when it is not there, or is none of ours."""
    value = form.get(name)
    return value if isinstance(value, str) and len(value) <= _FIELD_MAX else ""


def number(text: str) -> int:
    """An identifier in its one spelling; everything else names nothing."""
    if text.isascii() and text.isdecimal() and not text.startswith("0"):
        found = int(text[:20])
        if found <= ID_MAX and len(text) <= len(str(ID_MAX)):
            return found
    raise HTTPException(status_code=HTTPStatus.NOT_FOUND)


def problem(error: Exception, *, weather: bool) -> Response[str]:
    """What went wrong, in a sentence for people. `weather` passes by itself."""
    extra: Mapping[str, str] = {}
    if isinstance(error, HTTPException):
        status, extra = HTTPStatus(error.status_code), error.headers or {}
    elif weather:
        status, extra = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"}
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        _log.error("page_failed", exc_info=error)
    values = {"title": status.phrase, "sentence": _SENTENCES.get(status, _FAULT)}
    response = shown(status, "problem.html", values)
    response.headers.update(extra)
    return response
