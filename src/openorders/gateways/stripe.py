"""Stripe as a gateway. Every payment is a PaymentIntent that carries our key in its metadata.

A call that is sent again has one effect: by Stripe's idempotency keys while Stripe remembers
them (24 hours), and after that because what a key made is looked for before it is made again.
What was tested against what is in docs/gateways/stripe.md.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Final

from openorders.domain.ids import CustomerId
from openorders.domain.payment import OperationKind
from openorders.domain.store_settings import GatewaySettings, Store
from openorders.gateways import stripe_answers as answers
from openorders.gateways import stripe_books as books
from openorders.gateways import stripe_calls as calls
from openorders.gateways.declines import fit_for_buyers, not_possible
from openorders.gateways.payments import (
    AnswerDisbelieved,
    Declined,
    Entry,
    GatewayCall,
    GatewayFactory,
    GatewayMisused,
    GatewayUnreachable,
    Notice,
    Outcome,
    Pending,
    SavedMethod,
    Succeeded,
    UnknownGatewayKind,
)
from openorders.gateways.stripe_amounts import from_stripe
from openorders.gateways.stripe_answers import Charge, Customer, Intent, Method, Session, Setup
from openorders.gateways.stripe_line import StripeAccount, StripeLine, StripeSaysNo
from openorders.gateways.stripe_notices import read_event

_PAGE_PREFIX: Final = "cs_"


def stripe_gateways(line: StripeLine) -> GatewayFactory:
    """Accounts at Stripe, all on one line."""

    def opened(store: Store, settings: GatewaySettings) -> "StripeGateway":
        if settings.secret_key is None:
            raise UnknownGatewayKind(f"{store.name}: {settings.name} has no secret key")
        return StripeGateway(line.account(settings.secret_key), settings.webhook_secret)

    return opened


class StripeGateway:
    """One account at Stripe."""

    has_pages = True

    def __init__(self, account: StripeAccount, webhook_secret: str | None = None) -> None:
        self._account = account
        self._webhook_secret = webhook_secret

    async def charge(self, call: GatewayCall) -> Outcome:
        """Take the money at once."""
        return await self._open(call, "automatic")

    async def authorise(self, call: GatewayCall) -> Outcome:
        """Reserve the money on the buyer's card; Stripe holds it for about seven days."""
        return await self._open(call, "manual")

    async def open_page(self, call: GatewayCall) -> Outcome:
        """Open a Checkout Session: a page of Stripe's that takes what its dashboard offers."""
        if answers.in_stripe(call) is None:
            return fit_for_buyers("amount_not_supported")
        if call.return_url is None:
            raise GatewayMisused(f"{call.kind} {call.key}: a page needs a way back")
        params: Any = calls.session(call, call.return_url)
        once = calls.once(call.key)
        try:
            session, replayed = await self._account.ask(
                lambda client: client.v1.checkout.sessions.create_async(params, once), Session
            )
        except StripeSaysNo as no:
            return no.without_effect()
        if replayed:
            session = await self._session(session.id)
        return answers.of_page(session, call)

    async def capture(self, call: GatewayCall) -> Outcome:
        """Take what was reserved, or part of it; Stripe releases the rest."""
        intent_id = await self._intent_id(call)
        if answers.in_stripe(call) is None:
            return fit_for_buyers("amount_not_supported")
        params: Any = {
            "amount_to_capture": answers.in_stripe(call),
            "metadata": {answers.CAPTURE_KEY: call.key},
            **calls.WITH_CHARGE,
        }
        try:
            intent = await self._account.tell(
                lambda client: client.v1.payment_intents.capture_async(
                    intent_id, params, calls.once(call.key)
                ),
                Intent,
            )
        except StripeSaysNo as no:
            outcome = answers.of_capture(await self._intent(intent_id), call)
            return no.decided() if outcome is None else outcome
        outcome = answers.of_capture(intent, call)
        if outcome is None:
            raise AnswerDisbelieved(f"capture {call.key}: not captured after all")
        return outcome

    async def refund(self, call: GatewayCall) -> Outcome:
        """Give back what was taken, or part of it.

        A refund of this key that is there already is told as it stands, also when Stripe no
        longer remembers the key.
        """
        intent_id = await self._intent_id(call)
        if answers.in_stripe(call) is None:
            return fit_for_buyers("amount_not_supported")
        known = await self._refund(intent_id, call)
        if known is not None:
            return answers.of_refund(known, call)
        params: Any = {
            "payment_intent": intent_id,
            "amount": answers.in_stripe(call),
            "metadata": {answers.KEY: call.key, answers.ORDER: str(call.order_id)},
        }
        try:
            refund = await self._account.tell(
                lambda client: client.v1.refunds.create_async(params, calls.once(call.key)),
                answers.Refund,
            )
        except StripeSaysNo as no:
            # Stripe gives no code to a refund of more than is left, nor of what was not taken.
            left = answers.refundable(await self._intent(intent_id))
            if left < params["amount"]:
                return not_possible("More would be refunded than was captured.")
            return no.decided()
        return answers.of_refund(refund, call)

    async def void(self, call: GatewayCall) -> Outcome:
        """Release what was reserved, or give up a payment or a page that waits."""
        if (call.reference or "").startswith(_PAGE_PREFIX):
            return await self._close_page(call.reference or "", call)
        intent_id = await self._intent_id(call)
        return await self._cancel(intent_id, call)

    async def look_up(self, call: GatewayCall, since: datetime) -> Outcome | None:
        """What became of a call, from the object that it made or was about."""
        match call.kind:
            case OperationKind.CHARGE | OperationKind.AUTHORISE:
                return await self._look_up_opening(call, since)
            case OperationKind.CAPTURE:
                return answers.of_capture(await self._intent(await self._intent_id(call)), call)
            case OperationKind.VOID:
                return await self._look_up_void(call)
            case OperationKind.REFUND:
                refund = await self._refund(await self._intent_id(call), call)
                return None if refund is None else answers.of_refund(refund, call)

    async def save_method(
        self, key: str, customer_id: CustomerId, customer: str | None, token: str
    ) -> SavedMethod | Declined:
        """Keep a card for charges without its buyer.

        A card whose bank wants to see its buyer for that is declined: nobody is there to act.
        """
        try:
            owner = customer or await self._new_customer(key, customer_id)
            setup = await self._set_up(key, owner, token)
        except StripeSaysNo as no:
            return no.without_effect()
        if setup is None:
            return fit_for_buyers("invalid_token")
        if setup.status != "succeeded":
            return fit_for_buyers("authentication_required")
        return answers.kept(setup.payment_method, owner)

    async def forget_method(self, reference: str) -> None:
        """Let go of a card; one that belongs to nobody any more is let go of."""
        try:
            await self._account.tell(
                lambda client: client.v1.payment_methods.detach_async(reference), Method
            )
        except StripeSaysNo:
            return

    def read_notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice | None:
        """An event that Stripe sent to our endpoint."""
        return read_event(headers, body, self._webhook_secret, now)

    async def entries(self, since: datetime, until: datetime) -> AsyncIterator[Entry]:
        """Every PaymentIntent of the account that was made in that time, the newest first."""
        async for intent in books.intents_between(self._account, since, until):
            yield await self._entry(intent)

    async def _open(self, call: GatewayCall, capture_method: str) -> Outcome:
        if answers.in_stripe(call) is None:
            return fit_for_buyers("amount_not_supported")
        means = calls.means(call.token)
        if means is None:
            return fit_for_buyers("invalid_token")
        params: Any = {**calls.intent(call), **means, "capture_method": capture_method}
        try:
            intent, replayed = await self._account.ask(
                lambda client: client.v1.payment_intents.create_async(params, calls.once(call.key)),
                Intent,
            )
        except StripeSaysNo as no:
            return no.without_effect()
        outcome = answers.of_opening(intent, call)
        if replayed and isinstance(outcome, Pending):
            return answers.of_opening(await self._intent(intent.id), call)
        if intent.status == "requires_action" and isinstance(outcome, Declined):
            await self._let_go(intent.id, call)
        return outcome

    async def _let_go(self, intent_id: str, call: GatewayCall) -> None:
        """Tidy up what nobody can act on; left as it is, it would stay without effect, too."""
        with contextlib.suppress(GatewayUnreachable, GatewayMisused):
            await self._cancel(intent_id, call)

    async def _close_page(self, session_id: str, call: GatewayCall) -> Outcome:
        try:
            session = await self._account.tell(
                lambda client: client.v1.checkout.sessions.expire_async(
                    session_id, {}, calls.once(call.key)
                ),
                Session,
            )
        except StripeSaysNo:
            session = await self._session(session_id)
        if session.status == "expired":
            return Succeeded(reference=session.id)
        if not isinstance(session.payment_intent, Intent):
            raise AnswerDisbelieved(f"void {call.key}: the page is {session.status}, without end")
        return await self._cancel(session.payment_intent.id, call)

    async def _cancel(self, intent_id: str, call: GatewayCall) -> Outcome:
        try:
            intent = await self._account.tell(
                lambda client: client.v1.payment_intents.cancel_async(
                    intent_id, {}, calls.once(f"{call.key}-cancel")
                ),
                Intent,
            )
        except StripeSaysNo as no:
            outcome = answers.of_void(await self._intent(intent_id))
            return no.decided() if outcome is None else outcome
        outcome = answers.of_void(intent)
        if outcome is None:
            raise AnswerDisbelieved(f"void {call.key}: not cancelled after all")
        return outcome

    async def _look_up_opening(self, call: GatewayCall, since: datetime) -> Outcome | None:
        reference = call.reference
        if reference is None and call.token is None:
            session = await books.session_of_key(self._account, call.key, since)
            reference = session.id if session else None
        if reference is not None and reference.startswith(_PAGE_PREFIX):
            return answers.of_page(await self._session(reference), call)
        if reference is None:
            intent = await books.intent_of_key(self._account, call.key, since)
            reference = intent.id if intent else None
        if reference is None:
            return None
        return answers.of_opening(await self._intent(reference), call)

    async def _look_up_void(self, call: GatewayCall) -> Outcome | None:
        reference = call.reference or ""
        if reference.startswith(_PAGE_PREFIX):
            session = await self._session(reference)
            if session.status == "expired":
                return Succeeded(reference=session.id)
            if not isinstance(session.payment_intent, Intent):
                return None
            return answers.of_void(session.payment_intent)
        return answers.of_void(await self._intent(await self._intent_id(call)))

    async def _intent_id(self, call: GatewayCall) -> str:
        """The intent that a call is about; a page that was paid stands for its own."""
        reference = call.reference
        if reference is None:
            raise GatewayMisused(f"{call.kind} {call.key}: of which payment?")
        if not reference.startswith(_PAGE_PREFIX):
            return reference
        session = await self._session(reference)
        if not isinstance(session.payment_intent, Intent):
            raise GatewayMisused(f"{call.kind} {call.key}: nobody has paid on {reference}")
        return session.payment_intent.id

    async def _intent(self, intent_id: str) -> Intent:
        params: Any = calls.WITH_CHARGE
        try:
            return await self._account.tell(
                lambda client: client.v1.payment_intents.retrieve_async(intent_id, params), Intent
            )
        except StripeSaysNo as no:
            raise GatewayMisused(str(no)) from no

    async def _session(self, session_id: str) -> Session:
        params: Any = calls.WITH_INTENT
        try:
            return await self._account.tell(
                lambda client: client.v1.checkout.sessions.retrieve_async(session_id, params),
                Session,
            )
        except StripeSaysNo as no:
            raise GatewayMisused(str(no)) from no

    async def _refund(self, intent_id: str, call: GatewayCall) -> answers.Refund | None:
        try:
            async for refund in books.refunds_of(self._account, intent_id):
                if (refund.metadata or {}).get(answers.KEY) == call.key:
                    return refund
        except StripeSaysNo as no:
            raise GatewayMisused(str(no)) from no
        return None

    async def _new_customer(self, key: str, customer_id: CustomerId) -> str:
        params: Any = {"metadata": {"openorders_customer": str(customer_id)}}
        customer = await self._account.tell(
            lambda client: client.v1.customers.create_async(params, calls.once(f"{key}-customer")),
            Customer,
        )
        return customer.id

    async def _set_up(self, key: str, customer: str, token: str) -> Setup | None:
        """Keep a card at Stripe; None for what is no card."""
        method = token
        if token.startswith("tok_"):
            card: Any = {"type": "card", "card": {"token": token}}
            once = calls.once(f"{key}-card")
            made = await self._account.tell(
                lambda client: client.v1.payment_methods.create_async(card, once), Method
            )
            method = made.id
        elif not token.startswith("pm_"):
            return None
        params: Any = {
            "customer": customer,
            "payment_method": method,
            "usage": "off_session",
            "confirm": True,
            "metadata": {answers.KEY: key},
            "expand": ["payment_method"],
            **calls.WITHOUT_PAGES,
        }
        return await self._account.tell(
            lambda client: client.v1.setup_intents.create_async(params, calls.once(key)), Setup
        )

    async def _entry(self, intent: Intent) -> Entry:
        currency = intent.currency.upper()
        held = intent.status in ("succeeded", "requires_capture")
        charge = intent.latest_charge
        back = 0
        if isinstance(charge, Charge) and charge.amount_refunded:
            refunds = [refund async for refund in books.refunds_of(self._account, intent.id)]
            back = answers.given_back(intent, refunds)
        amounts = (intent.amount if held else 0, intent.amount_received, back)
        ours = [minor for one in amounts if (minor := from_stripe(one, currency)) is not None]
        told = len(ours) == len(amounts)
        authorised, captured, refunded = ours if told else amounts
        return Entry(
            reference=intent.id,
            key=intent.metadata.get(answers.KEY),
            # One that none of ours can be of is no reason to read no other: it is shown as it is.
            currency=currency if told else f"{currency} in Stripe's units",
            authorised=authorised,
            captured=captured,
            refunded=refunded,
            at=books.moment(intent.created),
        )
