"""One trial: a shop whose processes are killed while its customers buy; then everything compared.

In a hurry (the suite) nobody waits for retries and leases: once the workers are dead, the time
after which they are known to be dead is made to have passed.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chaos import checker, plans
from tests.chaos.books import Books
from tests.chaos.buyers import Crowd, Ledger
from tests.chaos.fleet import Fleet, Nemesis

STORE = "chaos"
ENDPOINTS = {"/steady": "partner", "/flaky": "marketplace"}
PAGE = 500


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How much, how many, how hard."""

    orders: int
    seed: int
    workers: int = 2
    processes: int = 2
    buyers: int = 24
    fault_share: float = 0.02
    victims: dict[str, float] = field(default_factory=dict[str, float])
    pause_s: tuple[float, float] = (1.0, 4.0)
    blows: tuple[str, ...] | None = None
    """Who is struck, one after another; None: at random, for as long as somebody buys."""
    hurried: bool = False
    quiet_s: float = 240.0


@dataclass(kw_only=True)
class Report:
    """What a trial came to. `violations` is what must be empty."""

    seed: int
    seconds: float = 0.0
    quiet_after_s: float = 0.0
    orders: int = 0
    acknowledged: int = 0
    unknown_outcomes: int = 0
    refused: dict[str, int] = field(default_factory=dict[str, int])
    strikes: dict[str, int] = field(default_factory=dict[str, int])
    in_flight_when_struck: float = 0.0
    events: int = 0
    tries: dict[str, int] = field(default_factory=dict[str, int])
    faults: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    repeats: dict[str, int] = field(default_factory=dict[str, int])
    violations: list[str] = field(default_factory=list[str])

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=2)


@dataclass
class Shop:
    """The store of a trial, its key, and a client that speaks to the server."""

    fleet: Fleet
    key: str
    books: Books

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(
            base_url=self.fleet.server.url,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=30,
        ) as http:
            yield http

    async def feed(self) -> list[str]:
        """The whole feed, page after page."""
        found: list[str] = []
        after: str | None = None
        async with self.client() as http:
            while True:
                query = {"limit": str(PAGE), "contract": "partner"}
                query |= {} if after is None else {"after": after}
                answer = await http.get("/manage/v1/events", params=query)
                told = answer.raise_for_status().json()
                found += [one["id"] for one in told["events"]]
                after = told["next"]
                if not told["more"]:
                    return found

    async def tell(self, url: str, contract: str) -> str:
        """A new endpoint; its secret."""
        async with self.client() as http:
            body = {"url": url, "contract": contract}
            answer = await http.post("/manage/v1/webhook-endpoints", json=body)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return answer.json()["secret"]


async def open_shop(fleet: Fleet, *, few: int) -> Shop:
    """A store with goods, a key, and two endpoints at the receiver."""
    command, catalogue = fleet.command, fleet.folder / "catalogue.csv"
    await asyncio.to_thread(command, "store", "create", STORE, "--currency", "USD")
    catalogue.write_text(plans.CATALOGUE.format(few=few))
    await asyncio.to_thread(command, "catalog", "import", str(catalogue), "--store", STORE)
    key = await asyncio.to_thread(command, "key", "create", "--store", STORE, "--role", "admin")
    url = (await asyncio.to_thread(command, "db", "url")).strip()
    books = Books(url, 0)
    [store] = await books.fetch("select store_id from stores where name = $1", STORE)
    shop = Shop(fleet, key.strip(), Books(url, store["store_id"]))
    origin = f"http://127.0.0.1:{fleet.receiver.port}"
    secrets = {path: await shop.tell(origin + path, words) for path, words in ENDPOINTS.items()}
    fleet.receiver.secrets.write_text(json.dumps(secrets))
    return shop


