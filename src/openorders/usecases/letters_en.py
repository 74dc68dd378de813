"""Letters in English."""

from typing import Final

from openorders.domain.mails import Template
from openorders.usecases.letter_texts import Labels, Texts

ENGLISH: Final = Texts(
    language="en",
    marks=(",", "."),
    months=(
        "January February March April May June July August September October November December"
    ),
    day="{day} {month} {year}",
    dear="Dear {name},",
    hello="Hello,",
    regards="Kind regards,",
    subjects={
        Template.PLACED: "We have received your order {number}",
        Template.PAYMENT_PENDING: "Your order {number} awaits payment",
        Template.PAID: "Your order {number} is paid",
        Template.PROCESSING: "Your order {number} is being prepared",
        Template.SHIPPED: "Your order {number} has been shipped",
        Template.DELIVERED: "Your order {number} was delivered",
        Template.COMPLETED: "Your order {number} is complete",
        Template.CANCELLED: "Your order {number} was cancelled",
        Template.REFUNDED: "A refund for your order {number}",
    },
    leads={
        Template.PLACED: "Thank you. We have your order.",
        Template.PAYMENT_PENDING: "We have your order and are waiting for its payment.",
        Template.PAID: "Thank you. We have received your payment.",
        Template.PROCESSING: "We are preparing your order.",
        Template.SHIPPED: "Your order is on its way to you.",
        Template.DELIVERED: "Your order has been delivered.",
        Template.COMPLETED: "Your order is complete. Thank you.",
        Template.CANCELLED: "Your order was cancelled.",
        Template.REFUNDED: "We have refunded {amount} to you.",
    },
    approved_subject="The payment for your order {number} is approved",
    approved_lead="Thank you. Your payment has been approved.",
    awaits_payment="It still awaits your payment.",
    money_goes_back="What you paid is given back to you.",
    bank_takes_days="It can take a few days until your bank shows it.",
    labels=Labels(
        order="Order {number}",
        placed_on="Placed on {date}",
        subtotal="Subtotal",
        discount="Discount",
        shipping="Shipping",
        total="Total",
        carrier="Carrier",
        tracking_number="Tracking number",
        track="Track your parcel",
        pay="Pay now",
        refunded="This refund",
        refunded_in_all="Refunded in all",
    ),
)
