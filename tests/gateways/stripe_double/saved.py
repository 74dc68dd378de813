"""Customers and the cards they leave behind."""

from tests.gateways.stripe_double.books import Account, Desk
from tests.gateways.stripe_double.cards import Card, card_of_token
from tests.gateways.stripe_double.intents import Intents, check_confirmation, shown_card
from tests.gateways.stripe_double.wire import Params, Refusal, missing


class SavedCards:
    """Customers, payment methods and setup intents."""

    def __init__(self, desk: Desk, intents: Intents) -> None:
        self._desk = desk
        self._intents = intents

    async def create_customer(self, account: Account, params: Params) -> Params:
        raw = await self._desk.localstripe.post("customers", metadata=params.get("metadata", {}))
        account.customers.add(raw["id"])
        return {
            "id": raw["id"],
            "object": "customer",
            "created": self._desk.now(),
            "livemode": False,
            "metadata": raw["metadata"],
        }

    async def create_method(self, account: Account, params: Params) -> Params:
        token = params.get("card", {}).get("token")
        card = card_of_token(token)
        if card is None:
            raise Refusal(
                400, f"No such token: '{token}'", code="resource_missing", param="card[token]"
            )
        return await self.method(account, await self._intents.new_method(account, card))

    async def method(self, account: Account, name: str) -> Params:
        if name not in account.cards:
            raise missing("PaymentMethod", name)
        raw = await self._desk.localstripe.get(f"payment_methods/{name}")
        return {
            "id": name,
            "object": "payment_method",
            "card": shown_card(account.cards[name]),
            "created": self._desk.now(),
            "customer": raw["customer"],
            "livemode": False,
            "type": "card",
        }

    async def detach(self, account: Account, name: str) -> Params:
        shown = await self.method(account, name)
        if shown["customer"] is None:
            raise Refusal(
                400,
                "The payment method you provided is not attached to a customer so detachment"
                " is impossible.",
            )
        await self._desk.localstripe.post(f"payment_methods/{name}/detach")
        account.owners[name] = None
        return {**shown, "customer": None}

    async def set_up(self, account: Account, params: Params) -> Params:
        """Keep a card for charges without its buyer; the bank may want to see them first."""
        check_confirmation(params)
        name = await self._intents.method_for(account, params)
        assert name is not None
        card = account.cards[name]
        customer = params["customer"]
        if customer not in account.customers:
            raise missing("customer", customer)
        raw = await self._desk.localstripe.post(
            "setup_intents",
            customer=customer,
            usage=params.get("usage"),
            metadata=params.get("metadata", {}),
        )
        shown = {
            "id": raw["id"],
            "object": "setup_intent",
            "created": self._desk.now(),
            "customer": customer,
            "livemode": False,
            "metadata": raw["metadata"],
            "next_action": None,
            "payment_method": await self.method(account, name),
            "status": "succeeded",
        }
        self._let(card, raw["id"])
        if card.needs_action:
            action = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
            return {**shown, "status": "requires_action", "next_action": action}
        await self._desk.localstripe.post(f"payment_methods/{name}/attach", customer=customer)
        account.owners[name] = customer
        shown["payment_method"]["customer"] = customer
        return shown

    def _let(self, card: Card, setup_intent: str) -> None:
        if card.code and not card.attaches:
            raise Refusal(
                402,
                card.message,
                kind="card_error",
                kept=True,
                code=card.code,
                decline_code=card.decline_code,
                setup_intent={"id": setup_intent},
            )
