"""Orders to decide about, with readable defaults."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from openorders.domain.change import By
from openorders.domain.customer import Customer
from openorders.domain.ids import CustomerId, LineId, OrderId, PaymentId, ProductId, VariantId
from openorders.domain.order import Line, Order, PaymentState
from openorders.domain.payment import AttemptState, Payment
from openorders.domain.pricing import price
from openorders.domain.store_settings import DiscountCode, ShippingMethod, StorePolicy

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)
LATER = By(actor="key:1", contract="commerce", at=NOON + timedelta(hours=1), reason="because")


def a_line(number: int = 1, unit_price: int = 1000, quantity: int = 1) -> Line:
    return Line(
        id=LineId(number),
        product_id=ProductId(100 + number),
        variant_id=VariantId(200 + number),
        product_name=f"Product {number}",
        variant_name=None,
        sku=f"SKU-{number}",
        image=None,
        unit_price=unit_price,
        quantity=quantity,
    )


def an_order(
    *lines: Line,
    policy: StorePolicy | None = None,
    shipping: ShippingMethod | None = None,
    discount: DiscountCode | None = None,
    asked: bool = False,
) -> Order:
    totals, priced = price(
        lines or (a_line(),), policy or StorePolicy(), shipping=shipping, discount=discount
    )
    return Order(
        id=OrderId(7),
        number=1001,
        customer=Customer(id=CustomerId(5)),
        currency="USD",
        minor_digits=2,
        totals=totals,
        lines=priced,
        created_at=NOON,
        updated_at=NOON,
        payment_asked=asked,
        payment=PaymentState.PENDING if asked else PaymentState.NONE,
    )


def a_payment(
    amount: int, *, number: int = 1, state: AttemptState = AttemptState.CAPTURED, refunded: int = 0
) -> Payment:
    captured = amount if state is AttemptState.CAPTURED else 0
    return Payment(
        id=PaymentId(number),
        gateway="sandbox",
        method="credit_card",
        amount=amount,
        state=state,
        captured=captured,
        refunded=refunded,
        created_at=NOON,
    )


def paid(order: Order) -> Order:
    return replace(order, payments=(a_payment(order.totals.total),), payment=PaymentState.PAID)
