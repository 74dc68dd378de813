"""The way to Stripe: one question, one believed answer, within a time, or a reason why not.

All accounts of a process share one line; it is opened with the first question, and the SDK is
imported then. Which answers count as a no, and which as nothing known, is decided here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from openorders import logs
from openorders.gateways.declines import fit_for_buyers, not_possible
from openorders.gateways.payments import (
    AnswerDisbelieved,
    Declined,
    GatewayMisused,
    GatewayUnreachable,
)

if TYPE_CHECKING:
    import stripe

    from openorders.gateways.stripe_http import BoundedClient

ANSWER_S: Final = 14.0
"""How long Stripe may think about one request."""
QUESTION_S: Final = 18.0
"""How long one question may take with its repetitions: less than whoever asks waits for us."""
REPETITIONS: Final = 2
"""Of one question that got no answer, under the same idempotency key."""

_CARD_PARAMETERS: Final = (
    "card[token]",
    "customer",
    "payment_method",
    "payment_method_data[card]",
    "payment_method_data[card][token]",
)
_CARD_CODES: Final = (
    "payment_method_customer_decline",
    "payment_method_not_available",
    "payment_method_provider_decline",
    "payment_method_restricted",
    "payment_method_unactivated",
    "payment_method_unexpected_state",
    "payment_method_unsupported_type",
    "token_already_used",
    "token_card_network_invalid",
    "token_in_use",
)
_AMOUNT_CODES: Final = (
    "amount_too_large",
    "amount_too_small",
    "charge_exceeds_source_limit",
    "charge_exceeds_transaction_limit",
    "invalid_charge_amount",
)
_TOO_LATE_CODES: Final = (
    "balance_insufficient",
    "capture_charge_authorization_expired",
    "charge_already_captured",
    "charge_already_refunded",
    "charge_disputed",
    "charge_expired_for_capture",
    "charge_not_refundable",
    "insufficient_funds",
    "refund_disputed_payment",
)

_log = logs.Logger(__name__)

T = TypeVar("T")
Question = Callable[["stripe.StripeClient"], Awaitable[Any]]


class StripeSaysNo(Exception):
    """Stripe refused what was asked. `declined` is set when that is an answer to a buyer."""

    def __init__(self, problem: str, code: str | None, declined: Declined | None) -> None:
        super().__init__(problem)
        self.code = code
        self.declined = declined

    def without_effect(self) -> Declined:
        """The no to what would have opened something: whatever was wrong, nothing was opened."""
        if self.declined is None:
            _log.error("stripe_refused_a_request", problem=str(self))
        return self.declined or fit_for_buyers("not_processed")

    def decided(self) -> Declined:
        """The no. Raises `GatewayMisused` when it is ours to mend, and nobody's answer."""
        if self.declined is None:
            raise GatewayMisused(str(self)) from self
        return self.declined


class StripeLine:
    """The connections to Stripe. `url` is its origin."""

    def __init__(self, url: str, *, question_s: float = QUESTION_S) -> None:
        self._url = url
        self._question_s = question_s
        self._http: BoundedClient | None = None
        self._turn = asyncio.Lock()

    def account(self, secret_key: str) -> "StripeAccount":
        """An account, by its secret key; nothing is asked yet."""
        return StripeAccount(self, secret_key)

    async def client(self, secret_key: str) -> "stripe.StripeClient":
        """The SDK's client of an account, on the shared connections.

        It is loaded beside the requests: it keeps a processor busy for half a second.
        """
        async with self._turn:
            return await asyncio.to_thread(self._load, secret_key)

    def _load(self, secret_key: str) -> "stripe.StripeClient":
        import stripe

        from openorders.gateways.stripe_http import BoundedClient

        if self._http is None:
            self._http = BoundedClient(min(ANSWER_S, self._question_s))
        return stripe.StripeClient(
            secret_key,
            base_addresses={"api": self._url},
            http_client=self._http,
            max_network_retries=REPETITIONS,
        )

    @property
    def question_s(self) -> float:
        """How long one question may take."""
        return self._question_s

    async def aclose(self) -> None:
        """Close what was opened."""
        http, self._http = self._http, None
        if http is not None:
            await http.close_async()


class StripeAccount:
    """Questions to one account."""

    def __init__(self, line: StripeLine, secret_key: str) -> None:
        self._line = line
        self._secret_key = secret_key
        self._client: stripe.StripeClient | None = None

    async def ask(self, question: Question, shape: type[T]) -> tuple[T, bool]:
        """An answer of the expected shape, and whether Stripe only repeated an earlier one.

        Raises `StripeSaysNo`, and what every gateway raises.
        """
        if self._client is None:
            self._client = await self._line.client(self._secret_key)
        import stripe

        try:
            async with asyncio.timeout(self._line.question_s):
                answer = await question(self._client)
            headers: Mapping[str, str] = answer.last_response.headers
            believed = msgspec.convert(answer.to_dict(), shape)
        except stripe.StripeError as error:
            raise _translated(error) from error
        except TimeoutError as error:
            raise GatewayUnreachable("Stripe did not answer in time") from error
        except (msgspec.ValidationError, AttributeError, TypeError, ValueError, KeyError) as error:
            # What the SDK makes of an answer that is no object of Stripe's.
            raise AnswerDisbelieved(f"Stripe's answer cannot be read: {error}") from error
        return believed, headers.get("idempotent-replayed") == "true"

    async def tell(self, question: Question, shape: type[T]) -> T:
        """An answer, whoever asked first."""
        answer, _ = await self.ask(question, shape)
        return answer


class _Details(msgspec.Struct):
    """What an error says beside its code."""

    code: str | None = None
    decline_code: str | None = None
    param: str | None = None


def _translated(error: "stripe.StripeError") -> Exception:
    """What an error of the SDK means: a no, our mistake, or that nothing is known."""
    import stripe

    said = f"{type(error).__name__} {error.http_status}: {error} ({error.code})"
    match error:
        case stripe.CardError():
            details = _details(error)
            code = details.decline_code or details.code or "card_declined"
            return StripeSaysNo(said, details.code, fit_for_buyers(code))
        case stripe.InvalidRequestError():
            return StripeSaysNo(said, error.code, _verdict(_details(error)))
        case stripe.IdempotencyError() | stripe.AuthenticationError() | stripe.PermissionError():
            return GatewayMisused(said)
        case _:
            return GatewayUnreachable(said)


def _verdict(details: _Details) -> Declined | None:
    """What a request that is no good means for its buyer; None when it is our own mistake."""
    code, param = details.code or "", details.param or ""
    if code in _AMOUNT_CODES or "amount" in param or "currency" in param:
        return fit_for_buyers("amount_not_supported")
    if param in _CARD_PARAMETERS or code in _CARD_CODES:
        return fit_for_buyers("invalid_token")
    if code in _TOO_LATE_CODES:
        return not_possible("It is too late for that.")
    return None


def _details(error: "stripe.StripeError") -> _Details:
    body: Any = error.json_body
    try:
        return msgspec.convert(body["error"], _Details)
    except (msgspec.ValidationError, KeyError, TypeError):
        return _Details(code=error.code)
