"""The whole product as one application, on a real database."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from io import StringIO
from typing import Any

import httpx
import pytest

from openorders import app, services
from openorders.contracts import ALL, MANAGE
from openorders.logs import configure_logging
from openorders.server.lifecycle import Lifecycle, Phase
from openorders.settings import read
from openorders.telemetry import Metrics

SERVED = (*ALL, MANAGE)
NAMES = [contract.name for contract in SERVED]
FORGETFUL = "options=-c%20synchronous_commit%3Doff"

Product = Callable[..., AbstractAsyncContextManager[tuple[httpx.AsyncClient, Lifecycle]]]


@asynccontextmanager
async def product(url: str, **given: str) -> AsyncIterator[tuple[httpx.AsyncClient, Lifecycle]]:
    settings, lifecycle = read({}, **given), Lifecycle()
    lifecycle.phase = Phase.SERVING
    async with app.Product().application(settings, url, lifecycle, Metrics()) as application:
        transport = httpx.ASGITransport(application)  # pyright: ignore[reportArgumentType]
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            yield client, lifecycle


@pytest.fixture
async def client(module_database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with product(module_database_url, hosts="api.example.com=commerce") as (client, _):
        yield client


@pytest.fixture
def log() -> StringIO:
    """What is logged at the start."""
    stream = StringIO()
    configure_logging("json", "info", stream=stream)
    return stream


def events(log: StringIO, name: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == name]


@pytest.mark.parametrize("name", NAMES)
async def test_every_contract_is_there_by_prefix_and_by_host(client: httpx.AsyncClient, name):
    prefixed = (await client.get(f"/{name}/openapi.json")).json()
    named = (await client.get("/openapi.json", headers={"Host": f"{name}.localhost"})).json()
    assert prefixed.pop("servers") == [{"url": f"http://here/{name}"}]
    assert named.pop("servers") == [{"url": f"http://{name}.localhost"}]
    assert prefixed == named


@pytest.mark.parametrize("name", NAMES)
async def test_every_contract_has_a_reference_page_and_a_place_on_the_start_page(
    client: httpx.AsyncClient, name
):
    page = await client.get(f"/{name}/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert 'href="openapi.json"' in page.text
    start = (await client.get("/")).text
    assert f'href="/{name}/docs"' in start
    assert f"http://{name}.localhost" in start


async def test_a_mapped_host_serves_its_contract_and_the_files_of_pages(client: httpx.AsyncClient):
    host = {"Host": "api.example.com"}
    assert "Commerce" in (await client.get("/docs", headers=host)).text
    assert (await client.get("/assets/reference.js", headers=host)).status_code == 200
    assert (await client.get("/favicon.ico", headers=host)).status_code == 200
    assert (await client.get("/livez", headers=host)).json()["error"]


@pytest.mark.parametrize("name", NAMES)
async def test_nothing_of_a_contract_answers_without_a_credential(client: httpx.AsyncClient, name):
    contract = next(one for one in SERVED if one.name == name)
    for route in contract.routes:
        path = f"/{name}" + route.path.replace("{", "").replace("}", "")
        assert (await client.request(route.method, path)).status_code == 401, route.name


async def test_assets_are_packed_and_known_again(client: httpx.AsyncClient):
    plain = await client.get("/assets/openorders.css", headers={"Accept-Encoding": "identity"})
    packed = await client.get("/assets/openorders.css", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content
    known = {"If-None-Match": plain.headers["ETag"]}
    assert (await client.get("/assets/openorders.css", headers=known)).status_code == 304
    for path in ("/assets/pay.html", "/assets/..%2f..%2fapp.py", "/assets/"):
        assert (await client.get(path)).status_code == 404


async def test_an_unknown_path_of_no_contract_is_404_and_a_method_405(client: httpx.AsyncClient):
    assert (await client.get("/nowhere")).json() == {"error": "Not Found"}
    wrong = await client.post("/livez")
    assert wrong.status_code == 405
    assert "GET" in wrong.headers["Allow"]


async def test_a_process_that_serves_is_ready(client: httpx.AsyncClient):
    assert (await client.get("/livez")).text == "ok\n"
    assert (await client.get("/readyz")).text == "ok\n"
    told = (await client.get("/readyz?verbose")).json()
    durability = told["checks"].pop("durability")
    assert durability == told["status"]  # a database for tests may be one that forgets
    assert told["checks"] == {"serving": "pass", "database": "pass", "migrations": "pass"}
    assert (await client.head("/readyz")).status_code == 200


async def test_a_database_that_can_lose_orders_is_told_of_and_keeps_no_traffic_away(
    database_url: str, log: StringIO
):
    forgetful = f"{database_url}{'&' if '?' in database_url else '?'}{FORGETFUL}"
    settings = read({}, database_url=forgetful)
    async with app.Product().database(settings, lambda _: None) as url:
        assert url == forgetful
    [warning] = events(log, "database_can_lose_orders")
    assert warning["level"] == "warning"
    assert "synchronous_commit" in warning["off"]
    async with product(forgetful) as (client, _):
        answer = await client.get("/readyz?verbose")
        assert answer.status_code == 200
        assert answer.json()["status"] == "warn"
        assert answer.json()["checks"]["durability"] == "warn"


async def test_a_process_that_drains_is_alive_and_not_ready(database_url: str):
    async with product(database_url) as (client, lifecycle):
        lifecycle.phase = Phase.DRAINING
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/readyz?verbose")).json()["phase"] == "draining"


async def test_a_database_that_is_not_migrated_is_not_ready(empty_database_url: str):
    async with product(empty_database_url) as (client, _):
        answer = await client.get("/readyz?verbose")
        assert answer.status_code == 503
        assert answer.json()["checks"]["migrations"] == "fail"
        assert (await client.get("/livez")).status_code == 200


async def test_metrics_tell_of_requests_and_connections(client: httpx.AsyncClient):
    await client.get("/basic/orders")
    answer = await client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'contract="basic",method="GET",route="/orders",status="401"' in answer.text
    assert "openorders_database_connections" in answer.text


@pytest.mark.parametrize(
    ("given", "opened"),
    [
        ({}, {}),
        ({"demo": "true"}, {"basic": "basic"}),
        ({"demo": "true", "host": "192.0.2.1"}, {}),
        ({"open": "basic"}, {"basic": None}),
        ({"demo": "true", "open": "basic=mine"}, {"basic": "mine"}),
    ],
)
def test_a_contract_is_open_only_when_the_operator_says_so(given, opened):
    assert services.open_contracts(read({}, **given)) == opened


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("basic=nobody", "There is no store of that name"),
        ("basic", "There are 0 stores, so one has to be named: --open basic=STORE."),
    ],
)
async def test_a_contract_that_was_opened_to_no_store_is_told_of_at_the_start(
    database_url: str, log: StringIO, given: str, why: str
):
    settings = read({}, database_url=database_url, open=given)
    async with app.Product().database(settings, lambda _: None):
        pass
    [warning] = events(log, "open_contract_without_store")
    assert warning["why"].startswith(why)
