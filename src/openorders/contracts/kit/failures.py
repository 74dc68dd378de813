"""From anything that was raised to an answer in the contract's own words.

The three kinds stay apart: refusals and unreadable requests are answers, faults are reported and
say nothing, and expected weather (a database that is away) is 503.
"""

from collections.abc import Callable
from typing import Final

from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from openorders.contracts.kit.contract import Contract, Rendered
from openorders.contracts.kit.unreadable import BodyTooLarge, BodyTooSlow, NoSuch, Unreadable
from openorders.contracts.kit.values import encode
from openorders.domain.refusals import (
    KeyInFlight,
    NotAuthenticated,
    Overloaded,
    PaymentInProgress,
    PaymentUnsettled,
    Reason,
    Refused,
)
from openorders.usecases.answers import Answer

_CHALLENGE: Final = ("WWW-Authenticate", 'Bearer realm="openorders"')
_CLOSE: Final = ("Connection", "close")
_RETRY_SOON: Final = ("Retry-After", "1")


def answer_of(rendered: Rendered, *more: tuple[str, str]) -> Answer:
    """The rendered failure as an answer, with further headers."""
    body = b"" if rendered.body is None else encode(rendered.body)
    return Answer(status=rendered.status, body=body, headers=(*rendered.headers, *more))


def answer_refusal(contract: Contract, reason: Reason) -> Answer:
    """The refusal in the contract's words. Pure: the idempotency machinery keeps what it gives."""
    rendered = contract.render(reason)
    match reason:
        case NotAuthenticated():
            return answer_of(rendered, _CHALLENGE)
        case Overloaded(retry_after_s=seconds):
            return answer_of(rendered, ("Retry-After", str(seconds)))
        case KeyInFlight() | PaymentInProgress() | PaymentUnsettled():
            return answer_of(rendered, _RETRY_SOON)
        case _:
            return answer_of(rendered)


def answer_failure(
    contract: Contract,
    error: Exception,
    *,
    is_weather: Callable[[Exception], bool],
    report: Callable[[Exception], None],
) -> Answer:
    """The failure in the contract's words. Faults are reported and say nothing."""
    status = contract.render_status
    match error:
        case Refused(reason=reason):
            return answer_refusal(contract, reason)
        case Unreadable():
            return answer_of(contract.render_unreadable(error))
        case NoSuch():
            return answer_of(contract.render_unknown(error))
        case BodyTooLarge():
            return answer_of(status(413), _CLOSE)
        case BodyTooSlow():
            return answer_of(status(408), _CLOSE)
        case NotFoundException():
            return answer_of(status(404))
        case MethodNotAllowedException():
            return answer_of(status(405), ("Allow", allowed(error)))
        case HTTPException(status_code=400):
            return answer_of(contract.render_unreadable(_bad_host()))
        case _ if is_weather(error):
            return answer_of(status(503), _RETRY_SOON)
        case _:
            report(error)
            return answer_of(status(500))


def allowed(error: MethodNotAllowedException) -> str:
    """The methods that the path has, for the `Allow` header."""
    headers = error.headers or {}
    return ", ".join(sorted(headers.get("allow", "").split(", ")))


def _bad_host() -> Unreadable:
    return Unreadable("Host", "must be a host name", "header")
