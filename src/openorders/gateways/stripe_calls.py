"""What is sent to Stripe for a call: fields of requests, and our marks on what they make."""

from typing import Any, Final

from openorders.domain.payment import OperationKind
from openorders.gateways import stripe_answers as answers
from openorders.gateways.payments import GatewayCall

Params = dict[str, Any]
"""What the SDK sends. Its own types of dictionaries do not know all that Stripe takes."""

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
    """A payment that is tried at once. Without a way back nobody can act, so a card whose bank asks
    for its buyer is declined.
    """
    params: Params = {
        "amount": answers.in_stripe(call),
        "currency": call.currency.lower(),
        "confirm": True,
        "payment_method_types": ["card"],
        "description": f"Order {call.order_id}",
        "metadata": marks(call),
        **WITH_CHARGE,
    }
    if call.customer is not None:
        params["customer"] = call.customer
    if call.return_url is not None:
        params["return_url"] = call.return_url
    elif call.customer is not None:
        params["off_session"] = True
    else:
        params["error_on_requires_action"] = True
    return params


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
