"""The SDK's HTTP client for Stripe: asynchronous, bounded, and telling nothing of this machine.

Imported with the first call to Stripe: the SDK takes 30 MB and a sixth of a second.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

import httpx
import stripe

from openorders import __version__

CONNECT_S: Final = 4.0
ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
"""A page of a hundred payments has half a megabyte."""

_CONNECTIONS_MAX: Final = 50
_ABOUT_US: Final = f"openorders/{__version__} Stripe/v1 PythonBindings/{stripe.VERSION}"
_READ: Final = ("request-id", "idempotent-replayed", "stripe-should-retry", "retry-after")

stripe.enable_telemetry = False
logging.getLogger("stripe").setLevel(logging.WARNING)
"""It would tell of every request, and of every decline."""


class BoundedClient(stripe.HTTPClient):
    """Sends what the SDK wants sent. No proxies, no redirects, no answer larger than allowed."""

    name = "httpx"

    def __init__(self, answer_s: float) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - of a test of its own
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(answer_s, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=_CONNECTIONS_MAX),
            trust_env=False,
        )

    async def request_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,  # noqa: ANN401 - the SDK's own signature
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request. Raises `stripe.APIConnectionError`, as the SDK expects it."""
        sent = {name: value for name, value in headers.items() if not name.startswith("X-Stripe-")}
        sent["User-Agent"] = _ABOUT_US
        body = bytearray()
        try:
            async with self._client.stream(
                method, url, headers=sent, content=post_data or None
            ) as answer:
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        raise stripe.APIConnectionError("the answer is too large")
        except httpx.HTTPError as error:
            problem = f"{type(error).__name__}: {error}"
            raise stripe.APIConnectionError(problem, should_retry=True) from error
        kept = httpx.Headers(
            {name: answer.headers[name] for name in _READ if name in answer.headers}
        )
        return bytes(body), answer.status_code, kept

    async def sleep_async(self, secs: float) -> None:
        """The pause between two tries."""
        await asyncio.sleep(secs)

    async def close_async(self) -> None:
        """Close the connections."""
        await self._client.aclose()
