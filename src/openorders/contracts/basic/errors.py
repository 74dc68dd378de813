"""How `basic` says no: one sentence below `error`. The only file here with status codes."""

from typing import Final, assert_never

from openorders.contracts.basic.schemas import ErrorOut, StatusIn
from openorders.contracts.basic.translate import status_of
from openorders.contracts.kit import NoSuch, Rendered, Unreadable
from openorders.domain import refusals as no
from openorders.domain.ids import CLIENT_CUSTOMER_ID_MAX
from openorders.domain.refusals import Reason

_INVALID_ORDER: Final = "Invalid input. User ID is missing or items are invalid."
_INVALID_STATUS: Final = "Invalid status value provided."
_INVALID_FILTER: Final = "Invalid status filter provided."
_FAULT: Final = "Something went wrong on our side."
_BY_STATUS: Final = {
    404: "There is nothing at this path.",
    405: "This path does not take that method.",
    408: "The request did not arrive in time.",
    413: "The request body is too large.",
    500: _FAULT,
    503: "The service is not available right now. Please try again.",
}


def render(reason: Reason) -> Rendered:
    """The answer for a refusal."""
    status, sentence = _said(reason)
    return _error(status, sentence)


def render_unreadable(problem: Unreadable) -> Rendered:
    """The document's sentence where it has one, else one that names the field."""
    match problem.where, problem.field:
        case "query", "status":
            return _error(400, _INVALID_FILTER)
        case "body", _:
            status_wanted = problem.wanted is StatusIn
            return _error(400, _INVALID_STATUS if status_wanted else _INVALID_ORDER)
        case _:
            return _error(400, f"{problem}.")


def render_unknown(thing: NoSuch) -> Rendered:
    """A path that names nothing, in the text as it was sent."""
    return _error(404, f"{thing.kind.capitalize()} with ID {thing.text} not found.")


def render_status(status: int) -> Rendered:
    """What happens before or beside every use case."""
    return _error(status, _BY_STATUS.get(status, _FAULT))


def _error(status: int, sentence: str) -> Rendered:
    return Rendered(status, ErrorOut(sentence))


def _said(reason: Reason) -> tuple[int, str]:
    match reason:
        case no.NotAuthenticated():
            return 401, "Missing or invalid API key."
        case no.NotPermitted(what):
            return 403, f"This API key may not {what}."
        case no.OrderNotFound(order_id):
            return 404, f"Order with ID {order_id} not found."
        case no.ProductNotFound(product_id):
            return 404, f"Product with ID {product_id} not found."
        case no.CustomerNotFound(customer_id) if customer_id > CLIENT_CUSTOMER_ID_MAX:
            return 400, _INVALID_ORDER
        case no.CustomerNotFound(customer_id):
            return 404, f"User with ID {customer_id} not found."
        case no.NotAvailable(product_id):
            return 409, f"Product with ID {product_id} is not available."
        case no.OutOfStock(product_id):
            return 409, f"Insufficient stock for product with ID {product_id}."
        case no.AmountTooLarge():
            return 400, "The order's total amount is too large."
        case no.TooLateToCancel(_, word):
            late = status_of(word)
            return 409, f"Order cannot be cancelled as it has already been {late}."
        case no.MoveNotAllowed(_, current, target):
            here, there = status_of(current), status_of(target)
            return 409, f"Order status cannot be changed from {here} to {there}."
        case no.PaymentInProgress() | no.PaymentUnsettled():
            return 409, "A payment for the order is in progress. Please try again."
        case no.VersionDiffers():
            return 412, "The order was changed since the version named in If-Match."
        case no.KeyReused():
            return 422, "This Idempotency-Key was used for another request."
        case no.KeyInFlight():
            return 409, "The first request with this Idempotency-Key is still in progress."
        case no.Overloaded():
            return 503, _BY_STATUS[503]
        case no.QueryTooExpensive() | no.QueryFailed():
            return 400, "This list takes too long to put together. Please ask for less."
        # No request of this contract asks for what follows.
        case no.LineNotFound(_, line_id):
            return 404, f"Item with ID {line_id} not found."
        case no.VariantNotFound(variant_id):
            return 404, f"Variant with ID {variant_id} not found."
        case no.PriceDiffers() | no.UnknownDiscountCode() | no.UnknownShippingMethod():
            return 400, _INVALID_ORDER
        case no.AddressFixed() | no.LineNotOpen():
            return 409, "The order can no longer be changed."
        case no.UnknownGateway() | no.AmountNotOwed() | no.PaymentDeclined() | no.NotPayable():
            return 409, "The payment that was asked for is not possible."
        case no.NothingToRefund() | no.NothingToVoid() | no.AlreadyPaid():
            return 409, "The order's payment can no longer be changed."
        case no.OfManagement():
            return 404, "This is not known here."
        case _:
            assert_never(reason)
