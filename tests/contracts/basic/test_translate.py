from typing import get_args

import pytest
from msgspec.structs import replace

from openorders.contracts import kit
from openorders.contracts.basic import schemas, translate
from openorders.domain.ids import OrderId
from openorders.domain.order import Fulfilment, Progress, Word
from openorders.domain.search import Page, Search, all_of, of_customer, with_words
from tests.contracts.basic.driver import DRIVER
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
    command = translate.to_advance(OrderId(7), status)
    assert command.target in command.holds
    assert command.holds == translate.words_of(status)


def test_a_refunded_order_shows_as_cancelled_and_stays_as_it_is() -> None:
    assert Word.REFUNDED in translate.to_cancel(OrderId(7)).holds


def test_an_order_has_the_printed_fields_in_the_printed_order() -> None:
    order = an_order(a_line(1, 5025, 2), a_line(2, 5025, 1))
    assert kit.encode(translate.order_out(order)) == (
        b'{"id":7,"userId":5,"orderDate":"2026-06-02T12:00:00Z","totalAmount":150.75,'
        b'"status":"pending","items":[{"productId":101,"quantity":2,"price":50.25},'
        b'{"productId":102,"quantity":1,"price":50.25}]}'
    )


def test_a_currency_without_digits_has_none() -> None:
    order = replace(an_order(a_line(1, 150, 2)), currency="JPY", minor_digits=0)
    shown = kit.encode(translate.order_out(order))
    assert b'"totalAmount":300,' in shown
    assert b'"price":150}' in shown


def test_round_amounts_keep_their_digits() -> None:
    assert b'"totalAmount":100.00,' in kit.encode(translate.order_out(an_order(a_line(1, 10_000))))


def test_a_completed_order_is_delivered() -> None:
    order = replace(an_order(), progress=Progress.COMPLETED, fulfilment=Fulfilment.DELIVERED)
    assert translate.order_out(order).status == "delivered"


def test_a_list_is_what_was_asked_for_oldest_first() -> None:
    query = schemas.ListQuery(status="pending", user_id=5, limit=7, offset=14)
    pending = {Word.CREATED, Word.PAYMENT_PENDING, Word.PAID}
    assert translate.to_search(query) == Search(
        criteria=all_of(with_words(pending), of_customer(5)), page=Page(limit=7, offset=14)
    )
    assert not translate.to_search(schemas.ListQuery()).total_order[0].descending


def test_lines_are_kept_as_sent() -> None:
    item = schemas.ItemIn(product_id=20, quantity=1)
    command = translate.to_place_order(schemas.OrderIn(user_id=5, items=[item, item]))
    assert [line.product_id for line in command.lines] == [20, 20]
    assert command.customer == 5
    assert command.charge is None
