"""What a query string must be."""

import pytest

from openorders.contracts.kit.queries import QueryReader
from openorders.contracts.kit.unreadable import Unreadable
from tests.contracts.kit.sample import ListQuery

READER = QueryReader(ListQuery)


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ("limit=0", "limit", "must be at least 1"),
        ("limit=101", "limit", "must be at most 100"),
        ("limit=1e1", "limit", "must be an integer"),
        ("limit=1.0", "limit", "must be an integer"),
        ("limit=%201", "limit", "must be an integer"),
        ("limit=+1", "limit", "must be an integer"),
        ("limit=%2B1", "limit", "must be an integer"),
        ("limit=1_0", "limit", "must be an integer"),
        ("limit=0x1", "limit", "must be an integer"),
        ("limit=", "limit", "must be an integer"),
        ("limit", "limit", "must be an integer"),
        ("limit=null", "limit", "must be an integer"),
        ("limit=true", "limit", "must be an integer"),
        ("limit=%D9%A1", "limit", "must be an integer"),
        ("limit=%EF%BC%91", "limit", "must be an integer"),
        ("offset=-1", "offset", "must be at least 0"),
        ("offset=9223372036854775808", "offset", "is out of range"),
        ("offset=99999999999999999999", "offset", "is out of range"),
        ("limit=1&limit=1", "limit", "was given twice"),
        ("status=a&offset=1&status=b", "status", "was given twice"),
        ("stat%75s=a&status=b", "status", "was given twice"),
        ("sortOrder=up", "sortOrder", "is not one of the values that are allowed"),
        ("status=%FF", "status", "is not valid UTF-8 text"),
        ("status=%ED%A0%80", "status", "is not valid UTF-8 text"),
        ("status=a%00", "status", "must not contain a NUL character"),
        ("count=1", "count", "must be true or false"),
        ("$other=1", "$other", "at position 1: expected one of $filter"),
        ("%24other=1", "$other", "at position 1: expected one of $filter"),
    ],
)
def test_what_is_wrong_is_told_with_its_parameter(text, field, problem):
    with pytest.raises(Unreadable) as caught:
        READER.read(text.encode())
    assert (caught.value.field, caught.value.problem) == (field, problem)
    assert caught.value.where == "query"


def test_without_parameters_the_defaults_hold():
    assert READER.read(b"") == ListQuery()


def test_parameters_are_decoded_once():
    read = READER.read(b"status=a+b%2520&limit=007&limit=7".replace(b"limit=007&", b""))
    assert read == ListQuery(status="a b%20", limit=7)


def test_unknown_parameters_are_ignored_even_twice():
    assert READER.read(b"a=1&a=2&sort_order=asc&=&&LIMIT=5") == ListQuery()


def test_the_largest_integer_is_read():
    assert READER.read(b"offset=9223372036854775807") == ListQuery(offset=2**63 - 1)


def test_leading_zeros_are_no_plain_integer():
    with pytest.raises(Unreadable) as caught:
        READER.read(b"limit=007")
    assert caught.value.problem == "must be an integer"


def test_options_are_read_by_their_own_names():
    read = READER.read(b"$filter=total%20gt%205&count=true")
    assert read == ListQuery(filter="total gt 5", count=True)
