"""What a JSON body must be, and that each fault names its field."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.contracts.kit.bodies import BodyLimits, BodyReader, check_text, read_body
from openorders.contracts.kit.unreadable import BodyTooSlow, Unreadable
from tests.contracts.kit.conftest import World
from tests.contracts.kit.sample import OrderIn

JSON = {"Content-Type": "application/json"}


def body(item: str = '"quantity": 1', more: str = "") -> bytes:
    return f'{{"customerId": 1, "items": [{{"productId": "P1", {item}}}]{more}}}'.encode()


def problem_of(raw: bytes, content_type: str | None = "application/json") -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        BodyReader(OrderIn).read(raw, content_type)
    return caught.value.field, caught.value.problem


@pytest.mark.parametrize(
    ("quantity", "problem"),
    [
        ('"2"', "must be an integer"),
        ("1.5", "must be an integer"),
        ("true", "must be an integer"),
        ("1e1", "must be an integer"),
        ("1E0", "must be an integer"),
        ("1.0", "must be an integer"),
        ("null", "must be an integer"),
        ("[1]", "must be an integer"),
        ("0", "must be at least 1"),
        ("-1", "must be at least 1"),
        ("1000001", "must be at most 1000000"),
        ("1" + "0" * 30, "must be at most 1000000"),
        ("1" * 5000, "is out of range"),
        ("1e400", "is out of range"),
    ],
)
def test_a_quantity_is_a_plain_integer_in_its_range(quantity, problem):
    assert problem_of(body(f'"quantity": {quantity}')) == ("items[0].quantity", problem)


@pytest.mark.parametrize(
    ("price", "problem"),
    [
        ('"9.99"', "must be a number"),
        ("true", "must be a number"),
        ("1e400", "must be a number of a sensible size"),
        ("1e999999999999999999999", "must be a number of a sensible size"),
        ("0." + "1" * 40, "must be a number of a sensible size"),
    ],
)
def test_an_amount_is_a_finite_number_and_never_a_text(price, problem):
    field, told = problem_of(body(f'"quantity": 1, "price": {price}'))
    assert told == problem
    assert field == "items[0].price"


def test_an_amount_keeps_the_digits_that_were_sent():
    order = BodyReader(OrderIn).read(body('"quantity": 1, "price": 99.990'), "application/json")
    assert isinstance(order, OrderIn)
    assert str(order.items[0].price) == "99.990"


@pytest.mark.parametrize(
    ("raw", "field", "problem"),
    [
        (b"", "body", "is missing"),
        (b"[]", "body", "must be an object"),
        (b'"text"', "body", "must be an object"),
        (b"null", "body", "must be an object"),
        (b"{", "body", "is not valid JSON"),
        (body() + b" {}", "body", "is not valid JSON"),
        (b"{'a': 1}", "body", "is not valid JSON"),
        (b'\xef\xbb\xbf{"customerId": 1}', "body", "is not valid JSON"),
        (b"{}", "customerId", "is required"),
        (b'{"customerId": 1}', "items", "is required"),
        (b'{"customerId": 1, "items": {}}', "items", "must be a list"),
        (b'{"customerId": 1, "items": []}', "items", "must have at least 1 entry"),
        (b'{"customerId": 1, "items": [null]}', "items[0]", "must be an object"),
        (b'{"customerId": 1, "items": [{}]}', "items[0].productId", "is required"),
        (body(more=', "note": 5'), "note", "must be a text or null"),
        (
            body(more=', "paidAt": "yesterday"'),
            "paidAt",
            "must be a date and time like 2023-10-27T10:30:00Z",
        ),
        (body(more=', "other": NaN'), "body", "is not valid JSON"),
        (body(more=', "other": Infinity'), "body", "is not valid JSON"),
        (body('"quantity": NaN'), "body", "is not valid JSON"),
        (
            b'{"customerId": 1, "items": [{"productId": "12345678901", "quantity": 1}]}',
            "items[0].productId",
            "must have at most 10 characters",
        ),
        (
            body('"quantity": 1, "action": "smash"'),
            "items[0].action",
            "is not one of the values that are allowed",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_field(raw, field, problem):
    assert problem_of(raw) == (field, problem)


@pytest.mark.parametrize(
    "raw",
    [
        body(more=', "other": ' + "[" * 5000 + "]" * 5000),
        body(more=', "other": ' + '{"a":' * 5000 + "1" + "}" * 5000),
    ],
)
def test_depth_is_refused_and_not_a_fault(raw):
    assert problem_of(raw) == ("body", "is nested too deeply")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (body(more=r', "note": "a\u0000b"'), "note"),
        (body(more=r', "note": "\ud800"'), "note"),
        (body(more=r', "note": "\udfff\ud800"'), "note"),
        (body(more=r', "deep": {"list": [1, {"x": "\uDFFF"}]}'), "deep.list[1].x"),
        (body(more=r', "deep": {"\u0000": 1}'), "deep"),
        (body(more=', "note": "').replace(b'"note": "', b'"note": "\xff"'), "note"),
        (body(more=', "x": "').replace(b'"x": "', b'"x": "\xed\xa0\x80"'), "x"),
    ],
)
def test_broken_text_is_found_wherever_it_is(raw, field):
    assert problem_of(raw)[0] == field


@pytest.mark.parametrize(
    "text", ["\\\\u0000", "\\ud83d\\ude00", "\\\\ud800", "\N{GRINNING FACE}", "\\u00e9"]
)
def test_text_that_only_looks_broken_is_read(text):
    order = BodyReader(OrderIn).read(body(more=f', "note": "{text}"'), "application/json")
    assert isinstance(order, OrderIn)
    assert order.note == json.loads(f'"{text}"')


SOUND = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.recursive(SOUND | st.integers() | st.none(), st.lists))
def test_any_sound_text_passes(value):
    check_text(json.dumps(value).encode())
    check_text(json.dumps(value, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"],
)
def test_a_body_must_say_that_it_is_json(content_type):
    assert problem_of(body(), content_type)[0] == "Content-Type"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/merge-patch+json",
    ],
)
def test_json_by_any_of_its_names_is_read(content_type):
    assert isinstance(BodyReader(OrderIn).read(body(), content_type), OrderIn)


def test_a_body_that_is_missing_is_told_as_that_and_not_by_its_type():
    assert problem_of(b"", None) == ("body", "is missing")


def test_another_charset_is_refused():
    assert problem_of(body(), "application/json; charset=latin-1")[0] == "Content-Type"


def test_unknown_fields_are_ignored_and_the_last_of_two_counts():
    raw = body(more=', "total": 1, "customerId": 7')
    order = BodyReader(OrderIn).read(raw, "application/json")
    assert isinstance(order, OrderIn)
    assert order.customer_id == 7


def test_an_optional_body_may_be_empty_and_needs_no_type_then():
    reader = BodyReader(OrderIn | None)
    assert reader.read(b"", None) is None
    assert isinstance(reader.read(body(), "application/json"), OrderIn)


async def test_a_body_over_the_limit_is_413(world: World):
    ok = await world.client.post("/orders", content=body() + b" " * 1000, headers=JSON)
    big = await world.client.post("/orders", content=body() + b" " * 1024 * 1024, headers=JSON)
    assert ok.status_code == 201
    assert big.status_code == 413
    assert big.json() == {"error": "status 413"}


async def test_a_body_that_nobody_reads_has_the_same_limit(world: World):
    ok = await world.client.request("DELETE", "/orders/S1", content=b"not JSON")
    big = await world.client.request("DELETE", "/orders/S1", content=b" " * 1024 * 1025)
    assert (ok.status_code, big.status_code) == (200, 413)


async def test_a_body_over_the_limit_in_parts_is_413(world: World):
    async def parts():
        for _ in range(20):
            yield b" " * 100_000

    big = await world.client.post("/orders", content=parts(), headers=JSON)
    assert big.status_code == 413


async def test_a_body_that_does_not_arrive_in_time_is_given_up():
    read = read_body(stuck_receive, None, BodyLimits(most=1000, seconds=0.05))
    with pytest.raises(BodyTooSlow):
        await read


async def stuck_receive():
    await asyncio.sleep(10)
    return {"type": "http.request"}


@pytest.mark.parametrize("depth", [100, 300, 500, 900, 950, 1000, 5000])
@pytest.mark.parametrize("note", ["plain", r"\u0000"])
async def test_no_depth_is_a_fault_even_with_a_key(world: World, depth, note):
    deep = "[" * depth + "]" * depth
    raw = body(more=f', "other": {deep}, "note": "{note}"')
    headers = {**JSON, "Idempotency-Key": "k"}
    answer = await world.client.post("/orders", content=raw, headers=headers)
    assert answer.status_code in ((201, 400) if note == "plain" else (400,))
    assert world.faults == []
