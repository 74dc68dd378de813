"""What query options become: criteria, sort keys, a page, and what will cost most."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from odata_query import ast
from odata_query.grammar import ODataLexer, ODataParser

from openorders.contracts.marketplace.odata import Part, read_options
from openorders.domain.search import (
    EVERYTHING,
    NOTHING,
    Amount,
    And,
    AnyLine,
    Arithmetic,
    Column,
    Compare,
    Comparison,
    Field,
    Identifier,
    In,
    LineField,
    Not,
    Operation,
    Or,
    Page,
    Search,
    SortKey,
    Value,
)
from tests.contracts.marketplace.odata_filters import filters

NOW = datetime(2026, 6, 2, 10, 30, tzinfo=UTC)
DEFAULT = ("id", "customerId", "status", "items", "totalAmount", "createdAt")
WORD = Column(field=Field.WORD)
TOTAL = Amount(field=Field.TOTAL)
CREATED_AT = Column(field=Field.CREATED_AT)


def read(*options):
    return read_options(options, now=NOW)


def criteria(text):
    return read(("$filter", text)).search.criteria


def compared(left, comparison, value):
    return Compare(comparison=comparison, left=left, right=Value(value=value))


def test_without_options_the_first_twenty_are_shown_and_all_are_counted():
    query = read()
    assert query.search == Search(page=Page(limit=20))
    assert (query.count, query.select, query.costly) == (True, DEFAULT, None)


def test_parameters_without_a_dollar_are_ignored_however_often():
    assert read(("top", "x"), ("top", "y"), ("filter", "("), ("", "")) == read()


def test_pages_counts_and_selections_are_read():
    query = read(("$top", "0"), ("$skip", "007"), ("$count", "false"), ("$select", "*"))
    assert query.search.page == Page(limit=0, offset=7)
    assert query.count is False
    assert query.select == (*DEFAULT, "currency", "paymentMethod", "updatedAt")


def test_selected_fields_come_in_the_documented_order_and_once():
    query = read(("$select", " updatedAt,\tid , id,status"))
    assert query.select == ("id", "status", "updatedAt")


def test_sort_keys_are_read_in_order():
    query = read(("$orderby", "createdAt desc , totalAmount asc,id"))
    assert query.search.sort == (
        SortKey(key=CREATED_AT, descending=True),
        SortKey(key=TOTAL),
        SortKey(key=Column(field=Field.ID)),
    )


def test_ids_in_their_one_spelling_become_numbers():
    identity, customer = Column(field=Field.ID), Column(field=Field.CUSTOMER_ID)
    assert criteria("id eq 'ord_789'") == In(operand=identity, values=(789,))
    assert criteria("'ord_789' eq id") == In(operand=identity, values=(789,))
    assert criteria("id ne 'ord_789'") == Not(term=In(operand=identity, values=(789,)))
    assert criteria("customerId in ('cust_2','cust_1','cust_2')") == In(
        operand=customer, values=(1, 2)
    )
    assert criteria("items/any(i:i/offerId eq 'offer_456')") == AnyLine(
        condition=In(operand=Column(field=LineField.VARIANT_ID), values=(456,))
    )


@pytest.mark.parametrize(
    "text",
    [
        "ord_0",
        "ord_01",
        "ord_",
        "789",
        "ORD_789",
        "ord_9223372036854775808",
        "ord_\uff11",
        "ord_-1",
    ],
)
def test_an_id_in_another_spelling_is_nobodys(text):
    assert criteria(f"id eq '{text}'") == NOTHING
    assert criteria(f"id ne '{text}'") == EVERYTHING
    assert criteria(f"id in ('{text}','ord_5')") == In(operand=Column(field=Field.ID), values=(5,))


def test_other_comparisons_of_ids_are_of_their_text():
    order_id = Identifier(prefix="ord_", field=Field.ID)
    assert criteria("id gt 'ord_5'") == compared(order_id, Comparison.GT, "ord_5")
    assert criteria("'ord_5' ge id") == compared(order_id, Comparison.LE, "ord_5")


def test_a_status_becomes_all_the_words_that_are_shown_as_it():
    assert criteria("status eq 'pending'") == In(operand=WORD, values=("created", "paid"))
    assert criteria("status ne 'shipped'") == Not(term=In(operand=WORD, values=("shipped",)))
    assert criteria("status in ('pending_payment', 'shipped')") == In(
        operand=WORD, values=("payment_pending", "shipped")
    )


@pytest.mark.parametrize("word", ["created", "paid", "payment_pending", "Shipped", "teapot", ""])
def test_a_status_that_is_no_word_of_the_contract_matches_nothing(word):
    assert criteria(f"status eq '{word}'") == NOTHING


def test_a_time_means_the_second_that_is_shown():
    half_past = datetime(2026, 6, 2, 10, 30, tzinfo=UTC)
    next_second = datetime(2026, 6, 2, 10, 30, 1, tzinfo=UTC)
    literal, between = "2026-06-02T12:30:00+02:00", "2026-06-02T10:30:00.5Z"
    since = compared(CREATED_AT, Comparison.GE, half_past)
    before = compared(CREATED_AT, Comparison.LT, next_second)
    after = compared(CREATED_AT, Comparison.GE, next_second)
    assert criteria(f"createdAt eq {literal}") == And(terms=(since, before))
    assert criteria(f"createdAt ne {literal}") == Not(term=And(terms=(since, before)))
    assert criteria(f"createdAt ge {literal}") == since
    assert criteria(f"createdAt gt {literal}") == after
    assert criteria(f"createdAt le {literal}") == before
    assert criteria(f"{literal} gt createdAt") == compared(CREATED_AT, Comparison.LT, half_past)
    assert criteria(f"createdAt eq {between}") == NOTHING
    assert criteria(f"createdAt ge {between}") == criteria(f"createdAt gt {between}") == after


def test_a_bare_date_is_its_midnight():
    assert criteria("createdAt ge 2026-06-02") == compared(
        CREATED_AT, Comparison.GE, datetime(2026, 6, 2, tzinfo=UTC)
    )


def test_now_is_the_time_that_was_given():
    assert criteria("createdAt ge now()") == compared(CREATED_AT, Comparison.GE, NOW)


def test_numbers_are_exact_whichever_way_they_are_written():
    for text in ("75.005", "+75.005", "7.5005e1", "75005E-3", "75.005000"):
        assert criteria(f"totalAmount gt {text}") == compared(
            TOTAL, Comparison.GT, Decimal("75.005")
        )
    assert criteria("totalAmount gt 9223372036854775808") == compared(
        TOTAL, Comparison.GT, Decimal(2**63)
    )
    assert criteria("totalAmount gt -9223372036854775808") == compared(
        TOTAL, Comparison.GT, -(2**63)
    )


@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("1 add 2 mul 3", 7),
        ("7 div 2", 3),
        ("-7 div 2", -3),
        ("-7 mod 2", -1),
        ("7 mod -2", 1),
        ("7.0 div 2", Decimal("3.5")),
        ("0.1 add 0.2", Decimal("0.3")),
        ("5.5 mod 2", Decimal("1.5")),
        ("- - 5", 5),
        ("--5", 5),
        ("year(2026-06-02)", 2026),
        ("hour(2026-06-02T01:30:00+02:00)", 23),
        ("day(now())", 2),
    ],
)
def test_constants_are_worked_out_exactly(constant, value):
    assert criteria(f"totalAmount eq {constant}") == compared(TOTAL, Comparison.EQ, value)


def test_what_cannot_be_worked_out_exactly_is_left_to_the_database():
    third = Arithmetic(
        operation=Operation.DIV, left=Value(value=Decimal("1.0")), right=Value(value=3)
    )
    assert criteria("totalAmount eq 1.0 div 3") == Compare(
        comparison=Comparison.EQ, left=TOTAL, right=third
    )


def test_null_is_compared_as_the_language_says():
    method = Column(field=Field.PAYMENT_METHOD)
    assert criteria("paymentMethod eq null") == compared(method, Comparison.EQ, None)
    assert criteria("null ne paymentMethod") == compared(method, Comparison.NE, None)
    assert criteria("paymentMethod in ('a', null)") == Or(
        terms=(
            In(operand=method, values=("a",)),
            compared(method, Comparison.EQ, None),
        )
    )
    assert criteria("totalAmount gt null") == NOTHING
    assert criteria("null eq null") == EVERYTHING
    assert criteria("null in (null)") == EVERYTHING
    assert criteria("tolower(null) eq 'a'") == NOTHING
    assert criteria("1 add null eq null") == EVERYTHING
    assert criteria("contains(null, 'a')") == Value(value=None)


def test_quotes_are_doubled_and_blanks_are_free():
    method = Column(field=Field.PAYMENT_METHOD)
    expected = compared(method, Comparison.EQ, "it's a ) 'test'")
    assert criteria("paymentMethod eq 'it''s a ) ''test'''") == expected
    assert criteria(" \t( paymentMethod\teq  'it''s a ) ''test''' ) ") == expected


def test_the_name_of_the_item_is_free():
    expected = criteria("items/any(i:i/quantity gt 1)")
    for name in ("x", "item", "status", "eq", "any", "contains", "not_", "true1", "élan"):
        assert criteria(f"items/any({name}:{name}/quantity gt 1)") == expected


def test_a_condition_on_items_can_name_fields_of_the_order():
    assert criteria("items/all(i: i/price eq totalAmount and status eq 'shipped')")


def test_a_row_of_alternatives_is_kept_flat():
    assert criteria(" or ".join(["true"] * 999)) == Or(terms=(EVERYTHING,) * 999)
    assert criteria("not not not true") == criteria("not true")


@pytest.mark.parametrize(
    ("text", "with_parentheses"),
    [
        ("true or true and false", "true or (true and false)"),
        ("false and true or true", "(false and true) or true"),
        ("not true or true", "(not true) or true"),
        ("not true eq false", "(not true) eq false"),
        ("not (true eq false)", "not (true eq false)"),
        ("true eq 1 lt 2", "true eq (1 lt 2)"),
        ("1 lt 2 eq true", "(1 lt 2) eq true"),
        ("true eq false ne true", "(true eq false) ne true"),
        ("totalAmount add 1 gt 2 mul 3", "(totalAmount add 1) gt (2 mul 3)"),
        ("1 sub totalAmount sub 2 eq 3", "((1 sub totalAmount) sub 2) eq 3"),
        ("1 sub totalAmount mul 2 eq 3", "(1 sub (totalAmount mul 2)) eq 3"),
        ("totalAmount div 2 mul 3 mod 4 eq 5", "(((totalAmount div 2) mul 3) mod 4) eq 5"),
        ("-totalAmount add 1 eq 2", "((-totalAmount) add 1) eq 2"),
        ("totalAmount mul -totalAmount eq 2", "(totalAmount mul (-totalAmount)) eq 2"),
        ("not status in ('shipped')", "not (status in ('shipped'))"),
        ("true eq status in ('shipped')", "true eq (status in ('shipped'))"),
        ("-5 in (-5, 5)", "(-5) in (-5, 5)"),
        ("1 sub-5 eq totalAmount", "(1 sub (-5)) eq totalAmount"),
        ("true in (true) eq true", "(true in (true)) eq true"),
        ("not contains(id,'9') and true", "(not contains(id,'9')) and true"),
    ],
)
def test_precedence_is_the_languages(text, with_parentheses):
    assert criteria(text) == criteria(with_parentheses)
    assert criteria(text) == criteria(text.replace(" ", " \t "))


def parenthesised(node):
    """Another reader's tree as text that leaves nothing to precedence."""
    match node:
        case ast.Identifier():
            return node.name
        case ast.Attribute():
            return f"{parenthesised(node.owner)}/{node.attr}"
        case ast.Null():
            return "null"
        case ast.String():
            return "'" + node.val.replace("'", "''") + "'"
        case ast.List():
            return f"({','.join(map(parenthesised, node.val))})"
        case ast.Call():
            return f"{node.func.name}({','.join(map(parenthesised, node.args))})"
        case ast.CollectionLambda():
            word = type(node.operator).__name__.lower()
            if node.lambda_ is None:
                return f"{parenthesised(node.owner)}/{word}()"
            name, body = node.lambda_.identifier.name, parenthesised(node.lambda_.expression)
            return f"{parenthesised(node.owner)}/{word}({name}:{body})"
        case ast.UnaryOp():
            return f"({WORDS[type(node.op)]} {parenthesised(node.operand)})"
        case ast.Compare():
            right = parenthesised(node.right)
            return f"({parenthesised(node.left)} {WORDS[type(node.comparator)]} {right})"
        case ast.BinOp() | ast.BoolOp():
            right = parenthesised(node.right)
            return f"({parenthesised(node.left)} {WORDS[type(node.op)]} {right})"
        case _:
            return node.val


