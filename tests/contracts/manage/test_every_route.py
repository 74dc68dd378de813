"""What holds of every operation of the management API, made from its table of routes: a new one is
held to it at once.
"""

from __future__ import annotations

import copy
import json
from typing import Any, cast

import msgspec
import pytest

from openorders.contracts import MANAGE
from openorders.contracts.kit import Route
from openorders.domain.access import Role
from tests.contracts.asking import Request, Told
from tests.contracts.manage.desk import Desk, one_of_each
from tests.contracts.serving import Served
from tests.contracts.shop import open_shop
from tests.contracts.test_garbage import BODIES, IDENTIFIERS, TEXTS, VALUES, fields, replaced

PROBLEM = "application/problem+json"
LIVE = "stream_events"
SERVICE_MAY = {
    "get_order_payments",
    "get_order_refunds",
    "get_payments",
    "get_payment",
    "get_refunds",
    "get_refund",
    "get_events",
    "stream_events",
    "get_event",
}
ROUTES = [pytest.param(route, id=route.name) for route in MANAGE.routes]
ANSWERING = [pytest.param(route, id=route.name) for route in MANAGE.routes if route.name != LIVE]


def where(fits: Any) -> list[Any]:
    return [pytest.param(route, id=route.name) for route in MANAGE.routes if fits(route)]


def path_of(route: Route, things: dict[str, str]) -> str:
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", things[name])
    return path


def example_of(route: Route) -> Any:
    if route.body is None:
        return None
    return json.loads(msgspec.json.encode(next(iter(route.body_examples.values())), enc_hook=float))


async def send(
    desk: Desk, route: Route, path: str, body: object = None, *, key: str | None = None
) -> Told:
    request = Request(method=route.method, path=path, body=body)
    return await desk.shop.ask("manage", request, key=key)


def problem(told: Told) -> dict[str, Any]:
    """What was told is a problem, whole and true."""
    assert told.headers["content-type"] == PROBLEM, told
    body = cast("dict[str, Any]", told.json)
    assert {"type", "title", "status", "detail", "instance"} <= set(body), told
    assert body["status"] == told.status
    assert body["instance"] == f"/requests/{told.headers['x-request-id']}"
    assert body["type"].startswith(("/problems#", "https://iana.org/"))
    return body


@pytest.mark.parametrize("route", where(lambda route: route.parameters))
async def test_what_is_another_stores_is_not_there(
    desk: Desk, everyone: Served, route: Route
) -> None:
    things = await one_of_each(desk)
    stranger = Desk(await open_shop(everyone))
    before = await desk.shop.everything()
    told = await send(stranger, route, path_of(route, things), example_of(route))
    if route.parameters == ("customer_id",):
        # Customers' numbers are each store's own: what is kept there is not this store's card.
        assert things["method_id"] not in told.body.decode()
    else:
        assert told.status == 404, told
        assert problem(told)["type"] == "/problems#not-found"
    assert await desk.shop.everything() == before


@pytest.mark.parametrize("route", where(lambda route: route.parameters))
async def test_what_is_there_is_found(desk: Desk, route: Route) -> None:
    told = await send(desk, route, path_of(route, await one_of_each(desk)), example_of(route))
    assert told.status != 404, told
    assert told.status < 500


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", ANSWERING)
async def test_each_role_may_do_what_is_its(desk: Desk, route: Route, role: Role) -> None:
    things = await one_of_each(desk)
    key = await desk.shop.key(
        role,
        partner="Brewers" if role is Role.PARTNER else None,
        customer=4711 if role is Role.CUSTOMER else None,
    )
    may = role is Role.ADMIN or (role is Role.SERVICE and route.name in SERVICE_MAY)
    before = await desk.shop.everything()
    told = await send(desk, route, path_of(route, things), example_of(route), key=key)
    assert (told.status != 403) == may, told
    if not may:
        assert problem(told)["type"] == "/problems#not-permitted"
        assert await desk.shop.everything() == before


@pytest.mark.parametrize("route", ROUTES)
async def test_nobody_gets_in_without_a_key(desk: Desk, route: Route) -> None:
    things = dict.fromkeys(route.parameters, "x")
    told = await send(desk, route, path_of(route, things), example_of(route), key="")
    assert told.status == 401
    assert problem(told)["type"] == "/problems#not-authenticated"
    assert "www-authenticate" in told.headers
    assert "ratelimit" not in told.headers


@pytest.mark.parametrize("route", ROUTES)
async def test_a_parameter_that_nobody_knows_is_refused_by_its_name(
    desk: Desk, route: Route
) -> None:
    path = path_of(route, dict.fromkeys(route.parameters, "x"))
    told = await send(desk, route, f"{path}?unheardOf=1", example_of(route))
    assert told.status == 400
    body = problem(told)
    assert body["type"] == "/problems#invalid-request"
    assert body["errors"] == [{"detail": "is not known here", "parameter": "unheardOf"}]


