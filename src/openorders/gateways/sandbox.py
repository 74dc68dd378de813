"""The sandbox gateway: a payment provider for development, demos and tests.

It behaves like an outside party: it keeps books of its own, an effect of a call stays whether
or not the answer arrives, and a key that it has seen gets its first answer again. Which card
does what is in `sandbox_cards.py`. It knows nothing of the order book.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

import msgspec

from openorders.domain.ids import CustomerId, StoreId
from openorders.domain.payment import OperationKind
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
from openorders.gateways.sandbox_cards import (
    Behaviour,
    card_of,
    fit_for_buyers,
    refund_behaviour,
)

_PREFIX: Final = "ch_"

SLOW_S: Final = 2.0
"""How long `tok_slow` takes to answer."""


class RecordedCharge(Protocol):
    """A payment in the sandbox's own books. Amounts are minor units."""

    @property
    def id(self) -> int: ...
    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def captured(self) -> int: ...
    @property
    def refunded(self) -> int: ...
    @property
    def voided(self) -> bool: ...
    @property
    def card_brand(self) -> str | None: ...
    @property
    def card_last_four(self) -> str | None: ...


class RecordedCall(Protocol):
    """A call that arrived: the whole request, and what was answered."""

    @property
    def kind(self) -> str: ...
    @property
    def request(self) -> bytes: ...
    @property
    def outcome(self) -> bytes: ...


class Book(Protocol):
    """One entry into the sandbox's books: all of it is kept, or nothing."""

    async def begin(self, key: str, kind: str, request: bytes) -> RecordedCall | None:
        """Take the key for this call; the earlier call when it was taken before."""
        ...

    async def answer(self, key: str, outcome: bytes) -> None:
        """Remember what is answered to the call that began."""
        ...

    async def open(
        self,
        *,
        order_id: int,
        amount: int,
        currency: str,
        captured: int,
        card_brand: str,
        card_last_four: str,
    ) -> int:
        """Enter a new payment and return its number."""
        ...

    async def charge(self, charge_id: int) -> RecordedCharge | None:
        """A payment, held until this entry is complete."""
        ...

    async def change(self, charge_id: int, *, captured: int, refunded: int, voided: bool) -> None:
        """Enter what a payment has become."""
        ...


class Ledger(Protocol):
    """Where the sandbox keeps its books."""

    def entry(self, store_id: StoreId, gateway: str) -> AbstractAsyncContextManager[Book]:
        """Open the books of an account for one entry, complete when the block ends."""
        ...

    async def find(self, store_id: StoreId, gateway: str, key: str) -> RecordedCall | None:
        """The call that once arrived with a key."""
        ...


@dataclass(slots=True, kw_only=True)
class Faults:
    """What goes wrong on the line, for tests: so many requests get lost before they arrive, so
    many answers after the effect, and every answer takes `delay_s`.
    """

    lose_requests: int = 0
    lose_answers: int = 0
    delay_s: float = 0.0


