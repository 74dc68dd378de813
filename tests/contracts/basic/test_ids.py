import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.contracts.basic.ids import parse_order, read_product
from openorders.contracts.kit import NoSuch
from openorders.domain.ids import ID_MAX


@given(st.integers(min_value=0, max_value=ID_MAX))
def test_every_number_is_read_back_from_its_one_spelling(number: int) -> None:
    assert parse_order(str(number)) == number


@given(st.text())
def test_text_that_is_read_is_the_number_s_own_spelling(text: str) -> None:
    try:
        assert str(parse_order(text)) == text
    except NoSuch as refused:
        assert refused.text == text  # noqa: PT017 - either is right, each for its own texts


@pytest.mark.parametrize(
    "text",
    ["", "007", "+7", "-7", " 7", "7 ", "7.0", "1e3", "\u0667", "abc", str(2**63), "9" * 5000],
)
def test_other_spellings_name_nothing(text: str) -> None:
    with pytest.raises(NoSuch) as refused:
        parse_order(text)
    assert (refused.value.kind, refused.value.text) == ("order", text)


def test_a_product_beyond_64_bits_names_nothing() -> None:
    assert read_product(ID_MAX) == ID_MAX
    with pytest.raises(NoSuch) as refused:
        read_product(ID_MAX + 1)
    assert (refused.value.kind, refused.value.text) == ("product", str(ID_MAX + 1))
