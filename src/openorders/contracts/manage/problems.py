"""The problems that the management API can tell of: their types, in one table.

The page at `PAGE` explains each; a problem's `type` leads to its line there.
"""

from typing import Final

from msgspec import Struct

PAGE: Final = "/problems"
"""Where the server explains them, at its root and on every host name of its own."""

QUOTA_TYPE: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""The one that everybody shares (draft-ietf-httpapi-ratelimit-headers)."""


class ProblemType(Struct, frozen=True):
    """A kind of problem. `means` says what happened and what to do about it."""

    slug: str
    status: int
    title: str
    means: str

    @property
    def uri(self) -> str:
        """The problem's `type`, relative to the server."""
        return QUOTA_TYPE if self is QUOTA_EXCEEDED else f"{PAGE}#{self.slug}"


def _type(slug: str, status: int, title: str, means: str) -> ProblemType:
    problem = ProblemType(slug, status, title, means)
    ALL.append(problem)
    return problem


ALL: Final[list[ProblemType]] = []
"""Every problem type, in the order of the page."""

INVALID_REQUEST: Final = _type(
    "invalid-request",
    400,
    "The request cannot be read",
    "A field, a parameter or a header is missing, unknown or not what it can be; `errors` says "
    "which, a field by its JSON pointer. Nothing was changed.",
)
INVALID_AMOUNT: Final = _type(
    "invalid-amount",
    422,
    "The amount is not possible",
    "It is zero, finer than the currency, or more than is owed, reserved or can be given back.",
)
NOT_AUTHENTICATED: Final = _type(
    "not-authenticated",
    401,
    "A credential is needed",
    "No API key came with the request, or one that is unknown, revoked or expired.",
)
NOT_PERMITTED: Final = _type(
    "not-permitted",
    403,
    "The credential is not for this",
    "Most of this API is for keys of the role `admin`; `service` may read events and payments.",
)
NOT_FOUND: Final = _type(
    "not-found",
    404,
    "There is no such thing",
    "The path leads nowhere, or what it names is not there, or it is another store's.",
)
METHOD_NOT_ALLOWED: Final = _type(
    "method-not-allowed",
    405,
    "The path does not take that method",
    "The header `Allow` lists those that it takes.",
)
REQUEST_TIMEOUT: Final = _type(
    "request-timeout",
    408,
    "The request did not arrive in time",
    "Its body took too long; nothing was changed.",
)
TOO_LARGE: Final = _type(
    "too-large", 413, "The request is too large", "Its body is longer than this server reads."
)
VERSION_DIFFERS: Final = _type(
    "version-differs",
    412,
    "The order was changed meanwhile",
    "Its version is none of those that `If-Match` names. Read it again and decide anew.",
)
KEY_REUSED: Final = _type(
    "idempotency-key-reused",
    422,
    "The idempotency key was used for another request",
    "A key stands for one request; use a new one for this.",
)
KEY_IN_FLIGHT: Final = _type(
    "idempotency-key-in-flight",
    409,
    "The first request is still in progress",
    "Ask again with the same key after `Retry-After`, and get the answer of the first.",
)
QUOTA_EXCEEDED: Final = _type(
    "quota-exceeded",
    429,
    "Too many requests",
    "The credential has used up its requests of this minute; the headers `RateLimit` and "
    "`Retry-After` say when there are more.",
)
ALREADY_PAID: Final = _type(
    "already-paid", 409, "Nothing is owed", "The order is paid, or its money is reserved."
)
NOT_PAYABLE: Final = _type(
    "not-payable", 409, "The order has ended", "No money is taken for it any more."
)
PAYMENT_IN_PROGRESS: Final = _type(
    "payment-in-progress",
    409,
    "A payment is in progress",
    "Another attempt to pay the order waits for its gateway. Ask again after `Retry-After`.",
)
PAYMENT_DECLINED: Final = _type(
    "payment-declined",
    402,
    "The gateway said no",
    "No money moved. `declineCode` says why, as far as a buyer may know.",
)
PAYMENT_UNSETTLED: Final = _type(
    "payment-unsettled",
    503,
    "The gateway has not answered",
    "Whether money moved is not known yet, and is being found out. Ask again with the same "
    "`Idempotency-Key`; another request could not do it twice either.",
)
UNKNOWN_GATEWAY: Final = _type(
    "unknown-gateway",
    422,
    "The store has no such gateway",
    "Or the gateway cannot do what was asked of it, such as show a page for paying.",
)
UNKNOWN_LINE: Final = _type(
    "unknown-line", 422, "The order has no such line", "`GET /v1/orders/{id}` shows its lines."
)
NOTHING_TO_REFUND: Final = _type(
    "nothing-to-refund",
    409,
    "There is nothing to give back",
    "Nothing was captured, or all of it is back or on its way.",
)
NOTHING_TO_VOID: Final = _type(
    "nothing-to-void",
    409,
    "Nothing is reserved",
    "Money that was captured is refunded, not voided.",
)
NOTHING_TO_CAPTURE: Final = _type(
    "nothing-to-capture",
    409,
    "Nothing is reserved to be captured",
    "The payment was captured, declined or voided, or waits for its buyer.",
)
LINE_NOT_OPEN: Final = _type(
    "line-not-open",
    409,
    "The line does not allow it",
    "It was shipped or cancelled, or has not been shipped yet.",
)
EVENTS_FORGOTTEN: Final = _type(
    "events-forgotten",
    410,
    "The events are no longer kept",
    "The cursor is older than the oldest event. Start from `oldest`, and read the orders "
    "themselves for what came before.",
)
URL_REFUSED: Final = _type(
    "url-refused",
    422,
    "The URL is not allowed",
    "Webhooks go to public https addresses, unless the operator allows others.",
)
UNKNOWN_CONTRACT: Final = _type(
    "unknown-contract",
    422,
    "No contract has that name",
    "Events are written in the words of one of the five documented contracts.",
)
TOO_MANY: Final = _type(
    "too-many", 409, "There are too many of them", "Remove one that is no longer used."
)
ENDPOINT_OFF: Final = _type(
    "endpoint-off",
    409,
    "The endpoint is switched off",
    "Switch it on before deliveries are asked for again.",
)
NOT_POSSIBLE: Final = _type(
    "not-possible", 409, "That is not possible now", "The state of the order does not allow it."
)
OVERLOADED: Final = _type(
    "unavailable",
    503,
    "The service is not available right now",
    "Ask again after `Retry-After`; with an `Idempotency-Key` nothing happens twice.",
)
INTERNAL: Final = _type(
    "internal-error",
    500,
    "Something went wrong on our side",
    "The operator finds it in the log by `instance`.",
)

BY_STATUS: Final = {
    404: NOT_FOUND,
    405: METHOD_NOT_ALLOWED,
    408: REQUEST_TIMEOUT,
    413: TOO_LARGE,
    429: QUOTA_EXCEEDED,
    503: OVERLOADED,
}
"""What happens before or beside every use case."""
