"""One of every reason to say no."""

from openorders.domain import refusals as no
from openorders.domain.ids import CustomerId, LineId, OrderId, ProductId, VariantId
from openorders.domain.order import Word

ORDER = OrderId(7)

EVERY_REASON: tuple[no.Reason, ...] = (
    no.NotAuthenticated(),
    no.NotPermitted("do this"),
    no.OrderNotFound(ORDER),
    no.LineNotFound(ORDER, LineId(3)),
    no.ProductNotFound(ProductId(99)),
    no.VariantNotFound(VariantId(98)),
    no.CustomerNotFound(CustomerId(5)),
    no.NotAvailable(ProductId(20), VariantId(21)),
    no.OutOfStock(ProductId(20), VariantId(21), 3, 2),
    no.PriceDiffers(VariantId(21), 9999, 10000, 2, 0),
    no.UnknownDiscountCode("NOPE"),
    no.UnknownShippingMethod("pigeon"),
    no.UnknownGateway("bank_9"),
    no.AmountTooLarge(),
    no.TooLateToCancel(ORDER, Word.SHIPPED),
    no.TooLateToCancel(ORDER, Word.DELIVERED),
    no.MoveNotAllowed(ORDER, Word.COMPLETED, Word.PAID),
    no.AddressFixed(ORDER, Word.SHIPPED),
    no.LineNotOpen(ORDER, LineId(3), "fulfilled"),
    no.NothingToRefund(ORDER),
    no.NothingToVoid(ORDER),
    no.AlreadyPaid(ORDER),
    no.NotPayable(ORDER, Word.CANCELLED),
    no.PaymentInProgress(ORDER),
    no.AmountNotOwed(100, 200, 2),
    no.PaymentDeclined("card_declined", "Your card was declined."),
    no.PaymentUnsettled(ORDER),
    no.VersionDiffers(ORDER, 3),
    no.KeyReused(),
    no.KeyInFlight(),
    no.QueryTooExpensive("$filter at 1"),
    no.QueryFailed("division by zero", "$filter at 1"),
    no.Overloaded(2),
)
