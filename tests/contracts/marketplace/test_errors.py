import msgspec
import pytest

from openorders.contracts.kit import NoSuch, Unreadable
from openorders.contracts.marketplace import errors
from openorders.contracts.marketplace.schemas import ErrorOut, Fault
from openorders.domain import refusals as no
from openorders.domain.ids import CustomerId, LineId, OrderId, ProductId, VariantId
from openorders.domain.order import Word
from tests.contracts.reasons import EVERY_REASON

ORDER = OrderId(789)
OFFER = VariantId(456)


@pytest.mark.parametrize(
    ("reason", "status", "code", "message"),
    [
        (no.OrderNotFound(ORDER), 404, "ORDER_NOT_FOUND", "Order ord_789 does not exist."),
        (
            no.LineNotFound(ORDER, LineId(1)),
            404,
            "ITEM_NOT_FOUND",
            "Order ord_789 has no item item_1.",
        ),
        (
            no.OutOfStock(ProductId(45), OFFER, 3, 2),
            400,
            "INSUFFICIENT_INVENTORY",
            "Not enough stock of offer_456: 3 wanted, 2 left.",
        ),
        (
            no.NotAvailable(ProductId(45), OFFER),
            400,
            "INSUFFICIENT_INVENTORY",
            "offer_456 is not for sale.",
        ),
        (no.VariantNotFound(OFFER), 400, "VALIDATION_ERROR", "Offer offer_456 does not exist."),
        (
            no.CustomerNotFound(CustomerId(5)),
            400,
            "VALIDATION_ERROR",
            "Customer cust_5 does not exist.",
        ),
        (
            no.PriceDiffers(OFFER, 9000, 9999, 2, 3),
            400,
            "PRICE_MISMATCH",
            "items[3].price is wrong: offer_456 costs 99.99.",
        ),
        (
            no.TooLateToCancel(ORDER, Word.SHIPPED),
            400,
            "INVALID_STATUS",
            "Order ord_789 cannot be cancelled as it has already been shipped.",
        ),
        (
            no.TooLateToCancel(ORDER, Word.DELIVERED),
            400,
            "INVALID_STATUS",
            "Order ord_789 cannot be cancelled as it has already been delivered.",
        ),
        (
            no.MoveNotAllowed(ORDER, Word.COMPLETED, Word.CREATED),
            400,
            "INVALID_STATUS",
            "Order ord_789 cannot be changed from completed to pending.",
        ),
        (
            no.AmountNotOwed(1, 9999, 2),
            400,
            "INVALID_AMOUNT",
            "paymentDetails.amount is not what can be asked: 99.99.",
        ),
        (no.AlreadyPaid(ORDER), 409, "ALREADY_PAID", "Order ord_789 is already paid."),
        (
            no.PaymentDeclined("card_declined", "Your card was declined."),
            402,
            "PAYMENT_FAILED",
            "Your card was declined.",
        ),
        (no.NotPermitted("do this"), 403, "PERMISSION_DENIED", "This credential may not do this."),
    ],
)
def test_a_refusal_is_a_code_and_a_message(
    reason: no.Reason, status: int, code: str, message: str
) -> None:
    rendered = errors.render(reason)
    assert rendered.status == status
    assert rendered.body == ErrorOut(error=Fault(code=code, message=message))
    assert errors.fault_of(reason) == Fault(code=code, message=message)


@pytest.mark.parametrize("reason", EVERY_REASON, ids=lambda reason: type(reason).__name__)
def test_every_reason_has_a_code_and_a_sentence(reason: no.Reason) -> None:
    body = errors.render(reason).body
    assert isinstance(body, ErrorOut)
    assert body.error.code == body.error.code.upper()
    assert body.error.message.endswith(".")


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (Unreadable("items[0].quantity", "must be at least 1"), "VALIDATION_ERROR"),
        (Unreadable("status", "is not one of the values that are allowed"), "INVALID_STATUS"),
        (
            Unreadable("filters.status", "is not one of the values that are allowed"),
            "INVALID_STATUS",
        ),
        (Unreadable("status", "is required"), "VALIDATION_ERROR"),
        (Unreadable("groupBy", "is not one of the values that are allowed"), "VALIDATION_ERROR"),
        (Unreadable("$filter", "at position 3: expected eq", "query"), "INVALID_QUERY"),
        (Unreadable("startDate", "was given twice", "query"), "VALIDATION_ERROR"),
        (Unreadable("If-Match", "must be an entity tag", "header"), "VALIDATION_ERROR"),
    ],
)
def test_what_cannot_be_read_is_named(problem: Unreadable, code: str) -> None:
    rendered = errors.render_unreadable(problem)
    assert rendered.status == 400
    assert rendered.body == ErrorOut(error=Fault(code=code, message=f"{problem}."))


def test_what_names_nothing_is_said_as_it_was_sent() -> None:
    body = errors.render_unknown(NoSuch("order", "ord_0789")).body
    assert msgspec.json.encode(body) == (
        b'{"error":{"code":"ORDER_NOT_FOUND","message":"Order ord_0789 does not exist."}}'
    )
