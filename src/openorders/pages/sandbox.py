"""The sandbox's page: what a buyer sees at a hosted checkout or at their bank, and two buttons.

It stands for somebody else's page, so it knows nothing of orders but a number and an amount, and
sends its visitor back to where the payment was begun.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import urlsplit

from litestar import HttpMethod, Litestar, Request, Response, post, route
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from openorders.domain import money
from openorders.domain.ids import StoreId
from openorders.pages import form_pages
from openorders.usecases.context import Services
from openorders.usecases.sandbox_page import answer_sandbox_page, open_sandbox_page

SANDBOX_PATH: Final = "/sandbox/{store:str}/{gateway:str}/{token:str}"

_ACTIONS: Final = {"accept", "refuse"}


def sandbox_application(services: Services, is_weather: Callable[[Exception], bool]) -> Litestar:
    """The pages below `/sandbox/` as an application of their own.

    `is_weather` knows the failures that pass by themselves.
    """

    @route(SANDBOX_PATH, http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def show(request: Request[Any, Any, Any]) -> Response[str]:
        store_id, gateway, token = _address(request.path_params)
        found = await open_sandbox_page(services, store_id, gateway, token)
        if found is None:
            raise HTTPException(status_code=HTTPStatus.NOT_FOUND)
        store, page = found
        amount = money.to_decimal(page.amount, money.minor_digits(page.currency))
        values = {
            "title": "Confirm your payment" if page.kind == "3ds" else "Pay",
            "store": store.name,
            "kind": page.kind,
            "state": page.state,
            "amount": f"{amount} {page.currency}",
            "order": page.order_id,
            "return_url": page.return_url,
        }
        return form_pages.shown(HTTPStatus.OK, "sandbox.html", values, _origin(page.return_url))

    @post(SANDBOX_PATH, request_max_body_size=form_pages.FORM_MAX)
    async def act(request: Request[Any, Any, Any]) -> Response[str]:
        store_id, gateway, token = _address(request.path_params)
        form_pages.require_own_form(request, services)
        action = form_pages.field(await request.form(), "action")
        if action not in _ACTIONS:
            raise HTTPException(status_code=HTTPStatus.BAD_REQUEST)
        page = await answer_sandbox_page(
            services, store_id, gateway, token, accept=action == "accept"
        )
        if page is None:
            raise HTTPException(status_code=HTTPStatus.NOT_FOUND)
        return form_pages.see_other(page.return_url)

    def problem(_request: Request[Any, Any, Any], error: Exception) -> Response[str]:
        return form_pages.problem(error, weather=is_weather(error))

    return Litestar(
        route_handlers=[show, act],
        exception_handlers=cast("ExceptionHandlersMap", {Exception: problem}),
        openapi_config=None,
        logging_config=None,
    )


def _address(parts: Mapping[str, Any]) -> tuple[StoreId, str, str]:
    token = parts["token"]
    if not (token.isascii() and token.isprintable()):
        raise HTTPException(status_code=HTTPStatus.NOT_FOUND)
    return StoreId(form_pages.number(parts["store"])), parts["gateway"], token


def _origin(address: str) -> str | None:
    """Where the visitor goes back to, as a policy names it."""
    parts = urlsplit(address)
    plain = parts.netloc.isascii() and not set(parts.netloc) & set(" ;,'\"")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc and plain else None
