"""How the management API says no: problem details (RFC 9457), of the types in `problems.py`."""

import re
from typing import Any, Final, assert_never, cast

import msgspec

from openorders.contracts import kit
from openorders.contracts.kit import NoSuch, Rendered, Unreadable
from openorders.contracts.kit.quotas import POLICY
from openorders.contracts.kit.unreadable import BODY
from openorders.contracts.manage import cursors, ids
from openorders.contracts.manage import problems as kind
from openorders.contracts.manage.problems import ProblemType
from openorders.contracts.manage.schemas import Fault, Problem
from openorders.domain import refusals as no
from openorders.domain.money import to_decimal
from openorders.domain.refusals import Reason

MEDIA_TYPE: Final = "application/problem+json"

_STEP: Final = re.compile(r"[^.\[\]]+")


def render(reason: Reason) -> Rendered:
    """The problem of a refusal."""
    match reason:
        case no.PaymentDeclined(code, message):
            return _problem(kind.PAYMENT_DECLINED, message, decline_code=code)
        case no.EventsForgotten(oldest):
            cursor = kit.write_cursor(cursors.EVENTS, oldest - 1)
            return _problem(
                kind.EVENTS_FORGOTTEN, "What came after the cursor is not kept.", oldest=cursor
            )
        case no.NotAuthenticated():
            return _problem(kind.NOT_AUTHENTICATED, "The credential is missing, wrong or expired.")
        case no.NotPermitted(what):
            return _problem(kind.NOT_PERMITTED, f"This credential may not {what}.")
        case no.KeyReused():
            return _problem(kind.KEY_REUSED, kind.KEY_REUSED.means)
        case no.KeyInFlight():
            return _problem(kind.KEY_IN_FLIGHT, kind.KEY_IN_FLIGHT.means)
        case no.Overloaded():
            return _problem(kind.OVERLOADED, kind.OVERLOADED.means)
        case no.OfManagement():
            return _problem(*_said_of_management(reason), **_at_fault(reason))
        case _:
            return _problem(*_said(reason), **_at_fault(reason))


def render_unreadable(problem: Unreadable) -> Rendered:
    """Which field, and what is wrong with it."""
    fault = Fault(detail=problem.problem)
    match problem.where:
        case "body":
            fault.pointer = _pointer(problem.field)
        case "header":
            fault.header = problem.field
        case "query" | "path":
            fault.parameter = problem.field
    return _problem(kind.INVALID_REQUEST, f"{problem}.", errors=[fault])


def render_unknown(thing: NoSuch) -> Rendered:
    """An identifier that names nothing, in the text as it was sent."""
    return _problem(kind.NOT_FOUND, f"There is no {thing.kind} {thing.text}.")


def render_status(status: int) -> Rendered:
    """What happens before or beside every use case."""
    found = kind.BY_STATUS.get(status, kind.INTERNAL)
    if found is kind.QUOTA_EXCEEDED:
        return _problem(found, found.means, violated=[POLICY])
    return _problem(found, found.means)


def sign(rendered: Rendered, request_id: str) -> Rendered:
    """The problem with the name of its occurrence: the request's id."""
    instance = f"/requests/{request_id}"
    body = msgspec.structs.replace(cast("Problem", rendered.body), instance=instance)
    return Rendered(rendered.status, body, rendered.headers)


def _problem(found: ProblemType, detail: str, **members: object) -> Rendered:
    body = Problem(
        type=found.uri,
        title=found.title,
        status=found.status,
        detail=detail,
        **cast("dict[str, Any]", members),
    )
    return Rendered(found.status, body)


def _pointer(field: str) -> str:
    """`lines[0].lineId` as `#/lines/0/lineId`; the body as a whole is `#`."""
    if field == BODY:
        return "#"
    steps = [step.replace("~", "~0").replace("/", "~1") for step in _STEP.findall(field)]
    return "#/" + "/".join(steps)


def _at_fault(reason: Reason) -> dict[str, object]:
    """The field of the body that a refusal is about, where it is about one."""
    match reason:
        case no.AmountNotOwed(of="shipping"):
            field, detail = "shippingAmount", "is not what can be given back"
        case no.AmountNotOwed(finer=True):
            field, detail = "amount", "has finer parts than its currency"
        case no.AmountNotOwed():
            field, detail = "amount", "is not what is possible"
        case no.UnknownGateway():
            field, detail = "gateway", "is none of the store's that does this"
        case no.LineNotFound() | no.LineNotOpen() | no.UnitsNotLeft():
            field, detail = "lines", "has a line that does not allow it"
        case no.EndpointUrlRefused(problem):
            field, detail = "url", problem
        case no.UnknownContract():
            field, detail = "contract", "is none that writes orders"
        case _:
            return {}
    return {"errors": [Fault(detail=detail, pointer=_pointer(field))]}


def _no(what: str) -> tuple[ProblemType, str]:
    return kind.NOT_FOUND, f"There is no {what}."


_OfManagement = (
    no.PaymentNotFound
    | no.RefundNotFound
    | no.MethodNotFound
    | no.NothingToCapture
    | no.UnitsNotLeft
    | no.EventNotFound
    | no.EndpointNotFound
    | no.DeliveryNotFound
    | no.EndpointUrlRefused
    | no.UnknownContract
    | no.TooManyEndpoints
    | no.EndpointIsOff
    | no.KeyNotFound
)


