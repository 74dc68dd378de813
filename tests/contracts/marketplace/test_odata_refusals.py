"""Every way in which a query can be wrong, with the position that is named and what was expected.

Positions count characters from 1. In the table a `‸` marks the place; it is not part of the text.
"""

from datetime import UTC, datetime

import pytest

from openorders.contracts.marketplace.odata import InvalidQuery, read_options

NOW = datetime(2026, 6, 2, 10, 30, tzinfo=UTC)
CARET = "‸"
CONDITION = "a condition that is true or false"
OPERATOR = "an operator such as eq, gt, in, and, or"
OPERAND = "a field, a value, a function or '('"
FIELD = (
    "a field of the order (id, customerId, status, totalAmount, currency, paymentMethod,"
    " createdAt, updatedAt) or a value"
)
FUNCTION = (
    "a function (contains, startswith, endswith, tolower, toupper, length, year, month, day,"
    " hour, date, now)"
)
ITEM_FIELD = "a field of the item (offerId, quantity, price, status)"
DIGITS = "a number of at most 38 digits on either side of the point"


def refused(option, text):
    with pytest.raises(InvalidQuery) as caught:
        read_options([(option, text)], now=NOW)
    return caught.value


def expect(option, marked, expected, found):
    assert marked.count(CARET) == 1
    error = refused(option, marked.replace(CARET, ""))
    assert (error.option, error.position, error.expected) == (
        option,
        marked.index(CARET) + 1,
        expected,
    )
    but = f", found {found}" if found else ""
    assert str(error) == f"{option} at position {error.position}: expected {expected}{but}."


