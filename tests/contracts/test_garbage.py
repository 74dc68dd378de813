"""Nonsense at every route of every contract: always an answer in the contract's own shape, never a
fault, nothing changed. All of it is made from the route tables, so a new route is tried as well.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
import pytest_asyncio

from openorders.contracts import ALL
from openorders.contracts.kit import Route
from tests.contracts.asking import Told
from tests.contracts.driver import Driver
from tests.contracts.journeys import DRIVERS, place
from tests.contracts.shop import Shop

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON = (b"content-type", b"application/json")

IDENTIFIERS = (
    *("0", "-1", "1.5", "x", "%20", "%00", "%0A", "%FF", "%C3%A9", "%F0%9F%98%80", "null", "NaN"),
    *("%2e%2e", "%2F", "%2e%2e%2F%2e%2e%2Fetc%2Fpasswd", "'", "1'%20or%20'1'='1", "%7B%7B1%7D%7D"),
    *("ORD1", "ORD000000000", "OR00000", "ord_0", "order_0", "ord_-1", "ord_01", "order_1%00"),
    *(f"{prefix}{'9' * 40}" for prefix in ("", "ORD", "OR", "ord_", "order_")),
    *(f"{prefix}{2**63}" for prefix in ("", "ORD", "OR", "ord_", "order_")),
    "%D9%A1%D9%A2%D9%A3",  # Arabic digits
    "a" * 1500,
    "a" * 5000,
)
BODIES = (
    *(b"", b" ", b"{", b"}", b"[]", b"null", b"true", b"1", b'"x"', b"{]", b'{"a"}', b"{'a': 1}"),
    *(b"NaN", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999999}', b'{"a": 01}', b'{"a": .5}'),
    *(b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"a": "\xff"}', b'{"a": "\xc3"}', b"{}{}", b"{} x", b"{},"),
    *(b'{"a": "\\ud800"}', b'{"\\u0000": 1}', b'{"a": "\\u0000"}', b'{"a": "\\x41"}', b"\0"),
    *(
        b"[" * 5000,
        b'{"a":' * 5000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ),
    b'{"a": "' + b"x" * 1_000_000 + b'"}',
    b"<order/>",
    b"a=1&b=2",
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, -(10**30), 2**63, 1e308, "", " ", "0", "-1", "x"),
    *("x" * 5000, "a\0b", "\ud800", "\u202e", "' or 1=1 --", "{{1}}", "NaN", "=1+1", "a\r\nb"),
    *([], {}, [None], [[]], {"a": 1}, [{}], [1, "2"], "PROD001", "ord_1", "order_1", "offer_1"),
)
TEXTS = (
    *("", "%20", "%00", "%FF", "%C3%A9", "-1", "1.5", "1e1", "9" * 40, "x", "x" * 5000, "null"),
    *("'", "1;drop%20table%20orders", "%7B%7D", "[]", "true", "1&{name}=1", "%ED%A0%80", "+1"),
    *("2023-13-45", "0000-00-00", "9999-12-31T23:59:60Z", "(" * 500, "not%20" * 300, "a%20eq%201"),
)
CREDENTIALS = (
    *(b"", b"Bearer", b"Bearer ", b"bearer\t", b"Basic dTpw", b"Bearer a b", b"Bearer \xe9"),
    *(
        b"Bearer a.b.c",
        b"Bearer ..",
        b"Bearer " + b"x" * 10_000,
        b"Bearer eyJhbGciOiJub25lIn0.e30.",
    ),
)
KEYS = (b"", b" ", b"x" * 256, b"\xe9", b"a\x7fb", b'"open', b"a\tb", b'""', b'"a" "b"')
TAGS = (b"", b"v1", b'"v1', b"*, *", b'"v99"', b'W/"v1"', b'"', b"\xff", b'"x"' * 500)
TYPES = (
    b"text/plain",
    b"application/xml",
    b"",
    b"application/json; charset=utf-16",
    b"*/*",
    b"json",
)


@dataclass
class Place:
    """A route of a contract, and an order that is really there."""

    shop: Shop
    driver: Driver
    route: Route
    order: str

    def path(self, **texts: str) -> str:
        """The route's path with the order's id, or with these texts, as its parameters."""
        path = self.route.path
        for name in self.route.parameters:
            path = path.replace(f"{{{name}}}", texts.get(name, self.order))
        return f"/{self.driver.contract}{path}"

    async def send(
        self,
        *,
        path: str | None = None,
        method: str | None = None,
        body: bytes | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        credential: bool = True,
    ) -> Told:
        """Send this very nonsense. What is refused is refused in the contract's own shape."""
        named = {name.lower() for name, _ in headers}
        sent = list(headers)
        if credential:
            sent.append((b"authorization", f"Bearer {self.shop.admin}".encode()))
        if body is not None and JSON[0] not in named:
            sent.append(JSON)
        answer = await self.shop.served.client.request(
            method or self.route.method,
            path or self.path(),
            content=body,
            headers=sent,
        )
        told = Told(answer.status_code, answer.headers, answer.content)
        assert told.status < 500, told
        if told.status >= 400:
            assert told.headers["content-type"] == "application/json", told
            assert self.driver.sentence(told.json)
        return told

    @property
    def may_be_empty(self) -> bool:
        """Whether the route makes do without a body, and without any field that we know."""
        return self.route.body is not None and self.route.body.optional

    def examples(self) -> list[dict[str, Any]]:
        """The documented bodies."""
        return [cast("dict[str, Any]", body) for body in self.route.body_examples.values()]

    def example(self) -> bytes | None:
        """A body that is as documented, where the route takes one."""
        if self.route.body is None:
            return None
        return json.dumps(next(iter(self.examples()), {})).encode()


