"""How `storefront` reads orders, without HTTP."""

from datetime import UTC, datetime
from typing import Any

import pytest

from openorders.contracts.kit import NoSuch, Unreadable
from openorders.contracts.storefront import translate
from openorders.contracts.storefront.requests import (
    AddressIn,
    BillingIn,
    CancelIn,
    ItemIn,
    ListQuery,
    OrderIn,
    PaymentIn,
    StatusIn,
)
from openorders.contracts.storefront.schemas import Status
from openorders.domain.access import Caller, Role
from openorders.domain.address import Address
from openorders.domain.catalogue import Wanted
from openorders.domain.ids import CustomerId, OrderId, ProductId, StoreId, VariantId
from openorders.domain.order import Shipment, Word
from openorders.domain.search import Page, all_of, created_between, with_words
from openorders.domain.store_settings import Store
from openorders.usecases.place_order import Charge

STORE = Store(id=StoreId(1), name="storefront", currency="USD", number_prefix="MNKY-")
JANE = Caller(
    store=STORE,
    role=Role.CUSTOMER,
    actor="key:1",
    credential="key:1",
    contract="storefront",
    customer_id=CustomerId(123456),
)
STAFF = Caller(
    store=STORE, role=Role.ADMIN, actor="key:2", credential="key:2", contract="storefront"
)


def a_body(**changed: Any) -> OrderIn:
    body: dict[str, Any] = {"items": [ItemIn(product_id="prod_1", quantity=1)]}
    return OrderIn(**(body | changed))


@pytest.mark.parametrize("word", Word)
def test_every_word_inside_is_a_status_and_back(word):
    assert translate.status_of(word) == word.value
    assert translate.word_of(translate.status_of(word)) is word


def test_there_is_no_other_status():
    assert {translate.word_of(status) for status in Status.__args__} == set(Word)


def test_a_customer_orders_for_itself():
    assert translate.to_place_order(a_body(), JANE).customer == 123456
    named = a_body(customer_id="user_123456")
    assert translate.to_place_order(named, JANE).customer == 123456


def test_staff_order_for_the_customer_they_name():
    assert translate.to_place_order(a_body(customer_id="user_7"), STAFF).customer == 7


def test_staff_must_name_somebody():
    with pytest.raises(Unreadable) as unreadable:
        translate.to_place_order(a_body(), STAFF)
    assert unreadable.value.field == "customerId"


@pytest.mark.parametrize("text", ["user_0", "user_99999999999999999999"])
def test_a_customer_that_nobody_can_be_is_not_found(text):
    with pytest.raises(NoSuch):
        translate.to_place_order(a_body(customer_id=text), STAFF)


def test_lines_are_kept_as_sent_with_and_without_a_variant():
    items = [
        ItemIn(product_id="prod_1", variant_id="var_2", quantity=3),
        ItemIn(product_id="prod_1", quantity=4),
    ]
    assert translate.to_place_order(a_body(items=items), JANE).lines == (
        Wanted(product_id=ProductId(1), variant_id=VariantId(2), quantity=3),
        Wanted(product_id=ProductId(1), quantity=4),
    )


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (ItemIn(product_id="1", quantity=1), "items[0].productId"),
        (ItemIn(product_id="prod_01", quantity=1), "items[0].productId"),
        (ItemIn(product_id="prod_1", variant_id="prod_1", quantity=1), "items[0].variantId"),
        (ItemIn(product_id="prod_1", variant_id="", quantity=1), "items[0].variantId"),
    ],
)
def test_an_identifier_that_is_none_is_named_by_its_field(item, field):
    with pytest.raises(Unreadable) as unreadable:
        translate.to_place_order(a_body(items=[item]), JANE)
    assert unreadable.value.field == field


def test_payment_details_are_charged_at_once():
    payment = PaymentIn(method="credit_card", token="tok_visa")
    command = translate.to_place_order(a_body(payment_details=payment), JANE)
    assert command.charge == Charge(token="tok_visa", method="credit_card")
    assert command.payment_method == "credit_card"
    assert command.start_when_paid
    assert not command.payment_asked


def test_without_payment_details_a_payment_is_asked_for():
    command = translate.to_place_order(a_body(), JANE)
    assert command.charge is None
    assert command.payment_asked


def test_billing_is_the_shipping_address_where_that_is_wished():
    address = AddressIn(name="John Doe", line1="456 Oak Street", line2="", postal_code="94102")
    command = translate.to_place_order(
        a_body(shipping_address=address, billing_address=BillingIn(same_as_shipping=True)), JANE
    )
    expected = Address(name="John Doe", line1="456 Oak Street", line2="", postal_code="94102")
    assert command.shipping_address == expected
    assert command.billing_address == expected


def test_billing_is_its_own_address_or_none():
    billing = BillingIn(name="Accounts", city="Berlin")
    command = translate.to_place_order(a_body(billing_address=billing), JANE)
    assert command.billing_address == Address(name="Accounts", city="Berlin")
    assert command.shipping_address is None
    assert translate.to_place_order(a_body(), JANE).billing_address is None
    same = a_body(billing_address=BillingIn(same_as_shipping=True))
    assert translate.to_place_order(same, JANE).billing_address is None


def test_an_address_without_any_part_is_none():
    empty = a_body(shipping_address=AddressIn(name=None), billing_address=BillingIn())
    command = translate.to_place_order(empty, JANE)
    assert command.shipping_address is None
    assert command.billing_address is None


def test_a_list_is_a_page_of_what_fits_the_newest_first():
    search = translate.to_search(
        ListQuery(page=3, limit=20, status="paid", from_date="2023-03-01", to_date="2023-03-31")
    )
    assert search.page == Page(limit=20, offset=40)
    assert search.sort == translate.NEWEST_FIRST
    assert search.criteria == all_of(
        with_words({Word.PAID}),
        created_between(datetime(2023, 3, 1, tzinfo=UTC), datetime(2023, 4, 1, tzinfo=UTC)),
    )


def test_a_status_is_asked_for_with_its_tracking():
    body = StatusIn(status="shipped", carrier="USPS", tracking_number="1Z", notify_customer=True)
    command = translate.to_advance(OrderId(7), body)
    assert command.target is Word.SHIPPED
    assert command.holds == {Word.SHIPPED}
    assert command.tracking == Shipment(carrier="USPS", tracking_number="1Z")
    assert command.notify


@pytest.mark.parametrize("wish", [None, False])
def test_nobody_is_told_unless_that_is_wished(wish):
    body = StatusIn(status="shipped", notify_customer=wish)
    assert not translate.to_advance(OrderId(7), body).notify


def test_nobody_needs_to_say_why_an_order_is_cancelled():
    assert translate.to_cancel(OrderId(7), None).reason is None
    body = CancelIn(reason="Changed mind", comments="Found an alternative product")
    command = translate.to_cancel(OrderId(7), body)
    assert (command.reason, command.comments) == ("Changed mind", "Found an alternative product")
