"""The limits on a query, and that no text at all gets anything but an answer, soon."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openorders.contracts.marketplace.odata import InvalidQuery, OrderQuery, read_options
from tests.contracts.marketplace.odata_filters import filters

NOW = datetime(2026, 6, 2, 10, 30, tzinfo=UTC)


def answer(option, text):
    try:
        return read_options([(option, text)], now=NOW)
    except InvalidQuery as error:
        return error


def refused(option, text):
    answered = answer(option, text)
    assert isinstance(answered, InvalidQuery)
    return answered


def several(one, count, joint=" or "):
    return joint.join([one] * count)


@pytest.mark.parametrize(
    ("allowed", "refused_text", "expected", "position"),
    [
        (
            "true".ljust(8_000),
            "true".ljust(8_001),
            "at most 8,000 characters",
            8_001,
        ),
        (
            "(" * 50 + "true" + ")" * 50,
            "(" * 51 + "true" + ")" * 51,
            "at most 50 parentheses open at once",
            51,
        ),
        (
            several("id eq 'x'", 200),
            several("id eq 'x'", 201),
            "at most 200 comparisons",
            13 * 200 + 4,
        ),
        (
            several("contains(id,'x')", 200),
            several("contains(id,'x')", 201),
            "at most 200 comparisons",
            20 * 200 + 1,
        ),
        (
            several("id in ('x')", 200),
            several("id in ('x')", 201),
            "at most 200 comparisons",
            15 * 200 + 4,
        ),
        (
            f"id in ({several('1', 100, ',')})".replace("1", "'1'"),
            f"id in ({several('1', 101, ',')})".replace("1", "'1'"),
            "at most 100 values after in",
            8 + 4 * 100,
        ),
    ],
    ids=["characters", "parentheses", "comparisons", "functions", "memberships", "values"],
)
def test_each_limit_is_allowed_to_be_reached_and_not_to_be_passed(
    allowed, refused_text, expected, position
):
    read_options([("$filter", allowed)], now=NOW)
    error = refused("$filter", refused_text)
    assert (error.expected, error.position) == (expected, position)


def test_limits_are_enforced_before_anything_is_parsed():
    assert refused("$filter", "(" * 60).expected == "at most 50 parentheses open at once"
    assert refused("$filter", "eq " * 300).expected == "at most 200 comparisons"
    assert refused("$filter", "x" * 50_000).expected == "at most 8,000 characters"
    assert refused("$orderby", "x" * 50_000).expected == "at most 8,000 characters"
    assert refused("$select", "x" * 50_000).expected == "at most 8,000 characters"


def test_the_length_counts_characters_and_not_bytes():
    read_options([("$filter", f"id eq '{'中' * 7_992}'")], now=NOW)


SNIPPETS = (
    *("status", "id", "totalAmount", "createdAt", "items", "i", "quantity", "x", "é"),
    *("eq", "ne", "gt", "in", "and", "or", "not", "add", "div", "mod", "any", "all", "asc"),
    *("contains", "tolower", "year", "now", "(", ")", ",", "/", ":", "-", "+", "'", "''", '"'),
    *("'a'", "5", "0", "1.5", "1e5", "1e400", "2026-01-01", "2026-01-01T10:00:00Z", "null"),
    *(
        "true",
        " ",
        "\t",
        "\0",
        "\n",
        "%",
        "$",
        "@",
        "[",
        "]",
        "{",
        "\ud800",
        "99999999999999999999",
    ),
    *(
        "items/any(i:",
        "i/quantity",
        "contains(id,'9')",
        "status in ('a')",
        "not (",
        "totalAmount gt 5",
    ),
)
FUZZ = settings(max_examples=400, deadline=None)


def read_or_refuse(option, text):
    started = time.thread_time()
    answered = answer(option, text)
    assert time.thread_time() - started < 1
    if not isinstance(answered, OrderQuery):
        assert 1 <= answered.position <= len(text) + 1
        assert answered.expected
        assert len(str(answered)) < 500


@FUZZ
@given(pieces=st.lists(st.sampled_from(SNIPPETS), max_size=60), glue=st.sampled_from(["", " "]))
def test_any_heap_of_words_is_read_or_refused(pieces, glue):
    text = glue.join(pieces)
    read_or_refuse("$filter", text)
    read_or_refuse("$orderby", text)


@FUZZ
@given(text=st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    for option in ("$filter", "$orderby", "$skip", "$top", "$count", "$select", "$x"):
        read_or_refuse(option, text)


@FUZZ
@given(wanted=filters(), cut=st.integers(0, 10_000), put=st.sampled_from(["", *SNIPPETS]))
def test_a_filter_with_something_cut_out_or_put_in_is_read_or_refused(wanted, cut, put):
    text = repr(wanted)
    at = cut % (len(text) + 1)
    read_or_refuse("$filter", text[:at] + put + text[at + 1 :])


@pytest.mark.parametrize("character", [*"(')-/:,.+$0e \t", "not ", "''", "1e", "in(", "i:"])
def test_eight_thousand_of_anything_are_refused_fast(character):
    text = (character * 8_000)[:8_000]
    started = time.thread_time()
    refused("$filter", text)
    assert time.thread_time() - started < 1
