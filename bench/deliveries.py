"""`python -m bench.deliveries`: webhooks from commit to receiver, in bulk and one by one.

Two `openorders worker` processes on the machine's cores, together with PostgreSQL (durable
defaults) and the receiver: everything that a delivery costs is in the figures.
"""

import argparse
import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any, cast

import asyncpg
import uvloop

from bench.subject import OPENORDERS, Subject, running

AWAY = {"OPENORDERS_BACKGROUND": "false"}
"""The server only answers; what runs beside the requests runs in the workers."""
LOCAL = {
    "OPENORDERS_WEBHOOK_ALLOW_PRIVATE": "true",
    "OPENORDERS_WEBHOOK_ALLOW_HTTP": "true",
    "OPENORDERS_LOG_LEVEL": "warning",
}
PATIENCE_S = 120.0

_ENDPOINT = """
with made as (
    insert into webhook_endpoints (store_id, url, contract, created_at, updated_at)
    select store_id, $1, 'commerce', now(), now() from stores where name = 'bench'
    returning store_id, id
)
insert into webhook_secrets (store_id, endpoint_id, secret, created_at)
select store_id, id, decode(repeat('ab', 32), 'hex'), now() from made
"""
_EVENTS = """
insert into outbox (store_id, order_id, version, type, payload, at)
select o.store_id, $1::bigint + n, 1, 'order.created', o.payload, now()
from (select * from outbox order by id limit 1) o, generate_series(1, $2::int) n
"""


@dataclass(slots=True)
class Receiver:
    """Says 204 to everything, and remembers what came when."""

    came: dict[str, float] = field(default_factory=dict[str, float])
    more: asyncio.Event = field(default_factory=asyncio.Event)
    again: int = 0
    latencies_ms: list[float] = field(default_factory=list[float])

    def take(self, head: bytes, body: bytes) -> None:
        name = head[head.index(b"webhook-id: ") + 12 :].split(b"\r", 1)[0].decode()
        now = time.time()
        if name in self.came:
            self.again += 1
            return
        self.came[name] = now
        self.more.set()
        happened = datetime.fromisoformat(json.loads(body)["timestamp"]).timestamp()
        self.latencies_ms.append((now - happened) * 1000)


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while b"\r\n\r\n" in self._seen:
            head, rest = self._seen.split(b"\r\n\r\n", 1)
            lower = head.lower()
            length = int(lower[lower.index(b"content-length: ") + 16 :].split(b"\r", 1)[0])
            if len(rest) < length:
                return
            self._receiver.take(lower, rest[:length])
            self._seen = rest[length:]
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


def main() -> int:
    """Print figures as JSON; with --json, write them to a file too."""
    parser = argparse.ArgumentParser(prog="python -m bench.deliveries", description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with running(workers=1, products=10, environment=AWAY) as subject:
        result = uvloop.run(_measured(subject, options))
    print(json.dumps(result, indent=2))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


async def _measured(subject: Subject, options: argparse.Namespace) -> dict[str, Any]:
    receiver = Receiver()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(receiver), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = await asyncpg.connect(subject.database_url)
    await connection.execute("select 1")
    with _workers(subject, options.workers):
        await connection.fetch(_ENDPOINT, f"http://127.0.0.1:{port}/hook")
        idle = await _one_by_one(subject, receiver, options.orders)
        rounds = [
            await _in_bulk(connection, receiver, options.events) for _ in range(options.rounds)
        ]
    await connection.close()
    server.close()
    return {
        "case": "webhooks to one local receiver",
        "workers": options.workers,
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "idle": idle,
        "bulk": {
            "events_per_round": options.events,
            "events_per_second": {
                "median": round(median(rounds)),
                "min": round(min(rounds)),
                "max": round(max(rounds)),
            },
            "delivered_more_than_once": receiver.again,
        },
    }


async def _one_by_one(subject: Subject, receiver: Receiver, orders: int) -> dict[str, Any]:
    """Place orders over HTTP, five a second, and time each from its own time (which is before
    its commit) to its arrival at the receiver.
    """
    await asyncio.to_thread(_place, subject, 3)
    await _until(receiver, 3)
    receiver.latencies_ms.clear()
    await asyncio.to_thread(_place, subject, orders)
    await _until(receiver, orders + 3)
    found = receiver.latencies_ms
    return {
        "orders": len(found),
        "median_ms": round(median(found), 1),
        "p95_ms": round(quantiles(found, n=20)[-1], 1),
        "max_ms": round(max(found), 1),
    }


def _place(subject: Subject, orders: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", subject.port)
    items = [{"productId": f"PROD{n:03d}", "quantity": n} for n in (1, 2, 3)]
    address = {
        "street": "1 Main St", "city": "Anytown", "state": "CA", "zipCode": "90210",
        "country": "USA",
    }  # fmt: skip
    body = json.dumps({"customerId": "CUST00005", "items": items, "shippingAddress": address})
    for _ in range(orders):
        headers = {"authorization": f"Bearer {subject.key}", "content-type": "application/json"}
        connection.request("POST", "/commerce/v1/orders", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == http.HTTPStatus.CREATED, text
        time.sleep(0.2)


async def _in_bulk(
    connection: "asyncpg.Connection[asyncpg.Record]", receiver: Receiver, events: int
) -> float:
    """Events a second, from the commit of a rush of them until the last one arrived."""
    before = len(receiver.came)
    first_order = 1_000_000 + before
    began = time.perf_counter()
    await connection.execute(_EVENTS, first_order, events)
    await connection.execute("select pg_notify('openorders_events', '')")
    await _until(receiver, before + events)
    rate = events / (time.perf_counter() - began)
    print(f"{events} events: {rate:.0f}/s", flush=True)
    await asyncio.sleep(2)
    return rate


async def _until(receiver: Receiver, came: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(receiver.came) < came:
            receiver.more.clear()
            await receiver.more.wait()


@contextmanager
def _workers(subject: Subject, count: int) -> Iterator[None]:
    """So many `openorders worker` processes beside the server."""
    started: list[subprocess.Popen[str]] = []
    try:
        for _ in range(count):
            process = subprocess.Popen(
                [OPENORDERS, "worker", "--data-dir", str(subject.folder)],
                stdout=subprocess.PIPE, stderr=sys.stderr, text=True,
                env={**os.environ, **LOCAL},
            )  # fmt: skip
            started.append(process)
            assert process.stdout is not None
            print(process.stdout.readline().strip(), flush=True)
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(30)


if __name__ == "__main__":
    print(f"began {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", file=sys.stderr)
    sys.exit(main())
