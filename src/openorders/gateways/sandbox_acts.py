"""What a call does to the sandbox's books, and how its answers are kept there."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from openorders.domain.payment import OperationKind
from openorders.gateways.declines import fit_for_buyers, not_possible
from openorders.gateways.payments import (
    Declined,
    GatewayCall,
    GatewayMisused,
    Outcome,
    Pending,
    Succeeded,
)
from openorders.gateways.sandbox_books import Book, PageKind, RecordedCharge, RecordedPage
from openorders.gateways.sandbox_cards import (
    HOSTED_CARD,
    Behaviour,
    SandboxCard,
    card_of,
    refund_behaviour,
)

Act = Callable[[Book, GatewayCall], Awaitable[Outcome]]

CHARGE_PREFIX: Final = "ch_"
METHOD_PREFIX: Final = "pm_"


async def open_payment(book: Book, call: GatewayCall, page_token: str, page_url: str) -> Outcome:
    """Charge or authorise a card; one whose bank asks opens a page where that is possible."""
    card = await _card(book, call)
    if card is None:
        return fit_for_buyers("invalid_token")
    if card.behaviour is Behaviour.ASKS_BUYER and call.return_url is not None:
        return await _open_page(book, call, card, "3ds", page_token, page_url)
    if card.decline is not None:
        return fit_for_buyers(card.decline)
    captured = call.amount if call.kind is OperationKind.CHARGE else 0
    charge_id = await _enter(book, call, captured, card)
    return Succeeded(
        reference=f"{CHARGE_PREFIX}{charge_id}",
        card_brand=card.brand,
        card_last_four=card.last_four,
    )


async def open_page(book: Book, call: GatewayCall, page_token: str, page_url: str) -> Outcome:
    """Open a page on which the buyer pays with a card of the sandbox's."""
    return await _open_page(book, call, None, "hosted", page_token, page_url)


async def _card(book: Book, call: GatewayCall) -> SandboxCard | None:
    """The card that a call brings: a token's, or one that this buyer left."""
    number = (call.token or "").removeprefix(METHOD_PREFIX)
    if not number.isdecimal():
        return card_of(call.token)
    method = await book.method(int(number))
    if method is None or method.customer != call.customer:
        return None
    return card_of(method.token)


async def _enter(book: Book, call: GatewayCall, captured: int, card: SandboxCard | None) -> int:
    return await book.open(
        key=call.key,
        order_id=call.order_id,
        amount=call.amount,
        currency=call.currency,
        captured=captured,
        card_brand=card.brand if card else None,
        card_last_four=card.last_four if card else None,
    )


async def _open_page(
    book: Book,
    call: GatewayCall,
    card: SandboxCard | None,
    kind: PageKind,
    token: str,
    url: str,
) -> Outcome:
    if call.return_url is None:
        raise GatewayMisused(f"{call.kind} {call.key}: a page needs a way back")
    charge_id = await _enter(book, call, 0, card)
    await book.open_page(
        charge_id,
        token,
        kind=kind,
        captures=call.kind is OperationKind.CHARGE,
        return_url=call.return_url,
    )
    return Pending(reference=f"{CHARGE_PREFIX}{charge_id}", action_url=url)


async def decide(book: Book, page: RecordedPage, *, accept: bool) -> None:
    """What a buyer's answer on a page that is open does."""
    if not accept:
        await book.close_page(page.token, "refused")
        return
    if page.kind == "hosted":
        await book.name_card(page.charge_id, HOSTED_CARD.brand, HOSTED_CARD.last_four)
    captured = page.amount if page.captures else 0
    await book.change(page.charge_id, captured=captured, refunded=0, voided=False)
    await book.close_page(page.token, "accepted")


async def capture(book: Book, call: GatewayCall) -> Outcome:
    """Take what was reserved, or part of it."""
    charge = await _named(book, call)
    page = await book.page_of(charge.id)
    waits = page is not None and page.state != "accepted"
    if waits or charge.voided or charge.captured or call.amount > charge.amount:
        return not_possible("There is nothing left to capture.")
    await book.change(charge.id, captured=call.amount, refunded=0, voided=False)
    return _succeeded(charge)


async def refund(book: Book, call: GatewayCall) -> Outcome:
    """Give back what was taken, or part of it."""
    charge = await _named(book, call)
    refunded = charge.refunded + call.amount
    if refunded > charge.captured:
        return not_possible("More would be refunded than was captured.")
    if refund_behaviour(charge.card_last_four) is Behaviour.REFUND_FAILS:
        return fit_for_buyers("refund_failed")
    await book.change(charge.id, captured=charge.captured, refunded=refunded, voided=False)
    return _succeeded(charge)


async def void(book: Book, call: GatewayCall) -> Outcome:
    """Release what was reserved, or close the page that waits for its buyer."""
    charge = await _named(book, call)
    if charge.captured:
        return not_possible("The payment was captured already.")
    page = await book.page_of(charge.id)
    if page is not None and page.state == "open":
        await book.close_page(page.token, "voided")
    await book.change(charge.id, captured=0, refunded=0, voided=True)
    return _succeeded(charge)


async def newest(book: Book, outcome: Outcome) -> Outcome:
    """What an answer of an earlier time has become: pages are decided later."""
    if not isinstance(outcome, Pending):
        return outcome
    charge_id = int(outcome.reference.removeprefix(CHARGE_PREFIX))
    charge, page = await book.charge(charge_id), await book.page_of(charge_id)
    assert charge is not None, "the sandbox never forgets a payment"
    assert page is not None, "what waits has a page"
    match page.state:
        case "open":
            return outcome
        case "accepted":
            return _succeeded(charge)
        case "refused":
            return fit_for_buyers("authentication_failed" if page.kind == "3ds" else "turned_down")
        case "voided":
            return fit_for_buyers("voided")


async def _named(book: Book, call: GatewayCall) -> RecordedCharge:
    number = (call.reference or "").removeprefix(CHARGE_PREFIX)
    charge = await book.charge(int(number)) if number.isdecimal() else None
    if charge is None or charge.currency != call.currency:
        raise GatewayMisused(f"no payment {call.reference!r} in {call.currency} here")
    return charge


def _succeeded(charge: RecordedCharge) -> Succeeded:
    return Succeeded(
        reference=f"{CHARGE_PREFIX}{charge.id}",
        card_brand=charge.card_brand,
        card_last_four=charge.card_last_four,
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


def encoded(outcome: Outcome) -> bytes:
    """An answer as it is kept."""
    match outcome:
        case Succeeded(reference=reference, card_brand=brand, card_last_four=digits):
            return msgspec.json.encode(_Yes(reference, brand, digits))
        case Declined(code=code, message=message):
            return msgspec.json.encode(_No(code, message))
        case Pending(reference=reference, action_url=action_url):
            return msgspec.json.encode(_Wait(reference, action_url))


def decoded(outcome: bytes) -> Outcome:
    """An answer that was kept."""
    answer: _Yes | _No | _Wait = msgspec.json.decode(outcome, type=_Yes | _No | _Wait)
    match answer:
        case _Yes(reference, brand, digits):
            return Succeeded(reference=reference, card_brand=brand, card_last_four=digits)
        case _No(code, message):
            return Declined(code=code, message=message)
        case _Wait(reference, action_url):
            return Pending(reference=reference, action_url=action_url)
