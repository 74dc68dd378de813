"""Where gateways send their notices: `POST /notices/{store}/{gateway}`.

The body is read as it came, since its signature is over its bytes. The signature is the only
credential. Answered as soon as the effect is written; what follows from it is done afterwards.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from litestar import Litestar, Request, Response, post
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from openorders import logs
from openorders.domain.ids import ID_MAX, StoreId
from openorders.usecases.context import Services
from openorders.usecases.notices import (
    NOTICE_BYTES_MAX,
    NoticeUnread,
    NoticeUnsettled,
    UnknownAccount,
    follow_up,
    take_notice,
)

NOTICES_PATH: Final = "/notices/{store:str}/{gateway:str}"

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_log = logs.Logger(__name__)


def notice_application(services: Services, is_weather: Callable[[Exception], bool]) -> Litestar:
    """The addresses below `/notices/` as an application of their own.

    `is_weather` knows the failures that pass by themselves: the gateway is to send again.
    """

    @post(NOTICES_PATH, request_max_body_size=NOTICE_BYTES_MAX, status_code=HTTPStatus.OK)
    async def take(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
        store_id = _store_id(request.path_params["store"])
        gateway = request.path_params["gateway"]
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.body()
        store, operations = await take_notice(services, store_id, gateway, headers, body)
        later = BackgroundTask(follow_up, services, store, operations) if operations else None
        return Response({"received": "yes"}, headers=dict(_HEADERS), background=later)

    def problem(_request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
        return _problem(error, weather=is_weather(error))

    return Litestar(
        route_handlers=[take],
        exception_handlers=cast("ExceptionHandlersMap", {Exception: problem}),
        openapi_config=None,
        logging_config=None,
    )


def _store_id(text: str) -> StoreId:
    if text.isascii() and text.isdecimal() and len(text) <= len(str(ID_MAX)):
        return StoreId(min(int(text), ID_MAX))
    raise UnknownAccount


def _problem(error: Exception, *, weather: bool) -> Response[dict[str, str]]:
    headers: Mapping[str, str] = {}
    match error:
        case UnknownAccount():
            status, sentence = HTTPStatus.NOT_FOUND, "There is no such store or gateway."
        case NoticeUnread():
            status, sentence = HTTPStatus.BAD_REQUEST, str(error)
        case HTTPException():
            status = HTTPStatus(error.status_code)
            sentence, headers = status.phrase, error.headers or {}
        case _ if weather or isinstance(error, NoticeUnsettled):
            status, sentence = HTTPStatus.SERVICE_UNAVAILABLE, "Send it again in a moment."
            headers = {"Retry-After": "5"}
        case _:
            _log.error("notice_failed", exc_info=error)
            status, sentence = HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error."
    return Response({"error": sentence}, status_code=status, headers={**_HEADERS, **headers})
