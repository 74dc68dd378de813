"""One order with its money, kept as the store keeps it: every decision is written down as it is,
every call waits until the test says how the gateway answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from msgspec.structs import replace

from openorders.domain import balance
from openorders.domain.change import By, Change, MoveKind
from openorders.domain.ids import OperationId, PaymentId, RefundId, VariantId
from openorders.domain.order import Order
from openorders.domain.payment import (
    AttemptState,
    GiveBack,
    Operation,
    OperationKind,
    OperationState,
    Payment,
)
from openorders.domain.refund import Refund, RefundState, state_of
from tests.domain.orders import LATER, a_payment


@dataclass
class MoneyBook:
    """`operations` are all that were ever recorded; `returned` is what came back to the shelf."""

    order: Order
    operations: dict[int, Operation] = field(default_factory=dict)
    returned: dict[VariantId, int] = field(default_factory=dict)
    clock: By = LATER

    def by(self, reason: str | None = "because") -> By:
        """Somebody, a second later each time."""
        self.clock = replace(self.clock, at=self.clock.at + timedelta(seconds=1), reason=reason)
        return self.clock

    @property
    def open(self) -> list[Operation]:
        return [one for one in self.operations.values() if one.state is OperationState.STARTED]

    def done(self, *kinds: OperationKind) -> int:
        """What the gateways say was moved by calls of these kinds."""
        return sum(
            one.amount
            for one in self.operations.values()
            if one.state is OperationState.SUCCEEDED and one.kind in kinds
        )

    @property
    def failed(self) -> int:
        """What gateways would not give back."""
        return sum(refund.failed for refund in self.order.refunds)

    def save(self, change: Change) -> list[Operation]:
        """Write a decision down, as `store.changes` does: what is new gets its number."""
        order, steps = change.order, change.give_backs
        if len(order.payments) > len(change.before.payments):
            *known, new = order.payments
            payment_id = PaymentId(len(known) + 1)
            steps = tuple(
                replace(step, payment_id=payment_id) if step.payment_id == new.id else step
                for step in steps
            )
            order = replace(order, payments=(*known, replace(new, id=payment_id)))
            self._record(OperationKind.CHARGE, payment_id, new.amount, done=True)
        refund_id = RefundId(len(change.before.refunds) + 1)
        if len(order.refunds) > len(change.before.refunds):
            *earlier, refund = order.refunds
            order = replace(order, refunds=(*earlier, replace(refund, id=refund_id)))
        elif back := [step.amount for step in steps if step.kind is OperationKind.REFUND]:
            plain = Refund(
                id=refund_id, amount=sum(back), state=RefundState.STARTED, at=self.clock.at
            )
            order = replace(order, refunds=(*order.refunds, plain))
        for move in change.moves:
            if move.kind is MoveKind.RETURN:
                at_hand = self.returned.get(move.variant_id, 0)
                self.returned[move.variant_id] = at_hand + move.quantity
        self.order = order
        return self.record(steps, refund_id)

    def record(self, steps: Iterable[GiveBack], refund_id: RefundId) -> list[Operation]:
        recorded = [
            self._record(
                step.kind,
                step.payment_id,
                step.amount,
                refund_id=refund_id if step.kind is OperationKind.REFUND else None,
            )
            for step in steps
        ]
        self._follow()
        return recorded

    def attempt(self, kind: OperationKind, amount: int) -> Operation:
        """A buyer begins to pay."""
        payment_id = PaymentId(len(self.order.payments) + 1)
        started = a_payment(amount, number=payment_id, state=AttemptState.STARTED)
        self.order = replace(self.order, payments=(*self.order.payments, started))
        operation = self._record(kind, payment_id, amount)
        self._follow()
        return operation

    def capture(self, payment_id: PaymentId, amount: int) -> Operation:
        operation = self._record(OperationKind.CAPTURE, payment_id, amount)
        self._follow()
        return operation

    def settle(self, operation: Operation, *, succeeded: bool) -> None:
        """The gateway's answer, and what follows from it. A refund may fail after it was done."""
        state = OperationState.SUCCEEDED if succeeded else OperationState.FAILED
        undone = operation.state is OperationState.SUCCEEDED
        self.operations[operation.id] = replace(operation, state=state)
        if succeeded:
            self._change(operation.payment_id, _after(operation))
        elif undone:
            payment = self.payment(operation.payment_id)
            self._change(payment.id, {"refunded": payment.refunded - operation.amount})
        elif operation.kind in (OperationKind.CHARGE, OperationKind.AUTHORISE):
            self._change(operation.payment_id, {"state": AttemptState.DECLINED})
        if succeeded and operation.kind is OperationKind.REFUND:
            payment = self.payment(operation.payment_id)
            self._change(payment.id, {"refunded": payment.refunded + operation.amount})
        self._follow()
        if succeeded:
            back = balance.surplus(
                self.order, operation.payment_id, operation.amount, operation.kind
            )
            self.save(Change(before=self.order, order=self.order, give_backs=back))

    def payment(self, payment_id: PaymentId) -> Payment:
        return next(payment for payment in self.order.payments if payment.id == payment_id)

    def _record(
        self,
        kind: OperationKind,
        payment_id: PaymentId,
        amount: int,
        *,
        refund_id: RefundId | None = None,
        done: bool = False,
    ) -> Operation:
        operation = Operation(
            id=OperationId(len(self.operations) + 1),
            payment_id=payment_id,
            kind=kind,
            amount=amount,
            state=OperationState.SUCCEEDED if done else OperationState.STARTED,
            refund_id=refund_id,
            created_at=self.clock.at,
        )
        self.operations[operation.id] = operation
        return operation

    def _change(self, payment_id: PaymentId, columns: dict[str, object]) -> None:
        payments = tuple(
            replace(payment, **columns) if payment.id == payment_id else payment  # type: ignore[arg-type]
            for payment in self.order.payments
        )
        self.order = replace(self.order, payments=payments)

    def _follow(self) -> None:
        """What is computed from the operations whenever an order is read."""
        payments = tuple(
            replace(
                payment,
                refunding=self._under_way(payment.id, OperationKind.REFUND),
                ending=any(
                    one.payment_id == payment.id
                    and one.kind in (OperationKind.CAPTURE, OperationKind.VOID)
                    for one in self.open
                ),
            )
            for payment in self.order.payments
        )
        refunds = tuple(self._followed(refund) for refund in self.order.refunds)
        order = replace(self.order, payments=payments, refunds=refunds)
        self.order = replace(order, payment=balance.payment_state(order))

    def _under_way(self, payment_id: PaymentId, kind: OperationKind) -> int:
        return sum(
            one.amount for one in self.open if one.payment_id == payment_id and one.kind is kind
        )

    def _followed(self, refund: Refund) -> Refund:
        mine = [one for one in self.operations.values() if one.refund_id == refund.id]
        assert sum(one.amount for one in mine) == refund.amount
        started = sum(one.amount for one in mine if one.state is OperationState.STARTED)
        failed = sum(one.amount for one in mine if one.state is OperationState.FAILED)
        state = state_of(refund.amount, started=started, failed=failed)
        return replace(refund, state=state, failed=failed)


def _after(operation: Operation) -> dict[str, object]:
    match operation.kind:
        case OperationKind.CHARGE | OperationKind.CAPTURE:
            return {"state": AttemptState.CAPTURED, "captured": operation.amount}
        case OperationKind.AUTHORISE:
            return {"state": AttemptState.AUTHORISED}
        case OperationKind.VOID:
            return {"state": AttemptState.VOIDED}
        case OperationKind.REFUND:
            return {}
