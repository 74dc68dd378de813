"""How `commerce` says no: a code and a message below `error`.

The only file here with status codes. What the document does not foresee gets the nearest code
that it has.
"""

from typing import Final, assert_never

from openorders.contracts.commerce.ids import format_customer, format_order, format_product
from openorders.contracts.commerce.schemas import ErrorOut, Fault
from openorders.contracts.commerce.translate import status_of
from openorders.contracts.kit import NoSuch, Rendered, Unreadable
from openorders.domain import refusals as no
from openorders.domain.ids import CLIENT_CUSTOMER_ID_MAX, CustomerId
from openorders.domain.refusals import Reason

_FAULT: Final = "Something went wrong on our side."
_BUSY: Final = "The service is not available right now. Please try again."
_UNSETTLED: Final = (
    "The outcome of the payment is not known yet. Please try again with the same Idempotency-Key."
)
_MESSAGES: Final = {
    404: "There is nothing at this path.",
    405: "This path does not take that method.",
    408: "The request did not arrive in time.",
    413: "The request body is too large.",
    500: _FAULT,
    503: _BUSY,
}
_LAST_NEW_CUSTOMER: Final = format_customer(CustomerId(CLIENT_CUSTOMER_ID_MAX))
_CODES: Final = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    402: "PAYMENT_FAILED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    409: "CONFLICT",
    412: "PRECONDITION_FAILED",
    413: "PAYLOAD_TOO_LARGE",
    422: "IDEMPOTENCY_KEY_REUSED",
    500: "INTERNAL_ERROR",
    503: "UNAVAILABLE",
}


def render(reason: Reason) -> Rendered:
    """The answer for a refusal."""
    status, message = _said(reason)
    return _error(status, message)


def render_unreadable(problem: Unreadable) -> Rendered:
    """Which field, and what is wrong with it."""
    return _error(400, f"{problem}.")


def render_unknown(thing: NoSuch) -> Rendered:
    """An identifier that names nothing, in the text as it was sent."""
    return _error(404, f"{thing.kind.capitalize()} with ID {thing.text} not found.")


def render_status(status: int) -> Rendered:
    """What happens before or beside every use case."""
    return _error(status, _MESSAGES.get(status, _FAULT))


def _error(status: int, message: str) -> Rendered:
    code = _CODES.get(status, _CODES[500])
    return Rendered(status, ErrorOut(Fault(code=code, message=message)))


def _said(reason: Reason) -> tuple[int, str]:
    match reason:
        case no.NotAuthenticated():
            return 401, "Authentication token is invalid or expired."
        case no.NotPermitted(what):
            return 403, f"This credential may not {what}."
        case no.OrderNotFound(order_id):
            return 404, f"Order with ID {format_order(order_id)} not found."
        case no.ProductNotFound(product_id):
            return 404, f"Product with ID {format_product(product_id)} not found."
        case no.CustomerNotFound(customer_id) if customer_id > CLIENT_CUSTOMER_ID_MAX:
            return 400, f"customerId must be at most {_LAST_NEW_CUSTOMER} for a new customer."
        case no.CustomerNotFound(customer_id):
            return 404, f"Customer with ID {format_customer(customer_id)} not found."
        case no.NotAvailable(product_id):
            return 400, f"Product with ID {format_product(product_id)} is not available."
        case no.OutOfStock(product_id):
            return 400, f"Insufficient stock for product with ID {format_product(product_id)}."
        case no.AmountTooLarge():
            return 400, "The order's total amount is too large."
        case no.TooLateToCancel(order_id, word):
            order, late = format_order(order_id), status_of(word)
            return 400, f"Order {order} cannot be cancelled as it has already been {late}."
        case no.MoveNotAllowed(order_id, current, target):
            order, here, there = format_order(order_id), status_of(current), status_of(target)
            return 400, f"Order {order} cannot be changed from {here} to {there}."
        case no.AddressFixed(order_id, current):
            order, here = format_order(order_id), status_of(current)
            return 400, f"The shipping address of order {order} is fixed as it is {here}."
        case no.PaymentDeclined(_, message):
            return 402, message
        case no.UnknownGateway():
            return 400, "This store takes no payments with paymentMethodId."
        case no.PaymentInProgress():
            return 409, "A payment for this order is in progress. Please try again."
        case no.PaymentUnsettled():
            return 503, _UNSETTLED
        case no.VersionDiffers(order_id):
            order = format_order(order_id)
            return 412, f"Order {order} was changed since the version named in If-Match."
        case no.KeyReused():
            return 422, "This Idempotency-Key was used for another request."
        case no.KeyInFlight():
            return 409, "The first request with this Idempotency-Key is still in progress."
        case no.Overloaded():
            return 503, _BUSY
        case no.QueryTooExpensive() | no.QueryFailed():
            return 400, "This list takes too long to put together. Please ask for less."
        # No request of this contract asks for what follows.
        case no.LineNotFound() | no.VariantNotFound():
            return 404, "The item was not found."
        case no.PriceDiffers() | no.UnknownDiscountCode() | no.UnknownShippingMethod():
            return 400, "The order cannot be placed as it was sent."
        case no.LineNotOpen() | no.NotPayable() | no.AmountNotOwed():
            return 400, "The order cannot be changed as it was asked."
        case no.NothingToRefund() | no.NothingToVoid() | no.AlreadyPaid():
            return 400, "The order's payment can no longer be changed."
        case no.OfManagement():
            return 404, "This is not known here."
        case _:
            assert_never(reason)
