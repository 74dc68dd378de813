"""What is sent to Stripe for a call: fields of requests, and our marks on what they make."""

from typing import Any, Final

from openorders.domain.payment import OperationKind
from openorders.gateways import stripe_answers as answers
from openorders.gateways.payments import GatewayCall

Params = dict[str, Any]
"""What the SDK sends. Its own types of dictionaries do not know all that Stripe takes."""

ONLY_CARDS: Final = {"allowed_payment_method_types": ["card"]}
WITHOUT_PAGES: Final = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}

WITH_CHARGE: Final = {"expand": ["latest_charge"]}
WITH_INTENT: Final = {"expand": ["payment_intent.latest_charge"]}


def once(key: str) -> Any:  # noqa: ANN401 - the SDK's own kind of dictionary
    """What makes a request have one effect however often it is sent."""
    return {"idempotency_key": key}


def means(token: str | None) -> Params | None:
    """What a buyer pays with, as Stripe wants it told; None for what is no card of Stripe's."""
    if token is not None and token.startswith("tok_"):
        return {"payment_method_data": {"type": "card", "card": {"token": token}}}
    if token is not None and token.startswith("pm_"):
        return {"payment_method": token}
    return None


def intent(call: GatewayCall) -> Params:
    """A payment that is tried at once, with a card.

    Stripe wants to know a way back, unless the buyer is away or no page is to be shown.
    """
    params: Params = {
        "amount": answers.in_stripe(call),
        "currency": call.currency.lower(),
        "confirm": True,
        "description": f"Order {call.order_id}",
        "metadata": marks(call),
        **WITH_CHARGE,
    }
    if call.customer is not None:
        params["customer"] = call.customer
    if call.return_url is not None:
        return {**params, **ONLY_CARDS, "return_url": call.return_url}
    if call.customer is not None:
        return {**params, **ONLY_CARDS, "off_session": True}
    return {**params, **WITHOUT_PAGES}


def session(call: GatewayCall, return_url: str) -> Params:
    """A page that takes one payment for an order."""
    price = {
        "currency": call.currency.lower(),
        "unit_amount": answers.in_stripe(call),
        "product_data": {"name": f"Order {call.order_id}"},
    }
    charge = call.kind is OperationKind.CHARGE
    params: Params = {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "success_url": return_url,
        "cancel_url": return_url,
        "metadata": marks(call),
        "payment_intent_data": {
            "capture_method": "automatic" if charge else "manual",
            "description": f"Order {call.order_id}",
            "metadata": {**marks(call), answers.PAGE: "yes"},
        },
        **WITH_INTENT,
    }
    if call.customer is not None:
        params["customer"] = call.customer
    return params


def marks(call: GatewayCall) -> dict[str, str]:
    """What an object of Stripe's tells about where it came from."""
    return {
        answers.KEY: call.key,
        answers.ORDER: str(call.order_id),
        answers.KIND: call.kind.value,
    }
