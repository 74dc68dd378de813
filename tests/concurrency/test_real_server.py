"""The real server under parallel buyers, killed in the middle, and compared with its clients."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.concurrency.program import Program

CATALOGUE = """product_id,product_name,variant_id,sku,price,currency,stock
1,Plenty,1,SKU-1,10.00,USD,100000
2,Last units,2,SKU-2,7.50,USD,10
3,Also plenty,3,SKU-3,0.35,USD,100000
"""

PLACING = {
    "commerce": (
        "/commerce/v1/orders",
        lambda product, customer: {
            "customerId": f"CUST{customer:05}",
            "items": [{"productId": f"PROD{product:03}", "quantity": 1}],
        },
    ),
    "basic": (
        "/basic/orders",
        lambda product, customer: {
            "userId": customer,
            "items": [{"productId": product, "quantity": 1}],
        },
    ),
    "marketplace": (
        "/marketplace/api/orders",
        lambda product, customer: {
            "customerId": f"cust_{customer}",
            "items": [{"offerId": f"offer_{product}", "quantity": 1}],
            "paymentMethod": "credit_card",
        },
    ),
    "partner": (
        "/partner/orders",
        lambda product, customer: {
            "partner_name": f"Partner {customer}",
            "items": [{"product_id": f"PR{product:05}", "quantity": 1}],
        },
    ),
}


_stores = itertools.count(1)


@pytest.fixture(scope="module")
def program(temporary_folder: Path) -> Iterator[Program]:
    program = Program(temporary_folder / "killed")
    program.start()
    yield program
    program.remove()
    sys.stdout.write(program.log())


@pytest.fixture
def key(program: Program, temporary_folder: Path) -> str:
    """The key of a store of the test's own, with the catalogue above."""
    name = f"shop-{next(_stores)}"
    program.command("store", "create", name, "--currency", "USD")
    catalogue = temporary_folder / "catalogue.csv"
    catalogue.write_text(CATALOGUE)
    program.command("catalog", "import", str(catalogue), "--store", name)
    return program.command("key", "create", "--store", name, "--role", "service").strip()


def client(program: Program, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=program.url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
        limits=httpx.Limits(max_connections=64),
    )


async def place(http: httpx.AsyncClient, contract: str, product: int, n: int) -> httpx.Response:
    path, body = PLACING[contract]
    return await http.post(
        path, json=body(product, n % 50 + 1), headers={"Idempotency-Key": f"{contract}-{n}"}
    )


async def test_64_parallel_buyers_through_every_dialect_get_exactly_the_last_10_units(
    program: Program, key: str
) -> None:
    contracts = list(PLACING)
    async with client(program, key) as http:
        answers = await asyncio.gather(
            *(place(http, contracts[n % len(contracts)], 2, n) for n in range(64))
        )
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 10, statuses
    assert all(status in (201, 400, 409, 422) for status in statuses), statuses
    assert json.loads(program.command("verify", "--json")) == []


async def test_twins_on_two_workers_make_one_order(program: Program, key: str) -> None:
    async with client(program, key) as http:
        for n in range(10):
            twins = await asyncio.gather(*(place(http, "commerce", 1, n) for _ in range(8)))
            bodies = {twin.content for twin in twins if twin.status_code == 201}
            assert len(bodies) == 1
            assert all(twin.status_code in (201, 409) for twin in twins)
        listed = (await http.get("/commerce/v1/orders")).json()
    assert listed["pagination"]["total"] == 10


class Ledger:
    """What clients were told. An unknown outcome is asked for again under the same key."""

    def __init__(self) -> None:
        self.told: dict[str, dict[str, Any]] = {}
        self.unknown = 0

    async def buy(self, http: httpx.AsyncClient, n: int, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                answer = await place(http, "commerce", 1 + 2 * (n % 2), n)
            except httpx.HTTPError:
                self.unknown += 1
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 201:
                self.told[f"commerce-{n}"] = answer.json()
                return
            assert answer.status_code in (409, 503), (answer.text, answer.headers)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("victim", ["workers", "everything", "database"])
async def test_a_kill_in_the_middle_loses_and_doubles_nothing(
    program: Program, key: str, victim: str
) -> None:
    ledger, stop = Ledger(), asyncio.Event()
    async with client(program, key) as http:
        buyers = [asyncio.create_task(ledger.buy(http, n, stop)) for n in range(600)]
        for cycle in range(3):
            while len(ledger.told) < 60 * (cycle + 1) and not all(b.done() for b in buyers):
                await asyncio.sleep(0.01)
            await asyncio.to_thread(_hurt, program, victim)
        await asyncio.wait_for(asyncio.gather(*buyers), 240)
        total = (await http.get("/commerce/v1/orders?limit=1")).json()["pagination"]["total"]
        ids = [told["orderId"] for told in ledger.told.values()]
        assert len(set(ids)) == len(ids) == total == 600
        for name, told in list(ledger.told.items())[::20]:
            n = int(name.removeprefix("commerce-"))
            again = await place(http, "commerce", 1 + 2 * (n % 2), n)
            assert again.json() == told
            shown = (await http.get(f"/commerce/v1/orders/{told['orderId']}")).json()
            assert shown["totalAmount"] == told["totalAmount"]
    assert ledger.unknown > 0, "the kill hit an idle system"
    assert json.loads(program.command("verify", "--json")) == []


def _hurt(program: Program, victim: str) -> None:
    if victim == "workers":
        assert program.process is not None
        workers = program.family()[1:]
        assert workers, "the server works in processes of its own"
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        return
    if victim == "database":
        program.kill_database()
        program.kill()
    else:
        program.kill()
    program.start()


async def test_a_stop_finishes_what_is_in_flight(program: Program, key: str) -> None:
    async with client(program, key) as http:
        placing = [asyncio.create_task(place(http, "commerce", 1, n)) for n in range(200)]
        await asyncio.sleep(0.15)
        code = await asyncio.to_thread(program.stop)
        answers = await asyncio.gather(*placing, return_exceptions=True)
    assert code == 0
    placed = [a for a in answers if isinstance(a, httpx.Response) and a.status_code == 201]
    broken = [a for a in answers if isinstance(a, httpx.ReadError | httpx.RemoteProtocolError)]
    assert broken == [], "a request that was taken in was lost"
    program.start()
    async with client(program, key) as http:
        total = (await http.get("/commerce/v1/orders?limit=1")).json()["pagination"]["total"]
    assert total == len(placed)