CONTRACTS = {contract.name: contract for contract in ALL}


def at_routes(fits: Callable[[Route], object]) -> pytest.MarkDecorator:
    """Once for every route of every contract that fits."""
    return pytest.mark.parametrize(
        "at",
        [
            pytest.param((driver, route), id=f"{driver.contract}-{route.name}")
            for driver in DRIVERS
            for route in CONTRACTS[driver.contract].routes
            if fits(route)
        ],
        indirect=True,
    )


at_every_route = at_routes(lambda _: True)
where_something_is_named = at_routes(lambda route: route.parameters)
where_a_body_is_read = at_routes(lambda route: route.body is not None)
where_an_example_is_given = at_routes(lambda route: route.body_examples)
where_a_key_is_read = at_routes(lambda route: route.keyed)
where_a_query_is_read = at_routes(lambda route: route.method == "GET")


@pytest_asyncio.fixture(loop_scope="session")
async def at(request: pytest.FixtureRequest, shop: Shop) -> Place:
    driver, route = request.param
    order = await place(shop, driver, [(await shop.sells()).times(2)])
    return Place(shop, driver, route, driver.read(order).path.rpartition("/")[2])


@where_something_is_named
async def test_no_text_in_a_path_is_a_fault(at: Place) -> None:
    before = await at.shop.everything()
    for text in IDENTIFIERS:
        path = at.path(**dict.fromkeys(at.route.parameters, text))
        told = await at.send(path=path, body=at.example())
        assert told.status in (400, 404, 405, 422), (text, told)
    assert await at.shop.everything() == before


@where_a_body_is_read
async def test_no_body_is_a_fault(at: Place) -> None:
    before = await at.shop.everything()
    for body in BODIES:
        told = await at.send(body=body)
        assert told.status in (400, 404, 422) or at.may_be_empty, (body[:40], told)
    assert at.may_be_empty or await at.shop.everything() == before


@where_a_body_is_read
async def test_a_body_that_is_too_large_is_413(at: Place) -> None:
    before = await at.shop.everything()
    assert (await at.send(body=b'{"a": "' + b"x" * 1024 * 1024 + b'"}')).status == 413
    assert await at.shop.everything() == before


@where_an_example_is_given
async def test_no_value_of_a_field_is_a_fault(at: Place) -> None:
    for example in at.examples():
        for path in fields(example):
            before = await at.shop.everything()
            bodies = [json.dumps(replaced(example, path, value)).encode() for value in VALUES]
            told = [await at.send(body=body) for body in bodies]
            if all(one.status >= 400 for one in told):
                assert await at.shop.everything() == before, path


