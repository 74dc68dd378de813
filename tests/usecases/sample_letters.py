"""Orders to write letters about: one with everything, in any currency."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from openorders.domain.customer import Customer
from openorders.domain.ids import (
    CustomerId,
    LineId,
    OrderId,
    PaymentId,
    ProductId,
    StoreId,
    VariantId,
)
from openorders.domain.mails import MailPolicy, Template
from openorders.domain.money import minor_digits
from openorders.domain.order import (
    Cancellation,
    Fulfilment,
    Line,
    Order,
    PaymentState,
    Progress,
    Shipment,
    Tax,
    Totals,
)
from openorders.domain.payment import AttemptState, Payment
from openorders.domain.store_settings import Store, StorePolicy

LATE_IN_NEW_YORK = datetime(2026, 3, 1, 3, 30, tzinfo=UTC)
"""Still the last of February there."""


def a_store(**mails: Any) -> Store:
    return Store(
        id=StoreId(1),
        name="The Candle Shop",
        currency="USD",
        time_zone="America/New_York",
        number_prefix="MNKY-",
        policy=StorePolicy(mails=MailPolicy(**mails)),
    )


def a_line(number: int, name: str, variant: str | None, price: int, quantity: int) -> Line:
    return Line(
        id=LineId(number),
        product_id=ProductId(number),
        variant_id=VariantId(number),
        product_name=name,
        variant_name=variant,
        sku=f"SKU-{number}",
        image="https://example.com/image.jpg",
        unit_price=price,
        quantity=quantity,
    )


def a_payment(**more: Any) -> Payment:
    fields: dict[str, Any] = {
        "id": PaymentId(1),
        "gateway": "sandbox",
        "method": "card",
        "amount": 128946,
        "state": AttemptState.CAPTURED,
        "captured": 128946,
        "created_at": LATE_IN_NEW_YORK,
    }
    return Payment(**{**fields, **more})


def an_order(currency: str = "USD", **more: Any) -> Order:
    """1,289.46 in dollars: two lines, a discount, shipping and two taxes."""
    order = Order(
        id=OrderId(7),
        number=1001,
        customer=Customer(id=CustomerId(5), name="Jane Smith", email="jane@example.com"),
        currency=currency,
        minor_digits=minor_digits(currency),
        totals=Totals(
            subtotal=118497,
            discount=1000,
            shipping=599,
            taxes=(
                Tax(name="State Tax", rate=Decimal("0.06"), amount=7110),
                Tax(name="City Tax", rate=Decimal("0.04"), amount=3740),
            ),
        ),
        lines=(
            a_line(1, "Serenity Candle", "Large", 34999, 3),
            a_line(2, "Lavender Bath Bombs", None, 13500, 1),
        ),
        created_at=LATE_IN_NEW_YORK,
        updated_at=LATE_IN_NEW_YORK,
        discount_code="WELCOME10",
        shipping_method="standard",
    )
    return replace(order, **more)


def an_order_for(template: Template) -> Order:
    """The order as it is when there is something of this to write about."""
    parcel = Shipment(
        carrier="USPS",
        tracking_number="1Z999AA10123456784",
        tracking_url="https://tools.usps.com/go/TrackConfirmAction?a=1&tLabels=1Z999AA10123456784",
    )
    processing, paid = Progress.PROCESSING, PaymentState.PAID
    states: dict[Template, dict[str, Any]] = {
        Template.PLACED: {"payment_asked": True},
        Template.PAYMENT_PENDING: {"payment_asked": True},
        Template.PAID: {"payment": paid, "payments": (a_payment(),)},
        Template.PROCESSING: {"progress": processing, "payment": paid},
        Template.SHIPPED: {"fulfilment": Fulfilment.SHIPPED, "shipment": parcel},
        Template.DELIVERED: {"fulfilment": Fulfilment.DELIVERED, "shipment": parcel},
        Template.COMPLETED: {"progress": Progress.COMPLETED},
        Template.CANCELLED: {
            "progress": Progress.CANCELLED,
            "cancellation": Cancellation(reason="x", comments=None, at=LATE_IN_NEW_YORK),
            "payments": (a_payment(),),
        },
        Template.REFUNDED: {
            "payment": PaymentState.PART_REFUNDED,
            "payments": (a_payment(refunded=5000),),
        },
    }
    return an_order(**states[template])
