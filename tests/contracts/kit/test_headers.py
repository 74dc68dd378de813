"""Credentials, idempotency keys and entity tags, as they are written in headers."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.contracts.kit.bodies import parse_plainly
from openorders.contracts.kit.headers import (
    Headers,
    fingerprint,
    key_digest,
    none_match,
    read_credential,
    read_if_match,
    read_key,
)
from openorders.contracts.kit.unreadable import Unreadable
from openorders.domain.refusals import Refused


def headers(*pairs: tuple[str, str]) -> Headers:
    return Headers([(name.lower().encode(), value.encode("latin-1")) for name, value in pairs])


@pytest.mark.parametrize(
    "sent",
    [
        [("Authorization", "Bearer abc")],
        [("Authorization", "bearer   abc ")],
        [("x-api-key", "abc")],
        [("X-API-Key", " abc "), ("Authorization", "Bearer abc")],
    ],
)
def test_either_header_carries_the_credential(sent):
    assert read_credential(headers(*sent)) == "abc"


def test_no_header_is_no_credential():
    assert read_credential(headers(("Accept", "*/*"))) is None


@pytest.mark.parametrize(
    "sent",
    [
        [("Authorization", "Bearer abc"), ("Authorization", "Bearer abc")],
        [("x-api-key", "abc"), ("x-api-key", "abd")],
        [("x-api-key", "abc"), ("Authorization", "Bearer abd")],
        [("Authorization", "Basic YTpi")],
        [("Authorization", "Bearer")],
        [("Authorization", "abc")],
        [("Authorization", "")],
        [("x-api-key", "")],
        [("x-api-key", "\xe4bc")],
        [("x-api-key", "a" * 8193)],
    ],
)
def test_what_is_no_single_credential_is_refused(sent):
    with pytest.raises(Refused):
        read_credential(headers(*sent))


@pytest.mark.parametrize(
    ("sent", "key"),
    [("abc", "abc"), ('"abc"', "abc"), ('"a\\"b\\\\"', 'a"b\\'), (' a"b ', 'a"b')],
)
def test_a_key_is_the_same_quoted_and_bare(sent, key):
    assert read_key(headers(("Idempotency-Key", sent))) == key


@pytest.mark.parametrize("sent", ["", '""', '"abc', "a" * 256, "a\tb", "\xe4", '"a"b"', r'"\a"'])
def test_a_key_that_is_none_is_refused(sent):
    with pytest.raises(Unreadable) as caught:
        read_key(headers(("Idempotency-Key", sent)))
    assert (caught.value.field, caught.value.where) == ("Idempotency-Key", "header")


def test_the_longest_key_is_taken_and_two_are_not():
    assert read_key(headers(("Idempotency-Key", "k" * 255))) == "k" * 255
    assert read_key(headers()) is None
    with pytest.raises(Unreadable):
        read_key(headers(("Idempotency-Key", "a"), ("Idempotency-Key", "a")))


def test_a_key_belongs_to_credential_method_and_place():
    digests = {
        key_digest("key:1", "POST", "/orders", "k"),
        key_digest("key:2", "POST", "/orders", "k"),
        key_digest("key:1", "PUT", "/orders", "k"),
        key_digest("key:1", "POST", "/orders/1", "k"),
        key_digest("key:1", "POST", "/orders", "l"),
    }
    assert len(digests) == 5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"b":[1,2],"a":1}'),
        ('{"a": 1}', '{"a": 1.0}'),
        ('{"a": 100}', '{"a": 1e2}'),
        ('{"a": 99.9}', '{"a": 99.90}'),
        ('{"a": 0}', '{"a": -0.0}'),
        ('{"a": "\\u00e4"}', '{"a": "\N{LATIN SMALL LETTER A WITH DIAERESIS}"}'),
    ],
)
def test_the_same_values_written_differently_are_the_same_request(one, other):
    assert fingerprint(parse_plainly(one.encode())) == fingerprint(parse_plainly(other.encode()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": 1}', '{"a": true}'),
        ('{"a": 1}', '{"a": -1}'),
        ('{"a": 10}', '{"a": 1}'),
        ('{"a": [1, 2]}', '{"a": [2, 1]}'),
        ('{"a": null}', "{}"),
        ('{"a": 1e500}', '{"a": 1e600}'),
    ],
)
def test_other_values_are_another_request(one, other):
    assert fingerprint(parse_plainly(one.encode())) != fingerprint(parse_plainly(other.encode()))


@given(st.integers(), st.integers())
def test_integers_are_told_apart(one, other):
    same = fingerprint(parse_plainly(str(one).encode())) == fingerprint(
        parse_plainly(str(Decimal(other)).encode())
    )
    assert same == (one == other)


@given(st.dictionaries(st.text(), st.text() | st.integers(), max_size=4))
def test_order_of_fields_does_not_count(value):
    other = dict(reversed(value.items()))
    assert fingerprint(parse_plainly(json.dumps(value).encode())) == fingerprint(
        parse_plainly(json.dumps(other).encode())
    )


@pytest.mark.parametrize(
    ("sent", "versions"),
    [
        ('"v3"', {3}),
        ('"v3", "v4"', {3, 4}),
        ('W/"v3"', set()),
        ('"v03"', set()),
        ('"other"', set()),
        ('W/"v1","v2"', {2}),
    ],
)
def test_if_match_compares_strongly(sent, versions):
    assert read_if_match(headers(("If-Match", sent))) == frozenset(versions)


def test_any_version_will_do_without_if_match_or_with_a_star():
    assert read_if_match(headers()) is None
    assert read_if_match(headers(("If-Match", "*"))) is None
    assert read_if_match(headers(("If-Match", '"v1"'), ("If-Match", '"v2"'))) == {1, 2}


@pytest.mark.parametrize("sent", ["3", "v3", '"v3', '"v3" "v4"', "", '"v3",'])
def test_if_match_must_be_entity_tags(sent):
    with pytest.raises(Unreadable) as caught:
        read_if_match(headers(("If-Match", sent)))
    assert caught.value.field == "If-Match"


def test_if_none_match_compares_weakly():
    assert none_match(headers(("If-None-Match", 'W/"v3"')), '"v3"')
    assert none_match(headers(("If-None-Match", "*")), '"v3"')
    assert not none_match(headers(("If-None-Match", '"v2"')), '"v3"')
    assert not none_match(headers(), '"v3"')
