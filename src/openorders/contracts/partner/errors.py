"""How `partner` says no: `{detail}`. The only file here with status codes.

What the document does not foresee gets the nearest answer that it has.
"""

from typing import Final, assert_never

from openorders.contracts.kit import NoSuch, Rendered, Unreadable
from openorders.contracts.partner import ids
from openorders.contracts.partner.schemas import ErrorOut
from openorders.domain import refusals as no
from openorders.domain.refusals import Reason

_FAULT: Final = "Something went wrong on our side."
_BUSY: Final = "The service is not available right now. Please try again."
_BY_STATUS: Final = {
    404: "There is nothing at this path.",
    405: "This path does not take that method.",
    408: "The request did not arrive in time.",
    413: "The request body is too large.",
    500: _FAULT,
    503: _BUSY,
}


class NoItems(Unreadable):
    """An order that can be read and asks for nothing: the document tells it from malformed ones."""

    def __init__(self) -> None:
        super().__init__("items", "must contain at least one item")


def render(reason: Reason) -> Rendered:
    """The answer for a refusal."""
    status, text = _said(reason)
    return _detail(status, text)


def render_unreadable(problem: Unreadable) -> Rendered:
    """422 that names the field; an order of nothing is a 400."""
    if isinstance(problem, NoItems):
        return _detail(400, "Order must contain at least one item.")
    return _detail(422, str(problem))


def render_unknown(thing: NoSuch) -> Rendered:
    """An identifier that names nothing, in the text as it was sent."""
    return _detail(404, f"{thing.kind.capitalize()} not found: {thing.text}")


def render_status(status: int) -> Rendered:
    """What happens before or beside every use case."""
    return _detail(status, _BY_STATUS.get(status, _FAULT))


def _detail(status: int, text: str) -> Rendered:
    return Rendered(status, ErrorOut(detail=text))


def _said(reason: Reason) -> tuple[int, str]:
    match reason:
        case no.NotAuthenticated():
            return 401, "Invalid or missing API key"
        case no.NotPermitted(what):
            return 403, f"This API key may not {what}."
        case no.OrderNotFound(order_id):
            return 404, f"Order not found: {ids.format_order(order_id)}"
        case no.ProductNotFound(product_id):
            return 404, f"Product not found: {ids.format_product(product_id)}"
        case no.CustomerNotFound(customer_id):
            return 404, f"Customer not found: {ids.format_customer(customer_id)}"
        case no.NotAvailable(product_id) | no.OutOfStock(product_id):
            return 409, f"Product is not available: {ids.format_product(product_id)}"
        case no.AmountTooLarge():
            return 422, "The order's total amount is too large."
        case no.VersionDiffers():
            return 412, "The order was changed since the version named in If-Match."
        case no.KeyReused():
            return 422, "This Idempotency-Key was used for another request."
        case no.KeyInFlight():
            return 409, "The first request with this Idempotency-Key is still in progress."
        case no.Overloaded():
            return 503, _BUSY
        case no.QueryTooExpensive() | no.QueryFailed():
            return 422, "This list cannot be put together. Please ask for less."
        # No request of this contract asks for what follows.
        case no.LineNotFound(_, line_id):
            return 404, f"Order item not found: {ids.format_line(line_id)}"
        case no.VariantNotFound(variant_id):
            return 404, f"Product variant not found: {variant_id}"
        case no.PriceDiffers() | no.UnknownDiscountCode() | no.UnknownShippingMethod():
            return 422, "The order asks for something that the store does not offer."
        case no.TooLateToCancel() | no.MoveNotAllowed() | no.AddressFixed() | no.LineNotOpen():
            return 409, "The order can no longer be changed."
        case no.PaymentDeclined():
            return 402, "The payment was declined."
        case no.PaymentInProgress() | no.PaymentUnsettled():
            return 409, "A payment for the order is in progress. Please try again."
        case no.UnknownGateway() | no.AmountNotOwed() | no.NotPayable():
            return 409, "The payment that was asked for is not possible."
        case no.NothingToRefund() | no.NothingToVoid() | no.AlreadyPaid():
            return 409, "The order's payment can no longer be changed."
        case no.OfManagement():
            return 404, "Not found"
        case _:
            assert_never(reason)
