"""The product as it is put together, on a real database, called without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from openorders import settings, web
from openorders.asgi import Application
from openorders.server.lifecycle import Lifecycle, Phase
from openorders.services import services_of
from openorders.telemetry import Metrics
from openorders.usecases.context import Services

ORIGIN = "http://shop.example"
FAULT = 500


@dataclass
class Served:
    """A client, what the contracts stand on, and the answers that were faults: there must be
    none. `application` is what the client asks, for answers that have no end.
    """

    client: httpx.AsyncClient
    services: Services
    faults: list[str]
    application: Application
    digest_sql: str = ""


@asynccontextmanager
async def served(
    url: str, mails: Path, *, demo: bool = False, manage_rate: int = 1_000_000
) -> AsyncIterator[Served]:
    """Everything that a server answers with, on the database of this URL."""
    chosen = settings.read(
        {},
        demo=demo,
        mail_dir=mails,
        pool_size=6,
        log_requests="none",
        manage_rate=manage_rate,
    )
    lifecycle = Lifecycle()
    lifecycle.phase = Phase.SERVING
    async with services_of(chosen, url) as services:
        faults: list[str] = []

        async def note(answer: httpx.Response) -> None:
            if answer.status_code == FAULT:
                faults.append(f"{answer.request.method} {answer.request.url}")

        shell = web.shell(chosen, services, lifecycle, Metrics())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(shell),
            base_url=ORIGIN,
            event_hooks={"response": [note]},
        ) as client:
            yield Served(client, services, faults, shell)