@where_an_example_is_given
async def test_no_field_that_is_missing_or_too_much_is_a_fault(at: Place) -> None:
    for example in at.examples():
        for path in fields(example):
            await at.send(body=json.dumps(removed(example, path)).encode())
        stranger = copy.deepcopy(example) | {"unheard_of": [{"x": 1}], "__proto__": {}, "": None}
        await at.send(body=json.dumps(stranger).encode())


@where_a_query_is_read
async def test_no_query_is_a_fault(at: Place) -> None:
    before = await at.shop.everything()
    names = at.route.query.names if at.route.query is not None else ("limit", "$filter")
    queries = [f"{name}={text.replace('{name}', name)}" for name in names for text in TEXTS]
    queries += ["&&&", "=", "%", "%ZZ=%ZZ", "a" * 5000, "&".join(["a=1"] * 500), "a[]=1", "%00=1"]
    for query in queries:
        told = await at.send(path=f"{at.path()}?{query}")
        assert told.status in (200, 400, 422), (query, told)
    assert await at.shop.everything() == before


@at_every_route
async def test_no_credential_that_nobody_was_given_gets_in(at: Place) -> None:
    before = await at.shop.everything()
    for text in CREDENTIALS:
        for name in (b"authorization", b"x-api-key"):
            headers = ((name, text),)
            told = await at.send(headers=headers, body=at.example(), credential=False)
            assert told.status == 401, (text[:40], told)
            assert "www-authenticate" in told.headers
    assert (await at.send(body=at.example(), credential=False)).status == 401
    assert await at.shop.everything() == before


@where_a_key_is_read
async def test_no_key_that_is_malformed_is_taken(at: Place) -> None:
    before = await at.shop.everything()
    for text in KEYS:
        told = await at.send(headers=((b"idempotency-key", text),), body=at.example())
        assert told.status in (400, 422), (text, told)
        assert "Idempotency-Key" in at.driver.sentence(told.json)
    twice = ((b"idempotency-key", b"a"), (b"idempotency-key", b"b"))
    assert (await at.send(headers=twice, body=at.example())).status in (400, 422)
    assert await at.shop.everything() == before


@at_every_route
async def test_no_entity_tag_is_a_fault(at: Place) -> None:
    before = await at.shop.everything()
    changes = False
    for text in TAGS:
        for name in (b"if-match", b"if-none-match"):
            told = await at.send(headers=((name, text),), body=at.example())
            changes = changes or (told.status < 300 and at.route.method != "GET")
    assert changes or await at.shop.everything() == before


@where_a_body_is_read
async def test_only_json_is_read(at: Place) -> None:
    before = await at.shop.everything()
    for text in TYPES:
        told = await at.send(headers=((b"content-type", text),), body=at.example() or b"{}")
        assert told.status in (400, 422), (text, told)
    assert await at.shop.everything() == before


@at_every_route
async def test_a_method_that_a_path_does_not_take_is_405(at: Place) -> None:
    before = await at.shop.everything()
    routes = CONTRACTS[at.driver.contract].routes
    own = {route.method for route in routes if route.path == at.route.path}
    for method in (*METHODS, "TRACE", "PROPFIND"):
        if method in own:
            continue
        told = await at.send(method=method, body=at.example())
        assert told.status == 405, (method, told)
        assert own <= set(told.headers["allow"].split(", "))
    assert await at.shop.everything() == before


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.contract)
async def test_a_path_that_is_nobody_s_is_404(shop: Shop, driver: Driver) -> None:
    at = Place(shop, driver, CONTRACTS[driver.contract].routes[0], "")
    for path in ("orderz", "orders/1/2/3/4", "%00", "%FF", "a" * 5000, "admin"):
        for method in METHODS:
            told = await at.send(method=method, path=f"/{driver.contract}/{path}", body=b"{}")
            assert told.status == 404, (method, path[:40], told)


def fields(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a body has something that can be replaced."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from fields(inner, (*path, name))
    elif isinstance(value, list) and value:
        yield from fields(value[0], (*path, 0))


def replaced(example: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The body with one value replaced."""
    body = copy.deepcopy(example)
    holder = body
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return body


def removed(example: Any, path: tuple[str | int, ...]) -> Any:
    """The body with one value left out."""
    body = copy.deepcopy(example)
    holder = body
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return body
