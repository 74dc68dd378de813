"""How each contract is asked for one order and for a page of them, and where it says how many."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bench.load import Answer

PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """`page` takes an offset and whether to filter by `status`; `words` are what that means inside.

    `total` is None where the contract tells none. `lines` names an order's items.
    """

    name: str
    one: Callable[[int], str]
    page: Callable[[int, bool], str]
    orders: Callable[[Any], list[Any]]
    lines: str
    total: Callable[[Answer], int] | None
    status: str | None = None
    words: tuple[str, ...] = ()


def marketplace_list(filter_: str | None, *, skip: int = 0) -> str:
    """A page of marketplace's list by OData options, with the exact count."""
    chosen = "" if filter_ is None else f"&$filter={quote(filter_)}"
    return f"/marketplace/api/orders/odata?$top={PAGE}&$skip={skip}&$count=true{chosen}"


DELIVERED = ("delivered", "completed")
COMPLETED = ("completed",)

DIALECTS = (
    Dialect(
        name="commerce",
        one=lambda order: f"/commerce/v1/orders/ORD{order:09d}",
        page=lambda offset, by_status: (
            f"/commerce/v1/orders?limit={PAGE}&offset={offset}"
            + ("&status=delivered" if by_status else "")
        ),
        orders=lambda body: body["data"],
        lines="items",
        total=lambda answer: answer.json()["pagination"]["total"],
        status="delivered",
        words=DELIVERED,
    ),
    Dialect(
        name="basic",
        one=lambda order: f"/basic/orders/{order}",
        page=lambda offset, by_status: (
            f"/basic/orders?limit={PAGE}&offset={offset}"
            + ("&status=delivered" if by_status else "")
        ),
        orders=lambda body: body,
        lines="items",
        total=lambda answer: int(answer.headers["x-total-count"]),
        status="delivered",
        words=DELIVERED,
    ),
    Dialect(
        name="marketplace",
        one=lambda order: f"/marketplace/api/orders/ord_{order}",
        page=lambda offset, by_status: marketplace_list(
            "status eq 'completed'" if by_status else None, skip=offset
        ),
        orders=lambda body: body["value"],
        lines="items",
        total=lambda answer: answer.json()["count"],
        status="completed",
        words=COMPLETED,
    ),
    Dialect(
        name="partner",
        one=lambda order: f"/partner/orders/OR{order:05d}",
        page=lambda offset, _: f"/partner/orders?limit={PAGE}&offset={offset}",
        orders=lambda body: body["items"],
        lines="items",
        total=None,
    ),
    Dialect(
        name="storefront",
        one=lambda order: f"/storefront/api/orders/order_{order}",
        page=lambda offset, by_status: (
            f"/storefront/api/orders?limit={PAGE}&page={offset // PAGE + 1}"
            + ("&status=completed" if by_status else "")
        ),
        orders=lambda body: body["orders"],
        lines="items",
        total=lambda answer: answer.json()["pagination"]["total"],
        status="completed",
        words=COMPLETED,
    ),
)
