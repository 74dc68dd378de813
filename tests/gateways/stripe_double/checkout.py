"""Checkout sessions, which localstripe does not have, and the pages where people pay."""

from html import escape
from typing import Final

from tests.gateways.stripe_double.books import Account, Desk, Page, page_of
from tests.gateways.stripe_double.cards import card_of_token
from tests.gateways.stripe_double.intents import Intents
from tests.gateways.stripe_double.wire import Params, Refusal, collapsed, missing

LIVES_S: Final = 24 * 3600


class Checkout:
    """Pages of Stripe on which a buyer pays."""

    def __init__(self, desk: Desk, intents: Intents) -> None:
        self._desk = desk
        self._intents = intents

    async def create(self, account: Account, params: Params) -> Params:
        for needed in ("mode", "line_items", "success_url"):
            if needed not in params:
                raise Refusal(400, f"Missing required param: {needed}.", param=needed)
        if params["mode"] != "payment":
            raise Refusal(400, "This double only takes payments.", param="mode")
        customer = params.get("customer")
        if customer is not None and customer not in account.customers:
            raise missing("customer", customer)
        page = Page(id=self._desk.new_id("cs_test_"), created=self._desk.now(), params=params)
        account.pages[page.id] = page
        return await self.shown(account, page)

    async def retrieve(self, account: Account, name: str) -> Params:
        return await self.shown(account, self.named(account, name))

    async def list_all(self, account: Account, params: Params, largest: int) -> Params:
        rows = [{"id": one.id, "created": one.created} for one in account.pages.values()]
        page = page_of(rows, params, largest)
        page["data"] = [await self.retrieve(account, row["id"]) for row in page["data"]]
        return page

    async def expire(self, account: Account, name: str) -> Params:
        page = self.named(account, name)
        if page.status != "open":
            raise Refusal(
                400,
                f'Only Checkout Sessions with a status in ["open"] can be expired.'
                f" This Checkout Session has a status of `{page.status}`.",
            )
        page.status = "expired"
        shown = await self.shown(account, page)
        await self._desk.emit(account, "checkout.session.expired", shown)
        return shown

    async def pay(self, account: Account, name: str, token: str) -> Params:
        """What a buyer does on the page. A card that is declined leaves it open."""
        page = self.named(account, name)
        if page.status != "open" or card_of_token(token) is None:
            raise Refusal(400, "This page cannot be paid that way.")
        brought = page.params.get("payment_intent_data", {})
        price = page.params["line_items"][0]["price_data"]
        paid = await self._intents.create(
            account,
            {
                "amount": price["unit_amount"],
                "currency": price["currency"],
                "capture_method": brought.get("capture_method", "automatic"),
                "metadata": brought.get("metadata", {}),
                "customer": page.params.get("customer"),
                "payment_method_data": {"type": "card", "card": {"token": token}},
                "confirm": "true",
                "return_url": page.params["success_url"],
            },
            page=page.id,
        )
        page.intent = paid["id"]
        if paid["status"] != "requires_action":
            await self._complete(account, page)
        return await self.shown(account, page)

    async def authenticated(self, account: Account, intent: str) -> None:
        """The bank has let an intent pass; it may be that of a page."""
        page = account.pages.get(account.intents[intent].page or "")
        if page is not None:
            page.intent = intent
            await self._complete(account, page)

    async def _complete(self, account: Account, page: Page) -> None:
        page.status = "complete"
        shown = await self.shown(account, page)
        await self._desk.emit(account, "checkout.session.completed", shown)

    async def shown(self, account: Account, page: Page) -> Params:
        """A session as Stripe shows it, with its intent."""
        price = page.params["line_items"][0]["price_data"]
        complete = page.status == "complete"
        intent = await self._intents.retrieve(account, page.intent) if page.intent else None
        paid = complete and intent is not None and intent["status"] == "succeeded"
        return {
            "id": page.id,
            "object": "checkout.session",
            "amount_total": int(price["unit_amount"]),
            "created": page.created,
            "currency": price["currency"],
            "customer": page.params.get("customer"),
            "expires_at": page.created + LIVES_S,
            "livemode": False,
            "metadata": page.params.get("metadata", {}),
            "mode": "payment",
            "payment_intent": intent if complete else None,
            "payment_status": "paid" if paid else "unpaid",
            "status": page.status,
            "success_url": page.params["success_url"],
            "url": f"{self._desk.url}/c/pay/{page.id}" if page.status == "open" else None,
        }

    def named(self, account: Account, name: str) -> Page:
        if name not in account.pages:
            raise missing("checkout.session", name)
        return account.pages[name]


_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8">
<title>A double of Stripe</title><h1>{title}</h1><p>{text}</p>
<form method="post">{fields}</form></html>"""

_TOKENS: Final = (
    "tok_visa",
    "tok_mastercard",
    "tok_chargeDeclined",
    "tok_chargeDeclinedInsufficientFunds",
    "tok_threeDSecure2Required",
)


def checkout_page(session: Params, message: str = "") -> str:
    """The page of a session, for people who try it out and for browsers in tests."""
    fields = "".join(f'<button name="token" value="{token}">{token}</button> ' for token in _TOKENS)
    title = f"Pay {session['amount_total']} {session['currency']}"
    return _PAGE.format(title=escape(title), text=escape(message), fields=fields)


def authentication_page(intent: Params) -> str:
    """The page of the bank that wants to know its buyer."""
    shown = collapsed(intent, [])
    fields = (
        '<button name="outcome" value="succeed">Complete</button> '
        '<button name="outcome" value="fail">Fail</button>'
    )
    text = f"{shown['amount']} {shown['currency']}"
    return _PAGE.format(title="Your bank asks: is it you?", text=escape(text), fields=fields)
