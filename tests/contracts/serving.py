"""The contracts as they are served, on a real database, called without a network."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from openorders.contracts import ALL, kit
from openorders.gateways.mail import FolderMailer
from openorders.gateways.payments import Gateways
from openorders.gateways.sandbox import SandboxGateway
from openorders.gateways.tokens import TokenVerifier
from openorders.store.database import is_connection_loss, opened
from openorders.store.known import KnownCallers
from openorders.store.sandbox_ledger import SandboxLedger
from openorders.usecases.admit_callers import admit
from openorders.usecases.context import Services

ORIGIN = "http://shop.example"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Served:
    """A client, what the contracts stand on, and the faults they reported: there must be none."""

    client: httpx.AsyncClient
    services: Services
    faults: list[Exception] = field(default_factory=list[Exception])


@asynccontextmanager
async def served(
    url: str, mails: Path, open_contracts: Mapping[str, str | None] | None = None
) -> AsyncIterator[Served]:
    """Every contract below its prefix, on the database of this URL."""
    async with opened(url, connections=6) as database:
        ledger = SandboxLedger(database, _now)
        services = Services(
            database=database,
            gateways=Gateways({"sandbox": lambda store, name: SandboxGateway(ledger, store, name)}),
            mailer=FolderMailer(mails, "orders@shop.example"),
            verifier=TokenVerifier(),
            known=KnownCallers(),
            clock=_now,
            token=lambda: secrets.token_urlsafe(24),
            open_contracts=dict(open_contracts or {}),
        )
        world = Served(httpx.AsyncClient(), services)
        ground = kit.Ground(
            services=services,
            admit=lambda credential, contract: admit(services, credential, contract),
            is_weather=is_connection_loss,
            report=lambda error, _: world.faults.append(error),
            most_body=1024 * 1024,
            version="0.0.0",
        )
        contracts = {contract.name: kit.build(contract, ground) for contract in ALL}

        async def application(scope, receive, send):
            _, name, rest = scope["path"].split("/", 2)
            exchange = kit.Exchange(secrets.token_hex(8), ORIGIN, f"{ORIGIN}/{name}")
            inner = {**scope, "path": f"/{rest}", "raw_path": b"", kit.EXCHANGE: exchange}
            await contracts[name](inner, receive, send)

        transport = httpx.ASGITransport(application, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as world.client:
            yield world
