"""What of Stripe's refunds counts as given back."""

import pytest

from openorders.gateways.stripe_answers import KEY, Intent, Refund, given_back


def an_intent(received: int) -> Intent:
    return Intent(
        object="payment_intent",
        id="pi_1",
        amount=1000,
        currency="usd",
        status="succeeded",
        created=0,
        amount_received=received,
    )


def a_refund(amount: int, *, key: str | None = None, status: str = "succeeded") -> Refund:
    metadata = {KEY: key} if key else {}
    return Refund(id="re_1", amount=amount, currency="usd", status=status, metadata=metadata)


@pytest.mark.parametrize(
    ("received", "refunds", "back"),
    [
        (1000, [], 0),
        (1000, [a_refund(300, key="r")], 300),
        (1000, [a_refund(200), a_refund(300, key="r")], 500),
        (1000, [a_refund(200, status="failed"), a_refund(300, status="pending")], 0),
        (700, [a_refund(300)], 0),
        (700, [a_refund(300, key="r")], 300),
        (700, [a_refund(300, key="r"), a_refund(300)], 300),
        (700, [a_refund(300), a_refund(300)], 300),
        (700, [a_refund(250)], 250),
        (0, [a_refund(1000)], 0),
    ],
)
def test_what_was_never_taken_is_not_given_back(
    received: int, refunds: list[Refund], back: int
) -> None:
    assert given_back(an_intent(received), refunds) == back
