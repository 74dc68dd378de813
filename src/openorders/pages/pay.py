"""The pay page: one order, its sums, a choice of cards, and buttons. Works without script.

The page is posted to itself and answers with a redirect to itself, or to the gateway when that
wants to see the buyer, so that a reload repeats nothing.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from litestar import HttpMethod, Litestar, Request, Response, post, route
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap
from msgspec import Struct

from openorders.domain import money
from openorders.domain.ids import OrderId, StoreId
from openorders.domain.order import LineState, Order
from openorders.domain.payment import AttemptState
from openorders.domain.refusals import Refused
from openorders.pages import form_pages
from openorders.usecases.context import Services
from openorders.usecases.pay_page import PayPage, open_pay_page, pay_from_page, turn_down

PAY_PATH: Final = "/pay/{store:str}/{order:str}/{token:str}"

_NONCE_LENGTH: Final = 16
_ACTIONS: Final = {"pay", "open", "decline"}


class _Row(Struct, frozen=True):
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
        # Where a gateway of the outside world has its pages is known only once one is opened.
        leads_to = "https:" if page.leads_away else None
        values = _shown(page, services.token())
        return form_pages.shown(HTTPStatus.OK, "pay.html", values, leads_to)

    @post(PAY_PATH, request_max_body_size=form_pages.FORM_MAX)
    async def act(request: Request[Any, Any, Any]) -> Response[str]:
        page = await _open(services, request.path_params)
        form_pages.require_own_form(request, services)
        form = await request.form()
        action, nonce = form_pages.field(form, "action"), form_pages.field(form, "nonce")
        if len(nonce) < _NONCE_LENGTH or action not in _ACTIONS:
            raise HTTPException(status_code=HTTPStatus.BAD_REQUEST)
        if action == "decline":
            await turn_down(services, page, nonce=nonce)
            return form_pages.see_other(request.url.path)
        card = form_pages.field(form, "card") if action == "pay" else None
        back = form_pages.address_of(request, services)
        ahead = await pay_from_page(services, page, card=card, nonce=nonce, return_url=back)
        return form_pages.see_other(ahead or request.url.path)

    def problem(_request: Request[Any, Any, Any], error: Exception) -> Response[str]:
        return form_pages.problem(error, weather=is_weather(error))

    return Litestar(
        route_handlers=[show, act],
        exception_handlers=cast("ExceptionHandlersMap", {Exception: problem}),
        openapi_config=None,
        logging_config=None,
    )


async def _open(services: Services, address: Mapping[str, Any]) -> PayPage:
    store_id = StoreId(form_pages.number(address["store"]))
    order_id = OrderId(form_pages.number(address["order"]))
    try:
        return await open_pay_page(services, store_id, order_id, address["token"])
    except Refused as refused:
        raise HTTPException(status_code=HTTPStatus.NOT_FOUND) from refused


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
        "opens_page": page.opens_page,
        "is_sandbox": bool(page.cards),
        "action_url": page.action_url,
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
