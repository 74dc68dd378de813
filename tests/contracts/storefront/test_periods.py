"""What `fromDate` and `toDate` mean."""

from datetime import UTC, datetime

import pytest

from openorders.contracts.kit import Unreadable
from openorders.contracts.storefront.periods import end_of, start_of


def test_a_bare_date_is_the_whole_day():
    assert start_of("2023-03-15", "fromDate") == datetime(2023, 3, 15, tzinfo=UTC)
    assert end_of("2023-03-15", "toDate") == datetime(2023, 3, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2023-03-15T14:30:00Z", "2023-03-15T14:30:00", "2023-03-15T16:30:00+02:00"],
)
def test_a_time_is_the_whole_of_its_second(text):
    assert start_of(text, "fromDate") == datetime(2023, 3, 15, 14, 30, tzinfo=UTC)
    assert end_of(text, "toDate") == datetime(2023, 3, 15, 14, 30, 1, tzinfo=UTC)


def test_a_fraction_of_a_second_is_exact():
    assert end_of("2023-03-15T14:30:00.5Z", "toDate") == datetime(
        2023, 3, 15, 14, 30, 0, 500_001, tzinfo=UTC
    )


def test_the_last_day_there_is_has_no_end():
    assert end_of("9999-12-31", "toDate") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2023",
        "2023-02-30",
        "2023-3-1",
        "15/03/2023",
        "2023-03-15T25:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:00:00-10:00",
        "1678886400",
        "2023-W11-3",
        "\u0662\u0660\u0662\u0663-03-15",
        "2023-03-15T14:30:00 02:00",
        "-2023-03-15",
        "infinity",
    ],
)
def test_anything_else_is_refused_by_name(text):
    for read in (start_of, end_of):
        with pytest.raises(Unreadable) as unreadable:
            read(text, "toDate")
        assert (unreadable.value.field, unreadable.value.where) == ("toDate", "query")