@pytest.mark.parametrize(
    ("marked", "expected", "found"),
    [
        # Nothing, too little, too much
        ("‸", OPERAND, "the end"),
        (" \t‸", OPERAND, "the end"),
        ("status eq‸", OPERAND, "the end"),
        ("status ‸= 'paid'", "a name, a value, an operator or a parenthesis", "="),
        ("status eq 'paid' and‸", OPERAND, "the end"),
        ("‸)", OPERAND, ")"),
        ("(‸)", OPERAND, ")"),
        ("(status eq 'paid'‸", f"{OPERATOR}, or ')'", "the end"),
        ("status eq 'paid'‸)", f"{OPERATOR}, or the end", ")"),
        ("status eq 'paid' ‸currency eq 'USD'", f"{OPERATOR}, or the end", "currency"),
        ("status eq 'paid'‸, true", f"{OPERATOR}, or the end", ","),
        ("status ‸EQ 'paid'", f"{OPERATOR}, or the end", "EQ"),
        ("status ‸has 'paid'", f"{OPERATOR}, or the end", "has"),
        ("status‸", "", ""),
        # Names
        ("‸colour eq 'red'", FIELD, "colour"),
        ("‸Status eq 'paid'", FIELD, "Status"),
        ("status eq ‸paid", FIELD, "paid"),
        ("‸items eq 1", "items/any(…) or items/all(…)", "items"),
        ("‸status/length gt 1", "items/any(…) or items/all(…)", "status"),
        ("totalAmount lt ‸INF", "a finite number", "INF"),
        ("totalAmount lt ‸NaN", "a finite number", "NaN"),
        ("‸Contains(id,'9')", FUNCTION, "Contains"),
        ("‸indexof(id,'9') eq 1", FUNCTION, "indexof"),
        # Arguments
        ("contains(id‸)", "',' and one more argument of contains", ")"),
        ("contains(‸)", "an argument of contains", ")"),
        ("contains(id,'9'‸,'8')", f"{OPERATOR}, or ')'", ","),
        ("now(‸1) gt createdAt", "')'", "1"),
        ("contains(id,‸", OPERAND, "the end"),
        ("(id‸, 'x') eq 1", f"{OPERATOR}, or ')'", ","),
        ("length(‸totalAmount) gt 1", "text", "a number (totalAmount)"),
        ("year(‸status) eq 1", "a date and time or a date", "text (status)"),
        ("hour(‸2026-01-01) eq 1", "a date and time", "a date (2026-01-01)"),
        ("contains(id,‸9)", "text", "a whole number (9)"),
        # Types
        ("totalAmount gt ‸'abc'", "a number to compare with", "text ('abc')"),
        ("‸'abc' lt totalAmount", "a number to compare with", "text ('abc')"),
        ("createdAt ge ‸'2026-01-01'", "a date and time to compare with", "text ('2026-01-01')"),
        ("date(createdAt) eq ‸'x'", "a date to compare with", "text ('x')"),
        (
            "date(createdAt) eq ‸createdAt",
            "a date to compare with",
            "a date and time (createdAt)",
        ),
        ("status eq ‸5", "text to compare with", "a whole number (5)"),
        ("status eq ‸true", "text to compare with", "true or false (true)"),
        ("status in ('paid', ‸5)", "text to compare with", "a whole number (5)"),
        ("totalAmount in (1, ‸'a')", "a number to compare with", "text ('a')"),
        ("‸status add 1 eq 2", "a number", "text (status)"),
        ("‸createdAt sub createdAt eq 2", "a number", "a date and time (createdAt)"),
        ("-‸status eq 2", "a number after -", "text (status)"),
        ("totalAmount add ‸1 in (2)", "a number", "true or false (1 in (2))"),
        ("‸status and true", CONDITION, "text (status)"),
        ("true or ‸(5)", CONDITION, "a whole number ((5))"),
        ("‸5", CONDITION, "a whole number (5)"),
        ("‸totalAmount add 1", CONDITION, "a number (totalAmount add 1)"),
        (
            "not ‸status eq 'paid'",
            f"{CONDITION} after not (a comparison needs parentheses: not (a eq b))",
            "text (status)",
        ),
        # Lists
        ("status in ‸'paid'", "'('", "'paid'"),
        ("status in (‸)", "a value such as 'completed' or 75.00", ")"),
        ("status in ('paid'‸", "',' or ')'", "the end"),
        ("status in ('paid',‸)", "a value such as 'completed' or 75.00", ")"),
        ("status in (‸status)", "a value such as 'completed' or 75.00", "status"),
        ("status in ('paid' ‸'new')", "',' or ')'", "'new'"),
        # Literals
        ("status eq 'paid‸", "a closing single quote", ""),
        ("status eq 'it''s‸", "a closing single quote", ""),
        ('status eq ‸"paid"', "text in single quotes", '"'),
        ("status eq 'a‸\0'", "text without NUL or lone surrogates", ""),
        ("status eq 'a‸\ud800'", "text without NUL or lone surrogates", ""),
        ("totalAmount gt ‸1e400", DIGITS, ""),
        ("totalAmount gt ‸1e999999999999999999999", DIGITS, ""),
        ("totalAmount gt ‸1e-999999999999999999999", DIGITS, ""),
        (f"totalAmount gt ‸{'9' * 39}", DIGITS, ""),
        (f"totalAmount gt ‸{'9' * 7_000}", DIGITS, ""),
        (f"totalAmount gt ‸0.{'0' * 38}1", DIGITS, ""),
        ("totalAmount gt ‸1.", "a number, a date or a time", "1."),
        ("totalAmount gt ‸1_000", "a number, a date or a time", "1_000"),
        ("totalAmount gt ‸0x10", "a number, a date or a time", "0x10"),
        ("totalAmount gt ‸٣", "a number, a date or a time", "٣"),
        ("totalAmount gt ‸.5", "a name, a value, an operator or a parenthesis", "."),
        ("createdAt gt ‸2026-02-30", "a day that exists", "2026-02-30"),
        (
            "createdAt gt ‸2026-01-01T25:00:00Z",
            "a time that exists",
            "2026-01-01T25:00:00Z",
        ),
        (
            "createdAt gt ‸0001-01-01T00:00:00+01:00",
            "a time that exists",
            "0001-01-01T00:00:00+01:00",
        ),
        (
            "createdAt gt 2026-01-01T10:00:00‸ 02:00",
            "a time zone: Z, or an offset such as +02:00 whose + is sent as %2B",
            "",
        ),
        # Numbers that lead nowhere
        ("totalAmount div ‸0 gt 1", "a divisor that is not zero", ""),
        ("totalAmount mod ‸0.00 gt 1", "a divisor that is not zero", ""),
        ("totalAmount div ‸(1 sub 1) gt 1", "a divisor that is not zero", ""),
        ("1 div ‸-0 eq 1", "a divisor that is not zero", ""),
        (
            "‸9223372036854775807 add 1 gt 0",
            "a result within 64 bits",
            "",
        ),
        # Lambdas
        ("items/‸some(i:true)", "any or all", "some"),
        ("items/any‸", "'('", "the end"),
        ("items/all(‸)", "a name for the item, as in i: i/quantity gt 1", ")"),
        ("items/any(i‸)", "':'", ")"),
        ("items/any(i:‸)", OPERAND, ")"),
        ("items/any(i:‸i/quantity)", CONDITION, "a whole number (i/quantity)"),
        ("items/any(i:i/‸colour eq 1)", ITEM_FIELD, "colour"),
        (
            "items/any(i:‸quantity gt 1)",
            "a field of the item such as i/quantity",
            "quantity",
        ),
        ("items/any(i:‸i gt 1)", "a field of the item such as i/quantity", "i"),
        (
            "items/any(i:‸items/any())",
            "i/ and a field of the item, nothing nested deeper",
            "items",
        ),
        (
            "items/any(i:‸j/quantity gt 1)",
            "i/ and a field of the item, nothing nested deeper",
            "j",
        ),
        ("‸i/quantity gt 1", "items/any(…) or items/all(…)", "i"),
        ("items/any(i:true) and ‸i/quantity gt 1", "items/any(…) or items/all(…)", "i"),
        ("items/any(i:true‸,true)", f"{OPERATOR}, or ')'", ","),
    ],
)
def test_a_wrong_filter_is_refused_where_it_goes_wrong(marked, expected, found):
    if marked == "status‸":  # a field by itself: the place is its beginning
        marked, expected, found = "‸status", CONDITION, "text (status)"
    expect("$filter", marked, expected, found)


