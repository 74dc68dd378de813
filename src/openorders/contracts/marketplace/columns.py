"""The columns of an export by the names clients ask for them, and those of an export without any.

`COLUMNS` is the whole offer: fields of the order first, then those of its items.
"""

from types import MappingProxyType
from typing import Final

from openorders.contracts.marketplace import ids
from openorders.contracts.marketplace.odata import SHOWN_WORDS
from openorders.domain.table import LinePart, OrderPart, Part, TableColumn

_ADDRESS: Final = ("name", "line1", "line2", "city", "state", "postalCode", "country", "phone")
_ORDER: Final[dict[str, Part]] = {
    "id": OrderPart.ID,
    "number": OrderPart.NUMBER,
    "customerId": OrderPart.CUSTOMER_ID,
    "customerName": OrderPart.CUSTOMER_NAME,
    "customerEmail": OrderPart.CUSTOMER_EMAIL,
    "status": OrderPart.WORD,
    "currency": OrderPart.CURRENCY,
    "subtotal": OrderPart.SUBTOTAL,
    "discountAmount": OrderPart.DISCOUNT,
    "discountCode": OrderPart.DISCOUNT_CODE,
    "shippingCost": OrderPart.SHIPPING,
    "taxAmount": OrderPart.TAX,
    "totalAmount": OrderPart.TOTAL,
    "paymentMethod": OrderPart.PAYMENT_METHOD,
    "paymentGatewayId": OrderPart.PAYMENT_GATEWAY,
    "paymentStatus": OrderPart.PAYMENT,
    "fulfilmentStatus": OrderPart.FULFILMENT,
    "partnerName": OrderPart.PARTNER_NAME,
    "customerReference": OrderPart.CUSTOMER_REFERENCE,
    "shippingMethod": OrderPart.SHIPPING_METHOD,
    "estimatedDelivery": OrderPart.ESTIMATED_DELIVERY,
    "carrier": OrderPart.CARRIER,
    "trackingNumber": OrderPart.TRACKING_NUMBER,
    "trackingUrl": OrderPart.TRACKING_URL,
    "shippedAt": OrderPart.SHIPPED_AT,
    "notes": OrderPart.NOTES,
    "cancellationReason": OrderPart.CANCELLATION_REASON,
    "cancelledAt": OrderPart.CANCELLED_AT,
    "createdAt": OrderPart.CREATED_AT,
    "updatedAt": OrderPart.UPDATED_AT,
    "completedAt": OrderPart.COMPLETED_AT,
    "version": OrderPart.VERSION,
}
_SHIP_TO: Final = (
    OrderPart.SHIP_TO_NAME,
    OrderPart.SHIP_TO_LINE1,
    OrderPart.SHIP_TO_LINE2,
    OrderPart.SHIP_TO_CITY,
    OrderPart.SHIP_TO_STATE,
    OrderPart.SHIP_TO_POSTAL_CODE,
    OrderPart.SHIP_TO_COUNTRY,
    OrderPart.SHIP_TO_PHONE,
)
_BILL_TO: Final = (
    OrderPart.BILL_TO_NAME,
    OrderPart.BILL_TO_LINE1,
    OrderPart.BILL_TO_LINE2,
    OrderPart.BILL_TO_CITY,
    OrderPart.BILL_TO_STATE,
    OrderPart.BILL_TO_POSTAL_CODE,
    OrderPart.BILL_TO_COUNTRY,
    OrderPart.BILL_TO_PHONE,
)
_ITEM: Final[dict[str, Part]] = {
    "items.id": LinePart.ID,
    "items.offerId": LinePart.VARIANT_ID,
    "items.productId": LinePart.PRODUCT_ID,
    "items.name": LinePart.PRODUCT_NAME,
    "items.variantName": LinePart.VARIANT_NAME,
    "items.sku": LinePart.SKU,
    "items.image": LinePart.IMAGE,
    "items.quantity": LinePart.QUANTITY,
    "items.price": LinePart.UNIT_PRICE,
    "items.subtotal": LinePart.SUBTOTAL,
    "items.status": LinePart.STATE,
}
_PREFIXES: Final[dict[Part, str]] = {
    OrderPart.ID: ids.ORDER.prefix,
    OrderPart.CUSTOMER_ID: ids.CUSTOMER.prefix,
    LinePart.ID: ids.ITEM.prefix,
    LinePart.VARIANT_ID: ids.OFFER.prefix,
}
_WORDS: Final = tuple((word.value, shown) for word, shown in SHOWN_WORDS.items())


def _column(name: str, part: Part) -> TableColumn:
    return TableColumn(
        name=name,
        part=part,
        prefix=_PREFIXES.get(part, ""),
        words=_WORDS if part is OrderPart.WORD else (),
    )


def _parts() -> dict[str, Part]:
    shipping = zip((f"shippingAddress.{part}" for part in _ADDRESS), _SHIP_TO, strict=True)
    billing = zip((f"billingAddress.{part}" for part in _ADDRESS), _BILL_TO, strict=True)
    return {**_ORDER, **dict(shipping), **dict(billing), **_ITEM}


COLUMNS: Final = MappingProxyType({name: _column(name, part) for name, part in _parts().items()})

DEFAULT: Final = (
    "id",
    "customerId",
    "customerName",
    "status",
    "currency",
    "subtotal",
    "discountAmount",
    "shippingCost",
    "taxAmount",
    "totalAmount",
    "paymentMethod",
    "paymentStatus",
    "fulfilmentStatus",
    "createdAt",
    "updatedAt",
)
