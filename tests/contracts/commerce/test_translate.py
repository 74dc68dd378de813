from typing import get_args

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from openorders.contracts import kit
from openorders.contracts.commerce import schemas, translate
from openorders.contracts.kit import Unreadable
from openorders.domain.address import Address
from openorders.domain.ids import OrderId
from openorders.domain.order import Word
from openorders.domain.search import Column, Field, Page, SortKey, with_words
from openorders.usecases.place_order import Charge
from openorders.usecases.read_orders import OrderPage
from tests.contracts.commerce.driver import DRIVER
from tests.domain.orders import a_line, an_order

STATUSES: tuple[schemas.Status, ...] = get_args(schemas.Status)


@pytest.mark.parametrize("word", Word)
def test_every_word_inside_has_the_documented_status(word: Word) -> None:
    assert translate.status_of(word) == DRIVER.words[word]


def test_every_word_belongs_to_exactly_one_status() -> None:
    sets = [translate.words_of(status) for status in STATUSES]
    assert sorted(word for words in sets for word in words) == sorted(Word)


@pytest.mark.parametrize("status", STATUSES)
def test_what_is_asked_for_shows_as_what_was_asked_for(status: schemas.Status) -> None:
    assert translate.status_of(translate.target_of(status)) == status
    command = translate.to_advance(OrderId(7), schemas.OrderChange(status=status))
    assert command.target in command.holds
    assert command.holds == translate.words_of(status)
    assert command.address is None


def test_an_order_has_the_printed_fields_in_the_printed_order() -> None:
    address = Address(line1="456 Oak Ave", city="Othertown", postal_code="10001", name="Jo")
    order = replace(an_order(a_line(1, 5000, 2)), shipping_address=address)
    assert kit.encode(translate.order_out(order)) == (
        b'{"orderId":"ORD000000007","customerId":"CUST00005","status":"pending",'
        b'"totalAmount":100.00,"currency":"USD","createdAt":"2026-06-02T12:00:00Z",'
        b'"updatedAt":"2026-06-02T12:00:00Z","shippingAddress":{"street":"456 Oak Ave",'
        b'"city":"Othertown","state":null,"zipCode":"10001","country":null},'
        b'"items":[{"productId":"PROD101","quantity":2,"price":50.00}]}'
    )


def test_an_order_without_an_address_leaves_it_out() -> None:
    assert translate.order_out(an_order()).shipping_address is UNSET


def test_a_list_leaves_addresses_out() -> None:
    order = replace(an_order(), shipping_address=Address(city="Othertown"))
    shown = translate.orders_out(OrderPage(orders=(order,), total=1), schemas.ListQuery())
    assert b"shippingAddress" not in kit.encode(shown)


@pytest.mark.parametrize(
    ("offset", "following", "previous"), [(0, 10, None), (10, 20, 0), (15, None, 5), (90, None, 80)]
)
def test_a_page_knows_its_neighbours(
    offset: int, following: int | None, previous: int | None
) -> None:
    query = schemas.ListQuery(limit=10, offset=offset)
    page = translate.orders_out(OrderPage(orders=(), total=25), query).pagination
    assert page == schemas.Pagination(
        total=25, limit=10, offset=offset, next_offset=following, prev_offset=previous
    )


def test_lists_are_newest_first_unless_asked_otherwise() -> None:
    newest = SortKey(key=Column(field=Field.CREATED_AT), descending=True)
    assert translate.to_search(schemas.ListQuery()).sort == (newest,)
    query = schemas.ListQuery(sort_by="totalAmount", sort_order="asc", limit=5, offset=10)
    search = translate.to_search(query)
    assert search.sort == (SortKey(key=Column(field=Field.TOTAL)),)
    assert search.page == Page(limit=5, offset=10)


def test_a_status_filter_means_every_word_that_shows_as_it() -> None:
    search = translate.to_search(schemas.ListQuery(status="cancelled"))
    assert search.criteria == with_words({Word.CANCELLED, Word.REFUNDED})


def test_a_payment_method_is_charged_at_once() -> None:
    item = schemas.ItemIn(product_id="PROD001", quantity=1)
    body = schemas.OrderIn(customer_id="CUST98765", items=[item])
    assert translate.to_place_order(body).charge is None
    body.payment_method_id = "pm_card_visa"
    assert translate.to_place_order(body).charge == Charge(token="pm_card_visa")


def test_the_street_is_the_first_line_of_the_address() -> None:
    sent = schemas.AddressIn(street="123 Main St", zip_code="90210")
    command = translate.to_advance(OrderId(7), schemas.OrderChange(shipping_address=sent))
    assert command.address == Address(line1="123 Main St", postal_code="90210")
    assert command.target is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (schemas.OrderChange(), "body"),
        (
            schemas.OrderChange(status="shipped", shipping_address=schemas.AddressIn()),
            "shippingAddress",
        ),
    ],
)
def test_a_change_of_nothing_is_unreadable(body: schemas.OrderChange, field: str) -> None:
    with pytest.raises(Unreadable) as refused:
        translate.to_advance(OrderId(7), body)
    assert refused.value.field == field


def test_a_bad_id_is_named_with_its_place() -> None:
    items = [
        schemas.ItemIn(product_id="PROD001", quantity=1),
        schemas.ItemIn(product_id="PROD1", quantity=1),
    ]
    with pytest.raises(Unreadable) as refused:
        translate.to_place_order(schemas.OrderIn(customer_id="CUST98765", items=items))
    assert refused.value.field == "items[1].productId"
