"""What is wrong with a value, in words that somebody can act on."""

from datetime import date, datetime

import msgspec
import pytest

from openorders.contracts.kit.unreadable import explain


def told(value: object, wanted: type) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"at": value}, dict[str, wanted])
    return explain(str(caught.value), "query").problem


@pytest.mark.parametrize("value", ["2026-13-01", "2026-06-02T10:00:00Z", "20260601", "x", ""])
def test_a_day_that_is_none_is_told_what_a_day_looks_like(value: str):
    assert told(value, date) == "must be a date like 2023-10-27"


@pytest.mark.parametrize("value", ["2026-06-02", "2026-06-02T25:00:00Z", "x"])
def test_a_time_that_is_none_is_told_what_a_time_looks_like(value: str):
    assert told(value, datetime) == "must be a date and time like 2023-10-27T10:30:00Z"


@pytest.mark.parametrize("wanted", [date, datetime])
def test_another_type_is_told_the_same(wanted: type):
    assert told(5, wanted).startswith("must be a date")
