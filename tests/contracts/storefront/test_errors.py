"""How `storefront` says no: the status again, a message, and what could not be read."""

import json

import pytest

from openorders.contracts.kit import NoSuch, Unreadable, encode
from openorders.contracts.storefront import errors
from openorders.domain import refusals as no
from openorders.domain.ids import OrderId, ProductId, VariantId
from openorders.domain.order import Word
from tests.contracts.reasons import EVERY_REASON


def said(rendered):
    return rendered.status, json.loads(encode(rendered.body))


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (no.NotAuthenticated(), 401),
        (no.NotPermitted("do this"), 403),
        (no.OrderNotFound(OrderId(999)), 404),
        (no.ProductNotFound(ProductId(1)), 404),
        (no.VariantNotFound(VariantId(1)), 404),
        (no.TooLateToCancel(OrderId(1), Word.SHIPPED), 409),
        (no.MoveNotAllowed(OrderId(1), Word.SHIPPED, Word.PAID), 409),
        (no.NothingToRefund(OrderId(1)), 409),
        (no.NotAvailable(ProductId(1), VariantId(1)), 422),
        (no.OutOfStock(ProductId(1), VariantId(1), 2, 1), 422),
        (no.UnknownDiscountCode("SUMMER"), 422),
        (no.UnknownShippingMethod("pigeon"), 422),
        (no.PaymentDeclined("card_declined", "Your card was declined."), 422),
    ],
)
def test_refusals_have_the_statuses_of_the_document(reason, status):
    rendered, body = said(errors.render(reason))
    assert rendered == status
    assert body["error"]["code"] == status


@pytest.mark.parametrize("reason", EVERY_REASON, ids=repr)
def test_every_refusal_has_a_status_and_a_message(reason):
    status, body = said(errors.render(reason))
    passing = isinstance(reason, no.Overloaded | no.PaymentUnsettled)
    assert status == 503 if passing else 400 <= status < 500
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message"]
    assert body["error"]["code"] == status
    assert body["error"]["message"]


def test_too_late_names_the_state():
    for word, late in ((Word.SHIPPED, "shipped"), (Word.DELIVERED, "delivered")):
        _, body = said(errors.render(no.TooLateToCancel(OrderId(7), word)))
        assert body["error"]["message"] == (
            f"Order order_7 cannot be cancelled as it has already been {late}."
        )


def test_what_cannot_be_read_is_named_in_the_message_and_in_the_details():
    unreadable = Unreadable("items[0].quantity", "must be an integer")
    assert said(errors.render_unreadable(unreadable)) == (
        400,
        {
            "error": {
                "code": 400,
                "message": "items[0].quantity must be an integer.",
                "details": [{"field": "items[0].quantity", "message": "must be an integer"}],
            }
        },
    )


def test_a_path_that_names_nothing_is_answered_with_its_own_text():
    status, body = said(errors.render_unknown(NoSuch("order", "order_0999")))
    assert status == 404
    assert body == {"error": {"code": 404, "message": "Order order_0999 not found."}}


@pytest.mark.parametrize("status", [404, 405, 408, 413, 500, 503])
def test_what_happens_beside_every_order_has_the_same_shape(status):
    rendered, body = said(errors.render_status(status))
    assert rendered == status
    assert body["error"]["code"] == status
