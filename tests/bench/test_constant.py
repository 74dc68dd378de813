"""The limit of reading one order answers as the product does, and is a copy of what it answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from bench.constant import Constant, fixed_of
from bench.dialects import DIALECTS, Dialect
from bench.load import Answer
from openorders.server.lifecycle import Lifecycle
from openorders.server.shell import SECURITY_HEADERS
from openorders.settings import Settings
from openorders.telemetry import Metrics

ANSWER = Answer(
    status=200,
    headers={
        "date": "Sun, 01 Jan 2023 00:00:00 GMT",
        "content-type": "application/json",
        "content-length": "13",
        "etag": '"v3"',
        "x-request-id": "of another request",
        "x-frame-options": "DENY",
    },
    body=b'{"a":"\xc3\xa4\xc3\xb6"}',
    milliseconds=1.0,
)


@asynccontextmanager
async def client_of(assembly: Constant) -> AsyncIterator[httpx.AsyncClient]:
    async with assembly.application(Settings(), "", Lifecycle(), Metrics()) as application:
        transport = httpx.ASGITransport(application)  # pyright: ignore[reportArgumentType]
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
async def test_every_contract_answers_its_path_of_one_order_with_the_bytes(dialect: Dialect):
    assembly = Constant({one.name: fixed_of(ANSWER) for one in DIALECTS})
    assembly.prepare(Settings())
    async with client_of(assembly) as client:
        answer = await client.get(dialect.one(123))
        elsewhere = await client.get(f"/{dialect.name}/nowhere")

    assert answer.status_code == 200
    assert answer.content == ANSWER.body
    assert answer.headers["etag"] == '"v3"'
    assert answer.headers["x-request-id"] != "of another request"
    assert {name.decode() for name, _ in SECURITY_HEADERS} <= set(answer.headers)
    assert elsewhere.status_code == 404


def test_what_the_server_adds_to_every_answer_is_not_added_twice():
    headers, body = fixed_of(ANSWER)

    assert sorted(name for name, _ in headers) == [b"content-length", b"content-type", b"etag"]
    assert body == ANSWER.body
