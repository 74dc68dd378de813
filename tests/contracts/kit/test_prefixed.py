"""Identifiers with a prefix have one spelling each, and what is none is told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.contracts.kit import NoSuch, Prefixed, Unreadable
from openorders.domain.ids import ID_MAX

KINDS = [Prefixed("order", "OR", 5), Prefixed("order", "order_"), Prefixed("order", "ORD", 9)]


@given(kind=st.sampled_from(KINDS), number=st.integers(0, ID_MAX))
def test_an_identifier_is_read_back_as_the_number_it_was_written_from(kind, number):
    text = kind.format(number)
    assert kind.parse(text) == number
    assert kind.read(text, "id") == number


@given(
    kind=st.sampled_from(KINDS), text=st.text(alphabet="OR_order0123456789- +\u0661", max_size=12)
)
def test_text_that_is_not_written_back_the_same_is_no_identifier(kind, text):
    try:
        number = kind.parse(text)
    except NoSuch:
        return
    assert kind.format(number) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OR",
        "OR1",
        "OR0001",
        "OR000001",
        "or00001",
        "OR00001 ",
        " OR00001",
        "OR0000x",
        "OR-0001",
        "OR+0001",
        "OR\u0660\u0660\u0660\u0660\u0661",
        "OR00001\n",
        "ORD00001",
        "00001",
        "OR1e100",
        "OR1_000",
    ],
)
def test_another_spelling_names_nothing_in_a_path_and_is_unreadable_in_a_body(text):
    kind = KINDS[0]
    with pytest.raises(NoSuch) as unknown:
        kind.parse(text)
    assert (unknown.value.kind, unknown.value.text) == ("order", text)
    with pytest.raises(Unreadable) as unreadable:
        kind.read(text, "items[3].id")
    assert unreadable.value.field == "items[3].id"
    assert unreadable.value.problem == "must be an identifier like OR00042"


@pytest.mark.parametrize("digits", [str(ID_MAX + 1), "1" + "0" * 20, "9" * 5000])
def test_a_number_beyond_64_bits_names_nothing_wherever_it_stands(digits):
    kind, text = KINDS[0], f"OR{digits}"
    with pytest.raises(NoSuch):
        kind.parse(text)
    with pytest.raises(NoSuch):
        kind.read(text, "id")
