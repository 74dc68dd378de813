"""How `marketplace` says no: a code and a message below `error`.

The only file here with status codes. What the document does not foresee gets the nearest code
that it has, or a name of its own in the same manner.
"""

from typing import Final, assert_never

from openorders.contracts.kit import NoSuch, Rendered, Unreadable
from openorders.contracts.marketplace.ids import (
    ORDER,
    format_customer,
    format_item,
    format_offer,
    format_order,
)
from openorders.contracts.marketplace.schemas import ErrorOut, Fault
from openorders.contracts.marketplace.words import status_of
from openorders.domain import refusals as no
from openorders.domain.money import to_decimal
from openorders.domain.refusals import Reason

INVALID_STATUS: Final = "INVALID_STATUS"
INVALID_QUERY: Final = "INVALID_QUERY"
NO_STOCK: Final = "INSUFFICIENT_INVENTORY"
VALIDATION: Final = "VALIDATION_ERROR"

_FAULT: Final = "Something went wrong on our side."
_BUSY: Final = "The service is not available right now. Please try again."
_UNSETTLED: Final = (
    "The outcome of the payment is not known yet. Ask again with the same Idempotency-Key."
)
_STATUSES: Final = {
    404: ("NOT_FOUND", "There is nothing at this path."),
    405: ("METHOD_NOT_ALLOWED", "This path does not take that method."),
    408: ("REQUEST_TIMEOUT", "The request did not arrive in time."),
    413: ("PAYLOAD_TOO_LARGE", "The request body is too large."),
    500: ("INTERNAL_ERROR", _FAULT),
    503: ("UNAVAILABLE", _BUSY),
}
_STATUS_FIELDS: Final = ("status", "filters.status")
_UNKNOWN_WORD: Final = "is not one of the values that are allowed"


def render(reason: Reason) -> Rendered:
    """The answer for a refusal."""
    status, fault = _said(reason)
    return Rendered(status, ErrorOut(fault))


def fault_of(reason: Reason) -> Fault:
    """The same for one order of many, which has no status code of its own."""
    return _said(reason)[1]


def no_such_order(text: str) -> Fault:
    """No order has an identifier that is written like this."""
    return Fault("ORDER_NOT_FOUND", f"Order {text} does not exist.")


def render_unreadable(problem: Unreadable) -> Rendered:
    """Which field or option, and what is wrong with it."""
    if problem.where == "query" and problem.field.startswith("$"):
        return _error(400, INVALID_QUERY, f"{problem}.")
    if problem.field in _STATUS_FIELDS and problem.problem == _UNKNOWN_WORD:
        return _error(400, INVALID_STATUS, f"{problem}.")
    return _error(400, VALIDATION, f"{problem}.")


def render_unknown(thing: NoSuch) -> Rendered:
    """An identifier that names nothing, in the text as it was sent."""
    if thing.kind == ORDER.kind:
        return Rendered(404, ErrorOut(no_such_order(thing.text)))
    return _error(404, "NOT_FOUND", f"{thing.kind.capitalize()} {thing.text} does not exist.")


def render_status(status: int) -> Rendered:
    """What happens before or beside every use case."""
    code, message = _STATUSES.get(status, _STATUSES[500])
    return _error(status, code, message)


def _error(status: int, code: str, message: str) -> Rendered:
    return Rendered(status, ErrorOut(Fault(code, message)))


def _said(reason: Reason) -> tuple[int, Fault]:
    match reason:
        case no.NotAuthenticated():
            return 401, Fault("UNAUTHENTICATED", "The credential is missing, wrong or expired.")
        case no.NotPermitted(what):
            return 403, Fault("PERMISSION_DENIED", f"This credential may not {what}.")
        case no.OrderNotFound(order_id):
            return 404, no_such_order(format_order(order_id))
        case no.LineNotFound(order_id, line_id):
            order, item = format_order(order_id), format_item(line_id)
            return 404, Fault("ITEM_NOT_FOUND", f"Order {order} has no item {item}.")
        case no.VersionDiffers(order_id):
            order = format_order(order_id)
            message = f"Order {order} was changed since the version named in If-Match."
            return 412, Fault("PRECONDITION_FAILED", message)
        case no.KeyReused():
            message = "This Idempotency-Key was used for another request."
            return 422, Fault("IDEMPOTENCY_KEY_REUSED", message)
        case no.KeyInFlight():
            message = "The first request with this Idempotency-Key is still in progress."
            return 409, Fault("IDEMPOTENCY_KEY_IN_USE", message)
        case no.Overloaded():
            return 503, Fault("UNAVAILABLE", _BUSY)
        case no.QueryTooExpensive(costly, seconds):
            message = f"The query takes longer than {seconds} seconds. Its costly part is {costly}."
            return 400, Fault("QUERY_TOO_EXPENSIVE", message)
        case no.QueryFailed(problem, part):
            message = f"{part}: expected a result for every order, found {problem}."
            return 400, Fault(INVALID_QUERY, message)
        # No request of this contract names what these are about.
        case no.OfManagement():
            return 404, Fault("NOT_FOUND", "This is not known here.")
        case _:
            return _said_of_business(reason)


