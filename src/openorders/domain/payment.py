"""Money as it moved: payments, the operations on them, and the state they add up to.

An operation is recorded before the gateway is asked and settled with what it answered; what
was captured and refunded is the sum of the settled ones. All amounts are minor units.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from openorders.domain.ids import OperationId, PaymentId, RefundId


class AttemptState(StrEnum):
    """How one attempt to take money stands.

    `STARTED` waits for the gateway's answer, `PENDING` for the buyer: a bank wants to know them,
    or they are on the gateway's own page.
    """

    STARTED = "started"
    PENDING = "pending"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"


class OperationKind(StrEnum):
    """What a gateway is asked to do. `CHARGE` authorises and captures at once."""

    CHARGE = "charge"
    AUTHORISE = "authorise"
    CAPTURE = "capture"
    REFUND = "refund"
    VOID = "void"


class OperationState(StrEnum):
    """`STARTED` until the gateway's answer is known for certain."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


MANUAL_GATEWAY = "manual"
"""The gateway of payments that were taken elsewhere: nothing is called, staff vouch for it."""


class Payment(Struct, frozen=True, kw_only=True):
    """One attempt to take money for an order, and what became of it.

    `refunding` of it is on its way back; `ending` while its capture or release is under way.
    """

    id: PaymentId
    gateway: str
    method: str
    amount: int
    state: AttemptState
    captured: int = 0
    refunded: int = 0
    refunding: int = 0
    ending: bool = False
    reference: str | None = None
    card_brand: str | None = None
    card_last_four: str | None = None
    decline_code: str | None = None
    action_url: str | None = None
    created_at: datetime
    settled_at: datetime | None = None

    def __post_init__(self) -> None:
        """The same as the CHECKs of the table."""
        assert 0 <= self.refunded <= self.captured <= self.amount

    @property
    def is_open(self) -> bool:
        """Whether its outcome is still awaited: an order has one such attempt at most."""
        return self.state in (AttemptState.STARTED, AttemptState.PENDING)

    @property
    def refundable(self) -> int:
        """Captured, and neither given back nor on its way back."""
        return self.captured - self.refunded - self.refunding


class Operation(Struct, frozen=True, kw_only=True):
    """One call to a gateway, recorded before it is made and settled with what it said.

    `reference` is the gateway's name of what it did, `failure` why it did not; `refund_id` the
    refund that it carries out.
    """

    id: OperationId
    payment_id: PaymentId
    kind: OperationKind
    amount: int
    state: OperationState
    reason: str | None = None
    reference: str | None = None
    failure: str | None = None
    refund_id: RefundId | None = None
    created_at: datetime
    settled_at: datetime | None = None


class GiveBack(Struct, frozen=True, kw_only=True):
    """Decided with a change: give this much of a payment back, or void it when not captured."""

    payment_id: PaymentId
    kind: OperationKind
    amount: int
    reason: str | None = None


def captured(payments: tuple[Payment, ...]) -> int:
    """Everything that was ever captured."""
    return sum(payment.captured for payment in payments)


def refundable(payments: tuple[Payment, ...]) -> int:
    """What was captured and not yet given back, nor is being given back."""
    return sum(payment.refundable for payment in payments)


def give_back(
    payments: tuple[Payment, ...], amount: int, *, reason: str | None
) -> tuple[GiveBack, ...]:
    """Refund `amount`, the latest payment first.

    `amount` is at most what is refundable; asking for more is the caller's bug.
    """
    assert 0 <= amount <= refundable(payments)
    steps: list[GiveBack] = []
    for payment in reversed(payments):
        part = min(amount, payment.refundable)
        if part > 0:
            steps.append(
                GiveBack(
                    payment_id=payment.id, kind=OperationKind.REFUND, amount=part, reason=reason
                )
            )
            amount -= part
    return tuple(steps)


def under_way(payments: tuple[Payment, ...], steps: tuple[GiveBack, ...]) -> tuple[Payment, ...]:
    """The payments with what is being given back of them."""
    going = {step.payment_id: step.amount for step in steps if step.kind is OperationKind.REFUND}
    return tuple(
        replace(payment, refunding=payment.refunding + going.get(payment.id, 0))
        for payment in payments
    )


def give_up(
    payments: tuple[Payment, ...], *, reason: str | None, only: PaymentId | None = None
) -> tuple[GiveBack, ...]:
    """Void what is authorised and not captured, and what waits for its buyer: all, or `only` one.

    What is being captured or released right now is left to end that way.
    """
    return tuple(
        GiveBack(
            payment_id=payment.id, kind=OperationKind.VOID, amount=payment.amount, reason=reason
        )
        for payment in payments
        if payment.state in (AttemptState.AUTHORISED, AttemptState.PENDING)
        and not payment.ending
        and only in (None, payment.id)
    )