@pytest.mark.parametrize("route", where(lambda route: route.body is not None))
async def test_a_field_that_nobody_knows_is_refused_by_its_name(desk: Desk, route: Route) -> None:
    path = path_of(route, await one_of_each(desk))
    before = await desk.shop.everything()
    told = await send(desk, route, path, example_of(route) | {"unheardOf": 1})
    assert told.status == 400
    body = problem(told)
    assert body["errors"] == [{"detail": "is not known here", "pointer": "#/unheardOf"}]
    assert body["detail"] == "unheardOf is not known here."
    assert await desk.shop.everything() == before


@pytest.mark.parametrize("route", where(lambda route: route.keyed and route.body is None))
async def test_a_body_that_nobody_asked_for_is_refused(desk: Desk, route: Route) -> None:
    path = path_of(route, await one_of_each(desk))
    before = await desk.shop.everything()
    told = await send(desk, route, path, {"force": True})
    assert told.status == 400
    assert problem(told)["detail"] == "body must be empty."
    assert await desk.shop.everything() == before


def test_every_body_is_strict_through_and_through() -> None:
    for route in MANAGE.routes:
        if route.body is not None:
            for struct in structs_in(route.body.type):
                assert struct.__struct_config__.forbid_unknown_fields, struct


def structs_in(kind: Any) -> set[type[msgspec.Struct]]:
    found: set[type[msgspec.Struct]] = set()

    def look(one: Any) -> None:
        if isinstance(one, msgspec.inspect.StructType):
            found.add(one.cls)
            for field in one.fields:
                look(field.type)
        elif isinstance(one, msgspec.inspect.UnionType):
            for part in one.types:
                look(part)
        elif isinstance(one, msgspec.inspect.Metadata):
            look(one.type)
        elif isinstance(one, msgspec.inspect.ListType):
            look(one.item_type)

    look(msgspec.inspect.type_info(kind))
    return found


@pytest.mark.parametrize("route", where(lambda route: route.parameters))
async def test_no_text_in_a_path_is_a_fault(desk: Desk, route: Route) -> None:
    before = await desk.shop.everything()
    for text in (*IDENTIFIERS, "evt_0x", f"pay_{'9' * 30}", f"we_{2**63}", "key_007"):
        path = path_of(route, dict.fromkeys(route.parameters, text))
        told = await send(desk, route, path, example_of(route))
        assert told.status in (400, 404, 405), (text, told)
    assert await desk.shop.everything() == before


@pytest.mark.parametrize("route", where(lambda route: route.body is not None))
async def test_no_body_and_no_value_is_a_fault(desk: Desk, route: Route) -> None:
    path = path_of(route, await one_of_each(desk))
    assert route.body is not None
    for content in BODIES:
        request = Request(method=route.method, path=path, text=content)
        told = await desk.shop.ask("manage", request)
        assert told.status < 500, (content[:40], told)
        if told.status >= 400:
            problem(told)
    example = example_of(route)
    for place in fields(example):
        for value in VALUES:
            body = replaced(copy.deepcopy(example), place, value)
            text = json.dumps(body)
            told = await desk.shop.ask("manage", Request(method=route.method, path=path, text=text))
            assert told.status < 500, (place, value, told)
            if told.status >= 400:
                problem(told)


@pytest.mark.parametrize("route", where(lambda route: route.query is not None))
async def test_no_query_is_a_fault(desk: Desk, route: Route) -> None:
    path = path_of(route, await one_of_each(desk))
    before = await desk.shop.everything()
    assert route.query is not None
    for name in route.query.names:
        for text in TEXTS:
            # Nothing that a stream would begin with: it has no end to wait for.
            query = f"{name}={text.replace('{name}', name)}&unheardOf"
            told = await send(desk, route, f"{path}?{query}")
            assert told.status == 400, (query, told)
            if route.name != LIVE:
                told = await send(desk, route, f"{path}?{name}={text}")
                assert told.status in (200, 400, 404), (query, told)
    assert await desk.shop.everything() == before


async def test_a_path_or_method_that_is_none_is_a_problem_too(desk: Desk) -> None:
    nowhere = await desk.ask("GET", "/orderz")
    assert (nowhere.status, problem(nowhere)["type"]) == (404, "/problems#not-found")
    wrong = await desk.ask("PUT", "/keys")
    assert (wrong.status, problem(wrong)["type"]) == (405, "/problems#method-not-allowed")
    assert wrong.headers["allow"] == "GET, HEAD, OPTIONS, POST"
