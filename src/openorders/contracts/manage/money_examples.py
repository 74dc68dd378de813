"""What the reference page shows of orders, payments and refunds: one order, paid and half back."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from openorders.contracts.manage.money_schemas import (
    FullPaymentOut,
    MethodOut,
    OperationOut,
    PaymentOut,
    RefundedLineOut,
    RefundOut,
)
from openorders.contracts.manage.order_schemas import (
    BalanceOut,
    CustomerOut,
    HistoryOut,
    LineOut,
    OrderOut,
    TotalsOut,
)

_NOTHING: Final = Decimal("0.00")


def _at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 21, hour, minute, tzinfo=UTC)


CARD: Final = {"token": "tok_visa"}
BY_HAND: Final = {
    "method": "manual",
    "how": "bank_transfer",
    "amount": Decimal("55.97"),
    "reference": "RF18 5390 0754 7034",
}
SAVED: Final = {
    "paymentMethodId": "pm_9",
    "amount": Decimal("20.00"),
    "returnUrl": "https://shop.example/thanks",
}
PAYMENT: Final = PaymentOut(
    id="pay_7",
    order_id="order_42",
    state="captured",
    amount=Decimal("55.97"),
    captured=Decimal("55.97"),
    refunded=Decimal("24.99"),
    refunding=_NOTHING,
    currency="USD",
    gateway="sandbox",
    method="card",
    reference="ch_12",
    card_brand="Visa",
    card_last_four="4242",
    decline_code=None,
    next_action=None,
    created_at=_at(15, 28),
    settled_at=_at(15, 28),
)
VOIDED: Final = msgspec.structs.replace(
    PAYMENT, state="voided", captured=_NOTHING, refunded=_NOTHING
)
FULL_PAYMENT: Final = FullPaymentOut(
    **msgspec.structs.asdict(PAYMENT),
    operations=[
        OperationOut(
            id="op_11",
            kind="charge",
            state="succeeded",
            amount=Decimal("55.97"),
            reason=None,
            reference="ch_12",
            failure=None,
            refund_id=None,
            created_at=_at(15, 28),
            settled_at=_at(15, 28),
        )
    ],
)
GIVE_BACK: Final = {
    "lines": [{"lineId": "line_5", "quantity": 1}],
    "reason": "Arrived broken",
    "restock": False,
}
GIVE_BACK_GOODWILL: Final = {"amount": Decimal("5.00"), "reason": "Sorry for the delay"}
REFUND: Final = RefundOut(
    id="ref_3",
    order_id="order_42",
    state="succeeded",
    amount=Decimal("24.99"),
    failed=_NOTHING,
    currency="USD",
    lines=[
        RefundedLineOut(line_id="line_5", quantity=1, amount=Decimal("24.99"), restocked=0),
    ],
    shipping=_NOTHING,
    goodwill=_NOTHING,
    reason="Arrived broken",
    restock=False,
    created_at=_at(16, 2),
)
METHOD: Final = MethodOut(
    id="pm_9",
    customer_id="cus_123456",
    gateway="sandbox",
    card_brand="Visa",
    card_last_four="4242",
    expires="2030-04",
    created_at=_at(15, 20),
)
ORDER: Final = OrderOut(
    id="order_42",
    customer=CustomerOut(id="cus_123456", name="Jane Smith", email="jane.smith@example.com"),
    status="shipped",
    progress="processing",
    payment="part_refunded",
    fulfilment="shipped",
    currency="USD",
    lines=[
        LineOut(
            id="line_5",
            product_id="prod_123456",
            variant_id="var_789012",
            name="Serenity Candle",
            sku="SER-CAN-S",
            quantity=2,
            unit_price=Decimal("24.99"),
            discount=_NOTHING,
            tax=_NOTHING,
            total=Decimal("49.98"),
            refunded_quantity=1,
            refunded=Decimal("24.99"),
            state="fulfilled",
        )
    ],
    totals=TotalsOut(
        subtotal=Decimal("49.98"),
        discount=_NOTHING,
        shipping=Decimal("5.99"),
        tax=_NOTHING,
        total=Decimal("55.97"),
    ),
    balance=BalanceOut(
        price=Decimal("30.98"),
        captured=Decimal("55.97"),
        refunded=Decimal("24.99"),
        owed=_NOTHING,
        refundable=Decimal("30.98"),
    ),
    payments=[PAYMENT],
    refunds=[REFUND],
    history=[
        HistoryOut(
            status="created", at=_at(15, 27), actor="key:7", through="storefront", reason=None
        )
    ],
    version=5,
    created_at=_at(15, 27),
    updated_at=_at(16, 2),
)
