"""How `partner` says no, to the letter of its document where that has a word for it."""

import json

import pytest

from openorders.contracts.kit import Unreadable, encode
from openorders.contracts.partner import errors
from openorders.domain import refusals as no
from openorders.domain.ids import OrderId, ProductId, VariantId
from tests.contracts.reasons import EVERY_REASON


def said(rendered):
    return rendered.status, json.loads(encode(rendered.body))


@pytest.mark.parametrize(
    ("reason", "status", "detail"),
    [
        (no.NotAuthenticated(), 401, "Invalid or missing API key"),
        (no.OrderNotFound(OrderId(0)), 404, "Order not found: OR00000"),
        (no.ProductNotFound(ProductId(0)), 404, "Product not found: PR00000"),
        (no.NotAvailable(ProductId(1), VariantId(9)), 409, "Product is not available: PR00001"),
        (no.OutOfStock(ProductId(1), VariantId(9), 2, 1), 409, "Product is not available: PR00001"),
    ],
)
def test_the_document_s_refusals_are_its_own_sentences(reason, status, detail):
    assert said(errors.render(reason)) == (status, {"detail": detail})


@pytest.mark.parametrize("reason", EVERY_REASON, ids=repr)
def test_every_refusal_has_a_status_and_a_text(reason):
    status, body = said(errors.render(reason))
    assert 400 <= status < 500 or (status == 503 and isinstance(reason, no.Overloaded))
    assert list(body) == ["detail"]
    assert body["detail"]


@pytest.mark.parametrize("where", ["body", "query", "path", "header"])
def test_what_cannot_be_read_is_422_and_named(where):
    unreadable = Unreadable("items[0].quantity", "must be an integer", where)
    assert said(errors.render_unreadable(unreadable)) == (
        422,
        {"detail": "items[0].quantity must be an integer"},
    )


@pytest.mark.parametrize("status", [404, 405, 408, 413, 500, 503])
def test_what_happens_beside_every_order_has_the_same_shape(status):
    rendered, body = said(errors.render_status(status))
    assert rendered == status
    assert list(body) == ["detail"]
