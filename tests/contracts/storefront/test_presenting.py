"""How `storefront` shows orders, field by field as its document prints them."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openorders.contracts.kit import encode
from openorders.contracts.storefront import presenting
from openorders.contracts.storefront.requests import ListQuery
from openorders.domain.address import Address
from openorders.domain.customer import Customer
from openorders.domain.ids import CustomerId, StoreId
from openorders.domain.order import (
    Cancellation,
    HistoryEntry,
    PaymentState,
    Progress,
    Shipment,
    Word,
)
from openorders.domain.payment import AttemptState
from openorders.domain.store_settings import (
    DiscountCode,
    ShippingMethod,
    Store,
    StorePolicy,
    TaxRate,
)
from openorders.usecases.advance_order import Advanced
from openorders.usecases.cancel_order import Cancelled
from openorders.usecases.read_orders import OrderPage
from openorders.usecases.send_mail import Notification
from tests.domain.orders import NOON, a_line, a_payment, an_order

STORE = Store(id=StoreId(1), name="storefront", currency="USD", number_prefix="MNKY-")
POLICY = StorePolicy(
    taxes=(
        TaxRate(name="State Tax", rate=Decimal("0.06")),
        TaxRate(name="City Tax", rate=Decimal("0.04")),
    )
)


def a_full_order():
    order = an_order(
        replace(a_line(1, 3499, 2), variant_name="Large", image="https://example.com/1.jpg"),
        a_line(2, 1499, 1),
        policy=POLICY,
        shipping=ShippingMethod(code="standard", cost=599, days=5),
        discount=DiscountCode(code="WELCOME10", amount=1000),
    )
    payment = replace(
        a_payment(order.totals.total),
        card_brand="Visa",
        card_last_four="4242",
        settled_at=NOON + timedelta(minutes=5),
    )
    return replace(
        order,
        customer=Customer(id=CustomerId(5), name="Jane Smith", email="jane@example.com"),
        shipping_method="standard",
        discount_code="WELCOME10",
        payment=PaymentState.PAID,
        payments=(payment,),
        history=(HistoryEntry(word=Word.CREATED, at=NOON, actor="key:1", contract="storefront"),),
    )


def shown(struct):
    return json.loads(encode(struct), parse_float=Decimal)


def test_a_full_order_has_every_field_in_the_document_s_order():
    full = shown(presenting.order_out(STORE, a_full_order()))
    assert list(full) == [
        *["id", "number", "status", "createdAt", "updatedAt", "totalAmount", "currency"],
        *["customer", "items", "shippingAddress", "billingAddress", "shippingDetails"],
        *["paymentDetails", "subtotal", "taxAmount", "taxDetails", "discountAmount"],
        *["discountCode", "notes", "status_history"],
    ]
    assert full["number"] == "MNKY-1001"
    assert full["customer"] == {"id": "user_5", "email": "jane@example.com", "name": "Jane Smith"}
    assert list(full["items"][0]) == [
        *["id", "productId", "name", "variantName", "sku", "price", "quantity", "subtotal"],
        "image",
    ]
    assert full["paymentDetails"] == {
        "method": "credit_card",
        "status": "paid",
        "lastFour": "4242",
        "cardType": "Visa",
        "paidAt": "2026-06-02T12:05:00Z",
    }
    assert full["taxDetails"] == [
        {"name": "State Tax", "rate": Decimal("0.06"), "amount": Decimal("5.10")},
        {"name": "City Tax", "rate": Decimal("0.04"), "amount": Decimal("3.40")},
    ]
    assert full["status_history"] == [{"status": "created", "timestamp": "2026-06-02T12:00:00Z"}]


def test_the_history_has_each_status_once_when_it_began():
    def step(word, minutes):
        at = NOON + timedelta(minutes=minutes)
        return HistoryEntry(word=word, at=at, actor="key:1", contract="commerce")

    order = a_full_order()
    words = [Word.CREATED, Word.CREATED, Word.PAID, Word.PAID, Word.PROCESSING]
    order = replace(order, history=tuple(step(word, i) for i, word in enumerate(words)))
    told = shown(presenting.order_out(STORE, order))["status_history"]
    assert [(one["status"], one["timestamp"][14:16]) for one in told] == [
        ("created", "00"),
        ("paid", "02"),
        ("processing", "04"),
    ]


def test_the_amounts_add_up():
    full = shown(presenting.order_out(STORE, a_full_order()))
    assert full["totalAmount"] == Decimal("89.46")
    assert full["totalAmount"] == (
        full["subtotal"]
        - full["discountAmount"]
        + full["shippingDetails"]["cost"]
        + full["taxAmount"]
    )


def test_an_order_of_which_little_is_known_has_nulls_and_no_missing_field():
    full = shown(presenting.order_out(STORE, an_order()))
    assert full["shippingDetails"] == {
        **dict.fromkeys(("method", "carrier", "trackingNumber", "trackingUrl")),
        "cost": Decimal("0.00"),
        "estimatedDelivery": None,
        "shippedAt": None,
    }
    nothing = dict.fromkeys(("method", "status", "lastFour", "cardType", "paidAt"))
    assert full["paymentDetails"] == nothing
    empty = ("shippingAddress", "billingAddress", "discountCode", "notes")
    assert all(full[field] is None for field in empty)
    assert full["taxDetails"] == []
    assert full["discountAmount"] == Decimal("0.00")
    assert not {"completedAt", "cancellation", "refund"} & set(full)


def test_an_address_is_shown_whole():
    order = replace(an_order(), shipping_address=Address(name="John Doe", line2="", city="Berlin"))
    assert shown(presenting.order_out(STORE, order))["shippingAddress"] == {
        "name": "John Doe",
        "line1": None,
        "line2": "",
        "city": "Berlin",
        "state": None,
        "postalCode": None,
        "country": None,
        "phone": None,
    }


def test_a_list_entry_has_only_what_the_document_prints():
    page = OrderPage(orders=(a_full_order(),), total=41)
    listed = shown(presenting.orders_out(STORE, ListQuery(page=2, limit=20), page))
    assert listed["pagination"] == {"total": 41, "pages": 3, "page": 2, "limit": 20}
    (entry,) = listed["orders"]
    assert list(entry) == [
        *["id", "number", "status", "createdAt", "updatedAt", "totalAmount", "currency", "items"],
        *["shippingDetails", "taxAmount", "discountAmount", "discountCode"],
    ]
    assert list(entry["items"][0]) == [
        *["id", "productId", "name", "variantName", "price", "quantity", "subtotal"]
    ]
    assert list(entry["shippingDetails"]) == ["method", "cost", "estimatedDelivery"]


def test_a_shipped_order_shows_its_parcel_and_who_was_told():
    parcel = Shipment(
        carrier="USPS", tracking_number="1Z", tracking_url="https://example.com/1Z",
        shipped_at=NOON,
    )  # fmt: skip
    order = replace(an_order(), shipment=parcel)
    told = Notification(sent=False, method="email", at=NOON)
    changed = shown(presenting.changed_out(STORE, Advanced(order=order, notification=told)))
    assert changed["shippingDetails"]["trackingUrl"] == "https://example.com/1Z"
    assert changed["shippingDetails"]["shippedAt"] == "2026-06-02T12:00:00Z"
    assert changed["notification"] == {
        "sent": False,
        "method": "email",
        "timestamp": "2026-06-02T12:00:00Z",
    }


def test_nobody_told_is_no_notification():
    changed = shown(presenting.changed_out(STORE, Advanced(order=an_order())))
    assert "notification" not in changed
    assert list(changed) == [
        *["id", "number", "status", "updatedAt", "shippingDetails", "status_history"]
    ]


def a_cancelled_order(**changed):
    return replace(
        an_order(),
        progress=Progress.CANCELLED,
        cancellation=Cancellation(reason="Changed mind", comments=None, at=NOON),
        **changed,
    )


def test_a_cancelled_order_says_why_and_what_goes_back():
    order = a_cancelled_order(payments=(a_payment(1000),))
    cancelled = shown(presenting.cancelled_out(STORE, Cancelled(order=order, refund=1000)))
    assert cancelled["cancellation"] == {
        "reason": "Changed mind",
        "comments": None,
        "cancelledAt": "2026-06-02T12:00:00Z",
    }
    assert cancelled["refund"] == {
        "status": "processing",
        "amount": Decimal("10.00"),
        "estimatedProcessingTime": "3-5 business days",
    }


def test_nothing_paid_is_no_refund():
    cancelled = shown(
        presenting.cancelled_out(STORE, Cancelled(order=a_cancelled_order(), refund=0))
    )
    assert "refund" not in cancelled


@pytest.mark.parametrize(("refunded", "status"), [(0, "processing"), (1000, "completed")])
def test_a_refund_is_complete_once_the_money_went_back(refunded, status):
    payment = replace(a_payment(1000, refunded=refunded), refunding=1000 - refunded)
    full = shown(presenting.order_out(STORE, a_cancelled_order(payments=(payment,))))
    assert full["refund"]["status"] == status
    assert full["cancellation"]["reason"] == "Changed mind"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (PaymentState.NONE, None),
        (PaymentState.PENDING, "pending"),
        (PaymentState.AUTHORISED, "authorized"),
        (PaymentState.PAID, "paid"),
        (PaymentState.PART_REFUNDED, "partially_refunded"),
        (PaymentState.REFUNDED, "refunded"),
        (PaymentState.FAILED, "failed"),
    ],
)
def test_every_payment_state_has_a_word(state, status):
    full = shown(presenting.order_out(STORE, replace(an_order(), payment=state)))
    assert full["paymentDetails"]["status"] == status


def test_the_payment_that_brought_money_is_shown_rather_than_a_declined_one():
    declined = replace(
        a_payment(1000, number=2, state=AttemptState.DECLINED), card_last_four="0002"
    )
    taken = replace(a_payment(1000), card_last_four="4242", settled_at=NOON)
    order = replace(an_order(), payments=(taken, declined))
    details = shown(presenting.order_out(STORE, order))["paymentDetails"]
    assert (details["lastFour"], details["paidAt"]) == ("4242", "2026-06-02T12:00:00Z")
    only = shown(presenting.order_out(STORE, replace(order, payments=(declined,))))
    assert only["paymentDetails"]["lastFour"] == "0002"
    assert only["paymentDetails"]["paidAt"] is None


def test_yen_have_no_digits_after_the_point():
    order = replace(an_order(a_line(1, 150, 1)), currency="JPY", minor_digits=0)
    assert b'"totalAmount":150,' in encode(presenting.order_out(STORE, order))