def _said_of_management(reason: _OfManagement) -> tuple[ProblemType, str]:
    match reason:
        case no.PaymentNotFound(payment_id):
            return _no(f"payment {ids.PAYMENT.format(payment_id)}")
        case no.RefundNotFound(refund_id):
            return _no(f"refund {ids.REFUND.format(refund_id)}")
        case no.MethodNotFound(method_id):
            return _no(f"payment method {ids.METHOD.format(method_id)}")
        case no.EventNotFound(event_id):
            return _no(f"event {ids.EVENT.format(event_id)}")
        case no.EndpointNotFound(endpoint_id):
            return _no(f"webhook endpoint {ids.ENDPOINT.format(endpoint_id)}")
        case no.DeliveryNotFound(endpoint_id, event_id):
            endpoint, event = ids.ENDPOINT.format(endpoint_id), ids.EVENT.format(event_id)
            return _no(f"delivery of {event} to {endpoint}")
        case no.KeyNotFound(key_id):
            return _no(f"key {ids.KEY.format(key_id)}")
        case no.NothingToCapture(payment_id):
            payment = ids.PAYMENT.format(payment_id)
            return kind.NOTHING_TO_CAPTURE, f"Payment {payment} has nothing to be captured."
        case no.UnitsNotLeft(_, line_id, left):
            return kind.INVALID_AMOUNT, f"Line {ids.LINE.format(line_id)} has {left} units left."
        case no.EndpointUrlRefused(problem):
            return kind.URL_REFUSED, problem
        case no.UnknownContract(name):
            return kind.UNKNOWN_CONTRACT, f"No contract {name!r} writes orders."
        case no.TooManyEndpoints(most):
            return kind.TOO_MANY, f"A store has at most {most} webhook endpoints."
        case no.EndpointIsOff(endpoint_id):
            return kind.ENDPOINT_OFF, f"Endpoint {ids.ENDPOINT.format(endpoint_id)} is off."
        case _:
            assert_never(reason)


_OfOrders = (
    no.OrderNotFound
    | no.LineNotFound
    | no.CustomerNotFound
    | no.UnknownGateway
    | no.LineNotOpen
    | no.NothingToRefund
    | no.NothingToVoid
    | no.AlreadyPaid
    | no.NotPayable
    | no.PaymentInProgress
    | no.AmountNotOwed
    | no.PaymentUnsettled
    | no.VersionDiffers
    | no.ProductNotFound
    | no.VariantNotFound
    | no.NotAvailable
    | no.OutOfStock
    | no.PriceDiffers
    | no.UnknownDiscountCode
    | no.UnknownShippingMethod
    | no.AmountTooLarge
    | no.TooLateToCancel
    | no.MoveNotAllowed
    | no.AddressFixed
    | no.QueryTooExpensive
    | no.QueryFailed
)


def _said(reason: _OfOrders) -> tuple[ProblemType, str]:
    match reason:
        case no.OrderNotFound(order_id):
            return _no(f"order {ids.ORDER.format(order_id)}")
        case no.LineNotFound(order_id, line_id):
            line, order = ids.LINE.format(line_id), ids.ORDER.format(order_id)
            return kind.UNKNOWN_LINE, f"Order {order} has no line {line}."
        case no.CustomerNotFound(customer_id):
            return _no(f"customer {ids.CUSTOMER.format(customer_id)}")
        case no.UnknownGateway(name):
            return kind.UNKNOWN_GATEWAY, f"The store has no gateway {name!r} that does this."
        case no.LineNotOpen(_, line_id, state):
            return kind.LINE_NOT_OPEN, f"Line {ids.LINE.format(line_id)} is {state}."
        case no.AmountNotOwed(minor_digits=digits, finer=True):
            most = f"at most {digits}" if digits else "no"
            return kind.INVALID_AMOUNT, f"The amount may have {most} digits after the point."
        case no.AmountNotOwed(asked, owed, digits):
            wanted, possible = to_decimal(asked, digits), to_decimal(owed, digits)
            return kind.INVALID_AMOUNT, f"{wanted} was asked for; {possible} is possible."
        case no.VersionDiffers(order_id, version):
            order = ids.ORDER.format(order_id)
            return kind.VERSION_DIFFERS, f"Order {order} is now of version {version}."
        case no.NotPayable(order_id, current):
            return kind.NOT_PAYABLE, f"Order {ids.ORDER.format(order_id)} is {current}."
        case no.AlreadyPaid(order_id):
            return kind.ALREADY_PAID, f"Nothing is owed for order {ids.ORDER.format(order_id)}."
        case no.PaymentInProgress():
            return kind.PAYMENT_IN_PROGRESS, kind.PAYMENT_IN_PROGRESS.means
        case no.PaymentUnsettled():
            return kind.PAYMENT_UNSETTLED, kind.PAYMENT_UNSETTLED.means
        case no.NothingToRefund():
            return kind.NOTHING_TO_REFUND, kind.NOTHING_TO_REFUND.means
        case no.NothingToVoid():
            return kind.NOTHING_TO_VOID, kind.NOTHING_TO_VOID.means
        case _:
            # Of placing and moving orders, which is the documented contracts' part.
            return kind.NOT_POSSIBLE, kind.NOT_POSSIBLE.means
