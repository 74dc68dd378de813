"""What each buyer is going to do, decided by the seed alone: steps, and what may come of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

PLENTY, LAST_UNITS, CHEAP = 1, 2, 3
"""Variants (and products) of the catalogue; of the second there are fewer than are wanted."""

CATALOGUE = """product_id,product_name,variant_id,sku,price,currency,stock
1,Plenty,1,SKU-1,10.00,USD,1000000
2,Last units,2,SKU-2,7.50,USD,{few}
3,Also plenty,3,SKU-3,0.35,USD,1000000
"""

GOOD = {"method": "credit_card", "token": "tok_visa"}
BAD = {"method": "credit_card", "token": "tok_chargeDeclined"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request. `{order}` in the path and body is the order's id in the contract's words.

    `done` are the statuses that end the step, all but the first being refusals that are no fault.
    """

    name: str
    method: str
    path: str
    body: dict[str, Any] | None
    done: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A buyer: `place`, then the steps. `gives_back` is what partial refunds come to, in cents."""

    number: int
    place: Step
    steps: tuple[Step, ...] = field(default=())


def plan(seed: int, number: int) -> Plan:
    """The buyer of this number."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - to be repeated, not unguessable
    lines = [(PLENTY, chance.randint(1, 3)), (CHEAP, chance.randint(1, 9))]
    if chance.random() < 0.2:
        lines.append((LAST_UNITS, 1))
    items = [{"offerId": f"offer_{variant}", "quantity": count} for variant, count in lines]
    body = {"customerId": f"cust_{number % 97 + 1}", "items": items}
    place = Step(
        name="place",
        method="POST",
        path="/marketplace/api/orders/initiate-payment",
        body=body,
        done=(201, 400),
    )
    return Plan(number=number, place=place, steps=tuple(_steps(chance)))


def _steps(chance: random.Random) -> list[Step]:
    kind = chance.random()
    if kind < 0.10:
        return []
    if kind < 0.25:
        return [_cancel()]
    paid = [_pay(BAD), _pay(GOOD)] if kind < 0.40 else [_pay(GOOD)]
    if kind < 0.50:
        return paid
    if kind < 0.65:
        return [*paid, _cancel()]
    partly = [_refund(chance.randint(1, 400)) for _ in range(chance.randint(1, 3))]
    if kind < 0.80:
        return [*paid, *partly]
    if kind < 0.90:
        return [*paid, *partly, _cancel()]
    return [*paid, _refund(None)]


def _pay(card: dict[str, str]) -> Step:
    done = (200, 400) if card is GOOD else (402, 400)
    return _post("pay", "process-payment", done, action="process", paymentDetails=card)


def _refund(cents: int | None) -> Step:
    details = {} if cents is None else {"paymentDetails": {"amount": cents / 100}}
    return _post("refund", "process-payment", (200, 400), action="refund", **details)


def _post(name: str, operation: str, done: tuple[int, ...], **body: Any) -> Step:
    return Step(
        name=name,
        method="POST",
        path=f"/marketplace/api/orders/{operation}",
        body={"orderId": "{order}", **body},
        done=done,
    )


def _cancel() -> Step:
    return Step(
        name="cancel",
        method="PUT",
        path="/marketplace/api/orders/{order}/status",
        body={"status": "cancelled"},
        done=(200, 400),
    )
