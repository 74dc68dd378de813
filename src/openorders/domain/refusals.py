"""Every reason to say no, as facts. No status code, no sentence: those are the contracts'.

One ordinary exception carries the reason: what is raised cannot be frozen, since Python sets its
traceback.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

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


class NotAuthenticated(Struct, frozen=True):
    """No credential, or one that is unknown, revoked, expired or forged."""


class NotPermitted(Struct, frozen=True):
    """The credential is good, but not for this. `what` is a short phrase for people."""

    what: str


class OrderNotFound(Struct, frozen=True):
    """There is no such order, or it is somebody else's."""

    order_id: OrderId


class LineNotFound(Struct, frozen=True):
    """The order has no such line."""

    order_id: OrderId
    line_id: LineId


class ProductNotFound(Struct, frozen=True):
    """The store has no such product."""

    product_id: ProductId


class VariantNotFound(Struct, frozen=True):
    """The store has no such variant, or it is not of the product that was named."""

    variant_id: VariantId


class CustomerNotFound(Struct, frozen=True):
    """The store wants registered customers, and this one is not."""

    customer_id: CustomerId


class NotAvailable(Struct, frozen=True):
    """The variant is switched off."""

    product_id: ProductId
    variant_id: VariantId


class OutOfStock(Struct, frozen=True):
    """Fewer are left than were wanted."""

    product_id: ProductId
    variant_id: VariantId
    wanted: int
    left: int


class PriceDiffers(Struct, frozen=True):
    """The client believes in another price. Amounts are minor units."""

    variant_id: VariantId
    expected: int
    price: int
    minor_digits: int
    position: int


class UnknownDiscountCode(Struct, frozen=True):
    """The store has no such discount code."""

    code: str


class UnknownShippingMethod(Struct, frozen=True):
    """The store has no such shipping method."""

    code: str


class UnknownGateway(Struct, frozen=True):
    """The store has no such payment gateway."""

    name: str


class AmountTooLarge(Struct, frozen=True):
    """The order would be worth more than can be written exactly."""


class TooLateToCancel(Struct, frozen=True):
    """Something was shipped already; `word` is `SHIPPED` or `DELIVERED`."""

    order_id: OrderId
    word: Word


class MoveNotAllowed(Struct, frozen=True):
    """The order is at `current` and cannot come to `target` from there."""

    order_id: OrderId
    current: Word
    target: Word


class AddressFixed(Struct, frozen=True):
    """The order was shipped or ended; its address can no longer be changed."""

    order_id: OrderId
    current: Word


class LineNotOpen(Struct, frozen=True):
    """The line was shipped or cancelled already."""

    order_id: OrderId
    line_id: LineId
    state: str


class NothingToRefund(Struct, frozen=True):
    """Nothing was captured, or all of it was given back."""

    order_id: OrderId


class NothingToVoid(Struct, frozen=True):
    """Nothing is authorised that was not captured."""

    order_id: OrderId


class AlreadyPaid(Struct, frozen=True):
    """Nothing is owed any more."""

    order_id: OrderId


class NotPayable(Struct, frozen=True):
    """The order has ended: no money is taken for it."""

    order_id: OrderId
    current: Word


class PaymentInProgress(Struct, frozen=True):
    """Another attempt to pay this order is under way."""

    order_id: OrderId


class AmountNotOwed(Struct, frozen=True):
    """The amount given is not what is owed (or can be refunded). Minor units.

    `finer`: it has parts that the currency has not, which `asked` cannot say.
    """

    asked: int
    owed: int
    minor_digits: int
    of: Literal["order", "shipping"] = "order"
    finer: bool = False


class PaymentDeclined(Struct, frozen=True):
    """The gateway said no. `code` is safe to show to a buyer."""

    code: str
    message: str


class PaymentUnsettled(Struct, frozen=True):
    """The gateway did not answer: the outcome is not known yet and will be found out."""

    order_id: OrderId


class VersionDiffers(Struct, frozen=True):
    """`If-Match` named another version of the order than the one that is there."""

    order_id: OrderId
    version: int


class KeyReused(Struct, frozen=True):
    """The idempotency key was used for another request."""


class KeyInFlight(Struct, frozen=True):
    """The first request with this idempotency key is still running."""


class QueryTooExpensive(Struct, frozen=True):
    """It would run longer than `seconds`. `costly` names the part that makes it so."""

    costly: str
    seconds: int = 2


class QueryFailed(Struct, frozen=True):
    """The search divides by zero or overflows on the orders it meets; `part` is what calculates."""

    problem: str
    part: str


class Overloaded(Struct, frozen=True):
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