WORDS = {
    ast.Not: "not",
    ast.USub: "-",
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.In: "in",
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Mod: "mod",
    ast.And: "and",
    ast.Or: "or",
}


@settings(max_examples=100, deadline=None)
@given(wanted=filters(least_in=2))
def test_another_reader_groups_every_filter_in_the_same_way(wanted):
    text = repr(wanted)
    other = parenthesised(ODataParser().parse(ODataLexer().tokenize(text)))
    if other.count("(") <= 50:
        assert criteria(other) == criteria(text)


@pytest.mark.parametrize(
    ("text", "costly"),
    [
        ("status eq 'shipped' and contains(id,'9')", "contains(id,'9')"),
        ("totalAmount gt 5 and length(id) eq 4", "length(id)"),
        ("totalAmount gt 5 and paymentMethod eq 'x'", "paymentMethod eq 'x'"),
        ("id eq 'ord_1' or totalAmount mul 2 gt 5", "totalAmount mul 2"),
        ("items/any(i:contains(i/status,'x')) or true", "items/any(i:contains(i/status,'x'))"),
        ("createdAt gt 2026-01-01 and not (id eq 'ord_1')", "not (id eq 'ord_1')"),
        ("id ne 'ord_1' and id gt 'ord_2'", "id ne 'ord_1'"),
        ("endswith(currency,'D') and tolower(id) eq 'x'", "endswith(currency,'D')"),
        ("contains(paymentMethod,'%s')" % ("x" * 99), f"contains(paymentMethod,'{'x' * 16}…"),
    ],
)
def test_the_costly_part_is_the_first_that_no_index_serves(text, costly):
    found = read(("$filter", text)).costly
    position = text.index(costly.rstrip("…")) + 1
    assert found == Part(option="$filter", position=position, text=costly)


