import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.contracts import kit
from openorders.contracts.kit import NoSuch, Unreadable
from openorders.contracts.marketplace import ids, translate
from openorders.contracts.marketplace.columns import COLUMNS, DEFAULT
from openorders.contracts.marketplace.odata import SHOWN_WORDS
from openorders.contracts.marketplace.requests import StatusIn
from openorders.contracts.marketplace.words import STATUSES, Status, status_of, words_of
from openorders.domain.ids import ID_MAX, OrderId
from openorders.domain.order import Word
from openorders.domain.table import LinePart, OrderPart
from tests.contracts.marketplace.driver import DRIVER
from tests.domain.orders import a_line, an_order

NUMBERS = st.integers(min_value=1, max_value=ID_MAX)


@pytest.mark.parametrize("word", Word)
def test_every_word_inside_has_the_documented_status(word: Word) -> None:
    assert status_of(word) == DRIVER.words[word] == SHOWN_WORDS[word]


def test_every_word_belongs_to_exactly_one_status() -> None:
    sets = [words_of(status) for status in STATUSES]
    assert sorted(word for words in sets for word in words) == sorted(Word)


@pytest.mark.parametrize("status", STATUSES)
def test_what_is_asked_for_shows_as_what_was_asked_for(status: Status) -> None:
    command = translate.to_advance(OrderId(7), StatusIn(status=status, reason="so"))
    assert command.target in command.holds
    assert command.holds == words_of(status)
    assert command.reason == "so"


def test_an_order_has_the_printed_fields_in_the_printed_order() -> None:
    order = an_order(a_line(1, 9999, 2))
    assert kit.encode(translate.order_out(order)) == (
        b'{"id":"ord_7","customerId":"cust_5","status":"pending","items":[{"id":"item_1",'
        b'"offerId":"offer_201","quantity":2,"price":99.99,"status":"pending"}],'
        b'"totalAmount":199.98,"createdAt":"2026-06-02T12:00:00Z"}'
    )


@given(NUMBERS)
def test_an_identifier_has_one_spelling(number: int) -> None:
    assert ids.parse_order(ids.format_order(OrderId(number))) == number
    assert ids.read_offer(f"offer_{number}", "items[0].offerId") == number
    assert ids.read_item(f"item_{number}", "items[0].itemId") == number
    assert ids.read_customer(f"cust_{number}", "customerId") == number


@given(NUMBERS, st.sampled_from(["ord_0{}", "ord_+{}", "ord{}", "ORD_{}", "{}", "ord_{} "]))
def test_another_spelling_names_nothing(number: int, form: str) -> None:
    with pytest.raises(NoSuch):
        ids.parse_order(form.format(number))
    with pytest.raises(Unreadable):
        ids.read_order(form.format(number), "orderId")


def test_a_number_beyond_64_bits_is_no_order_and_no_other_identifier_of_a_body() -> None:
    with pytest.raises(NoSuch):
        ids.read_order(f"ord_{ID_MAX + 1}", "orderId")
    with pytest.raises(Unreadable) as refused:
        ids.read_offer(f"offer_{ID_MAX + 1}", "items[0].offerId")
    assert refused.value.field == "items[0].offerId"


def test_every_field_of_orders_and_lines_is_offered_once() -> None:
    parts = [column.part for column in COLUMNS.values()]
    assert set(parts) == {*OrderPart, *LinePart}
    assert len(parts) == len(set(parts))
    assert all(name == column.name for name, column in COLUMNS.items())
    assert set(DEFAULT) <= set(COLUMNS)


def test_header_names_need_no_quotes() -> None:
    assert all(name.replace(".", "").isalnum() for name in COLUMNS)
