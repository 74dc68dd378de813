"""The sample contract as an application, called without a network."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

import httpx
import pytest

from openorders.contracts import kit
from openorders.domain.access import Caller, Role
from openorders.domain.ids import StoreId
from openorders.domain.refusals import NotAuthenticated, Refused
from openorders.domain.store_settings import Store
from openorders.usecases.context import Services
from tests.contracts.kit import sample

KEY = "good"
STORE = Store(id=StoreId(1), name="sample", currency="USD")


async def admit(credential: str | None, contract: str) -> Caller:
    if credential not in (KEY, "other"):
        raise Refused(NotAuthenticated())
    return Caller(
        store=STORE, role=Role.ADMIN, actor="key:1", credential=credential, contract=contract
    )


@dataclass
class World:
    """A client with a good key, and what the contract reported as faults."""

    client: httpx.AsyncClient
    faults: list[tuple[Exception, str]] = field(default_factory=list)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    faults: list[tuple[Exception, str]] = []
    ground = kit.Ground(
        services=lambda: cast("Services", None),
        admit=admit,
        is_weather=lambda error: isinstance(error, OSError),
        report=lambda error, exchange: faults.append((error, exchange.request_id)),
        most_body=1024 * 1024,
        version="1.2.3",
    )
    application = kit.build(sample.CONTRACT, ground)

    async def shell(scope, receive, send):
        exchange = kit.Exchange("request-1", "http://test", "http://test/sample")
        await application({**scope, kit.EXCHANGE: exchange}, receive, send)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(shell),
        base_url="http://test",
        headers={"Authorization": f"Bearer {KEY}"},
    ) as client:
        yield World(client, faults)
