"""What every answer carries, and who answers what."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import StringIO

import httpx
import pytest
import structlog

from openorders.asgi import Exchange, exchange_of
from openorders.logs import Logger, configure_logging
from openorders.server.lifecycle import Lifecycle, Phase
from openorders.server.shell import Shell, Site, host_name
from openorders.telemetry import Metrics


@dataclass
class World:
    """A shell around applications that tell what they were asked."""

    client: httpx.AsyncClient
    lifecycle: Lifecycle
    metrics: Metrics
    faults: list[str] = field(default_factory=list)

    async def told(self, url: str, **headers: str) -> dict[str, str]:
        return (await self.client.get(url, headers=headers)).json()


def speaking(name: str, status: int = 200):
    async def application(scope, receive, send):
        exchange = exchange_of(scope)
        if scope["path"] == "/fault":
            raise RuntimeError("hush")
        exchange.route = "/route" if scope["path"] == "/known" else ""
        exchange.replayed = scope["path"] == "/again"
        told = {"by": name, "path": scope["path"], "base": exchange.base, "at": exchange.origin}
        body = json.dumps(told).encode()
        own = [(b"referrer-policy", b"same-origin")] if name == "pages" else []
        await send({"type": "http.response.start", "status": status, "headers": own})
        await send({"type": "http.response.body", "body": body})

    return application


@pytest.fixture(params=[None])
async def world(request) -> AsyncIterator[World]:
    lifecycle, metrics, faults = Lifecycle(), Metrics(), []

    def report(error: Exception, exchange: Exchange) -> None:
        faults.append(exchange.request_id)

    site = Site(
        contracts={
            "one": speaking("one"),
            "two": speaking("two", 201),
            "beside": speaking("beside", 201),
        },
        documentation={"one": speaking("docs of one"), "two": speaking("docs of two")},
        hosts={"one.localhost": "one", "shop.example": "two"},
        pages=speaking("pages"),
        everywhere=("/assets/",),
        beside=frozenset(("beside",)),
        public_url=request.param,
    )
    shell = Shell(
        site=site, metrics=metrics, lifecycle=lifecycle, log_requests="all", report=report
    )
    transport = httpx.ASGITransport(shell, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here:8000") as client:
        yield World(client, lifecycle, metrics, faults)


@pytest.mark.parametrize(
    ("host", "path", "by", "below"),
    [
        ("here:8000", "/one/orders/1", "one", "/orders/1"),
        ("here:8000", "/two", "two", "/"),
        ("here:8000", "/two/", "two", "/"),
        ("here:8000", "/", "pages", "/"),
        ("here:8000", "/three/orders", "pages", "/three/orders"),
        ("here:8000", "/onefold", "pages", "/onefold"),
        ("here:8000", "/one/docs", "docs of one", "/docs"),
        ("one.localhost:8000", "/orders", "one", "/orders"),
        ("ONE.localhost.", "/one/orders", "one", "/one/orders"),
        ("shop.example", "/docs", "docs of two", "/docs"),
        ("shop.example", "/assets/x.css", "pages", "/assets/x.css"),
        ("other.example", "/orders", "pages", "/orders"),
    ],
)
async def test_a_contract_is_found_by_prefix_and_by_host(world: World, host, path, by, below):
    told = await world.told(path, Host=host)
    assert (told["by"], told["path"]) == (by, below)


async def test_a_base_is_what_the_client_used(world: World):
    prefixed = await world.told("/one/orders")
    named = await world.told("/orders", Host="shop.example:81")
    assert prefixed["base"] == "http://here:8000/one"
    assert named["base"] == named["at"] == "http://shop.example:81"


@pytest.mark.parametrize("world", ["https://api.example"], indirect=True)
async def test_a_public_url_is_what_clients_are_told(world: World):
    prefixed = await world.told("/one/orders")
    assert prefixed["base"] == "https://api.example/one"
    assert prefixed["at"] == "https://api.example"
    assert (await world.told("/orders", Host="shop.example"))["base"] == "https://shop.example"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Shop.Example:80", "shop.example"),
        ("shop.example.", "shop.example"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("", ""),
        ("a:b:c", "a:b:c"),
    ],
)
def test_a_host_header_names_a_host(header, name):
    assert host_name(header) == name


async def test_every_answer_carries_the_headers_of_all(world: World):
    for path in ("/", "/one/orders", "/nowhere", "/one/fault"):
        headers = (await world.client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert len(headers.get_list("X-Request-Id")) == 1


async def test_an_answer_keeps_headers_of_its_own(world: World):
    assert (await world.client.get("/")).headers.get_list("Referrer-Policy") == ["same-origin"]


@pytest.mark.parametrize("sent", ["a-1", "x" * 128, "4bf92f3577b34da6:00f067aa0ba902b7"])
async def test_a_sane_request_id_is_taken_over(world: World, sent):
    answer = await world.client.get("/", headers={"X-Request-Id": sent})
    assert answer.headers["X-Request-Id"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "a\tb", "<script>"])
async def test_another_request_id_is_replaced(world: World, sent):
    answer = await world.client.get("/", headers={"X-Request-Id": sent})
    assert answer.headers["X-Request-Id"] not in ("", sent)


async def test_a_fault_that_nobody_answered_is_500_and_reported(world: World):
    answer = await world.client.get("/one/fault", headers={"X-Request-Id": "here"})
    assert (answer.status_code, answer.json()) == (500, {"error": "Internal server error."})
    assert world.faults == ["here"]


async def test_a_server_on_its_way_out_says_so(world: World):
    world.lifecycle.phase = Phase.DRAINING
    assert (await world.client.get("/")).headers["Connection"] == "close"


async def test_requests_are_counted_by_route_and_never_by_path(world: World):
    await world.client.get("/one/known")
    await world.client.get("/one/secret-4711")
    await world.client.request("BREW", "/one/known")
    await world.client.post("/two/again")
    await world.client.post("/two/orders")
    await world.client.post("/beside/keys")
    text = world.metrics.exposition().decode()
    assert "4711" not in text
    assert 'contract="one",method="GET",route="/route",status="200"} 1.0' in text
    assert 'contract="one",method="GET",route="(none)",status="200"} 1.0' in text
    assert 'method="_OTHER"' in text
    assert 'openorders_orders_placed_total{contract="two"} 1.0' in text
    assert 'openorders_orders_placed_total{contract="beside"}' not in text
    assert 'openorders_idempotent_replays_total{contract="two"} 1.0' in text


def test_a_log_line_names_a_fault_by_its_places_only():
    out = StringIO()
    configure_logging("json", "info", stream=out)
    try:
        raise KeyError("jane@example.com")  # noqa: TRY301 - the fault is what is tried
    except KeyError as error:
        Logger("test").error("fault", exc_info=error, request_id="r1")
    line = json.loads(out.getvalue())
    assert list(line)[:3] == ["time", "level", "event"]
    assert (line["fault"], line["request_id"]) == ("KeyError", "r1")
    assert "test_shell.py" in line["places"][-1]
    assert "jane" not in out.getvalue()
    structlog.reset_defaults()
