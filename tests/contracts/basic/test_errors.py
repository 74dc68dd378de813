import msgspec
import pytest

from openorders.contracts.basic import errors
from openorders.contracts.basic.schemas import ErrorOut
from openorders.domain import refusals as no
from openorders.domain.ids import CustomerId, OrderId, ProductId, VariantId
from openorders.domain.order import Word

ORDER = OrderId(101)
NO_STOCK = no.OutOfStock(ProductId(20), VariantId(21), 3, 2)


@pytest.mark.parametrize(
    ("reason", "status", "sentence"),
    [
        (no.NotAuthenticated(), 401, "Missing or invalid API key."),
        (no.OrderNotFound(OrderId(999)), 404, "Order with ID 999 not found."),
        (no.ProductNotFound(ProductId(99)), 404, "Product with ID 99 not found."),
        (no.CustomerNotFound(CustomerId(5)), 404, "User with ID 5 not found."),
        (NO_STOCK, 409, "Insufficient stock for product with ID 20."),
        (
            no.TooLateToCancel(ORDER, Word.SHIPPED),
            409,
            "Order cannot be cancelled as it has already been shipped.",
        ),
        (
            no.TooLateToCancel(ORDER, Word.DELIVERED),
            409,
            "Order cannot be cancelled as it has already been delivered.",
        ),
        (
            no.MoveNotAllowed(ORDER, Word.COMPLETED, Word.CREATED),
            409,
            "Order status cannot be changed from delivered to pending.",
        ),
    ],
)
def test_a_refusal_is_one_sentence(reason: no.Reason, status: int, sentence: str) -> None:
    rendered = errors.render(reason)
    assert (rendered.status, rendered.body) == (status, ErrorOut(sentence))


def test_the_shape_is_one_text_below_error() -> None:
    body = errors.render(no.OrderNotFound(ORDER)).body
    assert msgspec.json.encode(body) == b'{"error":"Order with ID 101 not found."}'
