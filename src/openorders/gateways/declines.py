"""What a card's issuer says, in words that a buyer may read.

A thief need not learn why: a card that is lost, stolen or suspected is declined like any other.
"""

from typing import Final

from openorders.gateways.payments import Declined

_GENERIC: Final = Declined(code="card_declined", message="Your card was declined.")
_MESSAGES: Final = {
    "insufficient_funds": "Your card has insufficient funds.",
    "card_velocity_exceeded": "Your card was declined for exceeding its limit.",
    "withdrawal_count_limit_exceeded": "Your card was declined for exceeding its limit.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "incorrect_number": "Your card's number is incorrect.",
    "invalid_expiry": "Your card's date of expiry is incorrect.",
    "incorrect_address": "Your card's address does not match.",
    "processing_error": "An error occurred while processing your card. Try again later.",
    "try_again_later": "Your card was declined for now. Try again later.",
    "card_not_supported": "Your card does not support this kind of purchase.",
    "currency_not_supported": "Your card does not support this currency.",
    "call_issuer": "Your card was declined. Ask its bank why.",
    "authentication_required": "Your card needs a confirmation that is not available here.",
    "authentication_failed": "The card's bank could not confirm that it is you.",
    "turned_down": "The payment was turned down.",
    "voided": "The payment was given up.",
    "cancelled": "The payment was given up.",
    "expired": "The page to pay on was closed before it was paid.",
    "invalid_token": "The card could not be recognised.",
    "refund_failed": "The card's bank did not accept the refund.",
    "not_processed": "The payment could not be processed. You were not charged.",
    "amount_not_supported": "This amount cannot be paid this way.",
}
_SAME: Final = {
    "invalid_cvc": "incorrect_cvc",
    "invalid_number": "incorrect_number",
    "invalid_expiry_month": "invalid_expiry",
    "invalid_expiry_year": "invalid_expiry",
    "incorrect_zip": "incorrect_address",
    "incorrect_postal_code": "incorrect_address",
    "expired_payment_method": "expired_card",
    "invalid_account": "call_issuer",
    "new_account_information_available": "call_issuer",
    "card_decline_rate_limit_exceeded": "card_velocity_exceeded",
    "issuer_not_available": "try_again_later",
    "reenter_transaction": "try_again_later",
    "authentication_not_handled": "authentication_required",
    "payment_intent_action_required": "authentication_required",
    "requires_action_not_handled": "authentication_required",
    "authentication_failure": "authentication_failed",
    "payment_intent_authentication_failure": "authentication_failed",
    "setup_intent_authentication_failure": "authentication_failed",
}


def fit_for_buyers(issuer_code: str) -> Declined:
    """An issuer's no, or a gateway's; one that is not known here is a card that was declined."""
    code = _SAME.get(issuer_code, issuer_code)
    message = _MESSAGES.get(code)
    return Declined(code=code, message=message) if message else _GENERIC


def not_possible(message: str) -> Declined:
    """What was asked cannot be done any more, whatever the card."""
    return Declined(code="not_possible", message=message)
