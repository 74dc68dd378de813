"""What is at the root of the server: the start page, the files of pages, the references.

It is given a description of every contract, and knows none by name.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from openorders.pages.asset_files import load
from openorders.pages.templating import render

_HTML: Final = "text/html; charset=utf-8"
_NOT_MODIFIED: Final = 304

PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
REFERENCE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Shown(Struct, frozen=True, kw_only=True):
    """An API as the start page shows it. `hosts` are names that serve it at their root."""

    name: str
    title: str
    lead: str
    hosts: tuple[str, ...]
    places_orders: bool = True


class Explained(Struct, frozen=True, kw_only=True):
    """A kind of problem that answers tell of. `slug` is its anchor, `means` may hold `code`."""

    slug: str
    status: int
    title: str
    means: str


def problems_route(path: str, problems: Sequence[Explained]) -> HTTPRouteHandler:
    """The page that problems' types lead to."""

    async def explain() -> Response[bytes]:
        return _page(render("problems.html", problems=problems))

    return HTTPRouteHandler(path, http_method=["GET", "HEAD"])(explain)


def site_routes(contracts: Sequence[Shown], version: str) -> list[HTTPRouteHandler]:
    """Routes for the start page, the icon and the files of pages."""

    async def start(request: Request[Any, Any, Any]) -> Response[bytes]:
        origin = str(request.base_url).rstrip("/")
        port = "" if request.url.port is None else f":{request.url.port}"
        shown = [
            {
                "name": one.name,
                "title": one.title,
                "lead": one.lead,
                "url": f"{origin}/{one.name}",
                "hosts": [f"{request.url.scheme}://{host}{port}" for host in one.hosts],
            }
            for one in contracts
        ]
        documented = sum(one.places_orders for one in contracts)
        return _page(render("start.html", contracts=shown, documented=documented, version=version))

    async def icon(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await asset_answer(request, "favicon.svg")

    async def asset(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await asset_answer(request, request.path_params["name"])

    return [
        HTTPRouteHandler("/", http_method=["GET", "HEAD"])(start),
        HTTPRouteHandler("/favicon.ico", http_method=["GET", "HEAD"])(icon),
        HTTPRouteHandler("/assets/{name:str}", http_method=["GET", "HEAD"])(asset),
    ]


def _page(content: bytes) -> Response[bytes]:
    headers = {
        "Content-Type": _HTML,
        "Content-Security-Policy": PAGE_POLICY,
        "Cache-Control": "no-cache",
    }
    return Response(content, headers=headers)


async def asset_answer(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    """A file of pages: packed where the client can unpack, not at all where it has it."""
    try:
        asset = await asyncio.to_thread(load, name)  # packing a large one takes a moment
    except KeyError:
        raise NotFoundException from None
    headers = {
        "ETag": asset.tag,
        "Cache-Control": "public, max-age=3600",
        "Vary": "Accept-Encoding",
    }
    if asset.tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=_NOT_MODIFIED, headers=headers)
    content = asset.content
    if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content = asset.packed
        headers["Content-Encoding"] = "gzip"
    headers["Content-Type"] = asset.content_type
    return Response(content, headers=headers)


def reference_page(title: str, home: str) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """A contract's browsable reference with its headers; it reads `openapi.json` beside it."""
    headers = (
        ("Content-Type", _HTML),
        ("Content-Security-Policy", REFERENCE_POLICY),
        ("Cache-Control", "no-cache"),
    )
    return render("reference.html", title=title, home=home), headers
