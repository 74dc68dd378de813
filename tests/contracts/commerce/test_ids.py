import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.contracts.commerce import ids
from openorders.contracts.kit import NoSuch, Unreadable
from openorders.domain.ids import ID_MAX, CustomerId, OrderId, ProductId

NUMBERS = st.integers(min_value=1, max_value=ID_MAX)


@given(NUMBERS)
def test_every_order_is_read_back_from_its_one_spelling(number: int) -> None:
    assert ids.parse_order(ids.format_order(OrderId(number))) == number


@given(NUMBERS)
def test_every_product_is_read_back_from_its_one_spelling(number: int) -> None:
    assert ids.read_product(ids.format_product(ProductId(number)), "productId") == number


@given(NUMBERS)
def test_every_customer_is_read_back_from_its_one_spelling(number: int) -> None:
    assert ids.read_customer(ids.format_customer(CustomerId(number)), "customerId") == number


def test_numbers_are_padded_as_documented() -> None:
    assert ids.format_order(OrderId(42)) == "ORD000000042"
    assert ids.format_order(OrderId(1234567890)) == "ORD1234567890"
    assert ids.format_customer(CustomerId(5)) == "CUST00005"
    assert ids.format_customer(CustomerId(1_000_000_000_000)) == "CUST1000000000000"
    assert ids.format_product(ProductId(1)) == "PROD001"
    assert ids.format_product(ProductId(1001)) == "PROD1001"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ORD",
        "ORD1",
        "ORD0123456789",
        "ORD00000000\u0661",
        "ord123456789",
        "123456789",
        " ORD123456789",
        "ORD123456789 ",
        "ORD-23456789",
        "ORDORD123456789",
        "PROD001",
        f"ORD{ID_MAX + 1}",
        "ORD" + "9" * 5000,
    ],
)
def test_other_spellings_of_an_order_name_nothing(text: str) -> None:
    with pytest.raises(NoSuch) as refused:
        ids.parse_order(text)
    assert (refused.value.kind, refused.value.text) == ("order", text)


@pytest.mark.parametrize("text", ["", "1", "PROD1", "PROD0001", "prod001", "PROD01 ", "CUST00001"])
def test_other_spellings_of_a_product_are_unreadable(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        ids.read_product(text, "items[3].productId")
    assert refused.value.field == "items[3].productId"


@pytest.mark.parametrize("text", ["", "5", "CUST5", "CUST000005", "cust00005", "CUST00000"])
def test_a_customer_of_another_form_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        ids.read_customer(text, "customerId")
    assert refused.value.field == "customerId"
