"""Every reason to say no, as facts. No status code, no sentence: those are the contracts'.

One ordinary exception carries the reason (a frozen dataclass cannot be raised through a
context manager: Python sets its traceback).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from openorders.domain.ids import CustomerId, LineId, OrderId, ProductId, VariantId
from openorders.domain.management_refusals import (
    DeliveryNotFound,
    EndpointIsOff,
    EndpointNotFound,
    EndpointUrlRefused,
    EventNotFound,
    EventsForgotten,
    KeyNotFound,
    MethodNotFound,
    NothingToCapture,
    PaymentNotFound,
    RefundNotFound,
    TooManyEndpoints,
    UnitsNotLeft,
    UnknownContract,
)
from openorders.domain.management_refusals import OfManagement as OfManagement  # noqa: PLC0414 - exported
from openorders.domain.order import Word


@dataclass(frozen=True, slots=True)
class NotAuthenticated:
    """No credential, or one that is unknown, revoked, expired or forged."""


@dataclass(frozen=True, slots=True)
class NotPermitted:
    """The credential is good, but not for this. `what` is a short phrase for people."""

    what: str


@dataclass(frozen=True, slots=True)
class OrderNotFound:
    """There is no such order, or it is somebody else's."""

    order_id: OrderId


@dataclass(frozen=True, slots=True)
class LineNotFound:
    """The order has no such line."""

    order_id: OrderId
    line_id: LineId


@dataclass(frozen=True, slots=True)
class ProductNotFound:
    """The store has no such product."""

    product_id: ProductId


@dataclass(frozen=True, slots=True)
class VariantNotFound:
    """The store has no such variant, or it is not of the product that was named."""

    variant_id: VariantId


@dataclass(frozen=True, slots=True)
class CustomerNotFound:
    """The store wants registered customers, and this one is not."""

    customer_id: CustomerId


@dataclass(frozen=True, slots=True)
class NotAvailable:
    """The variant is switched off."""

    product_id: ProductId
    variant_id: VariantId


@dataclass(frozen=True, slots=True)
class OutOfStock:
    """Fewer are left than were wanted."""

    product_id: ProductId
    variant_id: VariantId
    wanted: int
    left: int


@dataclass(frozen=True, slots=True)
class PriceDiffers:
    """The client believes in another price. Amounts are minor units."""

    variant_id: VariantId
    expected: int
    price: int
    minor_digits: int
    position: int


@dataclass(frozen=True, slots=True)
class UnknownDiscountCode:
    """The store has no such discount code."""

    code: str


@dataclass(frozen=True, slots=True)
class UnknownShippingMethod:
    """The store has no such shipping method."""

    code: str


@dataclass(frozen=True, slots=True)
class UnknownGateway:
    """The store has no such payment gateway."""

    name: str


@dataclass(frozen=True, slots=True)
class AmountTooLarge:
    """The order would be worth more than can be written exactly."""


@dataclass(frozen=True, slots=True)
class TooLateToCancel:
    """Something was shipped already; `word` is `SHIPPED` or `DELIVERED`."""

    order_id: OrderId
    word: Word


@dataclass(frozen=True, slots=True)
class MoveNotAllowed:
    """The order is at `current` and cannot come to `target` from there."""

    order_id: OrderId
    current: Word
    target: Word


@dataclass(frozen=True, slots=True)
class AddressFixed:
    """The order was shipped or ended; its address can no longer be changed."""

    order_id: OrderId
    current: Word


@dataclass(frozen=True, slots=True)
class LineNotOpen:
    """The line was shipped or cancelled already."""

    order_id: OrderId
    line_id: LineId
    state: str


@dataclass(frozen=True, slots=True)
class NothingToRefund:
    """Nothing was captured, or all of it was given back."""

    order_id: OrderId


@dataclass(frozen=True, slots=True)
class NothingToVoid:
    """Nothing is authorised that was not captured."""

    order_id: OrderId


@dataclass(frozen=True, slots=True)
class AlreadyPaid:
    """Nothing is owed any more."""

    order_id: OrderId


@dataclass(frozen=True, slots=True)
class NotPayable:
    """The order has ended: no money is taken for it."""

    order_id: OrderId
    current: Word


@dataclass(frozen=True, slots=True)
class PaymentInProgress:
    """Another attempt to pay this order is under way."""

    order_id: OrderId


@dataclass(frozen=True, slots=True)
class AmountNotOwed:
    """The amount given is not what is owed (or can be refunded). Minor units.

    `finer`: it has parts that the currency has not, which `asked` cannot say.
    """

    asked: int
    owed: int
    minor_digits: int
    of: Literal["order", "shipping"] = "order"
    finer: bool = False


@dataclass(frozen=True, slots=True)
class PaymentDeclined:
    """The gateway said no. `code` is safe to show to a buyer."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PaymentUnsettled:
    """The gateway did not answer: the outcome is not known yet and will be found out."""

    order_id: OrderId


@dataclass(frozen=True, slots=True)
class VersionDiffers:
    """`If-Match` named another version of the order than the one that is there."""

    order_id: OrderId
    version: int


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The idempotency key was used for another request."""


@dataclass(frozen=True, slots=True)
class KeyInFlight:
    """The first request with this idempotency key is still running."""


@dataclass(frozen=True, slots=True)
class QueryTooExpensive:
    """It would run longer than `seconds`. `costly` names the part that makes it so."""

    costly: str
    seconds: int = 2


@dataclass(frozen=True, slots=True)
class QueryFailed:
    """The search divides by zero or overflows on the orders it meets; `part` is what calculates."""

    problem: str
    part: str


@dataclass(frozen=True, slots=True)
class Overloaded:
    """Try again: a lock, the database or a gateway was not to be had in time."""

    retry_after_s: int
    until: datetime | None = None


Reason = (
    NotAuthenticated
    | NotPermitted
    | OrderNotFound
    | LineNotFound
    | ProductNotFound
    | VariantNotFound
    | CustomerNotFound
    | NotAvailable
    | OutOfStock
    | PriceDiffers
    | UnknownDiscountCode
    | UnknownShippingMethod
    | UnknownGateway
    | AmountTooLarge
    | TooLateToCancel
    | MoveNotAllowed
    | AddressFixed
    | LineNotOpen
    | NothingToRefund
    | NothingToVoid
    | AlreadyPaid
    | NotPayable
    | PaymentInProgress
    | AmountNotOwed
    | PaymentDeclined
    | PaymentUnsettled
    | PaymentNotFound
    | RefundNotFound
    | MethodNotFound
    | NothingToCapture
    | UnitsNotLeft
    | EventNotFound
    | EventsForgotten
    | EndpointNotFound
    | DeliveryNotFound
    | EndpointUrlRefused
    | UnknownContract
    | TooManyEndpoints
    | EndpointIsOff
    | KeyNotFound
    | VersionDiffers
    | KeyReused
    | KeyInFlight
    | QueryTooExpensive
    | QueryFailed
    | Overloaded
)
"""Each contract's `errors.py` matches over all of these: a new one stops the type checker there."""


class Refused(Exception):
    """The request was understood and the answer is no. Nothing was changed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason
