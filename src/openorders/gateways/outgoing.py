"""Requests to addresses that customers chose: what is allowed, and what came of one.

A URL is a customer's way into our network unless somebody stands in it. So the URL's form is
checked, every address its host has is checked each time, the connection goes to an address that
was checked and to no other, no redirect is followed and no proxy asked. The library that sends is
imported when the first request is about to be sent.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from openorders.gateways.outgoing_addresses import Reach, reach_of

if TYPE_CHECKING:
    from yarl import URL

URL_LENGTH_MAX: Final = 2_000
ANSWER_BYTES_MAX: Final = 64 * 1024
"""More of an answer than this is not read; its status counts all the same."""
ANSWER_KEPT: Final = 1_024
"""How many characters of an answer are told."""
REDIRECTS_MAX: Final = 3
"""How many redirects are followed where the operator allows any."""

_ORDINARY_PORTS: Final = frozenset({80, 443})
_FIRST_USER_PORT: Final = 1_024
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""All addresses of a host, as text; OSError when it has none."""


class OutgoingForbidden(Exception):
    """No request may go there; the message is a sentence for whoever chose the URL."""


class Rules(Struct, frozen=True, kw_only=True):
    """What the operator allows. `timeout_s` is for a whole request with its answer."""

    allow_private: bool = False
    allow_http: bool = False
    allow_redirects: bool = False
    timeout_s: float = 15.0

    def allow(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether a request may go to this address."""
        reach = reach_of(address)
        return reach is Reach.PUBLIC or (self.allow_private and reach is Reach.INTERNAL)


class Answered(Struct, frozen=True, kw_only=True):
    """What came of a request. No `status`: no answer came, and `failure` says why.

    `complete` tells whether the whole answer came in time, as far as we read it. `text` is the
    first part of it; `retry_after_s` what it asked for, if it was understood.
    """

    status: int | None
    complete: bool
    text: str
    retry_after_s: int | None = None
    failure: str | None = None
    timed_out: bool = False


class Post(Protocol):
    """Sends one request after another, over connections that are kept for a while."""

    async def __call__(
        self, url: str, headers: dict[str, str], body: bytes, *, now: datetime
    ) -> Answered:
        """Send and wait for the answer. Never raises for what others do wrong."""
        ...


Watch = Callable[[str, float], None]
"""Is told the result of each request, in one of few words, and how many seconds it took."""


class Outgoing:
    """The way out. `resolve` replaces the system's resolver in tests; `watch` may be set by who
    keeps figures.
    """

    def __init__(self, rules: Rules | None = None, *, resolve: Resolve | None = None) -> None:
        self.rules = rules or Rules()
        self.watch: Watch = _nobody
        self._resolve = resolve

    async def refuse_forbidden(self, url: str) -> None:
        """Raise `OutgoingForbidden` for a URL that no request may go to, as far as that can be
        told now: a host that cannot be found now may be found later.
        """
        from openorders.gateways.outgoing_session import Resolver

        parsed = checked(url, self.rules)
        resolver = Resolver(self.rules, self._resolve)
        try:
            await resolver.addresses(parsed.host or "", parsed.port or 0)
        except OSError:
            return
        finally:
            await resolver.close()

    @asynccontextmanager
    async def session(self, *, connections: int) -> AsyncGenerator[Post, None]:
        """Open the way for as long as inside, with so many connections at most."""
        from openorders.gateways.outgoing_session import session

        async with session(self.rules, self._resolve, connections=connections) as post:
            yield post


def _nobody(_result: str, _seconds: float) -> None: ...


def checked(url: str, rules: Rules) -> "URL":
    """The URL as it will be used, if its form allows that. Raises `OutgoingForbidden`.

    Read by the parser of the library that sends, so that both see the same host in it.
    """
    from yarl import URL

    if len(url) > URL_LENGTH_MAX or not _PRINTABLE.fullmatch(url):
        raise OutgoingForbidden(
            f"A URL has at most {URL_LENGTH_MAX} characters, all of them printable ASCII."
        )
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.port
    except ValueError:
        raise OutgoingForbidden("That is no URL.") from None
    if parsed.scheme != "https" and not (rules.allow_http and parsed.scheme == "http"):
        raise OutgoingForbidden("The URL must begin with https://.")
    if "@" in parsed.raw_authority or "#" in url or "\\" in url:
        raise OutgoingForbidden("The URL must not hold a user, a password or a fragment.")
    if not host:
        raise OutgoingForbidden("The URL names no host.")
    _refuse_host(host, rules)
    if not port or not (port in _ORDINARY_PORTS or port >= _FIRST_USER_PORT or rules.allow_private):
        raise OutgoingForbidden(f"The port must be 80, 443 or from {_FIRST_USER_PORT} on.")
    return parsed


def _refuse_host(host: str, rules: Rules) -> None:
    labels = host.split(".")
    if ":" in host or _NUMBER.fullmatch(labels[-1]):
        try:
            address = ip_address(host)
        except (AddressValueError, ValueError):
            raise OutgoingForbidden("The URL's host is a number, but no address.") from None
        if "%" in host or (":" not in host and str(address) != host):
            raise OutgoingForbidden("The URL's address must be written in its usual form.")
        if not rules.allow(address):
            raise OutgoingForbidden("The URL's address is not a public one.")
    elif not all(_LABEL.fullmatch(label) for label in labels):
        raise OutgoingForbidden("The URL's host is no host name in ASCII.")
