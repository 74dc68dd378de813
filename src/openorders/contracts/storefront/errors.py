"""How `storefront` says no: the HTTP status again, a message, and the fields at fault.

The only file here with status codes. What the document does not foresee gets the nearest code
that it has.
"""

from typing import Final, assert_never

from openorders.contracts.kit import NoSuch, Rendered, Unreadable
from openorders.contracts.storefront import ids
from openorders.contracts.storefront.schemas import Detail, ErrorOut, Problem
from openorders.contracts.storefront.translate import status_of
from openorders.domain import refusals as no
from openorders.domain.refusals import Reason

_FAULT: Final = "Something went wrong on our side."
_BUSY: Final = "The service is not available right now. Please try again."
_UNSETTLED: Final = (
    "The outcome of the payment is not known yet. Please try again with the same Idempotency-Key."
)
_BY_STATUS: Final = {
    404: "There is nothing at this path.",
    405: "This path does not take that method.",
    408: "The request did not arrive in time.",
    413: "The request body is too large.",
    500: _FAULT,
    503: _BUSY,
}


def render(reason: Reason) -> Rendered:
    """The answer for a refusal."""
    status, message = _said(reason)
    return _error(status, message)


def render_unreadable(problem: Unreadable) -> Rendered:
    """400 with the field at fault, in the message and by itself."""
    detail = Detail(field=problem.field, message=problem.problem)
    return Rendered(400, ErrorOut(Problem(code=400, message=f"{problem}.", details=[detail])))


def render_unknown(thing: NoSuch) -> Rendered:
    """An identifier that names nothing, in the text as it was sent."""
    return _error(404, f"{thing.kind.capitalize()} {thing.text} not found.")


def render_status(status: int) -> Rendered:
    """What happens before or beside every use case."""
    return _error(status, _BY_STATUS.get(status, _FAULT))


def _error(status: int, message: str) -> Rendered:
    return Rendered(status, ErrorOut(Problem(code=status, message=message)))


def _said(reason: Reason) -> tuple[int, str]:
    match reason:
        case no.NotAuthenticated():
            return 401, "Authentication is required."
        case no.NotPermitted(what):
            return 403, f"This credential may not {what}."
        case no.OrderNotFound(order_id):
            return 404, f"Order {ids.format_order(order_id)} not found."
        case no.LineNotFound(_, line_id):
            return 404, f"Item {ids.format_line(line_id)} not found."
        case no.ProductNotFound(product_id):
            return 404, f"Product {ids.format_product(product_id)} not found."
        case no.VariantNotFound(variant_id):
            return 404, f"Variant {ids.format_variant(variant_id)} not found."
        case no.CustomerNotFound(customer_id):
            return 404, f"Customer {ids.format_customer(customer_id)} not found."
        case no.NotAvailable(_, variant_id):
            return 422, f"Variant {ids.format_variant(variant_id)} is not available."
        case no.OutOfStock(_, variant_id, wanted, left):
            variant = ids.format_variant(variant_id)
            return 422, f"Variant {variant} is out of stock: {wanted} wanted, {left} left."
        case no.UnknownDiscountCode(code):
            return 422, f"Discount code {code} does not exist."
        case no.UnknownShippingMethod(code):
            return 422, f"Shipping method {code} does not exist."
        case no.AmountTooLarge():
            return 422, "The order's total amount is too large."
        case no.PaymentDeclined(_, message):
            return 422, message
        case no.TooLateToCancel(order_id, word):
            order, late = ids.format_order(order_id), status_of(word)
            return 409, f"Order {order} cannot be cancelled as it has already been {late}."
        case no.MoveNotAllowed(order_id, current, target):
            order, here = ids.format_order(order_id), status_of(current)
            return 409, f"Order {order} cannot be changed from {here} to {status_of(target)}."
        case no.NothingToRefund(order_id):
            return 409, f"Order {ids.format_order(order_id)} has no payment to give back."
        case no.PaymentInProgress():
            return 409, "A payment for the order is in progress. Please try again."
        case no.PaymentUnsettled():
            return 503, _UNSETTLED
        case no.VersionDiffers(order_id):
            order = ids.format_order(order_id)
            return 412, f"Order {order} was changed since the version named in If-Match."
        case no.KeyReused():
            return 422, "This Idempotency-Key was used for another request."
        case no.KeyInFlight():
            return 409, "The first request with this Idempotency-Key is still in progress."
        case no.Overloaded():
            return 503, _BUSY
        case no.QueryTooExpensive() | no.QueryFailed():
            return 400, "This list takes too long to put together. Please ask for less."
        case no.UnknownGateway():
            return 422, "This store takes no payments with the order."
        # No request of this contract asks for what follows.
        case no.PriceDiffers():
            return 422, "The price differs from the catalogue's."
        case no.AddressFixed() | no.LineNotOpen() | no.NothingToVoid() | no.NotPayable():
            return 409, "The order can no longer be changed in this way."
        case no.AlreadyPaid() | no.AmountNotOwed():
            return 409, "The payment that was asked for is not possible."
        case no.OfManagement():
            return 404, "This is not known here."
        case _:
            assert_never(reason)