@pytest.mark.parametrize(
    ("text", "calculation"),
    [
        ("totalAmount add 1 gt 0 and 5 div totalAmount gt 0", "5 div totalAmount"),
        ("totalAmount gt 0 and -totalAmount mul 2 lt 0", "-totalAmount mul 2"),
        ("items/any(i:1 mod (i/quantity sub 1) eq 0)", "1 mod (i/quantity sub 1)"),
    ],
)
def test_the_calculation_that_can_fail_is_known_by_its_place(text, calculation):
    found = read(("$filter", text)).calculation
    position = text.index(calculation) + 1
    assert found == Part(option="$filter", position=position, text=calculation)
    assert read(("$filter", "totalAmount gt 1 add 2")).calculation is None
    sorted_by = read(("$filter", "true"), ("$orderby", "5 mod totalAmount")).calculation
    assert sorted_by == Part(option="$orderby", position=1, text="5 mod totalAmount")


def test_what_indexes_serve_is_not_costly():
    served = "status in ('shipped','pending') and createdAt ge 2026-01-01 or id eq 'ord_5'"
    assert read(("$filter", served), ("$orderby", "createdAt desc")).costly is None


def test_without_a_filter_the_sort_key_is_the_costly_part():
    found = read(("$orderby", "status,length(id) desc")).costly
    assert found == Part(option="$orderby", position=8, text="length(id)")
