"""How `partner` reads orders and shows them, without HTTP."""

import msgspec
import pytest
from msgspec.structs import replace

from openorders.contracts.kit import NoSuch, Unreadable, encode
from openorders.contracts.partner import errors, ids, translate
from openorders.contracts.partner.schemas import ItemIn, ListQuery, OrderIn, Status
from openorders.domain.customer import Customer, Identity
from openorders.domain.ids import CustomerId, OrderId, ProductId
from openorders.domain.order import LineState, Word
from openorders.domain.search import Page
from tests.domain.orders import a_line, an_order


def a_body(**changed) -> OrderIn:
    body = {"partner_name": "RayTech Corp.", "items": [ItemIn(product_id="PR00001", quantity=2)]}
    return OrderIn(**(body | changed))


def test_an_order_names_the_partner_its_reference_and_its_products():
    command = translate.to_place_order(a_body(customer_reference="CUST-1001"))
    assert command.partner_name == "RayTech Corp."
    assert command.customer_reference == "CUST-1001"
    assert [(line.product_id, line.variant_id, line.quantity) for line in command.lines] == [
        (ProductId(1), None, 2)
    ]
    assert command.charge is None
    assert not command.payment_asked


def test_the_customer_of_an_order_is_known_by_partner_and_reference():
    def customer_of(**changed) -> Identity:
        customer = translate.to_place_order(a_body(**changed)).customer
        assert isinstance(customer, Identity)
        return customer

    assert customer_of().issuer == "partner"
    assert customer_of().name == "RayTech Corp."
    assert customer_of(customer_reference="A") == customer_of(customer_reference="A")
    different = {
        customer_of(partner_name="A", customer_reference="B"),
        customer_of(partner_name="AB"),
        customer_of(partner_name="A", customer_reference=""),
        customer_of(partner_name="A"),
        customer_of(partner_name='A", "B'),
    }
    assert len(different) == 5


def test_an_order_without_items_is_told_apart_from_a_malformed_one():
    with pytest.raises(errors.NoItems) as empty:
        translate.to_place_order(a_body(items=[]))
    rendered = errors.render_unreadable(empty.value)
    assert rendered.status == 400
    assert encode(rendered.body) == b'{"detail":"Order must contain at least one item."}'


def test_a_product_id_that_is_none_is_named_by_its_field():
    items = [ItemIn(product_id=text, quantity=1) for text in ("PR00001", "PR1")]
    with pytest.raises(Unreadable) as unreadable:
        translate.to_place_order(a_body(items=items))
    assert unreadable.value.field == "items[1].product_id"


def test_a_product_id_beyond_64_bits_is_not_found():
    items = [ItemIn(product_id="PR99999999999999999999", quantity=1)]
    with pytest.raises(NoSuch) as unknown:
        translate.to_place_order(a_body(items=items))
    rendered = errors.render_unknown(unknown.value)
    assert rendered.status == 404
    assert encode(rendered.body) == b'{"detail":"Product not found: PR99999999999999999999"}'


def test_a_list_is_whole_unless_a_part_is_asked_for():
    assert translate.to_search(ListQuery()).page is None
    assert translate.to_search(ListQuery(limit=3)).page == Page(limit=3, offset=0)
    assert translate.to_search(ListQuery(offset=3)).page == Page(limit=2**63 - 1, offset=3)


@pytest.mark.parametrize("word", Word)
def test_every_state_has_a_word(word):
    assert translate.status_of(word) == word.value
    assert translate.status_of(word) in Status.__args__


def test_an_order_is_shown_with_every_field_the_document_prints():
    order = replace(
        an_order(a_line(1, 1099, 1), a_line(2, 500, 3)),
        partner_name="RayTech Corp.",
        customer_reference="CUST-1001",
    )
    assert encode(translate.order_out(order)).decode() == (
        '{"order_id":"OR00007","partner_name":"RayTech Corp.","customer_reference":"CUST-1001",'
        '"status":"created","total_amount":25.99,"currency":"USD","items":['
        '{"order_item_id":"OI00001","product_id":"PR00101","sku":"SKU-1",'
        '"product_name":"Product 1","quantity":1,"unit_price":10.99,"line_total":10.99},'
        '{"order_item_id":"OI00002","product_id":"PR00102","sku":"SKU-2",'
        '"product_name":"Product 2","quantity":3,"unit_price":5.00,"line_total":15.00}]}'
    )


def test_an_order_from_elsewhere_shows_its_customer_as_partner():
    order = replace(an_order(), customer=Customer(id=CustomerId(98765), name="Jane Smith"))
    assert translate.order_out(order).partner_name == "Jane Smith"
    assert translate.order_out(order).customer_reference is None
    nameless = replace(order, customer=Customer(id=CustomerId(98765)))
    assert translate.order_out(nameless).partner_name == "CUST98765"


def test_cancelled_lines_are_still_shown():
    order = an_order(a_line(1), a_line(2))
    cancelled = replace(order.lines[0], state=LineState.CANCELLED)
    order = replace(order, lines=(cancelled, order.lines[1]))
    shown = msgspec.to_builtins(translate.order_out(order))
    assert [item["order_item_id"] for item in shown["items"]] == ["OI00001", "OI00002"]


def test_identifiers_have_at_least_five_digits():
    assert ids.format_order(OrderId(1)) == "OR00001"
    assert ids.format_order(OrderId(1_000_000)) == "OR1000000"
    assert ids.format_product(ProductId(42)) == "PR00042"
    assert ids.parse_order("OR00001") == 1
