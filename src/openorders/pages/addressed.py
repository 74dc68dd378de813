"""Everything that is opened by an address nobody can guess, or by a signature, not by a key: the
pay page, the sandbox's pages, and where gateways send their notices.
"""

from collections.abc import Callable
from typing import Any, Final

from openorders.asgi import Application, Receive, Scope, Send
from openorders.pages.notices import notice_application
from openorders.pages.pay import pay_application
from openorders.pages.sandbox import sandbox_application
from openorders.usecases.context import Services

PREFIXES: Final = ("/pay/", "/sandbox/", "/notices/")
"""The paths that are answered here, on every host."""


def addressed_application(
    services: Services, is_weather: Callable[[Exception], bool]
) -> Application:
    """One application for all of `PREFIXES`; `is_weather` knows what passes by itself."""
    responsible: dict[str, Any] = {
        "/pay/": pay_application(services, is_weather),
        "/sandbox/": sandbox_application(services, is_weather),
        "/notices/": notice_application(services, is_weather),
    }

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        prefix = next((one for one in PREFIXES if scope["path"].startswith(one)), PREFIXES[0])
        await responsible[prefix](scope, receive, send)

    return answer