async def run(rules: Rules, folder: Path, say: Callable[[str], None]) -> Report:
    """Buy, kill, wait until all is quiet, compare."""
    fleet = Fleet(
        folder, rules.seed, rules.workers, rules.processes, rules.fault_share, rules.hurried
    )
    began = time.monotonic()
    try:
        await asyncio.to_thread(fleet.start)
        shop = await open_shop(fleet, few=rules.orders // 12)
        for worker in fleet.crew:
            worker.start()
        say(f"seed {rules.seed}: {rules.orders} buyers, {rules.workers} workers")
        report, ledger = await _buy_and_kill(rules, fleet, shop, say)
        calm = time.monotonic()
        await _calm_down(rules, fleet, shop, report)
        report.quiet_after_s = round(time.monotonic() - calm, 1)
        await _compare(fleet, shop, ledger, report)
        report.seconds = round(time.monotonic() - began, 1)
        if report.violations:
            say(fleet.logs())
        return report
    finally:
        await asyncio.to_thread(fleet.end)


async def _buy_and_kill(
    rules: Rules, fleet: Fleet, shop: Shop, say: Callable[[str], None]
) -> tuple[Report, Ledger]:
    chance = random.Random(rules.seed)  # noqa: S311 - to be repeated, not unguessable
    nemesis = Nemesis(fleet, chance, rules.victims)
    ledger = Ledger()
    in_flight: list[int] = []
    wanted = [plans.plan(rules.seed, number) for number in range(rules.orders)]
    async with shop.client() as http:
        crowd = Crowd(http, ledger, wanted)
        buying = asyncio.create_task(crowd.buy(abreast=rules.buyers))
        try:
            await _strike(rules, nemesis, buying, ledger, in_flight, say)
            await buying
        finally:
            buying.cancel()
    report = Report(
        seed=rules.seed,
        orders=len(ledger.bought),
        acknowledged=ledger.acks,
        unknown_outcomes=ledger.unknown,
        refused=dict(sorted(ledger.refused.items())),
        strikes=nemesis.counts,
        in_flight_when_struck=statistics.median(in_flight or [0]),
        violations=list(ledger.surprises),
    )
    return report, ledger


async def _strike(
    rules: Rules,
    nemesis: Nemesis,
    buying: asyncio.Task[None],
    ledger: Ledger,
    in_flight: list[int],
    say: Callable[[str], None],
) -> None:
    """One blow after another, for as long as somebody buys."""
    for struck in itertools.count(1):
        await asyncio.wait([buying], timeout=nemesis.chance.uniform(*rules.pause_s))
        if buying.done() or (rules.blows is not None and struck > len(rules.blows)):
            return
        in_flight.append(ledger.in_flight)
        if rules.blows is None:
            await asyncio.to_thread(nemesis.strike)
        else:
            await asyncio.to_thread(nemesis.hit, rules.blows[struck - 1])
        if struck % 10 == 0:
            say(f"{struck} strikes, {len(ledger.bought)} orders, {ledger.acks} answers")


async def _calm_down(rules: Rules, fleet: Fleet, shop: Shop, report: Report) -> None:
    if rules.hurried:
        for worker in fleet.crew:
            await asyncio.to_thread(worker.kill)
        await shop.books.end_leases()
        for worker in fleet.crew:
            worker.start()
    waiting = await shop.books.quiet(within_s=rules.quiet_s, hurried=rules.hurried)
    report.violations += [
        f"after all: {count} {what} wait" for what, count in waiting.items() if count
    ]


async def _compare(fleet: Fleet, shop: Shop, ledger: Ledger, report: Report) -> None:
    events, orders = await shop.books.events(), await shop.books.orders()
    endpoints = checker.heard(fleet.receiver.log, events)
    for path in ENDPOINTS:
        endpoints.setdefault(path, checker.Heard())
    report.events = len(events)
    report.tries = {path: one.tries for path, one in endpoints.items()}
    report.faults = {path: dict(one.faults) for path, one in endpoints.items()}
    report.repeats = {path: one.repeats for path, one in endpoints.items()}
    report.violations += [
        *checker.wrong_deliveries(endpoints, events),
        *checker.wrong_feed(await shop.feed(), events),
        *checker.wrong_events(events, orders),
        *checker.wrong_orders(ledger.bought, orders),
        *await asyncio.to_thread(_verified, fleet, "verify", "--json"),
        *await asyncio.to_thread(_verified, fleet, "verify", "--gateway", "--json"),
    ]


def _verified(fleet: Fleet, *words: str) -> list[str]:
    said = fleet.command(*words, code=None)
    try:
        found: list[Any] = json.loads(said)
    except json.JSONDecodeError:
        return [f"{' '.join(words)} said: {said[:500]}"]
    return [f"{' '.join(words)}: {json.dumps(one)}" for one in found]
