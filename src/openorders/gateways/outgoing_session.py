"""Sending for `gateways/outgoing.py`: the one module that knows the library that does it.

Imported late: processes that only answer requests never load it.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, ip_address
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from openorders.gateways.outgoing import (
    ANSWER_BYTES_MAX,
    ANSWER_KEPT,
    REDIRECTS_MAX,
    Answered,
    OutgoingForbidden,
    Resolve,
    Rules,
    checked,
)

CONNECT_S: Final = 5.0
"""How long connecting to a host may take, once its address is known."""
IDLE_S: Final = 4.0
"""How long a connection is kept for the next request: less than what most servers do."""
LOOK_UPS_MAX: Final = 32
"""How many host names are looked up at once; a slow one holds up none but its own requests."""

_SAME_REQUEST: Final = frozenset({307, 308})
_RETRY_AFTER_DIGITS: Final = 9
_AGENT: Final = "openorders"


class ForbiddenAddressError(OSError):
    """The host has an address that no request may go to."""


class Resolver(AbstractResolver):
    """Gives only addresses that may be used, and none at all when one of them may not."""

    def __init__(self, rules: Rules, resolve: Resolve | None) -> None:
        self._rules = rules
        self._resolve = resolve or self._ask_the_system
        self._threads = ThreadPoolExecutor(LOOK_UPS_MAX, thread_name_prefix="look-up")

    async def addresses(self, host: str, port: int) -> list[str]:
        """All addresses of a host. Raises `OutgoingForbidden`; OSError when there are none."""
        found = await self._resolve(host, port)
        if not found:
            raise OSError("the host has no address")
        if not all(self._rules.allow(ip_address(one)) for one in found):
            raise OutgoingForbidden("The host has an address that is not a public one.")
        return found

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the library's signature
    ) -> list[ResolveResult]:
        try:
            found = await self.addresses(host, port)
        except OutgoingForbidden as error:
            raise ForbiddenAddressError(str(error)) from None
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET if _is_v4(one) else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for one in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask_the_system(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads,
            lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM),
        )
        return [str(one[4][0]) for one in found]


@asynccontextmanager
async def session(
    rules: Rules, resolve: Resolve | None, *, connections: int
) -> "AsyncGenerator[_Session, None]":
    """A pool of connections for as long as inside."""

    def open_socket(where: Any) -> socket.socket:  # noqa: ANN401 - the library's five facts of an address
        # The last place before a connection: whatever led here, it leads to no other address.
        if not rules.allow(ip_address(where[4][0])):
            raise ForbiddenAddressError("The address is not a public one.")
        return socket.socket(where[0], where[1], where[2])

    connector = aiohttp.TCPConnector(
        resolver=Resolver(rules, resolve),
        socket_factory=open_socket,
        limit=connections,
        ttl_dns_cache=10,
        keepalive_timeout=IDLE_S,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        trust_env=False,
        auto_decompress=False,
        read_bufsize=16 * 1024,
        skip_auto_headers=("Accept", "Accept-Encoding"),
        headers={"User-Agent": _AGENT, "Accept-Encoding": "identity"},
    ) as client:
        yield _Session(client, rules)


class _Session:
    def __init__(self, client: aiohttp.ClientSession, rules: Rules) -> None:
        self._client = client
        self._rules = rules

    async def __call__(
        self, url: str, headers: dict[str, str], body: bytes, *, now: datetime
    ) -> Answered:
        until = asyncio.get_running_loop().time() + self._rules.timeout_s
        try:
            target = checked(url, self._rules)
            answered, onward = await self._post(target, headers, body, now, until)
            for _ in range(REDIRECTS_MAX if self._rules.allow_redirects else 0):
                if onward is None:
                    break
                target = checked(str(target.join(URL(onward))), self._rules)
                answered, onward = await self._post(target, headers, body, now, until)
        except OutgoingForbidden as error:
            return _nothing(str(error))
        except TimeoutError:
            return _nothing(f"no answer within {self._rules.timeout_s:g} s", timed_out=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _nothing(_said(error))
        return answered

    async def _post(
        self, url: URL, headers: dict[str, str], body: bytes, now: datetime, until: float
    ) -> tuple[Answered, str | None]:
        """The answer, and where it redirects to if that can be followed with the same body."""
        async with asyncio.timeout_at(until):
            response = await self._client.post(
                url, data=body, headers=headers, allow_redirects=False
            )
        async with response:
            answered = await _read(response, now, until)
        moved = response.status in _SAME_REQUEST
        return answered, response.headers.get("Location") if moved else None


async def _read(response: aiohttp.ClientResponse, now: datetime, until: float) -> Answered:
    """Read as much of an answer as is wanted; what breaks it off is told beside its status."""
    parts = bytearray()
    failure = None
    timed_out = False
    try:
        async with asyncio.timeout_at(until):
            while len(parts) <= ANSWER_BYTES_MAX and (part := await response.content.readany()):
                parts += part
    except TimeoutError:
        failure, timed_out = "the answer did not end in time", True
    except (aiohttp.ClientError, OSError) as error:
        failure = f"the answer was cut off: {_said(error)}"
    if failure is not None or len(parts) > ANSWER_BYTES_MAX:
        response.close()
    elif 300 <= response.status < 400:  # noqa: PLR2004 - HTTP's
        failure = "redirects are not followed"
    text = parts[: 4 * ANSWER_KEPT].decode("utf-8", "replace").replace("\x00", "\ufffd")
    return Answered(
        status=response.status,
        complete=failure is None,
        text=text[:ANSWER_KEPT],
        retry_after_s=_seconds(response.headers.get("Retry-After"), now),
        failure=failure,
        timed_out=timed_out,
    )


def _seconds(retry_after: str | None, now: datetime) -> int | None:
    """`Retry-After` in seconds from now, whether it came as a number or as a date."""
    if retry_after is None:
        return None
    given = retry_after.strip()
    if given.isascii() and given.isdigit():
        return int(given[:_RETRY_AFTER_DIGITS])
    try:
        at = parsedate_to_datetime(given)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        return None
    return max(0, round((at - now).total_seconds()))


def _nothing(failure: str, *, timed_out: bool = False) -> Answered:
    return Answered(status=None, complete=False, text="", failure=failure, timed_out=timed_out)


def _said(error: Exception) -> str:
    """What went wrong, for people, without addresses of ours."""
    match error:
        case aiohttp.ClientConnectorDNSError(os_error=ForbiddenAddressError() as forbidden):
            return str(forbidden)
        case aiohttp.ClientConnectorDNSError():
            return "the host was not found"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "no secure connection: the certificate or the protocol was refused"
        case aiohttp.ClientConnectorError(os_error=ForbiddenAddressError() as forbidden):
            return str(forbidden)
        case aiohttp.ClientConnectorError():
            return f"no connection: {error.os_error.strerror or type(error.os_error).__name__}"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed without an answer"
        case aiohttp.ServerTimeoutError():
            return f"no connection within {CONNECT_S:g} s"
        case ssl.SSLError():
            return "no secure connection"
        case _:
            return type(error).__name__


def _is_v4(address: str) -> bool:
    return isinstance(ip_address(address), IPv4Address)
