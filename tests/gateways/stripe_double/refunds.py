"""Refunds: localstripe's, with the limits of Stripe that it does not keep."""

from tests.gateways.stripe_double.books import Account, Desk, Intent, Refund, page_of
from tests.gateways.stripe_double.intents import Intents
from tests.gateways.stripe_double.wire import Params, Refusal, missing


class Refunds:
    """Money on its way back."""

    def __init__(self, desk: Desk, intents: Intents) -> None:
        self._desk = desk
        self._intents = intents

    async def create(self, account: Account, params: Params) -> Params:
        """Give back, or refuse; two at once never more than is there."""
        intent = self._intents.named(account, params["payment_intent"])
        async with account.turn:
            refund = await self._made(account, intent, params)
        await self._desk.emit(account, "refund.created", shown_refund(refund))
        after = await self._intents.shown(account, intent)
        await self._desk.emit(account, "charge.refunded", after["latest_charge"])
        return shown_refund(refund)

    async def _made(self, account: Account, intent: Intent, params: Params) -> Refund:
        shown = await self._intents.shown(account, intent)
        charge = shown["latest_charge"]
        if shown["status"] != "succeeded":
            raise Refusal(
                400,
                f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
            )
        left = charge["amount"] - charge["amount_refunded"]
        amount = int(params.get("amount", left))
        if left == 0:
            raise Refusal(
                400,
                f"Charge {charge['id']} has already been refunded.",
                code="charge_already_refunded",
            )
        if not 0 < amount <= left:
            raise Refusal(
                400,
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                param="amount",
            )
        raw = await self._desk.localstripe.post(
            "refunds", charge=charge["id"], amount=amount, metadata=params.get("metadata", {})
        )
        refund = account.refunds[raw["id"]] = Refund(
            id=raw["id"],
            created=self._desk.now(),
            intent=intent.id,
            charge=charge["id"],
            amount=amount,
            currency=raw["currency"],
            status=intent.card.refund if intent.card else "succeeded",
            metadata=params.get("metadata", {}),
        )
        return refund

    async def finish(self, account: Account, name: str, status: str) -> None:
        """What the buyer's bank says of a refund, now or days later."""
        refund = account.refunds[name]
        refund.status = status
        refund.failure_reason = "expired_or_canceled_card" if status == "failed" else None
        if status == "failed":
            await self._desk.emit(account, "refund.failed", shown_refund(refund))
        await self._desk.emit(account, "refund.updated", shown_refund(refund))

    def list_all(self, account: Account, params: Params, largest: int) -> Params:
        rows = [
            shown_refund(one)
            for one in account.refunds.values()
            if params.get("payment_intent") in (None, one.intent)
        ]
        return page_of(rows, params, largest)

    def retrieve(self, account: Account, name: str) -> Params:
        if name not in account.refunds:
            raise missing("refund", name)
        return shown_refund(account.refunds[name])


def shown_refund(refund: Refund) -> Params:
    return {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "charge": refund.charge,
        "created": refund.created,
        "currency": refund.currency,
        "failure_reason": refund.failure_reason,
        "metadata": refund.metadata,
        "payment_intent": refund.intent,
        "status": refund.status,
    }
