import msgspec
import pytest

from openorders.contracts.commerce import errors
from openorders.contracts.commerce.schemas import ErrorOut
from openorders.domain import refusals as no
from openorders.domain.ids import CustomerId, OrderId, ProductId, VariantId
from openorders.domain.order import Word

ORDER = OrderId(123456789)
NO_STOCK = no.OutOfStock(ProductId(2), VariantId(21), 3, 2)


@pytest.mark.parametrize(
    ("reason", "status", "code", "message"),
    [
        (
            no.NotAuthenticated(),
            401,
            "UNAUTHENTICATED",
            "Authentication token is invalid or expired.",
        ),
        (
            no.OrderNotFound(OrderId(999999999)),
            404,
            "NOT_FOUND",
            "Order with ID ORD999999999 not found.",
        ),
        (
            no.ProductNotFound(ProductId(999)),
            404,
            "NOT_FOUND",
            "Product with ID PROD999 not found.",
        ),
        (
            no.CustomerNotFound(CustomerId(5)),
            404,
            "NOT_FOUND",
            "Customer with ID CUST00005 not found.",
        ),
        (NO_STOCK, 400, "BAD_REQUEST", "Insufficient stock for product with ID PROD002."),
        (
            no.TooLateToCancel(ORDER, Word.SHIPPED),
            400,
            "BAD_REQUEST",
            "Order ORD123456789 cannot be cancelled as it has already been shipped.",
        ),
        (
            no.TooLateToCancel(ORDER, Word.DELIVERED),
            400,
            "BAD_REQUEST",
            "Order ORD123456789 cannot be cancelled as it has already been delivered.",
        ),
        (
            no.MoveNotAllowed(ORDER, Word.REFUNDED, Word.SHIPPED),
            400,
            "BAD_REQUEST",
            "Order ORD123456789 cannot be changed from cancelled to shipped.",
        ),
        (
            no.AddressFixed(ORDER, Word.SHIPPED),
            400,
            "BAD_REQUEST",
            "The shipping address of order ORD123456789 is fixed as it is shipped.",
        ),
        (
            no.PaymentDeclined("card_declined", "Your card was declined."),
            402,
            "PAYMENT_FAILED",
            "Your card was declined.",
        ),
        (
            no.PaymentUnsettled(ORDER),
            503,
            "UNAVAILABLE",
            (
                "The outcome of the payment is not known yet."
                " Please try again with the same Idempotency-Key."
            ),
        ),
        (no.NotPermitted("do this"), 403, "PERMISSION_DENIED", "This credential may not do this."),
    ],
)
def test_a_refusal_is_a_code_and_a_message(
    reason: no.Reason, status: int, code: str, message: str
) -> None:
    rendered = errors.render(reason)
    assert rendered.status == status
    assert rendered.body == ErrorOut(error=errors.Fault(code=code, message=message))


def test_the_shape_is_a_code_and_a_message_below_error() -> None:
    body = errors.render(no.OrderNotFound(ORDER)).body
    assert msgspec.json.encode(body) == (
        b'{"error":{"code":"NOT_FOUND","message":"Order with ID ORD123456789 not found."}}'
    )
