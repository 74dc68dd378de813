"""The sandbox knows Stripe's test cards under every spelling that code in the wild uses."""

import re
from pathlib import Path

import pytest

from openorders.gateways.declines import fit_for_buyers
from openorders.gateways.sandbox_cards import (
    CHOICES,
    Behaviour,
    card_of,
    refund_behaviour,
)


@pytest.mark.parametrize(
    ("token", "brand", "last_four"),
    [
        ("tok_visa", "Visa", "4242"),
        ("tok_visa_debit", "Visa", "5556"),
        ("tok_mastercard", "Mastercard", "4444"),
        ("tok_mastercard_debit", "Mastercard", "8210"),
        ("tok_mastercard_prepaid", "Mastercard", "5100"),
        ("tok_amex", "American Express", "0005"),
        ("tok_discover", "Discover", "1117"),
        ("tok_diners", "Diners Club", "0004"),
        ("tok_jcb", "JCB", "0505"),
        ("tok_unionpay", "UnionPay", "0005"),
        ("tok_de", "Visa", "0016"),
        ("tok_bypassPending", "Visa", "0077"),
        ("pm_card_visa", "Visa", "4242"),
        ("pm_card_mastercard", "Mastercard", "4444"),
        ("pm_card_us", "Visa", "4242"),
    ],
)
def test_a_good_card_is_known(token: str, brand: str, last_four: str) -> None:
    card = card_of(token)
    assert card is not None
    assert (card.brand, card.last_four, card.decline) == (brand, last_four, None)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("chargeDeclined", "card_declined"),
        ("chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("chargeDeclinedLostCard", "card_declined"),
        ("chargeDeclinedStolenCard", "card_declined"),
        ("chargeDeclinedVelocityLimitExceeded", "card_velocity_exceeded"),
        ("chargeDeclinedExpiredCard", "expired_card"),
        ("chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("chargeDeclinedProcessingError", "processing_error"),
        ("chargeDeclinedFraudulent", "card_declined"),
        ("radarBlock", "card_declined"),
        ("chargeCustomerFail", "card_declined"),
        ("threeDSecure2Required", "authentication_required"),
    ],
)
@pytest.mark.parametrize("spelling", ["tok_{}", "tok_visa_{}", "pm_card_{}", "pm_card_visa_{}"])
def test_a_card_that_is_declined_says_what_a_buyer_may_know(
    name: str, code: str, spelling: str
) -> None:
    card = card_of(spelling.format(name))
    assert card is not None
    assert card.decline is not None
    declined = fit_for_buyers(card.decline)
    assert declined.code == code
    assert declined.message.endswith(".")
    for secret in ("lost", "stolen", "fraud"):
        assert secret not in (declined.code + declined.message).lower()


@pytest.mark.parametrize("token", [None, "", "tok_", "visa", "tok_nobody", "card_visa", "TOK_VISA"])
def test_anything_else_is_no_card(token: str | None) -> None:
    assert card_of(token) is None


def test_only_the_two_odd_cards_make_trouble_with_refunds() -> None:
    assert refund_behaviour("7726") is Behaviour.REFUND_PENDING
    assert refund_behaviour("5126") is Behaviour.REFUND_FAILS
    assert refund_behaviour("4242") is Behaviour.PLAIN
    assert refund_behaviour(None) is Behaviour.PLAIN


def test_the_pay_page_offers_cards_that_exist() -> None:
    assert all(card_of(token) for token, _ in CHOICES)


def test_the_documentation_names_cards_that_exist() -> None:
    page = Path(__file__).parents[2] / "docs" / "payments.md"
    tokens = set(re.findall(r"`(tok_\w+)`", page.read_text(encoding="utf-8"))) - {
        "tok_x",
        "tok_visa_x",
    }
    assert len(tokens) > 20
    assert [token for token in tokens if card_of(token) is None] == []