@pytest.mark.parametrize(
    ("marked", "expected", "found"),
    [
        ("‸", OPERAND, "the end"),
        ("id,‸", OPERAND, "the end"),
        ("‸colour", FIELD, "colour"),
        ("id ‸up", "asc, desc, ',' or the end", "up"),
        ("id ‸DESC", "asc, desc, ',' or the end", "DESC"),
        ("id desc ‸asc", "asc, desc, ',' or the end", "asc"),
        ("id‸)", "asc, desc, ',' or the end", ")"),
        ("‸5", "something of the order to sort by", "a whole number (5)"),
        ("‸items", "items/any(…) or items/all(…)", "items"),
        (",".join(["id"] * 32) + ",‸id", "at most 32 keys", "id"),
    ],
)
def test_a_wrong_orderby_is_refused_where_it_goes_wrong(marked, expected, found):
    expect("$orderby", marked, expected, found)


@pytest.mark.parametrize(
    ("option", "marked", "expected", "found"),
    [
        ("$top", "‸1001", "a whole number from 0 to 1000", "1001"),
        ("$top", "‸", "a whole number from 0 to 1000", "the end"),
        ("$top", "‸-1", "a whole number from 0 to 1000", "-1"),
        ("$top", "‸+1", "a whole number from 0 to 1000", "+1"),
        ("$top", "1‸.0", "a whole number from 0 to 1000", "1.0"),
        ("$top", "1‸e1", "a whole number from 0 to 1000", "1e1"),
        ("$top", "‸٣", "a whole number from 0 to 1000", "٣"),
        ("$top", "5‸ ", "a whole number from 0 to 1000", "5 "),
        ("$skip", "‸-1", "a whole number from 0 to 9223372036854775807", "-1"),
        (
            "$skip",
            "‸9223372036854775808",
            "a whole number from 0 to 9223372036854775807",
            "9223372036854775808",
        ),
        (
            "$skip",
            "‸" + "9" * 60,
            "a whole number from 0 to 9223372036854775807",
            "9" * 40 + "…",
        ),
        ("$count", "‸1", "true or false", "1"),
        ("$count", "‸True", "true or false", "True"),
        ("$count", "‸", "true or false", "the end"),
    ],
)
def test_a_wrong_number_or_flag_is_refused(option, marked, expected, found):
    expect(option, marked, expected, found)


@pytest.mark.parametrize(
    ("marked", "found"),
    [
        ("id,‸colour", "colour"),
        ("‸", "nothing"),
        ("id,‸", "nothing"),
        ("id, ‸Status", "Status"),
        ("id,‸items/price", "items/price"),
    ],
)
def test_a_wrong_select_is_refused_at_the_name(marked, found):
    expected = (
        "* or fields of the order (id, customerId, status, items, totalAmount, createdAt,"
        " currency, paymentMethod, updatedAt)"
    )
    expect("$select", marked, expected, found)


def test_an_unknown_option_is_refused_by_name():
    error = refused("$expand", "items")
    assert str(error) == (
        "$expand at position 1: expected one of"
        " $filter, $orderby, $skip, $top, $count, $select, found $expand."
    )
    assert refused("$Filter", "true").option == "$Filter"
    assert refused("$", "").option == "$"


def test_what_is_quoted_can_always_be_sent():
    for option in ("$\ud800", "$select", "$count", "$top"):
        assert str(refused(option, "\ud800")).encode()
    assert refused("$" + "x" * 9_000, "").option == "$" + "x" * 39 + "…"


def test_an_option_given_twice_is_refused_even_with_the_same_value():
    with pytest.raises(InvalidQuery, match=r"^\$top at position 1: expected \$top once"):
        read_options([("$top", "5"), ("$top", "5")], now=NOW)
