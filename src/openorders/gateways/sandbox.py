"""The sandbox gateway: a payment provider for development, demos and tests.

It behaves like an outside party: it keeps books of its own, an effect of a call stays whether
or not the answer arrives, and a key that it has seen gets its first answer again. Which card
does what is in `sandbox_cards.py`. It knows nothing of the order book.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Literal

import msgspec
from msgspec import Struct

from openorders.domain.ids import CustomerId, OrderId, StoreId
from openorders.domain.payment import OperationKind
from openorders.gateways import sandbox_acts as acts
from openorders.gateways.declines import fit_for_buyers
from openorders.gateways.payments import (
    Declined,
    Entry,
    GatewayCall,
    GatewayMisused,
    GatewayUnreachable,
    Notice,
    NoticeRefused,
    Outcome,
    Pending,
    SavedMethod,
    Succeeded,
)
from openorders.gateways.sandbox_books import (
    Book,
    Ledger,
    ListedCharge,
    PageKind,
    PageState,
    RecordedPage,
)
from openorders.gateways.sandbox_cards import (
    EXPIRES,
    Behaviour,
    card_of,
    refund_behaviour,
)

SLOW_S: Final = 2.0
"""How long `tok_slow` takes to answer."""

ENTRIES_AT_ONCE: Final = 500
"""How many payments are read from the books at a time."""

PAGES_AT: Final = "/sandbox"
"""Where the sandbox's pages are served: `/sandbox/{store}/{gateway}/{token}` of our own origin."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """What goes wrong on the line, for tests: so many requests get lost before they arrive, so
    many answers after the effect, and every answer takes `delay_s`.
    """

    lose_requests: int = 0
    lose_answers: int = 0
    delay_s: float = 0.0


class SandboxPage(Struct, frozen=True, kw_only=True):
    """What a page of the sandbox shows. `amount` is minor units."""

    order_id: OrderId
    amount: int
    currency: str
    return_url: str
    kind: PageKind
    state: PageState


def _unguessable() -> str:
    return secrets.token_urlsafe(24)


class SandboxGateway:
    """One account at the sandbox."""

    has_pages = True

    def __init__(
        self,
        ledger: Ledger,
        store_id: StoreId,
        name: str,
        *,
        faults: Faults | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        page_token: Callable[[], str] = _unguessable,
    ) -> None:
        self._ledger = ledger
        self._store_id = store_id
        self._name = name
        self._faults = faults or Faults()
        self._sleep = sleep
        self._page_token = page_token

    async def charge(self, call: GatewayCall) -> Outcome:
        """Take the money at once."""
        return await self._call(call, self._with_page(acts.open_payment))

    async def authorise(self, call: GatewayCall) -> Outcome:
        """Reserve the money on the buyer's card."""
        return await self._call(call, self._with_page(acts.open_payment))

    async def open_page(self, call: GatewayCall) -> Outcome:
        """Open a page of the sandbox where the buyer says yes or no."""
        return await self._call(call, self._with_page(acts.open_page))

    async def capture(self, call: GatewayCall) -> Outcome:
        """Take what was reserved, or part of it."""
        return await self._call(call, acts.capture)

    async def refund(self, call: GatewayCall) -> Outcome:
        """Give back what was taken, or part of it."""
        return await self._call(call, acts.refund)

    async def void(self, call: GatewayCall) -> Outcome:
        """Release what was reserved, or close a page."""
        return await self._call(call, acts.void)

    async def look_up(self, call: GatewayCall, since: datetime) -> Outcome | None:
        """What has become of the call with this key."""
        del since
        self._may_fail(call.key)
        known = await self._ledger.find(self._store_id, self._name, call.key)
        outcome = None if known is None else acts.decoded(known.outcome)
        if not isinstance(outcome, Pending):
            return outcome
        async with self._ledger.entry(self._store_id, self._name) as book:
            return await acts.newest(book, outcome)

    async def save_method(
        self, key: str, customer_id: CustomerId, customer: str | None, token: str
    ) -> SavedMethod | Declined:
        """Keep a card. One that is declined, or whose bank asks for its buyer, is not kept."""
        self._may_fail(key)
        card = card_of(token)
        if card is None:
            return fit_for_buyers("invalid_token")
        if card.decline is not None and card.behaviour is not Behaviour.FAILS_LATER:
            return fit_for_buyers(card.decline)
        async with self._ledger.entry(self._store_id, self._name) as book:
            kept = await book.keep_method(key, customer or f"cus_{customer_id}", token)
        return SavedMethod(
            reference=f"{acts.METHOD_PREFIX}{kept.id}",
            customer=kept.customer,
            card_brand=card.brand,
            card_last_four=card.last_four,
            expires=EXPIRES,
        )

    async def forget_method(self, reference: str) -> None:
        """Let go of a card."""
        self._may_fail(reference)
        number = reference.removeprefix(acts.METHOD_PREFIX)
        if number.isdecimal():
            async with self._ledger.entry(self._store_id, self._name) as book:
                await book.forget_method(int(number))

    def read_notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice | None:
        """The sandbox sends no notices: whoever shows its pages knows what was decided there."""
        del headers, body, now
        raise NoticeRefused("the sandbox sends no notices")

    async def entries(self, since: datetime, until: datetime) -> AsyncIterator[Entry]:
        """Every payment in the account's books of that time."""
        after = 0
        while charges := await self._ledger.opened(
            self._store_id,
            self._name,
            since=since,
            until=until,
            after=after,
            limit=ENTRIES_AT_ONCE,
        ):
            for charge in charges:
                yield _entry(charge)
            after = charges[-1].id

    async def page(self, token: str) -> SandboxPage | None:
        """The page with this token."""
        async with self._ledger.entry(self._store_id, self._name) as book:
            page = await book.page(token)
        return None if page is None else _shown(page)

    async def decide(self, token: str, *, accept: bool) -> SandboxPage | None:
        """A buyer's answer on a page. Only an open one changes; the page as it is then."""
        async with self._ledger.entry(self._store_id, self._name) as book:
            page = await book.page(token)
            if page is None:
                return None
            await book.charge(page.charge_id)
            page = await book.page_of(page.charge_id) or page
            if page.state == "open":
                await acts.decide(book, page, accept=accept)
                page = await book.page(token) or page
        return _shown(page)

    def _with_page(self, act: "_PagedAct") -> acts.Act:
        token = self._page_token()
        url = f"{PAGES_AT}/{self._store_id}/{self._name}/{token}"
        return partial(_paged, act, token, url)

    async def _call(self, call: GatewayCall, act: acts.Act) -> Outcome:
        card = card_of(call.token)
        behaviour = card.behaviour if card else Behaviour.PLAIN
        if behaviour is Behaviour.LOSE_REQUEST:
            raise GatewayUnreachable(f"{call.kind} {call.key}: the request was lost")
        self._may_fail(f"{call.kind} {call.key}")
        request = msgspec.json.encode(call)
        async with self._ledger.entry(self._store_id, self._name) as book:
            known = await book.begin(call.key, call.kind, request)
            if known is None:
                outcome = await act(book, call)
                await book.answer(call.key, acts.encoded(outcome))
            elif known.request != request:
                raise GatewayMisused(f"key {call.key} came with another {known.kind} before")
            else:
                outcome = await acts.newest(book, acts.decoded(known.outcome))
        if known is None and (behaviour is Behaviour.LOSE_ANSWER or _comes_later(call, outcome)):
            raise GatewayUnreachable(f"{call.kind} {call.key}: the answer comes later")
        if self._lost("lose_answers"):
            raise GatewayUnreachable(f"{call.kind} {call.key}: the answer was lost")
        delay_s = self._faults.delay_s or (SLOW_S if behaviour is Behaviour.SLOW else 0.0)
        if delay_s:
            await self._sleep(delay_s)
        return outcome

    def _may_fail(self, what: str) -> None:
        if self._lost("lose_requests"):
            raise GatewayUnreachable(f"{what}: the request was lost")

    def _lost(self, what: Literal["lose_requests", "lose_answers"]) -> bool:
        left: int = getattr(self._faults, what)
        if left > 0:
            setattr(self._faults, what, left - 1)
        return left > 0


_PagedAct = Callable[[Book, GatewayCall, str, str], Awaitable[Outcome]]


async def _paged(act: _PagedAct, token: str, url: str, book: Book, call: GatewayCall) -> Outcome:
    return await act(book, call, token, url)


def _comes_later(call: GatewayCall, outcome: Outcome) -> bool:
    """A refund that the bank takes its time over: the answer is there when asked again."""
    return (
        call.kind is OperationKind.REFUND
        and isinstance(outcome, Succeeded)
        and refund_behaviour(outcome.card_last_four) is Behaviour.REFUND_PENDING
    )


def _shown(page: RecordedPage) -> SandboxPage:
    return SandboxPage(
        order_id=OrderId(page.order_id),
        amount=page.amount,
        currency=page.currency,
        return_url=page.return_url,
        kind=page.kind,
        state=page.state,
    )


def _entry(charge: ListedCharge) -> Entry:
    return Entry(
        reference=f"{acts.CHARGE_PREFIX}{charge.id}",
        key=charge.key,
        currency=charge.currency,
        authorised=charge.amount if charge.held else 0,
        captured=charge.captured,
        refunded=charge.refunded,
        at=charge.at,
    )
