"""Buyers who carry out their plans over HTTP, and never give up on a request whose outcome they
do not know: they send it again under the same key, as the documents tell them to.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.plans import Plan, Step

PATIENCE_S = 150.0
PAUSE_S = 0.05
LATER = ("PAYMENT_IN_PROGRESS",)
"""Refusals that are for good under their key, and worth a new request a little later."""


@dataclass
class Bought:
    """What one buyer was told in the end."""

    plan: Plan
    order: str = ""
    total: int = 0
    """In cents."""
    paid: bool = False
    cancelled: bool = False
    refunds: list[int | None] = field(default_factory=list[int | None])
    """In cents; None: everything that was left."""


@dataclass
class Ledger:
    """What all buyers were told, and what surprised them."""

    bought: list[Bought] = field(default_factory=list[Bought])
    acks: int = 0
    unknown: int = 0
    in_flight: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    surprises: list[str] = field(default_factory=list[str])


@dataclass
class Crowd:
    """All buyers of a trial, so many at a time."""

    http: httpx.AsyncClient
    ledger: Ledger
    plans: list[Plan]

    async def buy(self, *, abreast: int) -> None:
        todo = iter(self.plans)

        async def one_after_another() -> None:
            for plan in todo:
                await self._carry_out(plan)

        await asyncio.gather(*(one_after_another() for _ in range(abreast)))

    async def _carry_out(self, plan: Plan) -> None:
        bought = Bought(plan)
        placed = await self._do(bought, plan.place, "0")
        if placed is None or placed.status_code != httpx.codes.CREATED:
            return
        told = placed.json()
        bought.order, bought.total = told["orderId"], round(told["totalAmount"] * 100)
        self.ledger.bought.append(bought)
        for number, step in enumerate(plan.steps, 1):
            answer = await self._do(bought, step, str(number))
            if answer is not None and answer.status_code == httpx.codes.OK:
                self._note(bought, step)

    def _note(self, bought: Bought, step: Step) -> None:
        match step.name:
            case "pay":
                bought.paid = True
            case "cancel":
                bought.cancelled = True
            case "refund":
                details = (step.body or {}).get("paymentDetails")
                bought.refunds.append(round(details["amount"] * 100) if details else None)

    async def _do(self, bought: Bought, step: Step, key: str) -> httpx.Response | None:
        """Ask until there is an answer that is one."""
        path = step.path.replace("{order}", bought.order)
        body: Any = step.body
        if body and "orderId" in body:
            body = {**body, "orderId": bought.order}
        name, again = f"{bought.plan.number}-{key}", 0
        self.ledger.in_flight += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    answer = await self._ask(step.method, path, body, f"{name}.{again}")
                    if answer is None:
                        continue
                    if answer.status_code in step.done:
                        self._acknowledged(step, answer)
                        return answer
                    again += self._is_later(answer)
                    if not self._may_retry(answer):
                        said = f"{step.name} {name}: {answer.status_code} {answer.text}"
                        self.ledger.surprises.append(said)
                        return None
                    await asyncio.sleep(PAUSE_S)
        except TimeoutError:
            self.ledger.surprises.append(f"{step.name} {name}: no answer in {PATIENCE_S:.0f} s")
            return None
        finally:
            self.ledger.in_flight -= 1

    async def _ask(self, method: str, path: str, body: Any, key: str) -> httpx.Response | None:
        try:
            return await self.http.request(
                method, path, json=body, headers={"Idempotency-Key": f"chaos-{key}"}
            )
        except httpx.HTTPError:
            self.ledger.unknown += 1
            await asyncio.sleep(PAUSE_S)
            return None

    def _acknowledged(self, step: Step, answer: httpx.Response) -> None:
        self.ledger.acks += 1
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            code = answer.json()["error"]["code"]
            self.ledger.refused[f"{step.name}: {answer.status_code} {code}"] += 1

    @staticmethod
    def _is_later(answer: httpx.Response) -> bool:
        return answer.status_code == httpx.codes.CONFLICT and _code(answer) in LATER

    @staticmethod
    def _may_retry(answer: httpx.Response) -> bool:
        return answer.status_code in (httpx.codes.CONFLICT, httpx.codes.SERVICE_UNAVAILABLE)


def _code(answer: httpx.Response) -> str:
    try:
        return answer.json()["error"]["code"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return ""
