"""Cursors: each leads back to where it came from, and nothing else leads anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.contracts.kit import INT64_MAX, Unreadable, read_cursor, write_cursor

positions = st.integers(0, INT64_MAX)


@given(place=st.text(max_size=40), position=positions)
def test_a_cursor_leads_back_to_its_position(place: str, position: int) -> None:
    assert read_cursor(place, write_cursor(place, position)) == position


@given(position=positions, here=st.text(max_size=40), there=st.text(max_size=40))
def test_a_cursor_fits_no_other_list(position: int, here: str, there: str) -> None:
    if here != there:
        with pytest.raises(Unreadable):
            read_cursor(there, write_cursor(here, position))


@given(position=positions, at=st.integers(0, 19), other=st.characters())
def test_a_cursor_that_was_touched_is_none(position: int, at: int, other: str) -> None:
    cursor = write_cursor("events", position)
    touched = cursor[:at] + other + cursor[at + 1 :]
    if touched != cursor:
        with pytest.raises(Unreadable) as refused:
            read_cursor("events", touched, "Last-Event-ID", "header")
        assert (refused.value.field, refused.value.where) == ("Last-Event-ID", "header")


@given(text=st.text(max_size=60))
def test_other_text_is_none(text: str) -> None:
    with pytest.raises(Unreadable):
        read_cursor("events", text)
