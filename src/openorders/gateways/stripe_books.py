"""Finding things in an account's books: by the key of the call that made them, or all of a time.

Lists, not searches: Stripe's search trails behind what happened by up to minutes, its lists do
not. Every list is read in pages, and never for ever.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from openorders.gateways.payments import GatewayUnreachable
from openorders.gateways.stripe_answers import KEY, Intent, Refund, Session
from openorders.gateways.stripe_line import StripeAccount

if TYPE_CHECKING:
    import stripe

PAGE_SIZE: Final = 100
"""The most that Stripe gives at once."""

SEARCHED_PAGES_MAX: Final = 30
"""Of one search for a key. What is not found in them is not known, rather than not there."""

READ_PAGES_MAX: Final = 20_000
"""Of one reading of a time: two million payments."""

AROUND: Final = timedelta(minutes=5)
"""How far Stripe's clock may be off, and about where a call is looked for first."""

_Listed = TypeVar("_Listed", Intent, Session, Refund)
_Lister = Callable[["stripe.StripeClient", dict[str, Any]], Awaitable[Any]]


class _Page(msgspec.Struct, Generic[_Listed]):
    data: list[_Listed]
    has_more: bool


async def intent_of_key(account: StripeAccount, key: str, since: datetime) -> Intent | None:
    """The payment that a call opened, first sent at `since`."""
    return await _of_key(account, _intents, _Page[Intent], key, since)


async def session_of_key(account: StripeAccount, key: str, since: datetime) -> Session | None:
    """The page that a call opened, first sent at `since`; its intent is not expanded."""
    return await _of_key(account, _sessions, _Page[Session], key, since)


async def refunds_of(account: StripeAccount, intent_id: str) -> AsyncIterator[Refund]:
    """Every refund of a payment, the newest first."""
    asked = {"payment_intent": intent_id}
    async for refund in _listed(account, _refunds, _Page[Refund], asked, SEARCHED_PAGES_MAX):
        yield refund


async def intents_between(
    account: StripeAccount, since: datetime, until: datetime
) -> AsyncIterator[Intent]:
    """Every payment that was opened in that time, the newest first, with its latest charge."""
    asked = {
        "created": {"gte": _seconds(since), "lt": _seconds(until)},
        "expand": ["data.latest_charge"],
    }
    async for intent in _listed(account, _intents, _Page[Intent], asked, READ_PAGES_MAX):
        yield intent


async def _of_key(
    account: StripeAccount,
    lister: _Lister,
    shape: type[_Page[_Listed]],
    key: str,
    since: datetime,
) -> _Listed | None:
    """First about the time of the call, then in what came later: a call may be sent again."""
    first, last = _seconds(since - AROUND), _seconds(since + AROUND)
    for created in ({"gte": first, "lte": last}, {"gt": last}):
        asked = {"created": created}
        async for one in _listed(account, lister, shape, asked, SEARCHED_PAGES_MAX):
            if (one.metadata or {}).get(KEY) == key:
                return one
    return None


async def _listed(
    account: StripeAccount,
    lister: _Lister,
    shape: type[_Page[_Listed]],
    asked: dict[str, Any],
    pages_max: int,
) -> AsyncIterator[_Listed]:
    after: dict[str, str] = {}
    for _ in range(pages_max):
        params = {**asked, **after, "limit": PAGE_SIZE}
        page = await account.tell(_question(lister, params), shape)
        for one in page.data:
            yield one
        if not page.has_more or not page.data:
            return
        after = {"starting_after": page.data[-1].id}
    raise GatewayUnreachable(f"Stripe lists more than {pages_max * PAGE_SIZE} in that time")


def _question(
    lister: _Lister, params: dict[str, Any]
) -> Callable[["stripe.StripeClient"], Awaitable[Any]]:
    return lambda client: lister(client, params)


async def _intents(client: "stripe.StripeClient", params: Any) -> object:  # noqa: ANN401 - the SDK's own kind of dictionary
    return await client.v1.payment_intents.list_async(params)


async def _sessions(client: "stripe.StripeClient", params: Any) -> object:  # noqa: ANN401 - (as above)
    return await client.v1.checkout.sessions.list_async(params)


async def _refunds(client: "stripe.StripeClient", params: Any) -> object:  # noqa: ANN401 - (as above)
    return await client.v1.refunds.list_async(params)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def moment(seconds: int) -> datetime:
    """A time of Stripe's."""
    return datetime.fromtimestamp(seconds, UTC)
