"""The OpenAPI documents against the product itself: what they promise is what is answered.

Schemathesis makes requests from the documents, fitting ones and unfitting ones, and sends them to
the whole application with the demo in it, over HTTP.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from openorders import app, demo
from openorders import settings as product_settings
from openorders.contracts import ALL, MANAGE, kit
from openorders.server.lifecycle import Lifecycle
from openorders.services import unguessable
from openorders.store.database import opened
from openorders.telemetry import Metrics
from tests.postgres import databases

KEYS = {
    "commerce": "YOUR_API_KEY",
    "marketplace": "demo-marketplace-key",
    "partner": "demo-secret-key",
    "storefront": "demo-admin-key",
    "manage": "demo-admin-key",
}
DESCRIBED = (*ALL, MANAGE)
WITHOUT_END = {"GET /v1/events/stream"}
"""What is tried elsewhere, since whoever waits for all of it waits for ever."""

FITTING, UNFITTING = 12, 10
"""How many requests are made for each operation of each document.

`positive_data_acceptance` is left out: a document cannot say that text must not hold a NUL, nor
which identifiers name something.
"""


def loaded(contract: kit.Contract) -> Any:
    document = json.loads(kit.encode(kit.describe(contract, "1.0.0")))
    return schemathesis.openapi.from_dict(document)


SCHEMAS = {contract.name: loaded(contract) for contract in DESCRIBED}
OPERATIONS = [
    pytest.param((name, found.ok()), id=f"{name}-{found.ok().label}")
    for name, schema in SCHEMAS.items()
    for found in schema.get_all_operations()
    if found.ok().label not in WITHOUT_END
]


def can_be_misread(operation: Any) -> bool:
    """Whether anything but a path's text is asked for."""
    _, described = operation.values[0]
    return bool(described.body) or bool(described.query)


@pytest.fixture(scope="module")
def origin(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the product answers, on a demo of its own."""
    databases.finish(filled(module_database_url))
    server = Server(module_database_url, tmp_path_factory.mktemp("mails"))
    server.start()
    yield server.origin()
    server.stop()


@pytest.mark.parametrize("contract", DESCRIBED, ids=lambda contract: contract.name)
def test_a_document_is_valid_openapi(contract: kit.Contract) -> None:
    SCHEMAS[contract.name].validate()
    assert SCHEMAS[contract.name].raw_schema["openapi"].startswith("3.1.")


@pytest.mark.parametrize("contract", DESCRIBED, ids=lambda contract: contract.name)
def test_a_document_has_every_route_and_no_other(contract: kit.Contract) -> None:
    paths = SCHEMAS[contract.name].raw_schema["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert described == {(route.method, route.path) for route in contract.routes}


@pytest.mark.parametrize("contract", DESCRIBED, ids=lambda contract: contract.name)
def test_the_document_that_is_served_is_this_one(contract: kit.Contract, origin: str) -> None:
    told = httpx.get(f"{origin}/{contract.name}/openapi.json")
    assert told.status_code == 200
    served = told.json()
    assert served.pop("servers") == [{"url": f"{origin}/{contract.name}"}]
    described = SCHEMAS[contract.name].raw_schema
    assert served["paths"] == described["paths"]
    assert served["components"] == described["components"]


@pytest.mark.parametrize("contract", DESCRIBED, ids=lambda contract: contract.name)
def test_everything_in_a_document_is_explained(contract: kit.Contract) -> None:
    document = SCHEMAS[contract.name].raw_schema
    silent = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            at = f"{method} {path}"
            silent += [at for what in ("summary", "description") if not operation.get(what)]
            silent += [
                f"{at} {parameter['name']}"
                for parameter in operation["parameters"]
                if "$ref" not in parameter and not parameter.get("description")
            ]
            silent += [
                f"{at} {status}"
                for status, response in operation["responses"].items()
                if not response.get("description")
            ]
    assert silent == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_requests_as_described_are_answered_as_described(operation: Any, origin: str) -> None:
    send(operation, origin, operation[1].as_strategy(), FITTING)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_examples_of_a_document_are_answered_as_described(operation: Any, origin: str) -> None:
    for examples in operation[1].get_strategies_from_examples():
        send(operation, origin, examples, 1)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if can_be_misread(one)])
def test_other_requests_are_refused_as_described(operation: Any, origin: str) -> None:
    unfitting = operation[1].as_strategy(generation_mode=GenerationMode.NEGATIVE)
    send(operation, origin, unfitting, UNFITTING)


def send(operation: Any, origin: str, cases: Any, most: int) -> None:
    """Send at most this many requests and hold every answer against the document."""
    name, _ = operation
    key = KEYS.get(name)
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    @given(case=cases)
    @settings(
        max_examples=most,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def each(case: schemathesis.Case) -> None:
        answer = case.call(base_url=f"{origin}/{name}", headers=headers, timeout=20)
        case.validate_response(answer, headers=headers, excluded_checks=[positive_data_acceptance])

    each()


async def filled(url: str) -> None:
    async with opened(url, connections=1) as database:
        await demo.fill(database, unguessable)


class Server(threading.Thread):
    """The product on a free port, in a thread with a loop of its own."""

    def __init__(self, url: str, mails: Path) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._settings = product_settings.read(
            {},
            database_url=url,
            demo=True,
            data_dir=mails,
            mail_dir=mails,
            log_level="error",
            manage_rate=1_000_000,
        )
        self._up = threading.Event()
        self._server: uvicorn.Server | None = None

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        lifecycle, metrics = Lifecycle(), Metrics()
        product = app.Product()
        async with product.application(self._settings, self._url, lifecycle, metrics) as served:
            config = uvicorn.Config(served, port=0, lifespan="off", log_config=None)
            self._server = uvicorn.Server(config)
            serving = asyncio.create_task(self._server.serve())
            while not self._server.started:
                await asyncio.sleep(0.01)
            self._up.set()
            await serving

    def origin(self) -> str:
        """Where it answers, once it does."""
        assert self._up.wait(20)
        assert self._server is not None
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """Stop answering, and wait until it is over."""
        assert self._server is not None
        self._server.should_exit = True
        self.join(20)
        assert not self.is_alive()