_OfBusiness = (
    no.ProductNotFound
    | no.VariantNotFound
    | no.CustomerNotFound
    | no.NotAvailable
    | no.OutOfStock
    | no.PriceDiffers
    | no.UnknownDiscountCode
    | no.UnknownShippingMethod
    | no.UnknownGateway
    | no.AmountTooLarge
    | no.TooLateToCancel
    | no.MoveNotAllowed
    | no.AddressFixed
    | no.LineNotOpen
    | no.NothingToRefund
    | no.NothingToVoid
    | no.AlreadyPaid
    | no.NotPayable
    | no.PaymentInProgress
    | no.AmountNotOwed
    | no.PaymentDeclined
    | no.PaymentUnsettled
)


def _said_of_business(reason: _OfBusiness) -> tuple[int, Fault]:
    match reason:
        case no.AlreadyPaid(order_id):
            return 409, Fault("ALREADY_PAID", f"Order {format_order(order_id)} is already paid.")
        case no.PaymentUnsettled():
            return 503, Fault("PAYMENT_UNSETTLED", _UNSETTLED)
        case no.PaymentInProgress(order_id):
            order = format_order(order_id)
            message = f"A payment for order {order} is in progress. Please try again."
            return 409, Fault("PAYMENT_IN_PROGRESS", message)
        case no.PaymentDeclined(_, message):
            return 402, Fault("PAYMENT_FAILED", message)
        case no.AmountNotOwed(_, owed, digits):
            message = f"paymentDetails.amount is not what can be asked: {to_decimal(owed, digits)}."
            return 400, Fault("INVALID_AMOUNT", message)
        case no.PriceDiffers(variant_id, _, price, digits, position):
            offer, costs = format_offer(variant_id), to_decimal(price, digits)
            message = f"items[{position}].price is wrong: {offer} costs {costs}."
            return 400, Fault("PRICE_MISMATCH", message)
        case no.OutOfStock(_, variant_id, wanted, left):
            offer = format_offer(variant_id)
            message = f"Not enough stock of {offer}: {wanted} wanted, {left} left."
            return 400, Fault(NO_STOCK, message)
        case no.NotAvailable(_, variant_id):
            return 400, Fault(NO_STOCK, f"{format_offer(variant_id)} is not for sale.")
        case no.VariantNotFound(variant_id):
            return 400, Fault(VALIDATION, f"Offer {format_offer(variant_id)} does not exist.")
        case no.CustomerNotFound(customer_id):
            message = f"Customer {format_customer(customer_id)} does not exist."
            return 400, Fault(VALIDATION, message)
        case no.UnknownGateway():
            return 400, Fault(VALIDATION, "paymentGatewayId names no gateway of this store.")
        case no.AmountTooLarge():
            return 400, Fault(VALIDATION, "The order's total amount is too large.")
        # No request of this contract names what these are about.
        case no.ProductNotFound() | no.UnknownDiscountCode() | no.UnknownShippingMethod():
            return 400, Fault(VALIDATION, "The order cannot be placed as it was sent.")
        case _:
            return 400, Fault(INVALID_STATUS, _too_late_or_too_early(reason))


_OfProgress = (
    no.TooLateToCancel
    | no.MoveNotAllowed
    | no.AddressFixed
    | no.LineNotOpen
    | no.NothingToRefund
    | no.NothingToVoid
    | no.NotPayable
)


def _too_late_or_too_early(reason: _OfProgress) -> str:
    """What the order's status, or its item's, does not allow."""
    order = format_order(reason.order_id)
    match reason:
        case no.TooLateToCancel(_, word):
            return f"Order {order} cannot be cancelled as it has already been {status_of(word)}."
        case no.MoveNotAllowed(_, current, target):
            here, there = status_of(current), status_of(target)
            return f"Order {order} cannot be changed from {here} to {there}."
        case no.AddressFixed(_, current):
            return f"Order {order} cannot be changed as it is {status_of(current)}."
        case no.LineNotOpen(_, line_id, state):
            item = format_item(line_id)
            return f"Item {item} of order {order} cannot be changed as it is {state}."
        case no.NothingToRefund():
            return f"Order {order} has no payment that can be refunded."
        case no.NothingToVoid():
            return f"Order {order} has no authorised payment that can be voided."
        case no.NotPayable(_, current):
            return f"Order {order} cannot be paid as it is {status_of(current)}."
        case _:
            assert_never(reason)
