"""Payment intents: localstripe's, with the rules of Stripe that it does not keep."""

import contextlib
from typing import Final

from tests.gateways.stripe_double.books import Account, Desk, Intent, Refund, page_of
from tests.gateways.stripe_double.cards import Card, card_of_method, card_of_token
from tests.gateways.stripe_double.wire import Params, Refusal, collapsed, missing

_CANCELLABLE: Final = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
)
_AUTHENTICATE: Final = {
    "code": "authentication_required",
    "decline_code": "authentication_required",
    "message": "Your card was declined. This transaction requires authentication.",
}
_NOT_AUTHENTICATED: Final = {
    "code": "payment_intent_authentication_failure",
    "message": "The provided PaymentMethod has failed authentication.",
}


class Intents:
    """Everything about money that was asked for with a secret key."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def create(self, account: Account, params: Params, *, page: str | None = None) -> Params:
        """Make an intent and, where asked for, try to be paid."""
        self._check(account, params)
        if page is None:
            check_confirmation(params)
        method = await self.method_for(account, params)
        raw = await self._desk.localstripe.post(
            "payment_intents",
            amount=params["amount"],
            currency=params["currency"],
            customer=params.get("customer"),
            payment_method=method,
            metadata=params.get("metadata", {}),
            capture_method=params.get("capture_method", "automatic"),
        )
        intent = account.intents[raw["id"]] = Intent(
            id=raw["id"],
            created=self._desk.now(),
            card=account.cards[method] if method else None,
            page=page,
            return_url=params.get("return_url"),
        )
        if params.get("confirm") == "true":
            await self._confirm(account, intent, params)
        return await self.shown(account, intent)

    async def retrieve(self, account: Account, name: str) -> Params:
        return await self.shown(account, self.named(account, name))

    async def list_all(self, account: Account, params: Params, largest: int) -> Params:
        rows = [{"id": one.id, "created": one.created} for one in account.intents.values()]
        page = page_of(rows, params, largest)
        page["data"] = [await self.retrieve(account, row["id"]) for row in page["data"]]
        return page

    async def capture(self, account: Account, name: str, params: Params) -> Params:
        intent = self.named(account, name)
        before = await self.shown(account, intent)
        if before["status"] != "requires_capture":
            raise self._unexpected(before, "captured")
        amount = int(params.get("amount_to_capture", before["amount"]))
        if not 0 < amount <= before["amount"]:
            raise Refusal(
                400,
                "The amount to capture is greater than the amount authorised.",
                code="amount_too_large",
                param="amount_to_capture",
            )
        path = f"payment_intents/{name}"
        await self._desk.localstripe.post(f"{path}/capture", amount_to_capture=amount)
        if metadata := params.get("metadata"):
            await self._desk.localstripe.post(path, metadata=metadata)
        intent.captured = amount
        await self._release(account, intent, before, before["amount"] - amount)
        return await self._told(account, intent, "payment_intent.succeeded")

    async def _release(self, account: Account, intent: Intent, before: Params, rest: int) -> None:
        """What is not captured counts as refunded, by a refund that nobody asked for."""
        if rest:
            name = self._desk.new_id("re_")
            account.refunds[name] = Refund(
                id=name,
                created=self._desk.now(),
                intent=intent.id,
                charge=before["latest_charge"]["id"],
                amount=rest,
                currency=before["currency"],
                status="succeeded",
                metadata={},
            )
            shown = await self.shown(account, intent)
            await self._desk.emit(account, "charge.refunded", shown["latest_charge"])

    async def cancel(self, account: Account, name: str, params: Params) -> Params:
        intent = self.named(account, name)
        before = await self.shown(account, intent)
        if before["status"] not in _CANCELLABLE:
            raise self._unexpected(before, "canceled")
        await self._desk.localstripe.post(f"payment_intents/{name}/cancel")
        intent.canceled_at = self._desk.now()
        intent.cancellation_reason = params.get("cancellation_reason")
        await self._release(account, intent, before, before["amount_capturable"])
        return await self._told(account, intent, "payment_intent.canceled")

    async def run_out(self, account: Account, name: str) -> None:
        """What Stripe does by itself with an authorisation after seven days."""
        await self.cancel(account, name, {"cancellation_reason": "automatic"})

    async def authenticate(self, account: Account, name: str, *, success: bool) -> Params:
        """What a buyer does on the page of their bank."""
        intent = self.named(account, name)
        raw = await self._desk.localstripe.get(f"payment_intents/{name}")
        await self._desk.localstripe.post(
            f"payment_intents/{name}/_authenticate",
            client_secret=raw["client_secret"],
            success=success,
        )
        if not success:
            return await self._failed(account, intent, _NOT_AUTHENTICATED)
        return await self._paid(account, intent)

    async def _confirm(self, account: Account, intent: Intent, params: Params) -> None:
        path = f"payment_intents/{intent.id}/confirm"
        if intent.card is not None and intent.card.code:
            with contextlib.suppress(Refusal):
                await self._desk.localstripe.post(path)
            failure = {
                "code": intent.card.code,
                "decline_code": intent.card.decline_code,
                "message": intent.card.message,
            }
            raise await self._declined(account, intent, failure)
        raw = await self._desk.localstripe.post(path)
        if raw["status"] != "requires_action":
            await self._paid(account, intent)
        elif params.get("off_session") == "true":
            await self._desk.localstripe.post(
                f"payment_intents/{intent.id}/_authenticate",
                client_secret=raw["client_secret"],
                success=False,
            )
            raise await self._declined(account, intent, _AUTHENTICATE)
        else:
            await self._told(account, intent, "payment_intent.requires_action")

    async def _paid(self, account: Account, intent: Intent) -> Params:
        raw = await self._desk.localstripe.get(f"payment_intents/{intent.id}")
        if raw["status"] == "requires_capture":
            await self.tell_charge(account, intent)
            return await self._told(account, intent, "payment_intent.amount_capturable_updated")
        intent.captured = raw["amount"]
        await self.tell_charge(account, intent)
        return await self._told(account, intent, "payment_intent.succeeded")

    async def tell_charge(self, account: Account, intent: Intent) -> None:
        shown = await self.shown(account, intent)
        await self._desk.emit(account, "charge.succeeded", shown["latest_charge"])

    async def _failed(self, account: Account, intent: Intent, failure: Params) -> Params:
        intent.failure = {"type": "card_error", **failure}
        return await self._told(account, intent, "payment_intent.payment_failed")

    async def _declined(self, account: Account, intent: Intent, failure: Params) -> Refusal:
        shown = await self._failed(account, intent, failure)
        more = {name: value for name, value in failure.items() if name != "message"}
        return Refusal(
            402,
            failure["message"],
            kind="card_error",
            kept=True,
            **more,
            payment_intent=collapsed(shown, []),
        )

    async def _told(self, account: Account, intent: Intent, event: str) -> Params:
        shown = await self.shown(account, intent)
        await self._desk.emit(account, event, shown)
        return shown

    async def shown(self, account: Account, intent: Intent) -> Params:
        """A payment intent as Stripe shows it, with its charge."""
        raw = await self._desk.localstripe.get(f"payment_intents/{intent.id}")
        status = raw["status"]
        waits = status == "requires_action"
        return {
            "id": intent.id,
            "object": "payment_intent",
            "amount": raw["amount"],
            "amount_capturable": raw["amount"] if status == "requires_capture" else 0,
            "amount_received": intent.captured,
            "canceled_at": intent.canceled_at,
            "cancellation_reason": intent.cancellation_reason,
            "capture_method": raw["capture_method"],
            "client_secret": raw["client_secret"],
            "created": intent.created,
            "currency": raw["currency"],
            "customer": raw["customer"],
            "last_payment_error": intent.failure,
            "latest_charge": self._charge(account, intent, raw),
            "livemode": False,
            "metadata": raw["metadata"],
            "next_action": self._next_action(intent) if waits else None,
            "payment_method": None if intent.failure else raw["payment_method"],
            "status": status,
        }

    def _next_action(self, intent: Intent) -> Params:
        if intent.return_url is None:
            return {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        url = f"{self._desk.url}/double/authenticate/{intent.id}"
        to = {"url": url, "return_url": intent.return_url}
        return {"type": "redirect_to_url", "redirect_to_url": to}

    def _charge(self, account: Account, intent: Intent, raw: Params) -> Params | None:
        charge = raw["latest_charge"]
        if charge is None:
            return None
        back = sum(
            one.amount for one in account.refunds.values() if one.intent == intent.id and one.counts
        )
        card = intent.card or Card()
        return {
            "id": charge["id"],
            "object": "charge",
            "amount": raw["amount"],
            "amount_captured": intent.captured,
            "amount_refunded": back,
            "captured": intent.captured > 0,
            "created": intent.created,
            "currency": raw["currency"],
            "customer": raw["customer"],
            "livemode": False,
            "metadata": raw["metadata"],
            "payment_intent": intent.id,
            "payment_method": raw["payment_method"],
            "payment_method_details": {"type": "card", "card": shown_card(card)},
            "refunded": back == raw["amount"],
            "status": charge["status"],
        }

    async def method_for(self, account: Account, params: Params) -> str | None:
        """The payment method that a call brings, made when it comes as a token."""
        if "payment_method" in params:
            name = params["payment_method"]
            card = card_of_method(name)
            if card is None:
                account.check_method(name, params.get("customer"))
                return name
            return await self.new_method(account, card)
        brought = params.get("payment_method_data")
        if brought is None:
            return None
        token = brought.get("card", {}).get("token")
        card = card_of_token(token)
        if card is None:
            raise Refusal(
                400,
                f"No such token: '{token}'",
                code="resource_missing",
                param="payment_method_data[card][token]",
            )
        return await self.new_method(account, card)

    async def new_method(self, account: Account, card: Card) -> str:
        number = {"number": card.number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
        raw = await self._desk.localstripe.post("payment_methods", type="card", card=number)
        account.cards[raw["id"]] = card
        return raw["id"]

    def named(self, account: Account, name: str) -> Intent:
        if name not in account.intents:
            raise missing("payment_intent", name)
        return account.intents[name]

    def _check(self, account: Account, params: Params) -> None:
        currency = params.get("currency", "")
        if len(currency) != 3 or currency != currency.lower() or currency in ("xxx", "clf"):
            raise Refusal(400, f"Invalid currency: {currency}", param="currency")
        if int(params.get("amount", 0)) < 50 and currency == "usd":
            raise Refusal(
                400, "Amount must be at least $0.50 usd", code="amount_too_small", param="amount"
            )
        customer = params.get("customer")
        if customer is not None and customer not in account.customers:
            raise Refusal(
                400,
                f"No such customer: '{customer}'",
                code="resource_missing",
                param="customer",
            )

    def _unexpected(self, shown: Params, what: str) -> Refusal:
        return Refusal(
            400,
            f"This PaymentIntent could not be {what} because it has a status of {shown['status']}.",
            code="payment_intent_unexpected_state",
            payment_intent=collapsed(shown, []),
        )


def shown_card(card: Card) -> Params:
    """A card as it is shown: never its number."""
    return {"brand": card.brand, "last4": card.last4, "exp_month": 12, "exp_year": 2034}


def check_confirmation(params: Params) -> None:
    """What Stripe wants to know of who confirms at once, since 2023-08-16 and 2026-09-30."""
    if "payment_method_types" in params:
        raise Refusal(
            400,
            "The parameter payment_method_types is no longer supported.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
    automatic = params.get("automatic_payment_methods")
    if automatic is not None and "allowed_payment_method_types" in params:
        raise Refusal(
            400, "Only one of these parameters may be given.", code="parameters_exclusive"
        )
    if params.get("confirm") != "true":
        return
    if params.get("error_on_requires_action") == "true":
        raise Refusal(400, "error_on_requires_action needs a fixed list of payment methods.")
    never = (automatic or {}).get("allow_redirects") == "never"
    if not (never or params.get("off_session") == "true" or "return_url" in params):
        raise Refusal(400, "A return_url is needed to confirm.", param="return_url")
    if never and "return_url" in params:
        raise Refusal(400, "A return_url is not needed without redirects.", param="return_url")
