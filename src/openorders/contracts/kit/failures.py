"""From anything that was raised to an answer in the contract's own words.

The three kinds stay apart: refusals and unreadable requests are answers, faults are reported and
say nothing, and expected weather (a database that is away) is 503.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from openorders.contracts.kit.contract import JSON, Contract, Rendered
from openorders.contracts.kit.unreadable import (
    BodyTooLarge,
    BodyTooSlow,
    NoSuch,
    OverQuota,
    Unreadable,
)
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


def answer_refusal(contract: Contract, reason: Reason, request_id: str) -> Answer:
    """The refusal in the contract's words. Pure: the idempotency machinery keeps what it gives."""
    rendered = contract.render(reason)
    match reason:
        case NotAuthenticated():
            return _answer(contract, request_id, rendered, _CHALLENGE)
        case Overloaded(retry_after_s=seconds):
            return _answer(contract, request_id, rendered, ("Retry-After", str(seconds)))
        case KeyInFlight() | PaymentInProgress() | PaymentUnsettled():
            return _answer(contract, request_id, rendered, _RETRY_SOON)
        case _:
            return _answer(contract, request_id, rendered)


def _answer(
    contract: Contract, request_id: str, rendered: Rendered, *more: tuple[str, str]
) -> Answer:
    """The rendered failure as an answer, with further headers."""
    if contract.sign is not None:
        rendered = contract.sign(rendered, request_id)
    body = b"" if rendered.body is None else encode(rendered.body)
    headers = (*rendered.headers, *more)
    if contract.failure_media != JSON:
        headers = (("Content-Type", contract.failure_media), *headers)
    return Answer(status=rendered.status, body=body, headers=headers)


def answer_failure(
    contract: Contract,
    error: Exception,
    request_id: str,
    *,
    is_weather: Callable[[Exception], bool],
    report: Callable[[Exception], None],
) -> Answer:
    """The failure in the contract's words. Faults are reported and say nothing."""
    status = contract.render_status
    answer_of = partial(_answer, contract, request_id)
    match error:
        case Refused(reason=reason):
            return answer_refusal(contract, reason, request_id)
        case Unreadable():
            return answer_of(contract.render_unreadable(error))
        case NoSuch():
            return answer_of(contract.render_unknown(error))
        case BodyTooLarge():
            return answer_of(status(413), _CLOSE)
        case BodyTooSlow():
            return answer_of(status(408), _CLOSE)
        case OverQuota(retry_after_s=seconds):
            return answer_of(status(429), ("Retry-After", str(seconds)))
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