class SandboxGateway:
    """One account at the sandbox."""

    has_pages = False

    def __init__(
        self,
        ledger: Ledger,
        store_id: StoreId,
        name: str,
        *,
        faults: Faults | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ledger = ledger
        self._store_id = store_id
        self._name = name
        self._faults = faults or Faults()
        self._sleep = sleep

    async def charge(self, call: GatewayCall) -> Outcome:
        """Take the money at once."""
        return await self._call(call, _open_payment)

    async def authorise(self, call: GatewayCall) -> Outcome:
        """Reserve the money on the buyer's card."""
        return await self._call(call, _open_payment)

    async def capture(self, call: GatewayCall) -> Outcome:
        """Take what was reserved, or part of it."""
        return await self._call(call, _capture)

    async def refund(self, call: GatewayCall) -> Outcome:
        """Give back what was taken, or part of it."""
        return await self._call(call, _refund)

    async def void(self, call: GatewayCall) -> Outcome:
        """Release what was reserved."""
        return await self._call(call, _void)

    async def open_page(self, call: GatewayCall) -> Outcome:
        """The sandbox shows no pages."""
        raise GatewayMisused(f"{call.kind} {call.key}: the sandbox has no pages")

    async def look_up(self, call: GatewayCall, since: datetime) -> Outcome | None:
        """What was answered to the call with this key."""
        del since
        if self._lost("lose_requests"):
            raise GatewayUnreachable(call.key)
        known = await self._ledger.find(self._store_id, self._name, call.key)
        return None if known is None else _decoded(known.outcome)

    async def save_method(
        self, key: str, customer_id: CustomerId, customer: str | None, token: str
    ) -> SavedMethod | Declined:
        """The sandbox keeps no cards."""
        del key, customer_id, customer, token
        return Declined(code="not_supported", message="This card cannot be saved.")

    async def forget_method(self, reference: str) -> None:
        """The sandbox keeps no cards."""
        del reference

    def read_notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice | None:
        """The sandbox answers at once and sends no news."""
        del headers, body, now
        raise NoticeRefused("the sandbox sends no notices")

    async def entries(self, since: datetime, until: datetime) -> AsyncIterator[Entry]:
        """The sandbox's books are compared elsewhere."""
        del since, until
        for entry in ():
            yield entry

    async def _call(self, call: GatewayCall, act: "_Act") -> Outcome:
        card = card_of(call.token)
        behaviour = card.behaviour if card else Behaviour.PLAIN
        if behaviour is Behaviour.LOSE_REQUEST or self._lost("lose_requests"):
            raise GatewayUnreachable(f"{call.kind} {call.key}: the request was lost")
        request = msgspec.json.encode(call)
        async with self._ledger.entry(self._store_id, self._name) as book:
            known = await book.begin(call.key, call.kind, request)
            if known is None:
                outcome = await act(book, call)
                await book.answer(call.key, _encoded(outcome))
            elif known.request != request:
                raise GatewayMisused(f"key {call.key} came with another {known.kind} before")
            else:
                outcome = _decoded(known.outcome)
        if known is None and (behaviour is Behaviour.LOSE_ANSWER or _pending(call, outcome)):
            raise GatewayUnreachable(f"{call.kind} {call.key}: the answer comes later")
        if self._lost("lose_answers"):
            raise GatewayUnreachable(f"{call.kind} {call.key}: the answer was lost")
        delay_s = self._faults.delay_s or (SLOW_S if behaviour is Behaviour.SLOW else 0.0)
        if delay_s:
            await self._sleep(delay_s)
        return outcome

    def _lost(self, what: Literal["lose_requests", "lose_answers"]) -> bool:
        left: int = getattr(self._faults, what)
        if left > 0:
            setattr(self._faults, what, left - 1)
        return left > 0


_Act = Callable[[Book, GatewayCall], Awaitable[Outcome]]


async def _open_payment(book: Book, call: GatewayCall) -> Outcome:
    card = card_of(call.token)
    if card is None:
        return fit_for_buyers("invalid_token")
    if card.decline is not None:
        return fit_for_buyers(card.decline)
    charge_id = await book.open(
        order_id=call.order_id,
        amount=call.amount,
        currency=call.currency,
        captured=call.amount if call.kind is OperationKind.CHARGE else 0,
        card_brand=card.brand,
        card_last_four=card.last_four,
    )
    return Succeeded(
        reference=f"{_PREFIX}{charge_id}", card_brand=card.brand, card_last_four=card.last_four
    )


async def _capture(book: Book, call: GatewayCall) -> Outcome:
    charge = await _named(book, call)
    if charge.voided or charge.captured or call.amount > charge.amount:
        return _not_possible("There is nothing left to capture.")
    await book.change(charge.id, captured=call.amount, refunded=0, voided=False)
    return _succeeded(charge)


async def _refund(book: Book, call: GatewayCall) -> Outcome:
    charge = await _named(book, call)
    refunded = charge.refunded + call.amount
    if refunded > charge.captured:
        return _not_possible("More would be refunded than was captured.")
    if refund_behaviour(charge.card_last_four) is Behaviour.REFUND_FAILS:
        return fit_for_buyers("refund_failed")
    await book.change(charge.id, captured=charge.captured, refunded=refunded, voided=False)
    return _succeeded(charge)


async def _void(book: Book, call: GatewayCall) -> Outcome:
    charge = await _named(book, call)
    if charge.captured:
        return _not_possible("The payment was captured already.")
    await book.change(charge.id, captured=0, refunded=0, voided=True)
    return _succeeded(charge)


async def _named(book: Book, call: GatewayCall) -> RecordedCharge:
    number = (call.reference or "").removeprefix(_PREFIX)
    charge = await book.charge(int(number)) if number.isdecimal() else None
    if charge is None or charge.currency != call.currency:
        raise GatewayMisused(f"no payment {call.reference!r} in {call.currency} here")
    return charge


def _succeeded(charge: RecordedCharge) -> Succeeded:
    return Succeeded(
        reference=f"{_PREFIX}{charge.id}",
        card_brand=charge.card_brand,
        card_last_four=charge.card_last_four,
    )


def _not_possible(message: str) -> Declined:
    return Declined(code="not_possible", message=message)


def _pending(call: GatewayCall, outcome: Outcome) -> bool:
    """A refund that the bank takes its time over: the answer is there when asked again."""
    return (
        call.kind is OperationKind.REFUND
        and isinstance(outcome, Succeeded)
        and refund_behaviour(outcome.card_last_four) is Behaviour.REFUND_PENDING
    )


class _Yes(msgspec.Struct, tag="succeeded"):
    reference: str
    card_brand: str | None
    card_last_four: str | None


class _No(msgspec.Struct, tag="declined"):
    code: str
    message: str


class _Wait(msgspec.Struct, tag="pending"):
    reference: str
    action_url: str | None


def _encoded(outcome: Outcome) -> bytes:
    match outcome:
        case Succeeded(reference=reference, card_brand=brand, card_last_four=digits):
            return msgspec.json.encode(_Yes(reference, brand, digits))
        case Declined(code=code, message=message):
            return msgspec.json.encode(_No(code, message))
        case Pending(reference=reference, action_url=action_url):
            return msgspec.json.encode(_Wait(reference, action_url))


def _decoded(outcome: bytes) -> Outcome:
    answer: _Yes | _No | _Wait = msgspec.json.decode(outcome, type=_Yes | _No | _Wait)
    match answer:
        case _Yes(reference, brand, digits):
            return Succeeded(reference=reference, card_brand=brand, card_last_four=digits)
        case _No(code, message):
            return Declined(code=code, message=message)
        case _Wait(reference, action_url):
            return Pending(reference=reference, action_url=action_url)
